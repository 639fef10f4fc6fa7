"""A visitor's job while it waits and runs: in its own thread, shown on the page, stopped on request."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from typing import Any

import gradio as gr

from core.errors import Cancelled, DiagnosisError, InvalidInput
from core.numbers import clock
from core.records import Progress
from webapp.markup.render import render
from webapp.state.boxes import on_page
from webapp.state.lasting import LastingJobs
from webapp.state.line import Line, Pace
from webapp.state.quotas import quotas
from webapp.state.visitor import has_left, visitor
from webapp.state.work import Job

PLAIN: dict[str, Any] = {"apply_default_css": False}
"""Arguments of a `gr.HTML` styled by our sheets."""
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Arguments of an event that is not a public endpoint."""
QUICK: dict[str, Any] = {**PRIVATE, "queue": False}
"""Arguments of a private event that ends at once and skips the queue."""
HEAVY: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 64}
"""Arguments of an event with long work, a `Job`: it waits in `JOBS.line`, where the page shows and can cancel it,
not in Gradio's queue."""
LIGHT: dict[str, Any] = {"concurrency_id": "light", "concurrency_limit": 2 * (os.cpu_count() or 1)}
"""Arguments of an event of a second or two, which never waits for a heavy one."""
MAX_THREADS = 120
"""Threads of the server; each heavy event holds one while it waits or works."""
MAX_LOOK_MINUTES = 2.0
TURN_S = 0.1
"""Seconds between two looks of a waiting job at the line."""


class Jobs:
    """The jobs that wait or run, by their secret ids."""

    def __init__(self) -> None:
        self.line = Line()
        self.pace = Pace()
        self.lasting = LastingJobs()
        self._jobs: dict[str, Job] = {}
        self._looks: dict[str, Job] = {}
        """Jobs of `look`, by visitor."""
        self._lock = threading.Lock()
        """Lock for the numbers of followers."""

    def cancel(self, job: str, of: str = "") -> bool:
        """Stop a job, or the visitor's `look`; returns whether one was found."""
        running = self._jobs.get(job) or self._looks.get(of)
        if running is not None:
            running.cancel()
        return running is not None

    def look(self, work: Callable[[Progress], Any]) -> Any:
        """Run short work at once, outside the line, such as reading a file; returns its result. It stops when its
        visitor leaves, cancels, or starts another, and after two minutes, in case the file is malicious.

        Raises:
            Cancelled: it was stopped.
        """
        job = Job(work, max_minutes=MAX_LOOK_MINUTES)
        whose = visitor()
        self.cancel("", whose)
        if whose:
            self._looks[whose] = job
        job.start()
        try:
            while not job.wait(0.05):
                if has_left():
                    job.cancel()
        finally:
            job.cancel()
            if self._looks.get(whose) is job:
                del self._looks[whose]
        if job.error is not None:
            raise job.error
        return job.result

    def follow(self, job: Job, every: float = 0.25, *, counted: bool = True) -> Generator[Job, None, None]:
        """Start the job in its turn, unless that is done already, and yield it repeatedly until it ends; raises its
        error.

        A follower who leaves (a closed tab) stops the job, unless it is lasting. A job can have several followers. Its
        place becomes free once its work has ended.

        Args:
            counted: whether it counts as the visitor's single job on a shared page.

        Raises:
            InvalidInput: the line is full, or the visitor has a job already.
            Cancelled: it was stopped.
        """
        if not job.entered:
            self._enter(job, counted=counted)
        self._count_followers(job, 1)
        try:
            while True:
                job.position = self.line.position(job.id)
                job.wait_s = None
                if job.position:
                    now = time.monotonic()
                    begun = [other for other in list(self._jobs.values()) if not self.line.position(other.id)]
                    took_s = [now - other.started for other in begun]
                    job.wait_s = self.pace.wait_s(job.position, took_s, quotas().at_once)
                yield job
                if job.wait(every):
                    break
        finally:
            self._count_followers(job, -1)
            if not job.lasting:
                job.cancel()
                if not job.begun:
                    job.wait(1.0)  # it gives its place up at once
        if job.error is not None:
            raise job.error

    def _enter(self, job: Job, *, counted: bool) -> None:
        """Put a job in line; its thread waits for its turn, so it starts even if nobody follows it."""
        visits = set[str]()
        if counted and not quotas().at_home:
            visits = job.visits
            most = quotas().max_unattended
            if job.address and self.lasting.n_unattended(job.address) >= most:
                raise InvalidInput(
                    f"{most} runs from your address go on without an open page, the limit. "
                    "Open one by its link and cancel it, or try again in a few minutes."
                )
        self.line.enter(job.id, visits)
        self._jobs[job.id] = job
        if job.lasting:
            self.lasting.begin(job)
        job.turn = lambda: self._wait_turn(job)
        job.ended = lambda: self._end(job)
        job.start()

    def _wait_turn(self, job: Job) -> None:
        while self.line.position(job.id):
            if job.pause(TURN_S):
                raise Cancelled("The run was stopped before it started. Your files and choices are still here.")

    def _count_followers(self, job: Job, change: int) -> None:
        with self._lock:
            job.n_followers += change

    def go_on(self, job: Job) -> Future[Any]:
        """Run the job in its turn even if its visitor leaves; it does not count as the visitor's single job."""
        future: Future[Any] = Future()

        def turn() -> None:
            try:
                for _ in self.follow(job, 1.0, counted=False):
                    pass
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(job.result)

        threading.Thread(target=turn, name="going on", daemon=True).start()
        return future

    def _end(self, job: Job) -> None:
        if job.error is None:
            self.pace.note(time.monotonic() - job.started)
        if job.lasting:
            self.lasting.end(job)
        self._jobs.pop(job.id, None)
        self.line.leave(job.id)

    def run(self, work: Callable[[Progress], Any]) -> Any:
        """Run work in its turn and return its result; it stops when the calling program hangs up."""
        job = Job(work)
        for _ in self.follow(job):
            if has_left():
                job.cancel()
        return job.result

    def stop_all(self, seconds: float, of: str | None = None) -> bool:
        """Stop the jobs of one visitor or of all, and wait at most that long; returns whether all have ended."""
        stopping = [job for job in (*self._jobs.values(), *self._looks.values()) if of is None or of in job.visits]
        for job in stopping:
            job.cancel()
        until = time.monotonic() + seconds
        while any(self.line.holds(job.id) for job in stopping):
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)
        return True


