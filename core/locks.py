"""Locks between processes: one holder at a time, let go by the system however the holder ends.

Where there is no such lock (Windows) nothing is kept out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from core.errors import InvalidInput

_WAIT = 0.5


def take(file: Path) -> IO[bytes] | None:
    """The lock on `file`, which is made where it is missing, or None where another holds it. Closing what is returned
    lets it go.

    Raises:
        OSError: the file cannot be made or written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = file.open("ab")
    if find_spec("fcntl") is None:
        return handle
    fcntl: Any = import_module("fcntl")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


@contextmanager
def exclusive(folder: Path, waiting: Callable[[], None]) -> Generator[None]:
    """Keep others, of this process or another, out of the folder; `waiting` is called twice a second until it is free.

    Raises:
        InvalidInput: the folder cannot be made or written.
    """
    try:
        while (handle := take(folder / "lock")) is None:
            waiting()
            time.sleep(_WAIT)
    except OSError as error:
        raise InvalidInput(
            f"The folder {folder} cannot be used ({error}). Choose one that you may write to."
        ) from error
    with handle:
        yield
