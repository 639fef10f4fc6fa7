"""Temporary files without a name, which vanish however the process ends."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from core.errors import InvalidInput
from core.files import FULL

_DISK_FULL = (*FULL, errno.EFBIG)


@contextmanager
def scratch_file(source: str) -> Generator[IO[bytes]]:
    """Open a file to fill in the block; it stays open if the block succeeds, and is closed (and so gone) otherwise.

    Args:
        source: what is unpacked, for messages.

    Raises:
        InvalidInput: the disk is full.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as what reads it
    try:
        yield file
        file.flush()
    except BaseException as error:
        with suppress(OSError):  # closing writes what is still buffered, which fails again
            file.close()
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            raise InvalidInput(
                f"Cannot unpack {source}: the disk for temporary files is full ({error.strerror}). "
                "Free some space, or set TMPDIR to a folder with more."
            ) from None
        raise


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Spool:
    """Pieces copied one after another to a file without a name. Thread-safe."""

    file: IO[bytes]
    offsets: list[int]
    """(n + 1,) where each piece begins, and the end."""

    def read(self, index: int) -> bytes:
        begin, end = self.offsets[index : index + 2]
        return os.pread(self.file.fileno(), end - begin, begin)


def spool_pieces(source: str, pieces: Iterable[bytes], report: Callable[[int], None]) -> Spool:
    """Copy the pieces to a scratch file, one in memory at a time; `report` is called with the number of each.

    Raises:
        InvalidInput: the disk is full.
    """
    offsets = [0]
    with scratch_file(source) as scratch:
        for number, piece in enumerate(pieces):
            report(number)
            scratch.write(piece)
            offsets.append(offsets[-1] + len(piece))
    return Spool(scratch, offsets)
