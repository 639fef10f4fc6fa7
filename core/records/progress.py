"""Report the progress of long work, and stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from core.errors import MissingDependency

Progress = Callable[[str, int, int], None]
"""Called as progress(step, done, total). It can raise `core.errors.Cancelled` to stop the run."""

SECONDS_BETWEEN_REPORTS = 0.5


def no_progress(step: str, done: int, total: int) -> None:
    """The silent default of every `progress` argument."""


def progress_bar(**options: Any) -> Progress:
    """Make a `progress` that draws a tqdm bar per step, in a notebook or a terminal.

    Args:
        options: passed to tqdm, such as `file` or `disable`.

    Raises:
        MissingDependency: tqdm is not installed.

    Example:
        >>> errata.diagnose("val.csv", images="val.zip", progress=errata.progress_bar())  # doctest: +SKIP
    """
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise MissingDependency("A progress bar needs tqdm. Run `pip install tqdm`.") from error
    bar = None
    shown = ""

    def show(step: str, done: int, total: int) -> None:
        nonlocal bar, shown
        if bar is None or shown != step or done < bar.n:
            if bar is not None:
                bar.close()
            bar = tqdm(desc=step, total=total, **options)
            shown = step
        bar.total = total
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return show


class Reporter:
    """Call `progress` at the first report, then at most twice a second, and at the end: cheap enough for any loop."""

    def __init__(self, progress: Progress, step: str, total: int) -> None:
        self._progress = progress
        self._step = step
        self._total = total
        self._last = float("-inf")

    def __call__(self, done: int, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self._last >= SECONDS_BETWEEN_REPORTS:
            self._last = now
            self._progress(self._step, done, self._total)
