"""Cache what encoders make of images in one SQLite file, keyed by the image's bytes and the encoder's fingerprint.

SQLite survives a process killed during a write, and two processes at once. Each entry has a checksum, so a damaged one
is detected and computed again; a file that SQLite cannot read is renamed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import stored_json
from core.errors import InvalidInput
from core.records import F32

_WAIT_S = 60.0
"""Seconds to wait while another process writes."""


@dataclass(frozen=True, slots=True, eq=False)
class CachedImage:
    """The cached entry of one image."""

    embedding: F32
    """(d,) vector of the search space."""
    joint: F32
    """(d2,) vector of the joint space."""
    properties: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Encode lengths and properties as JSON, then the vectors; equal vectors are stored once."""
        same = self.joint is self.embedding or np.array_equal(self.joint, self.embedding)
        vectors = [self.embedding] if same else [self.embedding, self.joint]
        head = json.dumps({"lengths": [len(v) for v in vectors], "properties": self.properties}).encode()
        return len(head).to_bytes(4, "little") + head + b"".join(v.astype("<f4").tobytes() for v in vectors)

    @staticmethod
    def from_bytes(data: bytes) -> CachedImage:
        """Decode an entry of `to_bytes`."""
        size = int.from_bytes(data[:4], "little")
        head = stored_json(data[4 : 4 + size])
        numbers = np.frombuffer(data, "<f4", offset=4 + size).astype(np.float32)
        parts = np.split(numbers, np.cumsum(head["lengths"])[:-1])
        return CachedImage(parts[0], parts[-1], head["properties"])


def entry_key(image: bytes, fingerprint: str) -> bytes:
    """Compute the key of an image's entry: 32 bytes that depend on both parts."""
    return hashlib.sha256(hashlib.sha256(image).digest() + fingerprint.encode()).digest()


class Cache:
    """Bytes by key in one file of a cache folder. Threads can share it: each has a separate connection.

    Args:
        folder: made if missing.
        name: of the file, without its ending.

    Raises:
        InvalidInput: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.sqlite"
        self.damaged = 0
        """Entries with a wrong checksum, since this object was made."""
        self.failure = ""
        """Why writing stopped, if a write failed (for example on a full disk)."""
        self.set_aside: Path | None = None
        """New path of an unreadable cache file."""
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._create()
        except (OSError, sqlite3.OperationalError) as error:
            raise InvalidInput(
                f"The cache folder {folder} cannot be used ({error}). Set ERRATA_CACHE to a writable folder."
            ) from error

    def _create(self) -> None:
        statement = (
            "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, checksum INTEGER NOT NULL, data BLOB NOT NULL)"
        )
        try:
            with self._connection() as connection:
                connection.execute(statement)
                connection.execute("SELECT key, checksum FROM entries LIMIT 1").fetchall()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._put_aside()
            with self._connection() as connection:
                connection.execute(statement)

    def _put_aside(self) -> None:
        self.close()
        name = self.path.stem
        self.set_aside = self.path.with_name(f"{name}.damaged-{time.time_ns()}.sqlite")
        self.path.replace(self.set_aside)
        for older in sorted(self.path.parent.glob(f"{name}.damaged-*.sqlite"))[:-1]:
            older.unlink(missing_ok=True)
        for ending in ("-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def _connection(self) -> sqlite3.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=_WAIT_S, check_same_thread=False)
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
            with self._lock:
                self._open.append(connection)
        return connection

    def read(self, key: bytes) -> bytes | None:
        """Read the entry; None if it is missing or damaged (which is counted)."""
        try:
            row = self._connection().execute("SELECT checksum, data FROM entries WHERE key = ?", (key,)).fetchone()
        except sqlite3.DatabaseError:
            row = (None, b"")
        if row is None:
            return None
        checksum, data = row
        if checksum == zlib.crc32(data):
            return data
        self.count_damage()
        return None

    def count_damage(self) -> None:
        """Count an entry that cannot be used."""
        with self._lock:
            self.damaged += 1

    def write(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Write entries in one transaction. A failed write does not stop a run: it sets `failure`, and later writes are
        skipped."""
        if self.failure:
            return
        rows = [(key, zlib.crc32(data), data) for key, data in entries]
        try:
            with self._connection() as connection:
                connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:
            self.failure = str(error)

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()


class EmbeddingCache(Cache):
    """The embeddings and properties of images in one cache folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "embeddings")

    def get(self, key: bytes) -> CachedImage | None:
        """Read the entry; None if it is missing or damaged (which is counted)."""
        data = self.read(key)
        if data is None:
            return None
        try:
            return CachedImage.from_bytes(data)
        except (ValueError, KeyError, IndexError):  # written by another version
            self.count_damage()
            return None

    def put(self, entries: Iterable[tuple[bytes, CachedImage]]) -> None:
        """Write entries in one transaction, as `write` does."""
        self.write((key, entry.to_bytes()) for key, entry in entries)
