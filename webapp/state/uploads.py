"""Visitors' uploads, and their size by address and in total."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from core.limits import byte_size
from webapp.state.home import free_bytes, held_bytes
from webapp.state.quotas import quotas

NEXT = "Press “Delete my data now” in New run, or use a smaller file."
MAX_VISITS = 1000
"""Visits that can claim one file; further visits can read it but not delete it."""
LATER = "Try again later; uploads of others are deleted within a day."


@dataclass(slots=True)
class Upload:
    """One file from one address, last uploaded at `since`. The same bytes under the same name are stored once."""

    n_bytes: int
    since: float
    visits: set[str] = field(default_factory=set[str])
    """Visits that have named it in a call; an upload itself comes without a visit."""


class Uploads:
    """Stored files and bytes in transfer. Safe to share between threads."""

    def __init__(self) -> None:
        self._held: dict[Path, dict[str, Upload]] = {}
        """Uploads by path and address."""
        self._coming: dict[str, int] = {}
        """Bytes and files in transfer, by address."""
        self._coming_files: dict[str, int] = {}
        self._lock = threading.Lock()

    def refusal(self, address: str, n_bytes: int) -> str:
        """Return why the server rejects this many more bytes from an address, or ""."""
        limits = quotas()
        with self._lock:
            coming = sum(self._coming.values())
            mine = self._coming.get(address, 0)
            total = coming
            for by_address in self._held.values():
                total += sum(upload.n_bytes for upload in by_address.values())
                if address in by_address:
                    mine += by_address[address].n_bytes
        if mine + n_bytes > limits.max_own_upload_bytes:
            most = byte_size(limits.max_own_upload_bytes)
            return f"Your files may take {most}; {byte_size(mine)} are already here. {NEXT}"
        if total + n_bytes > limits.max_upload_bytes:
            return f"The server has reached its limit of {byte_size(limits.max_upload_bytes)} of uploads. {LATER}"
        if held_bytes() + coming + n_bytes > limits.max_bytes:
            return f"The server has reached its limit of {byte_size(limits.max_bytes)} on disk. {LATER}"
        if free_bytes() - n_bytes < limits.min_free_bytes:
            return f"The server's disk is full: {byte_size(limits.min_free_bytes)} must stay free. {LATER}"
        return ""

    def reserve(self, address: str) -> str:
        """Reserve one more file for an address until `unreserve`; returns why that fails, or ""."""
        limits = quotas()
        with self._lock:
            own_coming = self._coming_files.get(address, 0)
            mine = sum(address in by for by in self._held.values()) + own_coming
            if mine >= limits.max_own_uploads:
                return f"You have {mine:,} files here, the limit for one visitor. {NEXT}"
            if sum(map(len, self._held.values())) + sum(self._coming_files.values()) >= limits.max_uploads:
                return f"The server has reached its limit of {limits.max_uploads:,} files. {LATER}"
            self._coming_files[address] = own_coming + 1
        return ""

    def unreserve(self, address: str, n_files: int) -> None:
        """Release reserved files, which have arrived or failed."""
        with self._lock:
            left = self._coming_files.pop(address, 0) - n_files
            if left > 0:
                self._coming_files[address] = left

    def paths(self) -> list[Path]:
        """Return the paths of the stored files."""
        with self._lock:
            return list(self._held)

    def coming(self, address: str, n_bytes: int) -> None:
        """Add bytes in transfer; negative to subtract."""
        with self._lock:
            left = self._coming.pop(address, 0) + n_bytes
            if left > 0:
                self._coming[address] = left

    def add(self, address: str, path: Path) -> None:
        """Record a stored file."""
        try:
            n_bytes = path.stat().st_size
        except OSError:  # already swept
            return
        with self._lock:
            by_address = self._held.setdefault(path, {})
            visits = set[str]()
            if address in by_address:
                visits = by_address[address].visits
            by_address[address] = Upload(n_bytes, time.monotonic(), visits)

    def claim(self, visit: str, address: str, path: Path) -> None:
        """Link a file to a visit that named it, if it came from the visit's address."""
        with self._lock:
            upload = self._held.get(path, {}).get(address)
            if upload is not None and visit and len(upload.visits) < MAX_VISITS:
                upload.visits.add(visit)

    def holds(self, path: Path) -> bool:
        """Whether the server has this upload."""
        with self._lock:
            return path in self._held and path.exists()

    def inherit(self, earlier: str, visit: str, address: str, path: Path) -> None:
        """Link a file to a visit, as `claim` does, in place of an earlier visit of the same browser."""
        with self._lock:
            for upload in self._held.get(path, {}).values():
                if earlier in upload.visits:
                    upload.visits.remove(earlier)
                    upload.visits.add(visit)
        self.claim(visit, address, path)

    def release(self, visit: str) -> None:
        """Delete the files of a visit, whatever its current address. Files linked to another visit or address stay."""
        with self._lock:
            for path, by in list(self._held.items()):
                for address, upload in list(by.items()):
                    if visit in upload.visits:
                        upload.visits.remove(visit)
                        if not upload.visits:
                            del by[address]
                self._drop_unheld(path)

    def expire(self, max_age_s: float) -> None:
        """Forget older or deleted files; a file is deleted once no address holds it."""
        before = time.monotonic() - max_age_s
        with self._lock:
            for path, by in list(self._held.items()):
                for address, upload in list(by.items()):
                    if upload.since < before or not path.exists():
                        del by[address]
                self._drop_unheld(path)

    def _drop_unheld(self, path: Path) -> None:
        """Delete a file that nobody holds, and its folder if empty. The folder is named by the digest alone, so it may
        contain the same bytes under another name."""
        if not self._held[path]:
            del self._held[path]
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()


UPLOADS = Uploads()