JOBS = Jobs()


def status(job: Job, note: str = "") -> str:
    """Render the steps: done ones ticked, the current one with bar, count, rate, and time left.

    Args:
        note: text below them.
    """
    steps = job.steps()
    shown = list[dict[str, Any]]()
    for i, step in enumerate(steps):
        past = i < len(steps) - 1 or step.finished
        share = 0.0
        text = step.text
        if past:
            share = 100.0
            text = clock(step.now - step.started)
            if step.total > 1:
                text = f"{step.total:,} in {text}"
        elif step.total:
            share = 100 * step.done / step.total
        name = step.name[:1].upper() + step.name[1:]
        shown.append({"name": name, "past": past, "share": share, "text": text})
    if job.position:
        return _in_line(job, note)
    head = f"Working, {clock(time.monotonic() - job.started)}"
    if job.stopping:
        head = "Stopping at the next safe point"
    return render("state/status.html.j2", head=head, steps=shown, note=note, lasting=job.lasting)


def _in_line(job: Job, note: str) -> str:
    """Render the position in line, with an estimate once a job of this server has finished."""
    title = f"Number {job.position} in line"
    if job.position == 1:
        title = "Next in line"
    texts = [WAITING]
    if job.lasting:
        texts = [STARTS, note]
    if job.wait_s is not None:
        title = f"{title}, about {duration(job.wait_s)}"
        texts.append(ESTIMATED)
    return closing(title, " ".join(filter(None, texts)), waits=True, lasting=job.lasting)


ESTIMATED = "The estimate is the mean time of this server's latest jobs."
STARTS = "Starts automatically."
WAITING = f"{STARTS} Closing this tab cancels it."


def closing(title: str, text: str = "", *, waits: bool = False, lasting: bool = False) -> str:
    """Render the status without a running job, or of a waiting one. lasting: whether it goes on without its page."""
    return render("state/closing.html.j2", title=title, text=text, waits=waits, lasting=lasting)


def refused(title: str, why: DiagnosisError, reminder: str = "") -> str:
    """The status after an error that the user can fix: it stays, while the message on the page disappears."""
    return closing(title, f"{on_page(str(why))} {reminder}".rstrip())


def follow(
    job: Job,
    failed: str,
    *nothing: Any,
    reminder: str = "Your choices are still here.",
    so_far: Callable[[], tuple[Any, ...]] | None = None,
    outputs: Callable[[Any], tuple[Any, ...]] = lambda result: (result,),
    done: str | None = "",
    note: str = "",
) -> Iterator[tuple[Any, ...]]:
    """Run a job and yield (job id, status, *nothing) meanwhile, then ("", status, *outputs(its result)); the status
    states whether the job finished, was stopped, or failed.

    Args:
        job: the work, not yet started.
        failed: title of the status after an error, which is raised again.
        nothing: values of the event's other outputs while there is no result.
        reminder: what a visitor still has after a failure.
        so_far: returns values while the job runs, in place of `nothing`.
        outputs: values of the other outputs from the result, which is None for a stopped job.
        done: text of the final status; None leaves the last step to the caller.
        note: text below the status of a running job.
    """
    try:
        for _ in JOBS.follow(job):
            values = nothing
            if so_far:
                values = so_far()
            yield job.id, status(job, note), *values
    except Cancelled as stopped:
        yield "", closing("Stopped", str(stopped)), *nothing
    except DiagnosisError as why:
        yield "", refused(failed, why, reminder), *nothing
        raise
    except Exception:
        yield "", closing(failed, reminder), *nothing
        raise
    if job.result and done is not None:
        yield "", closing("Done", done), *outputs(job.result)


def duration(seconds: float) -> str:
    """Return a rough time in words: "3 seconds", "4 minutes", "2.5 hours"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} second{'s' * (round(seconds) > 1)}"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"


def on_cancel(job: str) -> None:
    """Stop the visitor's own job."""
    if not JOBS.cancel(job, visitor()):
        gr.Info("No run in progress.")


def wire_cancel(cancel: gr.Button, job: gr.State) -> None:
    """Wire a Cancel button made with `interactive=False`, which is enabled while a job waits or runs."""
    cancel.click(on_cancel, [job], None, **QUICK)
    job.change(lambda job: gr.update(interactive=bool(job)), [job], [cancel], **QUICK)


def on_wait() -> str:
    """Render the status until the work starts."""
    return closing("Waiting for a free place", waits=True)
