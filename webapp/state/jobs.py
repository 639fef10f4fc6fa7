"""A visitor's diagnosis while it runs: in a thread of its own, watched from the page, stopped on request."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import Cancelled
from core.records import Progress
from webapp.markup.html import esc


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


def clock(seconds: float) -> str:
    """Minutes and seconds: 2:45."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


class Job:
    """One piece of work in a thread. `work` gets a progress callable, which raises Cancelled once `cancel` was
    called."""

    def __init__(self, work: Callable[[Progress], str]) -> None:
        self.id = secrets.token_urlsafe(16)
        self.started = time.monotonic()
        self.result: str | None = None
        self.error: BaseException | None = None
        self._steps: dict[str, JobStep] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, args=(work,), name="diagnose", daemon=True)

    def start(self) -> Job:
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Ask the work to stop at its next safe point."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

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

    def _run(self, work: Callable[[Progress], str]) -> None:
        try:
            self.result = work(self.progress)
        except BaseException as error:  # handed to the thread that follows the job, which raises it
            self.error = error


class Jobs:
    """The jobs under way, found by their secret ids."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def cancel(self, job: str) -> bool:
        """Whether there was such a job to stop."""
        found = self._jobs.get(job)
        if found is not None:
            found.cancel()
        return found is not None

    def follow(self, job: Job, every: float = 0.25) -> Generator[Job, None, None]:
        """Start the job and yield it again and again until it ends; raises what it raised.

        A follower who leaves (a closed tab) stops the job.
        """
        self._jobs[job.id] = job.start()
        try:
            while not job.wait(every):
                yield job
        finally:
            job.cancel()
            self._jobs.pop(job.id, None)
        if job.error is not None:
            raise job.error


JOBS = Jobs()


def status(job: Job) -> str:
    """The steps as markup: done ones ticked, the present one with its bar, count, rate and time left."""
    steps = job.steps()
    rows = []
    for i, step in enumerate(steps):
        past = i < len(steps) - 1 or step.finished
        share = 100 if past else 100 * step.done / step.total if step.total else 0
        bar = f'<span class="step-bar"><i style="width:{share:.1f}%"></i></span>'
        took = (f"{step.total:,} in " if step.total > 1 else "") + clock(step.now - step.started)
        name = esc(step.name[:1].upper() + step.name[1:])
        rows.append(
            f'<li class="{"past" if past else "present"}"><span>{name}</span>{bar}<small>{took if past else step.text}</small></li>'
        )
    head = "Stopping at the next safe point" if job.stopping else f"Working, {clock(time.monotonic() - job.started)}"
    return (
        '<div class="status" '
        f'role="status"><h3>{head}</h3><ol>{"".join(rows) or "<li class=present><span>Starting</span></li>"}</ol></div>'
    )


def closing(title: str, text: str = "") -> str:
    """The status once nothing runs."""
    return f'<div class="status quiet" role="status"><h3>{esc(title)}</h3>{f"<p>{esc(text)}</p>" if text else ""}</div>'


def follow(job: Job, failed: str, nothing: Any) -> Iterator[tuple[Any, ...]]:
    """Yields (job id, status, nothing made yet) while the job runs; says so where it was stopped or failed."""
    yield job.id, status(job), nothing
    try:
        for _ in JOBS.follow(job):
            yield job.id, status(job), nothing
    except Cancelled as stopped:
        yield "", closing("Stopped", str(stopped)), nothing
    except Exception:
        yield "", closing(failed, "Your choices are still here."), nothing
        raise


if TYPE_CHECKING:
    pass


def duration(seconds: float) -> str:
    """A rough time in words: "3 seconds", "4 minutes", "2.5 hours"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} second{'s' * (round(seconds) > 1)}"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def on_cancel(job: str) -> None:
    """Stop the visitor's own job."""
    if not JOBS.cancel(job):
        gr.Info("Nothing is running.")


def on_wait() -> str:
    """The status until the work begins."""
    return closing("Waiting for a free place")
