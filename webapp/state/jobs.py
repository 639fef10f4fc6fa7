"""A visitor's diagnosis while it runs: in a thread of its own, watched from the page, stopped on request."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from core.errors import Cancelled
from core.numbers import clock
from core.records import Progress
from webapp.markup.render import render

PLAIN: dict[str, Any] = {"apply_default_css": False}
"""Of a `gr.HTML` that our style sheets dress."""
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Of an event that is no public endpoint."""
QUICK: dict[str, Any] = {**PRIVATE, "queue": False}
"""Of a private event that is over at once and waits for nobody."""
HEAVY: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 1}
"""Of an event that works a core for long: one at a time over all visitors."""


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
    called; what it returns is the `result`."""

    def __init__(self, work: Callable[[Progress], Any]) -> None:
        self.id = secrets.token_urlsafe(16)
        self.started = time.monotonic()
        self.result: Any = None
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

    def _run(self, work: Callable[[Progress], Any]) -> None:
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
    steps, shown = job.steps(), list[dict[str, Any]]()
    for i, step in enumerate(steps):
        past = i < len(steps) - 1 or step.finished
        share = 100.0 if past else 100 * step.done / step.total if step.total else 0.0
        took = (f"{step.total:,} in " if step.total > 1 else "") + clock(step.now - step.started)
        name = step.name[:1].upper() + step.name[1:]
        shown.append({"name": name, "past": past, "share": share, "said": took if past else step.text})
    head = "Stopping at the next safe point" if job.stopping else f"Working, {clock(time.monotonic() - job.started)}"
    return render("state/status.html.j2", head=head, steps=shown)


def closing(title: str, text: str = "") -> str:
    """The status once nothing runs."""
    return render("state/closing.html.j2", title=title, text=text)


def follow(
    job: Job,
    failed: str,
    *nothing: Any,
    kept: str = "Your choices are still here.",
    so_far: Callable[[], tuple[Any, ...]] | None = None,
    made: Callable[[Any], tuple[Any, ...]] = lambda result: (result,),
    done: str | None = "",
) -> Iterator[tuple[Any, ...]]:
    """Yields (job id, status, *nothing) while the job runs, and says so where it was stopped or failed; at last ("",
    status, *made(its result)).

    Args:
        job: the work, not yet started.
        failed: the title where it raised; the error is raised on.
        nothing: what the event's other outputs get as long as nothing is made.
        kept: what a visitor still has after a failure.
        so_far: what they get while the job runs, in place of `nothing`.
        made: what they get of the result, which is None where the job was stopped.
        done: what is said of it; None leaves the last step to the caller.
    """
    yield job.id, status(job), *nothing
    try:
        for _ in JOBS.follow(job):
            yield job.id, status(job), *(so_far() if so_far else nothing)
    except Cancelled as stopped:
        yield "", closing("Stopped", str(stopped)), *nothing
    except Exception:
        yield "", closing(failed, kept), *nothing
        raise
    if job.result and done is not None:
        yield "", closing("Done", done), *made(job.result)


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
