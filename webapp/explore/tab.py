"""The tab Findings: the groups of a finished run with their images, and the map beside what is picked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.data.inline import text_of
from core.errors import DiagnosisError
from core.extensions import facts
from core.reports.tables.columns import LOSS
from core.reports.wording.outlines import outlines_sentence
from webapp.explore import linked, yours
from webapp.explore.cards import cluster_list
from webapp.explore.colours import colouring, on_colour
from webapp.explore.moments import beside, moment_card
from webapp.explore.overview import class_section, notes_section, strip
from webapp.explore.patches import patches_of
from webapp.explore.picked import on_act, on_clear, on_cluster, on_lasso, on_point, show_selection
from webapp.explore.worth import on_measure, opened, worth_beside
from webapp.failure_map import NO_SELECTION, map_points, map_view
from webapp.markup.components import script
from webapp.markup.html import picture, sample_facts
from webapp.markup.render import render
from webapp.state.downloads import FILES
from webapp.state.events import in_turn
from webapp.state.jobs import HEAVY, LIGHT, PLAIN, PRIVATE, QUICK, on_cancel
from webapp.state.query import view_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, row_of, shows_errors

DOWNLOAD_KINDS = ("run", "html", "json", "parquet", "csv", "weights")
"""Suffixes of the ids of the downloads."""
MAKING = '<p role="status">Making the file …</p>'
TAKE = (
    "(file) => { if (file?.url) Object.assign(document.createElement('a'), "
    "{ href: file.url, download: file.orig_name ?? '' }).click(); return []; }"
)
"""Starts the download of a finished file in the browser."""


@dataclass(frozen=True)
class View:
    """The tab's components."""

    strip: gr.HTML
    classes: gr.HTML
    failure_map: gr.HTML
    pane: gr.HTML
    notes: gr.HTML
    status: gr.HTML
    """Status of the measurement offered in the notes."""
    cancel: gr.Button
    picker: gr.Dropdown
    offer: gr.HTML
    """Above the tabs: a run that finished while its visitor was on another tab (webapp/explore/new_run.py)."""
    here: gr.Textbox
    """Hidden: the visible tab, set by the browser."""

    def all(self) -> list[Any]:
        """Return the outputs of `show_run` after the session, in order."""
        return [self.strip, self.classes, self.failure_map, self.pane, self.notes]

    def opened(self, session: gr.State) -> list[Any]:
        """Return the outputs of `show_run`, in order."""
        return [session, *self.all()]


def show_run(run: str, colour: str = LOSS) -> tuple[Any, ...]:
    """Open a run: returns (session, strip, classes, map, pane, notes) with nothing picked.

    Args:
        colour: key of the column that colors the map.
    """
    diagnosis = opened(run)
    session = Session(run=run, colour=colour)
    points = map_points(diagnosis, run)
    colours = colouring(diagnosis, run, colour)
    return (
        session,
        strip(diagnosis),
        class_section(diagnosis),
        gr.update(value=points, colour=colours, selection=NO_SELECTION, view=view_of(session)),
        gr.update(value=cluster_list(diagnosis, patches=patches_of(run), shows_map=colour != LOSS), run=run),
        gr.update(value=notes_section(diagnosis), run=run),
    )


def describe(asked: Any) -> dict[str, Any] | None:
    """Return the card of a sample, {"src", "title", "lines", "text", "worth"}, or None for an invalid request.

    Args:
        asked: [run, row]; a true third part adds `beside`; a text as a fourth part returns a `moment_card` instead.
    """
    try:
        run, row, *more = asked
        diagnosis = opened(str(run))
        row = row_of(diagnosis, row)
    except (DiagnosisError, TypeError, ValueError):
        return None  # anybody can call this, so an invalid request reveals nothing
    if len(more) > 1:
        return moment_card(diagnosis, row, str(more[1]))
    lines = [*sample_facts(diagnosis, row), *facts(diagnosis, row)]
    worth = ""
    reliability = worth_beside(diagnosis, row)
    if reliability is not None:
        worth = reliability.sentence
    extras: dict[str, Any] = {}
    if any(more):
        extras = beside(str(run), diagnosis, row)
        outlines = outlines_sentence(diagnosis)
        if outlines:
            lines.append(outlines)
    return {
        "src": picture(diagnosis, row, plays=True),
        "title": diagnosis.samples.ids[row],
        "lines": lines,
        "text": text_of(diagnosis.samples, row),
        "worth": worth,
        **extras,
    }


def on_measured(session: Session, run: str) -> tuple[Any, Any]:
    """Show how reliable the causes are: returns (pane, notes), unchanged if another run is open."""
    if not run or run != session.run:
        return gr.skip(), gr.skip()
    pane = gr.skip()
    if session.row is not None:
        pane = show_selection(session)[1]
    return pane, gr.update(value=notes_section(opened(run), worth_open=True), run=run)


def skips() -> list[Any]:
    """Return outputs that leave everything of `show_run` unchanged."""
    return [gr.skip() for _ in range(6)]


