"""The tokens of a set of images on disk, in appended blocks, so that an interrupted pass resumes where it stopped.

A folder holds `tokens.f16` and `pooled.f32` (raw numbers, row after row), and `log.jsonl`: a line with the
shapes, then a line for each block with its rows, its unreadable images, and a checksum of its bytes. The line follows
its block, so every block in the log is on disk. Bytes after the last line, left by a killed process, are cut off. A
damaged block and all after it are computed again.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.files import write_text
from core.limits import byte_size

DTYPES: dict[str, str] = {"tokens": "<f2", "pooled": "<f4"}
"""Number format of each array's file."""
_LOG = "log.jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows `start` to `stop` - 1 of the store; each readable one has a row in each array."""

    start: int
    stop: int
    unreadable: dict[int, str] = field(default_factory=dict[int, str])
    """Reason by row."""
    clipped: int = 0
    """Images with numbers beyond half precision, clipped to its limit."""

    @property
    def rows(self) -> list[int]:
        return [row for row in range(self.start, self.stop) if row not in self.unreadable]


class TokenFiles:
    """The blocks of one folder. Use while its lock is held (`core.locks.lock`).

    Args:
        folder: made if it does not exist.
        n: images of the set, for the check of free space.

    Raises:
        InvalidInput: the folder cannot be made or written, or its disk has too little space.
    """

    def __init__(self, folder: Path, n: int) -> None:
        self.folder = folder
        self._n = n
        self.shapes: dict[str, list[int]] = {}
        """Shape of a row by array; {} before the first block with a readable image."""
        self.blocks: list[Block] = []
        self.damaged = 0
        """Number of damaged blocks, to be computed again."""
        self._load()

    @property
    def next_row(self) -> int:
        """The first row of the store without a block."""
        if not self.blocks:
            return 0
        return self.blocks[-1].stop

    def append(self, block: Block, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Add a block.

        Args:
            arrays: a row for each of `block.rows` in each array; {} for a block without readable images.
        """
        try:
            if arrays and not self.shapes:
                self._begin({name: list(array.shape[1:]) for name, array in arrays.items()})
            checksum = 0
            if arrays:
                for name in self.shapes:
                    payload = np.ascontiguousarray(arrays[name], DTYPES[name]).tobytes()
                    checksum = zlib.crc32(payload, checksum)
                    _append(self._path(name), payload)
            _append(self.folder / _LOG, (json.dumps(_line(block, checksum)) + "\n").encode())
        except OSError as error:
            raise InvalidInput(
                f"The tokens of {self._n:,} images cannot be saved in {self.folder} ({error}). {_WAYS_OUT}"
            ) from error
        self.blocks.append(block)

    def open(self, name: str) -> npt.NDArray[Any]:
        """The array as a read-only memory map."""
        count = sum(len(block.rows) for block in self.blocks)
        return np.memmap(self._path(name), DTYPES[name], "r", shape=(count, *self.shapes[name]))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.{DTYPES[name][1]}{8 * int(DTYPES[name][2])}"

    def _row_bytes(self, name: str) -> int:
        return int(np.prod(self.shapes[name], dtype=np.int64)) * int(DTYPES[name][2])

    def _begin(self, shapes: dict[str, list[int]]) -> None:
        """Write the shapes, if the disk has space for all rows."""
        self.shapes = shapes
        needed = self._n * sum(self._row_bytes(name) for name in shapes)
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            self.shapes = {}
            sizes = f"{byte_size(needed)}, and {self.folder} has {byte_size(free)} free"
            raise InvalidInput(f"The tokens of {self._n:,} images take {sizes}. {_WAYS_OUT}")
        for name in shapes:
            self._path(name).write_bytes(b"")
        _rewrite(self.folder / _LOG, self.shapes, [_line(block, 0) for block in self.blocks])

    def _load(self) -> None:
        """Read the whole blocks, and cut off the bytes after them."""
        log = self.folder / _LOG
        lines = list[str]()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if log.is_file():
                lines = log.read_text("utf-8").splitlines()
            whole = self._read_whole(lines)
            for name in self.shapes:
                size = sum(len(block.rows) for block in self.blocks) * self._row_bytes(name)
                if self._path(name).stat().st_size != size:
                    os.truncate(self._path(name), size)
            if len(whole) != len(lines) - 1:  # a whole log may lie on a full or read-only disk
                _rewrite(log, self.shapes, whole)
        except OSError as error:
            raise InvalidInput(f"The token cache {self.folder} cannot be used ({error}). {_WAYS_OUT}") from error

    def _read_whole(self, lines: list[str]) -> list[dict[str, Any]]:
        """The log's lines before the first incomplete one or damaged block; sets `blocks`, `shapes` and `damaged`."""
        whole: list[dict[str, Any]] = []
        if not lines:
            return whole
        try:
            self.shapes = json.loads(lines[0])["shapes"]
            files = {name: self._path(name).open("rb") for name in self.shapes}
        except (ValueError, KeyError, FileNotFoundError):
            self.shapes = {}
            self.damaged = 1
            return []
        try:
            for text in lines[1:]:
                line = _parsed(text)
                if line is None or line["start"] != self.next_row or not self._matches(line, files):
                    # an incomplete last line comes from a killed process and is not damage
                    if line is not None or len(whole) != len(lines) - 2:
                        self.damaged = len(lines) - 1 - len(whole)
                    break
                whole.append(line)
                self.blocks.append(_block(line))
        finally:
            for file in files.values():
                file.close()
        return whole

    def _matches(self, line: dict[str, Any], files: Mapping[str, BinaryIO]) -> bool:
        """Whether the next bytes of the files have the line's checksum."""
        checksum = 0
        count = len(_block(line).rows)
        for name, file in files.items():
            payload = file.read(count * self._row_bytes(name))
            if len(payload) < count * self._row_bytes(name):
                return False
            checksum = zlib.crc32(payload, checksum)
        return checksum == line["crc"]


_WAYS_OUT = "Free space, use fewer images, or set ERRATA_CACHE to a writable folder."


def _append(path: Path, payload: bytes) -> None:
    with path.open("ab") as file:
        file.write(payload)


def _line(block: Block, checksum: int) -> dict[str, Any]:
    reasons = {str(row): reason for row, reason in block.unreadable.items()}
    return {"start": block.start, "stop": block.stop, "unreadable": reasons, "clipped": block.clipped, "crc": checksum}


def _parsed(text: str) -> dict[str, Any] | None:
    """The line's content; None for an incomplete line."""
    try:
        line: dict[str, Any] = json.loads(text)
        _block(line)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if "crc" not in line:
        return None
    return line


def _block(line: dict[str, Any]) -> Block:
    reasons = {int(row): str(reason) for row, reason in line["unreadable"].items()}
    return Block(int(line["start"]), int(line["stop"]), reasons, int(line["clipped"]))


def _rewrite(path: Path, shapes: dict[str, list[int]], lines: list[dict[str, Any]]) -> None:
    texts = [json.dumps(line) for line in ({"shapes": shapes}, *lines)]
    write_text(path, "\n".join(texts) + "\n")
