"""Which files visitors have brought, and how much that is: of one address and of all."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from core.limits import byte_size
from webapp.state.home import free_bytes, held_bytes
from webapp.state.quotas import quotas

NEXT = "Delete what is no longer needed with “Delete my data now” in the tab Your data, or bring a smaller file."
MAX_VISITS = 1000
"""Of one file: further ones read it, and it is not theirs to delete."""
LATER = "Try again later: what others brought is deleted within a day."


@dataclass(slots=True)
class Upload:
    """One file as one address brought it, last at `since`: the same bytes under the same name lie in one place, however
    often they are brought."""

    n_bytes: int
    since: float
    visits: set[str] = field(default_factory=set[str])
    """Who has named it in a call since. An upload itself comes without the name of a visit."""


class Uploads:
    """The files that are held and the bytes that are on their way. Safe to share between threads."""

    def __init__(self) -> None:
        self._held: dict[Path, dict[str, Upload]] = {}
        """By path, and by the address that brought it."""
        self._coming: dict[str, int] = {}
        """Bytes on their way by address, and files."""
        self._coming_files: dict[str, int] = {}
        self._lock = threading.Lock()

    def refusal(self, address: str, n_bytes: int) -> str:
        """Why so many more bytes of an address are not taken in; "" where they are."""
        limits = quotas()
        with self._lock:
            held = [(brought, upload.n_bytes) for by in self._held.values() for brought, upload in by.items()]
            coming = sum(self._coming.values())
            own_coming = self._coming.get(address, 0)
        total = sum(n for _, n in held) + coming
        mine = sum(n for brought, n in held if brought == address) + own_coming
        if mine + n_bytes > limits.max_own_upload_bytes:
            most = byte_size(limits.max_own_upload_bytes)
            return f"Files of one visitor may take {most}: {byte_size(mine)} are here. {NEXT}"
        if total + n_bytes > limits.max_upload_bytes:
            return f"The server holds as many files as it takes ({byte_size(limits.max_upload_bytes)}). {LATER}"
        if held_bytes() + coming + n_bytes > limits.max_bytes:
            return f"The server holds as much as it takes ({byte_size(limits.max_bytes)}). {LATER}"
        if free_bytes() - n_bytes < limits.min_free_bytes:
            return f"The server's disk is full: {byte_size(limits.min_free_bytes)} of it stay free. {LATER}"
        return ""

    def reserve(self, address: str) -> str:
        """Take the place of one more file of an address until `unreserve`; why there is none, or ""."""
        limits = quotas()
        with self._lock:
            own_coming = self._coming_files.get(address, 0)
            own = sum(address in by for by in self._held.values()) + own_coming
            if own >= limits.max_own_uploads:
                return f"You have {own:,} files here, which is the most of one visitor. {NEXT}"
            if sum(map(len, self._held.values())) + sum(self._coming_files.values()) >= limits.max_uploads:
                return f"The server holds as many files as it takes ({limits.max_uploads:,}). {LATER}"
            self._coming_files[address] = own_coming + 1
        return ""

    def unreserve(self, address: str, n_files: int) -> None:
        """So many files fewer are on their way: they have come, or never will."""
        with self._lock:
            left = self._coming_files.pop(address, 0) - n_files
            if left > 0:
                self._coming_files[address] = left

    def paths(self) -> list[Path]:
        """Where the files lie that are held."""
        with self._lock:
            return list(self._held)

    def coming(self, address: str, n_bytes: int) -> None:
        """So many bytes more are on their way, or fewer where it is negative."""
        with self._lock:
            left = self._coming.pop(address, 0) + n_bytes
            if left > 0:
                self._coming[address] = left

    def add(self, address: str, path: Path) -> None:
        """A file has come."""
        try:
            n_bytes = path.stat().st_size
        except OSError:  # swept at once
            return
        with self._lock:
            before = self._held.setdefault(path, {}).get(address)
            self._held[path][address] = Upload(n_bytes, time.monotonic(), before.visits if before else set())

    def claim(self, visit: str, address: str, path: Path) -> None:
        """A visit names a file: it is the visit's too from now on, if it came from the visit's address."""
        with self._lock:
            upload = self._held.get(path, {}).get(address)
            if upload is not None and visit and len(upload.visits) < MAX_VISITS:
                upload.visits.add(visit)

    def release(self, visit: str) -> None:
        """Delete the files of a visit, whatever its address is now; one that another visit has named, or that came from
        another address too, stays for those."""
        with self._lock:
            for path, by in list(self._held.items()):
                for address, upload in list(by.items()):
                    if visit in upload.visits:
                        upload.visits.remove(visit)
                        if not upload.visits:
                            del by[address]
                self._drop_unheld(path)

    def expire(self, max_age_s: float) -> None:
        """Forget the files that are older, or that were deleted; a file is deleted once nobody brought it since."""
        before = time.monotonic() - max_age_s
        with self._lock:
            for path, by in list(self._held.items()):
                for address, upload in list(by.items()):
                    if upload.since < before or not path.exists():
                        del by[address]
                self._drop_unheld(path)

    def _drop_unheld(self, path: Path) -> None:
        """Delete a file that nobody holds any more, and its folder if no other lies in it: that is named by the digest
        alone, so the same bytes under another name are its neighbors."""
        if not self._held[path]:
            del self._held[path]
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()


UPLOADS = Uploads()