def on_take(session: Session, name: str) -> Iterator[tuple[str, Any]]:
    """Make a file of the open run; yields (status, file)."""
    require_run(session)
    yield MAKING, gr.skip()
    try:
        path = RUNS.file(session.run, name)
    except Exception:
        yield "", gr.skip()
        raise
    yield "", gr.update(value=str(path))


def build(session: gr.State, examples: list[tuple[str, str]], offer: gr.HTML) -> View:
    """Lay out the tab, wire its callbacks, and fill it with the first example."""
    view = _layout(session, examples, offer)
    pane = view.pane
    failure_map = view.failure_map
    selection: dict[str, Any] = {"outputs": [session, pane, failure_map], **QUICK}
    for act, of in ((on_act, pane.act), (on_lasso, failure_map.lasso)):
        of(shows_errors(_in_turn(act, 3)), [session], trigger_mode="always_last", **selection)
    failure_map.point(shows_errors(on_point), [session], **selection)
    failure_map.cluster(shows_errors(on_cluster), [session], **selection)
    failure_map.clear(shows_errors(on_clear), [session], **selection)
    coloured = shows_errors(_in_turn(on_colour, 2))
    outputs = [session, failure_map]
    failure_map.colour(coloured, [session], outputs, trigger_mode="always_last", **QUICK)
    view.picker.input(shows_errors(show_run), [view.picker], view.opened(session), **QUICK)
    yours.build(session, pane, failure_map, show_selection)
    _wire_measurement(session, view)
    return view


def _in_turn(act: Callable[[Session, gr.EventData], tuple[Any, ...]], n: int) -> Callable[..., tuple[Any, ...]]:
    """Wrap a callback so that it handles all presses of one event."""

    def acts(session: Session, event: gr.EventData) -> tuple[Any, ...]:
        return in_turn(event, act, session, n=n)

    return acts


def _wire_measurement(session: gr.State, view: View) -> None:
    """Wire the button of the notes."""
    job = gr.State("")
    measured = gr.State("")
    outputs = [job, view.status, measured, view.cancel]
    done = view.notes.act(shows_errors(on_measure), [session], outputs, **HEAVY, **PRIVATE)
    done.success(shows_errors(on_measured), [session, measured], [view.pane, view.notes], **QUICK)
    view.cancel.click(on_cancel, [job], None, **QUICK)


def _layout(session: gr.State, examples: list[tuple[str, str]], offer: gr.HTML) -> View:
    run = None
    if examples:
        run = examples[0][1]
    shown = ("", render("explore/empty.html.j2"), "", {}, {}, {})
    if run:
        shown = show_run(run)
    _, top, lines, points, listed, notes_shown = shown
    with gr.Row(elem_classes="top-row"):
        strip = gr.HTML(top, elem_id="strip", **PLAIN)
        picker = gr.Dropdown(
            examples,
            value=run,
            label="Run",
            container=False,
            elem_id="picker",
            visible=len(examples) > 1,
            min_width=150,
            scale=0,
        )
    with gr.Row(elem_classes="stage"):
        with gr.Column(min_width=320, elem_classes="pane-column"):
            pane = _pane(listed, "pane")
        with gr.Column(min_width=320, elem_classes="map-column"):
            failure_map = map_view(
                points.get("value"), describe=describe, view=points.get("view"), colour=points.get("colour")
            )
    classes = gr.HTML(lines, elem_id="classes", **PLAIN)
    linked.build(session, pane, failure_map, show_selection, describe)
    _downloads(session)
    with gr.Row(elem_classes="bring"):
        status = gr.HTML("", elem_id="worth-status", **PLAIN)
        cancel = gr.Button("Cancel", elem_id="worth-cancel", visible=False, scale=0, min_width=110)
    notes = _pane(notes_shown, "notes")
    here = gr.Textbox(visible=False, label="tab")
    return View(strip, classes, failure_map, pane, notes, status, cancel, picker, offer, here)


def _downloads(session: gr.State) -> None:
    """Lay out a button for each file, which is made on demand."""
    with gr.Row(elem_classes="downloads"):
        gr.HTML("<span>Download</span>", elem_classes="downloads-title", **PLAIN)
        buttons = [
            gr.Button(title, size="sm", elem_id=f"download-{kind}") for kind, (_, title) in zip(DOWNLOAD_KINDS, FILES)
        ]
        status = gr.HTML("", elem_id="download-status", **PLAIN)
        file = gr.DownloadButton("File", visible="hidden", elem_id="download-file")
    for button, (name, _) in zip(buttons, FILES, strict=True):
        event = button.click(shows_errors(_taking(name)), [session], [status, file], **PRIVATE, **LIGHT)
        event.success(None, [file], None, js=TAKE, **PRIVATE)


def _taking(name: str) -> Callable[[Session], Iterator[tuple[str, Any]]]:
    def take(session: Session) -> Iterator[tuple[str, Any]]:
        yield from on_take(session, name)

    return take


def _pane(shown: Mapping[str, Any], elem_id: str) -> gr.HTML:
    """Build a part that pane.js makes clickable, from the output of `show_run`."""
    return gr.HTML(
        shown.get("value", ""),
        run=shown.get("run", ""),
        js_on_load=script("latest", "pane", "heat", "yours"),
        server_functions=[describe],
        elem_id=elem_id,
        **PLAIN,
    )
