"""Which files visitors have brought, and how much that is: of one address and of all."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from core.limits import byte_size
from webapp.state.home import free_bytes, held_bytes
from webapp.state.quotas import quotas

NEXT = "Delete what is no longer needed with “Delete my data now” in the tab Your data, or bring a smaller file."


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it was brought; the same bytes under the same name lie in one place, however often they are."""

    address: str
    n_bytes: int
    since: float


class Uploads:
    """The files that are held and the bytes that are on their way. Safe to share between threads."""

    def __init__(self) -> None:
        self._held: dict[Path, list[Upload]] = {}
        self._coming: dict[str, int] = {}
        """Bytes on their way by address."""
        self._lock = threading.Lock()

    def refusal(self, address: str, n_bytes: int) -> str:
        """Why so many more bytes of an address are not taken in; "" where they are."""
        limits = quotas()
        with self._lock:
            held = [upload for several in self._held.values() for upload in several]
            own = [upload.n_bytes for upload in held if upload.address == address]
            coming, own_coming = sum(self._coming.values()), self._coming.get(address, 0)
        total, mine = sum(upload.n_bytes for upload in held) + coming, sum(own) + own_coming
        if len(own) >= limits.max_own_uploads:
            return f"You have {len(own):,} files here, which is the most of one visitor. {NEXT}"
        if mine + n_bytes > limits.max_own_upload_bytes:
            most = byte_size(limits.max_own_upload_bytes)
            return f"Files of one visitor may take {most}: {byte_size(mine)} are here. {NEXT}"
        later = "Try again later: what others brought is deleted within a day."
        if len(held) >= limits.max_uploads or total + n_bytes > limits.max_upload_bytes:
            return f"The server holds as many files as it takes ({byte_size(limits.max_upload_bytes)}). {later}"
        if held_bytes() + coming + n_bytes > limits.max_bytes:
            return f"The server holds as much as it takes ({byte_size(limits.max_bytes)}). {later}"
        if free_bytes() - n_bytes < limits.min_free_bytes:
            return f"The server's disk is full: {byte_size(limits.min_free_bytes)} of it stay free. {later}"
        return ""

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
            self._held.setdefault(path, []).append(Upload(address, n_bytes, time.monotonic()))

    def release(self, path: Path, address: str) -> None:
        """Delete an address' file; where others brought the same, it stays for them, and so does what it never
        brought."""
        with self._lock:
            several = self._held.get(path, [])
            mine = next((upload for upload in several if upload.address == address), None)
            if mine is None:  # the path comes from the browser
                return
            several.remove(mine)
            if several:
                return
            del self._held[path]
        shutil.rmtree(path.parent, ignore_errors=True)  # named by its digest, and holds it alone

    def expire(self, max_age_s: float) -> None:
        """Forget the files that are older, or that were deleted; a file is deleted once nobody brought it since."""
        before = time.monotonic() - max_age_s
        with self._lock:
            for path, several in list(self._held.items()):
                several[:] = [upload for upload in several if upload.since >= before]
                if not several or not path.exists():
                    del self._held[path]
                    path.unlink(missing_ok=True)


UPLOADS = Uploads()
