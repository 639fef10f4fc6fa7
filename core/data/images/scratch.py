"""Temporary files without a name: nothing is left of them, however the process ends."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import IO

from core.errors import InvalidInput
from core.files import FULL

_FULL = (*FULL, errno.EFBIG)


@contextmanager
def scratch_file(source: str) -> Generator[IO[bytes]]:
    """A file to fill in the block; it stays open if the block ends well, and is closed (and so gone) otherwise.

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
        with suppress(OSError):  # closing writes what is still held, which fails again
            file.close()
        if isinstance(error, OSError) and error.errno in _FULL:
            raise InvalidInput(
                f"{source} cannot be unpacked: the disk for temporary files is full ({error.strerror}). "
                "Free some room, or set TMPDIR to a folder with more."
            ) from None
        raise
