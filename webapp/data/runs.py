"""The list of the visitor's own runs: open, rename, delete, and how long each is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.numbers import count
from core.store import SUFFIX, load
from webapp.explore.patches import prune_patches
from webapp.explore.picked import show_selection
from webapp.explore.tab import View, show_run, skips
from webapp.markup.components import script, upload
from webapp.markup.render import render
from webapp.state.events import event_data
from webapp.state.home import kept_in
from webapp.state.jobs import JOBS, LIGHT, PLAIN, PRIVATE, QUICK, duration
from webapp.state.notes import MAX_TITLE, Note
from webapp.state.picker import runs_to_open
from webapp.state.query import view_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, shows_errors
from webapp.state.shelf import stay

KINDS = {"image": "image", "text": "text", "clip": "clip", "scan": "scan"}
"""What a sample of each modality is called."""


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One row, as `data/runs.html.j2` shows it; plain texts."""

    own: str
    title: str
    made: str
    """In ISO 8601, UTC; the browser says it in its own time."""
    day: str
    data: str
    encoder: str
    found: str
    kept: str
    """When it will be deleted."""
    is_open: bool


def listed(run: str, note: Note, opened: str) -> ListedRun:
    """The row of a run. opened: the id of the one that the page shows."""
    made = datetime.fromtimestamp(note.made, UTC)
    name = note.encoder.partition(" ")[0]
    left = RUNS.left_s(note)
    return ListedRun(
        run,
        note.title,
        made.isoformat(timespec="seconds"),
        f"{made:%d %b %Y, %H:%M} UTC",
        count(note.n_samples, KINDS.get(note.kind, "sample")),
        "own vectors" if name == "given" else name,
        count(note.n_clusters, "cluster") if note.n_clusters else "no cluster",
        "" if left is None else f"deleted in {duration(max(left, 0.0))}",
        run == opened,
    )


def runs_list(session: Session) -> str:
    """The present visit's runs, the latest first."""
    RUNS.adopt([])
    opened = next((run for run, _ in RUNS.own() if RUNS.link(run) == RUNS.link(session.run)), "")
    rows = [listed(run, note, opened) for run, note in reversed(RUNS.own_notes())]
    return _shown(rows)


def _shown(rows: list[ListedRun]) -> str:
    said = RUNS.offered.has_notes()
    kept = kept_in() is not None
    return render("data/runs.html.j2", rows=rows, stays=stay(), kept=kept, most=MAX_TITLE, said=said)


def on_act(session: Session, examples: list[tuple[str, str]], event: gr.EventData) -> tuple[Any, ...]:
    """A button of the list was pressed: returns (list, tabs, picker, then what `show_run` fills).

    Raises:
        InvalidInput: the run is gone.
    """
    said = event_data(event)
    do, run, title = (str(said.get(part, "")) for part in ("do", "run", "title"))
    known = {own for own, _ in RUNS.own()}
    same = skips()
    if run not in known:  # deleted in another tab, or never this visit's
        return runs_list(session), gr.skip(), runs_to_open(session.run, examples), *same
    if do == "open":
        shown = show_run(run)
        return runs_list(shown[0]), gr.update(selected="explore"), runs_to_open(run, examples), *shown
    if do == "rename":
        RUNS.entitle(run, title)
        if RUNS.link(run) == RUNS.link(session.run):
            same[3] = gr.update(view=view_of(session))  # its name stands above the tabs
    elif do == "delete":
        was_open = RUNS.link(run) == RUNS.link(session.run)
        RUNS.remove(run)
        prune_patches()
        if was_open and examples:
            shown = show_run(examples[0][1])
            return runs_list(shown[0]), gr.skip(), runs_to_open(examples[0][1], examples), *shown
        same[3] = gr.update(view=view_of(session))  # the browser forgets its id
    return runs_list(session), gr.skip(), runs_to_open(session.run, examples), *same


def on_copy(session: Session, examples: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Make a run that everybody may open the visitor's own, with what is picked in it: returns (list, picker, then what
    `show_run` fills).

    Raises:
        InvalidInput: no such run is open, or there is no room for it.
    """
    if not RUNS.is_example(session.run):
        raise InvalidInput("Only an example, or a run that its server opens for everybody, can be copied here.")
    diagnosis = RUNS.get(session.run)
    run = RUNS.add(diagnosis)
    RUNS.entitle(run, f"Your copy: {diagnosis.samples.name}")
    shown = list(show_run(run, session.colour))
    opened = replace(session, run=run, beside="", past=())
    if session.picked:
        shown[0], pane, points = show_selection(opened)
        shown[3] |= {"selection": points["selection"], "view": points["view"]}
        shown[4] = gr.update(value=pane, run=run)
    return runs_list(shown[0]), runs_to_open(run, examples), *shown


def on_bring(examples: list[tuple[str, str]], file: str | None) -> tuple[Any, ...]:
    """A run that was taken away from a page, or that `diagnose --out` wrote, becomes the visitor's own: returns (list,
    field, tabs, picker, then what `show_run` fills).

    Raises:
        InvalidInput: the file is no run, is damaged, or there is no room for it.
    """
    if not file:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip(), *skips()
    RUNS.require_room()
    run = RUNS.add(JOBS.look(lambda _: load(file, f"The run {Path(file).name!r}")))
    shown = show_run(run)
    return runs_list(shown[0]), None, gr.update(selected="explore"), runs_to_open(run, examples), *shown


def own_ids(said: Any) -> list[str]:
    """The ids of runs in what a browser keeps of them; anything may stand there."""
    try:
        found = json.loads(said) if isinstance(said, str) else []
    except (ValueError, RecursionError):
        return []
    return [run for run in found if isinstance(run, str)] if isinstance(found, list) else []


@dataclass(frozen=True)
class MyRuns:
    """The list, and the way to draw it anew."""

    view: gr.HTML
    session: gr.State

    def after(self, event: Callable[..., Any]) -> None:
        """Draw it anew after such an event, as `tab.select` or an event's `success`."""
        event(shows_errors(runs_list), [self.session], [self.view], **QUICK)


def build(session: gr.State, view: View, tabs: gr.Tabs, tab: gr.Tab, examples: list[tuple[str, str]]) -> MyRuns:
    """Lay out the list and wire it."""
    mine = MyRuns(gr.HTML(_shown([]), js_on_load=script("runs"), elem_id="my-runs", **PLAIN), session)

    def act(session: Session, event: gr.EventData) -> tuple[Any, ...]:
        return on_act(session, examples, event)

    mine.view.act(shows_errors(act), [session], [mine.view, tabs, view.picker, *view.opened(session)], **QUICK)

    with gr.Row(elem_classes="bring"):
        field = upload("Open a run that was saved: NAME.errata", [SUFFIX], "bring-run", 84)

    def bring(file: str | None) -> tuple[Any, ...]:
        return on_bring(examples, file)

    filled = [mine.view, field, tabs, view.picker, *view.opened(session)]
    field.upload(shows_errors(bring), [field], filled, **PRIVATE, **LIGHT)

    def copy(session: Session) -> tuple[Any, ...]:
        return on_copy(session, examples)

    copied = [mine.view, view.picker, *view.opened(session)]
    view.pane.adopt(shows_errors(copy), [session], copied, **PRIVATE, **LIGHT)
    mine.after(tab.select)
    return mine


OWN_RUNS = """(own, ...files) => {
  try { own = localStorage.getItem("errata-runs") ?? ""; } catch { own = ""; }
  return [own, ...files];
}"""
"""What other tabs of this browser made goes too."""
