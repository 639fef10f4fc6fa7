"""A job: work in its own thread, with steps, that stops on request."""

from __future__ import annotations

import contextlib
import contextvars
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.errors import Cancelled
from core.numbers import clock
from core.records import Progress
from webapp.state.quotas import quotas
from webapp.state.visitor import address, visitor

NICE = 10
"""Niceness of a job's thread on Linux, so that threads that answer the page go first."""


@dataclass(frozen=True, slots=True)
class JobStep:
    """Progress of one named step."""

    name: str
    done: int
    total: int
    started: float
    now: float

    @property
    def finished(self) -> bool:
        return self.total > 0 and self.done >= self.total

    @property
    def text(self) -> str:
        """Return "3,200 of 10,000, 41 per second, 2:45 left", or its meaningful parts."""
        if self.total <= 1:
            return ""
        parts = [f"{self.done:,} of {self.total:,}"]
        seconds = self.now - self.started
        if 0 < self.done < self.total and seconds > 2:
            rate = self.done / seconds
            if rate >= 1.5:
                parts.append(f"{rate:,.0f} per second")
            parts.append(f"{clock((self.total - self.done) / rate)} left")
        return ", ".join(parts)


class Job:
    """Work in a thread. `work` gets a progress callable, which raises Cancelled after `cancel`; its return value is the
    `result`.

    Args:
        max_minutes: time limit; 0 for none, None for the quotas' limit.
        lasting: whether it goes on when nobody follows it.
    """

    def __init__(
        self, work: Callable[[Progress], Any], *, max_minutes: float | None = None, lasting: bool = False
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        """Known only to its owner's browser, like a run's own id; who watches gets its link id."""
        self.visits = {visitor()} - {""}
        """Visits of its owner, which may cancel it."""
        self.address = address()
        self.lasting = lasting
        self.n_followers = 0
        if max_minutes is None:
            max_minutes = quotas().max_minutes
        self._max_minutes = max_minutes
        self.started = time.monotonic()
        self.position = 0
        """Its position in line while it waits, from 1."""
        self.wait_s: float | None = None
        """Estimated seconds of waiting, if known."""
        self.begun = False
        """Whether its work has started."""
        self.result: Any = None
        self.error: BaseException | None = None
        self.turn: Callable[[], None] = lambda: None
        """Called in the thread before the work, to wait for its turn."""
        self.ended: Callable[[], None] = lambda: None
        """Called in the thread after the work."""
        self._steps: dict[str, JobStep] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        here = contextvars.copy_context()  # carries the visit
        self._thread = threading.Thread(target=here.run, args=(self._run, work), name="job", daemon=True)

    def start(self) -> Job:
        """Start the thread, which waits for its turn and then works."""
        self._thread.start()
        return self

    @property
    def entered(self) -> bool:
        """Whether its thread was started, even if it has ended."""
        return self._thread.ident is not None

    def cancel(self) -> None:
        """Stop the work at its next safe point."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait at most that long for a request to stop; returns whether there was one."""
        return self._stop.wait(seconds)

    def wait(self, seconds: float) -> bool:
        """Wait at most that long for the work to end; returns whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def steps(self) -> tuple[JobStep, ...]:
        """Return the steps in order; the last is in progress."""
        with self._lock:
            return tuple(self._steps.values())

    def progress(self, step: str, done: int, total: int) -> None:
        """Report progress from the work; raises Cancelled if it must stop."""
        now = time.monotonic()
        with self._lock:
            before = self._steps.get(step)
            if before is None:
                before = JobStep(step, done, total, now, now)
            self._steps[step] = replace(before, done=done, total=total, now=now)
        if self._stop.is_set():
            raise Cancelled("The run was stopped. Your files and choices are still here.")
        limit = self._max_minutes
        if limit and now - self.started > 60 * limit:
            raise Cancelled(
                f"The run exceeded this server's limit of {limit:g} minutes. "
                "Use fewer samples, or run Errata on your own machine."
            )

    def _run(self, work: Callable[[Progress], Any]) -> None:
        if sys.platform == "linux":  # only Linux has priorities per thread
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        try:
            self.turn()
            self.started = time.monotonic()
            self.begun = True
            self.result = work(self.progress)
        except BaseException as error:  # raised by the thread that follows the job
            self.error = error
        finally:
            self.ended()
