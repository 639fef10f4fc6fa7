"""One piece of work in a thread of its own, with its steps, that stops on request."""

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
from webapp.state.visitor import visitor

NICE = 10
"""How far a job's thread stands back behind those that answer the page, on Linux."""


@dataclass(frozen=True, slots=True)
class JobStep:
    """One named step of a run as far as it is known."""

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
        """ "3,200 of 10,000, 41 a second, about 2:45 left", as much of it as is meaningful."""
        if self.total <= 1:
            return ""
        parts = [f"{self.done:,} of {self.total:,}"]
        seconds = self.now - self.started
        if 0 < self.done < self.total and seconds > 2:
            rate = self.done / seconds
            parts += [f"{rate:,.0f} a second"] if rate >= 1.5 else []
            parts.append(f"about {clock((self.total - self.done) / rate)} left")
        return ", ".join(parts)


class Job:
    """One piece of work in a thread. `work` gets a progress callable, which raises Cancelled once `cancel` was
    called; what it returns is the `result`.

    Args:
        max_minutes: how long it may take; 0 sets no limit, None is that of the quotas.
    """

    def __init__(self, work: Callable[[Progress], Any], *, max_minutes: float | None = None) -> None:
        self.id = secrets.token_urlsafe(16)
        self.visitor = visitor()
        self._max_minutes = quotas().max_minutes if max_minutes is None else max_minutes
        self.started = time.monotonic()
        self.place = 0
        """Its place in line while it waits, from 1."""
        self.wait_s: float | None = None
        """About how long it will wait there, where that is known."""
        self.begun = False
        """Whether it works or has worked."""
        self.result: Any = None
        self.error: BaseException | None = None
        self.ended: Callable[[], None] = lambda: None
        """Called in the thread when the work is over."""
        self._steps: dict[str, JobStep] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        here = contextvars.copy_context()  # whose visit it is
        self._thread = threading.Thread(target=here.run, args=(self._run, work), name="job", daemon=True)

    def start(self) -> Job:
        self.started = time.monotonic()
        self.begun = True
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Ask the work to stop at its next safe point."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def pause(self, seconds: float) -> bool:
        """Whether it was asked to stop, after waiting for that at most that long."""
        return self._stop.wait(seconds)

    def wait(self, seconds: float) -> bool:
        """Whether the work has ended, after waiting for it at most that long."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def steps(self) -> tuple[JobStep, ...]:
        """The steps in the order in which they began; the last is under way."""
        with self._lock:
            return tuple(self._steps.values())

    def progress(self, step: str, done: int, total: int) -> None:
        """What the work calls; raises Cancelled where it shall stop."""
        now = time.monotonic()
        with self._lock:
            before = self._steps.get(step)
            self._steps[step] = (
                replace(before, done=done, total=total, now=now) if before else JobStep(step, done, total, now, now)
            )
        if self._stop.is_set():
            raise Cancelled("The run was stopped. Your files and choices are still here.")
        limit = self._max_minutes
        if limit and now - self.started > 60 * limit:
            raise Cancelled(
                f"The run took longer than {limit:g} minutes, the most that this server gives to one. "
                "Bring fewer samples, or run Errata on your own machine."
            )

    def _run(self, work: Callable[[Progress], Any]) -> None:
        _stand_back()
        try:
            self.result = work(self.progress)
        except BaseException as error:  # handed to the thread that follows the job, which raises it
            self.error = error
        finally:
            self.ended()


def _stand_back() -> None:
    """Let threads that answer the page go first; Linux alone knows a thread's own priority."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
