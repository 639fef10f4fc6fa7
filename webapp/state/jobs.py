"""A visitor's diagnosis while it waits and runs: in a thread of its own, watched from the page, stopped on request."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from typing import Any

import gradio as gr

from core.errors import Cancelled, DiagnosisError
from core.numbers import clock
from core.records import Progress
from webapp.markup.render import render
from webapp.state.boxes import on_page
from webapp.state.line import Line
from webapp.state.pace import Pace
from webapp.state.quotas import quotas
from webapp.state.visitor import has_left, visitor
from webapp.state.work import Job

PLAIN: dict[str, Any] = {"apply_default_css": False}
"""Of a `gr.HTML` that our style sheets dress."""
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Of an event that is no public endpoint."""
QUICK: dict[str, Any] = {**PRIVATE, "queue": False}
"""Of a private event that is over at once and waits for nobody."""
HEAVY: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 64}
"""Of an event that works a core for long, as a `Job`: it waits in `JOBS.line`, where the page can see and leave it, and
not in Gradio's queue."""
LIGHT: dict[str, Any] = {"concurrency_id": "light", "concurrency_limit": 2 * (os.cpu_count() or 1)}
"""Of an event that takes a second or two: it never waits for a heavy one."""
MAX_THREADS = 120
"""Of the server: each heavy event keeps one while it waits or works."""
MAX_LOOK_MINUTES = 2.0


class Jobs:
    """The jobs that wait or are under way, found by their secret ids."""

    def __init__(self) -> None:
        self.line = Line()
        self.pace = Pace()
        self._jobs: dict[str, Job] = {}
        self._looks: dict[str, Job] = {}
        """What `look` is doing, by visitor."""

    def cancel(self, job: str, of: str = "") -> bool:
        """Whether there was such a job to stop, or something that this visitor has looked at."""
        found = self._jobs.get(job) or self._looks.get(of)
        if found is not None:
            found.cancel()
        return found is not None

    def look(self, work: Callable[[Progress], Any]) -> Any:
        """What the work gives, done at once and in no line: for a look at a file that takes a moment, unless the file
        is made to take long. It stops when its visitor leaves, cancels or looks at another, and after two minutes.

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
        """Let the job wait its turn, start it, and yield it again and again until it ends; raises what it raised.

        A follower who leaves (a closed tab) stops the job. Its place is free once its work is really over.

        Args:
            counted: whether it is the visitor's one job at a time, as on a page that others reach too.

        Raises:
            InvalidInput: the line is full, or the visitor has a job already.
            Cancelled: it was stopped.
        """
        self.line.enter(job.id, visitor() if counted and not quotas().at_home else "")
        self._jobs[job.id], begun = job, False
        try:
            while place := self.line.place(job.id):
                job.place = place
                job.wait_s = self._wait_s(place)
                yield job
                if job.pause(every):
                    raise Cancelled("The run was stopped before it began. Your files and choices are still here.")
            begun = True
            job.place = 0
            job.ended = lambda: self._end(job)
            yield job.start()
            while not job.wait(every):
                yield job
        finally:
            job.cancel()
            if not begun:
                self._leave(job)
        if job.error is not None:
            raise job.error

    def go_on(self, job: Job) -> Future[Any]:
        """What the job gives, in its turn, whether or not its visitor stays; not counted as the visitor's one."""
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

    def _wait_s(self, place: int) -> float | None:
        """About how long the job at that place in line will wait; None where nothing is known."""
        now = time.monotonic()
        working = [now - job.started for job in list(self._jobs.values()) if job.begun]
        return self.pace.wait_s(place, working, quotas().at_once)

    def _end(self, job: Job) -> None:
        if job.error is None:
            self.pace.note(time.monotonic() - job.started)
        self._leave(job)

    def _leave(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        self.line.leave(job.id)

    def run(self, work: Callable[[Progress], Any]) -> Any:
        """What the work gives, done in its turn; it is stopped when the program that asked for it hangs up."""
        job = Job(work)
        for _ in self.follow(job):
            if has_left():
                job.cancel()
        return job.result

    def stop_all(self, seconds: float, of: str | None = None) -> bool:
        """Stop what waits and works, of one visitor or of all, and wait for it at most that long; returns whether all
        of it has ended."""
        told = [job for job in (*self._jobs.values(), *self._looks.values()) if of is None or job.visitor == of]
        for job in told:
            job.cancel()
        until = time.monotonic() + seconds
        while (left := any(self.line.holds(job.id) for job in told)) and time.monotonic() < until:
            time.sleep(0.05)
        return not left


JOBS = Jobs()


def status(job: Job) -> str:
    """The steps as markup: done ones ticked, the present one with its bar, count, rate and time left."""
    steps = job.steps()
    shown = list[dict[str, Any]]()
    for i, step in enumerate(steps):
        past = i < len(steps) - 1 or step.finished
        share = 100.0 if past else 100 * step.done / step.total if step.total else 0.0
        took = (f"{step.total:,} in " if step.total > 1 else "") + clock(step.now - step.started)
        name = step.name[:1].upper() + step.name[1:]
        shown.append({"name": name, "past": past, "share": share, "said": took if past else step.text})
    if job.place:
        return _in_line(job)
    head = "Stopping at the next safe point" if job.stopping else f"Working, {clock(time.monotonic() - job.started)}"
    return render("state/status.html.j2", head=head, steps=shown)


def _in_line(job: Job) -> str:
    """The place, and where a job of this server has finished, an estimate."""
    place = "Next in line" if job.place == 1 else f"Number {job.place} in line"
    if job.wait_s is None:
        return closing(place, WAITING, waits=True)
    return closing(f"{place}, about {duration(job.wait_s)}", f"{WAITING} {ESTIMATED}", waits=True)


ESTIMATED = "The time is that of the latest finished work of this server in the mean; yours and theirs may differ."
WAITING = "It begins by itself. Cancel gives the place up, and so does closing this tab."


def closing(title: str, text: str = "", *, waits: bool = False) -> str:
    """The status once nothing runs, or as long as a job waits."""
    return render("state/closing.html.j2", title=title, text=text, waits=waits)


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
    """
    try:
        for _ in JOBS.follow(job):
            yield job.id, status(job), *(so_far() if so_far else nothing)
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
    """A rough time in words: "3 seconds", "4 minutes", "2.5 hours"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} second{'s' * (round(seconds) > 1)}"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def on_cancel(job: str) -> None:
    """Stop the visitor's own job."""
    if not JOBS.cancel(job, visitor()):
        gr.Info("Nothing is running.")


def wire_cancel(cancel: gr.Button, job: gr.State) -> None:
    """Wire a Cancel button that was made with `interactive=False`: it can be pressed while a job waits or works."""
    cancel.click(on_cancel, [job], None, **QUICK)
    job.change(on_job, [job], [cancel], **QUICK)


def on_job(job: str) -> Any:
    """A job begins to wait, or ended: returns the Cancel button."""
    return gr.update(interactive=bool(job))


def on_wait() -> str:
    """The status until the work begins."""
    return closing("Waiting for a free place", waits=True)
