"""Print lines that cannot steer the terminal, and one line of progress per step (not in a pipe)."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from core.cli.signals import raise_again
from core.errors import printable


def say(*texts: object, file: TextIO | None = None, flush: bool = False) -> None:
    """Print for a person to read. Column names and cells are the user's text, so control characters are shown as codes
    (`core.errors.printable`). For tables and JSON for other programs, see `core.cli.output`."""
    print(*(printable(str(text)) for text in texts), file=file, flush=flush)


class TerminalProgress:
    """A `Progress` that writes count and time left, one line per step; as a context it always ends the last line.

    Args:
        stream: where to write; nothing is written unless it is a terminal. A signal stops the command in any case.
        interval: seconds between two updates of a line.
    """

    def __init__(self, stream: TextIO | None = None, *, interval: float = 0.1) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._active = self._stream.isatty()
        self._interval = interval
        self._step = ""
        self._started = self._written = 0.0

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, step: str, done: int, total: int) -> None:
        raise_again()
        if not self._active:
            return
        now = time.monotonic()
        if step != self._step:
            self.close()
            self._step = step
            self._started = now
            self._written = 0.0
        if done >= total or now - self._written >= self._interval:
            self._written = now
            line = printable(progress_line(step, done, total, now - self._started))
            self._stream.write(f"\r\x1b[K{line}")
            self._stream.flush()

    def close(self) -> None:
        """End the line that is being written, if any."""
        if self._active and self._step:
            self._stream.write("\n")
            self._stream.flush()
            self._step = ""


def progress_line(step: str, done: int, total: int, seconds: float) -> str:
    """Format a line such as "Embedding images: 320 of 1,600, 0:31 left"; the time left appears after half a second."""
    from core.numbers import clock  # numpy

    if total <= 1:
        return step
    line = f"{step}: {done:,} of {total:,}"
    if done == 0 or seconds < 0.5:
        return line
    if done >= total:
        return f"{line}, {clock(seconds)}"
    return f"{line}, {clock((total - done) * seconds / done)} left"
