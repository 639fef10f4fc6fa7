"""The tokens of one set of images on disk, in blocks that are appended, so that an interrupted pass goes on where it
stopped.

A folder holds `tokens.f16` and `pooled.f32` (raw numbers, row after row), and `log.jsonl`: a line with the
shapes, then one line for each block with its rows, the images that could not be read, and a checksum of the block's
bytes. A line is written after its block, so what the log says is there; what a killed process left behind it is cut
off, and a damaged block is computed again with all that follow it.
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

KINDS: dict[str, str] = {"tokens": "<f2", "pooled": "<f4"}
"""File and number format of each array."""
_LOG = "log.jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows `start` to `stop` of the store: those without a reason in `unreadable` have one row in each array."""

    start: int
    stop: int
    unreadable: dict[int, str] = field(default_factory=dict[int, str])
    clipped: int = 0
    """Images with a number past half precision, which was cut to its limit."""

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
        """Shape of one row of each array; empty before the first block with a readable image."""
        self.blocks: list[Block] = []
        self.damaged = 0
        """Blocks that failed their checksum and are to be computed again."""
        self._load()

    @property
    def next_row(self) -> int:
        """The first row of the store that is not yet read."""
        return self.blocks[-1].stop if self.blocks else 0

    def append(self, block: Block, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Add a block; `arrays` has one row for each of `block.rows`, and is empty where there are none."""
        try:
            if arrays and not self.shapes:
                self._begin({name: list(array.shape[1:]) for name, array in arrays.items()})
            checksum = 0
            for name in self.shapes if arrays else ():
                payload = np.ascontiguousarray(arrays[name], KINDS[name]).tobytes()
                checksum = zlib.crc32(payload, checksum)
                _append(self._path(name), payload)
            _append(self.folder / _LOG, (json.dumps(_line(block, checksum)) + "\n").encode())
        except OSError as error:
            raise InvalidInput(
                f"The tokens of {self._n:,} images cannot be kept in {self.folder} ({error}). {_WAYS_OUT}"
            ) from error
        self.blocks.append(block)

    def open(self, name: str) -> npt.NDArray[Any]:
        """The array as a read-only memory map."""
        count = sum(len(block.rows) for block in self.blocks)
        return np.memmap(self._path(name), KINDS[name], "r", shape=(count, *self.shapes[name]))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.{KINDS[name][1]}{8 * int(KINDS[name][2])}"

    def _row_bytes(self, name: str) -> int:
        return int(np.prod(self.shapes[name], dtype=np.int64)) * int(KINDS[name][2])

    def _begin(self, shapes: dict[str, list[int]]) -> None:
        """Note the shapes, once the disk is known to have space for all rows."""
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
        """Take over the blocks that are whole, and cut off the rest."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lines = (self.folder / _LOG).read_text("utf-8").splitlines() if (self.folder / _LOG).is_file() else []
            kept = self._whole(lines)
            for name in self.shapes:
                size = sum(len(block.rows) for block in self.blocks) * self._row_bytes(name)
                if self._path(name).stat().st_size != size:
                    os.truncate(self._path(name), size)
            if len(kept) != len(lines) - 1:  # else it is whole, and may lie on a disk that is full or cannot be written
                _rewrite(self.folder / _LOG, self.shapes, kept)
        except OSError as error:
            raise InvalidInput(f"The token cache {self.folder} cannot be used ({error}). {_WAYS_OUT}") from error

    def _whole(self, lines: list[str]) -> list[dict[str, Any]]:
        """The log's lines up to the first that is cut short or whose block is damaged; sets `blocks` and `shapes`."""
        kept: list[dict[str, Any]] = []
        try:
            self.shapes = json.loads(lines[0])["shapes"] if lines else {}
            files = {name: self._path(name).open("rb") for name in self.shapes}
        except (ValueError, KeyError, FileNotFoundError):
            self.shapes = {}
            self.damaged = 1
            return []
        try:
            for text in lines[1:]:
                line = _parsed(text)
                if line is None or line["start"] != self.next_row or not self._matches(line, files):
                    # the line that a killed process was writing: no damage
                    torn = line is None and len(kept) == len(lines) - 2
                    self.damaged = 0 if torn else len(lines) - 1 - len(kept)
                    break
                kept.append(line)
                self.blocks.append(_block(line))
        finally:
            for file in files.values():
                file.close()
        return kept

    def _matches(self, line: dict[str, Any], files: Mapping[str, BinaryIO]) -> bool:
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
    try:
        line: dict[str, Any] = json.loads(text)
        _block(line)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # cut short
    return line if "crc" in line else None


def _block(line: dict[str, Any]) -> Block:
    reasons = {int(row): str(reason) for row, reason in line["unreadable"].items()}
    return Block(int(line["start"]), int(line["stop"]), reasons, int(line["clipped"]))


def _rewrite(path: Path, shapes: dict[str, list[int]], lines: list[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(line) + "\n" for line in ({"shapes": shapes}, *lines)))
