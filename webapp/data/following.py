"""A diagnosis from the press of Run to its open result. It goes on without its page: the address names it, and leads
back to its progress."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import DiagnosisError, InvalidInput
from core.records.ledger import AS_IS
from webapp.data.run import DRAWN, make_run
from webapp.explore.new_run import wire_made
from webapp.failure_map import map_points
from webapp.panels import Opening, Page
from webapp.state.choices import Column
from webapp.state.jobs import HEAVY, JOBS, PRIVATE, QUICK, closing, follow, on_wait, refused
from webapp.state.notes import link_id
from webapp.state.query import view_of
from webapp.state.runs import GONE, NOT_FOUND, RUNS
from webapp.state.session import Session, shows_errors
from webapp.state.visitor import visitor
from webapp.state.work import Job

FAILED = "The run did not finish"
REMINDER = "Your files and choices are still here."
DONE = "The result is in the list of runs."
GOES_ON = "Goes on if you close this page. Its address leads back here."
WATCHED = "Started in another browser. Only that browser can cancel it."
WATCHING: dict[str, Any] = {"concurrency_id": "watch", "concurrency_limit": 32}
"""Arguments of an event that watches a job: each holds a thread, and none delays who starts one."""


def on_run(columns: Sequence[Column], root: Path | None, *inputs: Any) -> Iterator[tuple[Any, str, str]]:
    """Run the form; yields (job id, status, run id), the run id empty until the run has finished."""
    try:
        job = make_run(columns, root, *inputs)
    except DiagnosisError as why:
        yield "", refused("The run did not start", why, REMINDER), ""
        raise
    except Exception:
        yield "", closing("The run did not start", REMINDER), ""
        raise
    yield from _progress(job)


def on_return(link: str, followed: str) -> Iterator[tuple[Any, Any, str]]:
    """Follow the job of the page's address; yields as `on_run`, with the job's id only for its owner.

    Args:
        link: link id of the job, or "".
        followed: own id of the job that the page follows already, or "".
    """
    yield gr.skip(), gr.skip(), ""  # else the run that finished before is opened again
    job = JOBS.lasting.find(link)
    if job is None:
        if RUNS.is_linked(link):  # it finished a moment ago
            yield "", closing("Done", DONE), RUNS.own_id(link)
        elif link:
            yield "", closing(NOT_FOUND, GONE), ""
    elif visitor() in job.visits:
        if job.id != followed:
            yield from _progress(job)
    else:
        watched = follow(job, FAILED, "", reminder="", done=DONE, note=WATCHED, outputs=lambda run: (link_id(run),))
        for _, status, run in watched:
            yield "", status, run


def _progress(job: Job) -> Iterator[tuple[Any, str, str]]:
    yield from follow(job, FAILED, "", reminder=REMINDER, done=DONE, note=GOES_ON)


def _with_controls(steps: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Add to each step the button, disabled while the visitor's job runs, and the checkbox to accept the table, which
    appears where an error names it."""
    try:
        for job, status, run in steps:
            button = gr.skip()
            if isinstance(job, str):
                # Gradio ignores a second click meanwhile without a message
                button = gr.update(interactive=not job)
            yield job, status, run, button, gr.skip()
    except InvalidInput as why:  # about the files, which are read only now
        if AS_IS in str(why):
            yield *[gr.skip()] * 4, gr.update(visible=True)
        raise


def on_began(session: Session, job: str) -> Any:
    """Name a new job in the address, and its id to the browser: returns the map."""
    if not job:
        return gr.skip()
    return gr.update(view=view_of(session))


def on_ended(session: Session) -> Any:
    """Remove an ended job from the address: returns the map."""
    return gr.update(view=view_of(session))


def refine_map(run: str) -> Iterator[bool]:
    """Wait for the better map of a finished run (`draw_map`); yields whether it is ready."""
    drawing = DRAWN.get(run)
    if drawing:
        while wait([drawing], 1.0).not_done:
            yield False
        drawing.result()
    if run:
        yield RUNS.get(run).map.method == "umap"


def on_refined(session: Session, run: str, ready: bool) -> tuple[Any, Any]:
    """Show the better map if its run is still open: returns (session, map). An outline on the old map is dropped."""
    if not ready or run != session.run:
        return gr.skip(), gr.skip()
    return replace(session, polygon=()), gr.update(value=map_points(RUNS.get(run), run))


def wire_following(inputs: list[Any], outputs: list[Any], page: Page, opening: Opening) -> None:
    """Wire the press of Run, the return to a job, and what follows both.

    Args:
        inputs: the columns, then the inputs of `make_run`.
        outputs: job id, status, run id, button, and checkbox to accept the table.
    """
    job, status, finished, run, _ = outputs
    session = page.session
    view = page.view
    link = page.followed

    def start(columns: Sequence[Column], *inputs: Any) -> Iterator[tuple[Any, ...]]:
        yield from _with_controls(on_run(columns, page.root, *inputs))

    def come_back(link: str, followed: str) -> Iterator[tuple[Any, ...]]:
        yield from _with_controls(on_return(link, followed))

    following: dict[str, Any] = {"inputs": [link, job], "outputs": outputs, **WATCHING, **PRIVATE}
    returned = [link.change(shows_errors(come_back), **following), opening.first(shows_errors(come_back), **following)]
    run.click(on_wait, None, status, js=SHOW_STATUS, cancels=returned, **QUICK)
    started = run.click(shows_errors(start), inputs, outputs, **HEAVY, **PRIVATE)
    job.change(on_began, [session, job], [view.failure_map], **QUICK)
    for event in (started, *returned):
        opened = wire_made(
            event, finished, (session, view, page.tabs), began="data", what="Your run", others=page.examples
        )
        opened.then(on_ended, [session], [view.failure_map], **QUICK)
        event.failure(on_ended, [session], [view.failure_map], **QUICK)
        refined = gr.Checkbox(False, visible=False, label="better map")
        better = opened.then(shows_errors(refine_map), [finished], [refined], **HEAVY, **PRIVATE)
        better.then(shows_errors(on_refined), [session, finished, refined], [session, view.failure_map], **PRIVATE)


SHOW_STATUS = "() => { document.querySelector('#status').scrollIntoView({ block: 'nearest' }); return []; }"
