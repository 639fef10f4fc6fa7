"""The place Findings: the groups of a finished run with their images, and the map beside what is picked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from core.data.inline import text_of
from core.errors import DiagnosisError
from core.extensions import facts
from core.reports.tables.columns import LOSS
from core.reports.wording.findings import cluster_title
from core.reports.wording.outlines import outlines_sentence
from webapp.explore.cards import cluster_list
from webapp.explore.colours import colouring, on_colour
from webapp.explore.moments import beside, moment_card
from webapp.explore.overview import strip
from webapp.explore.patches import patches_of
from webapp.explore.picked import on_act, on_clear, on_cluster, on_lasso, on_point
from webapp.explore.worth import opened, worth_of
from webapp.explore.yours import on_yours
from webapp.failure_map import NO_SELECTION, SCRIPTS, map_points
from webapp.markup.components import script
from webapp.markup.html import MAX_COLUMNS, MAX_ENLARGED_COLUMNS, sample_facts
from webapp.markup.images import picture
from webapp.markup.render import render
from webapp.state.events import in_turn
from webapp.state.jobs import PLAIN, QUICK
from webapp.state.query import view_of
from webapp.state.session import Session, row_of, shows_errors


@dataclass(frozen=True)
class View:
    """The place's components."""

    strip: gr.HTML
    failure_map: gr.HTML
    pane: gr.HTML
    picker: gr.Dropdown
    offer: gr.HTML
    """Above the tabs: a run that finished while its visitor was on another tab (webapp/explore/new_run.py)."""

    def all(self) -> list[Any]:
        """Return the outputs of `show_run` after the session, in order."""
        return [self.strip, self.failure_map, self.pane]

    def opened(self, session: gr.State) -> list[Any]:
        """Return the outputs of `show_run`, in order."""
        return [session, *self.all()]


class Opened(NamedTuple):
    """What opening a run fills, in the order of `View.opened`."""

    session: Any
    strip: Any
    failure_map: Any
    pane: Any


def skips() -> Opened:
    """Return outputs that leave everything of `show_run` unchanged."""
    return Opened(gr.skip(), gr.skip(), gr.skip(), gr.skip())


def show_run(run: str, colour: str = LOSS) -> Opened:
    """Open a run with nothing picked.

    Args:
        colour: key of the column that colors the map.
    """
    diagnosis = opened(run)
    session = Session(run=run, colour=colour)
    points = map_points(diagnosis, run)
    colours = colouring(diagnosis, run, colour)
    return Opened(
        session,
        strip(diagnosis),
        gr.update(value=points, colour=colours, selection=NO_SELECTION, view=view_of(session)),
        gr.update(value=cluster_list(diagnosis, patches=patches_of(run), shows_map=colour != LOSS), run=run),
    )


def describe(asked: Any) -> dict[str, Any] | None:
    """Return the card of a sample, {"src", "title", "lines", "text", "worth"}, or None for an invalid request.

    Args:
        asked: [run, row]; a true third part adds more columns, the sample's groups, and `beside`; a text as a fourth
            part returns a `moment_card` instead.
    """
    try:
        run, row, *more = asked
        diagnosis = opened(str(run))
        row = row_of(diagnosis, row)
    except (DiagnosisError, TypeError, ValueError):
        return None  # anybody can call this, so an invalid request reveals nothing
    if len(more) > 1:
        return moment_card(diagnosis, row, str(more[1]))
    n_columns = MAX_COLUMNS
    if any(more):
        n_columns = MAX_ENLARGED_COLUMNS
    lines = [*sample_facts(diagnosis, row, n_columns), *facts(diagnosis, row)]
    extras: dict[str, Any] = {}
    if any(more):
        extras = beside(str(run), diagnosis, row)
        groups = (cluster for cluster in diagnosis.clusters if cluster.membership[row] >= 0.5)
        lines += [f"in group {cluster.id + 1}: {cluster_title(diagnosis, cluster)}" for cluster in groups]
        outlines = outlines_sentence(diagnosis)
        if outlines:
            lines.append(outlines)
    return {
        "src": picture(diagnosis, row, plays=True),
        "title": diagnosis.samples.ids[row],
        "lines": lines,
        "text": text_of(diagnosis.samples, row),
        "worth": worth_of(diagnosis, row),
        **extras,
    }


def build(session: gr.State, examples: list[tuple[str, str]], offer: gr.HTML) -> View:
    """Lay out the tab, wire its callbacks, and fill it with the first example."""
    run = None
    if examples:
        run = examples[0][1]
    shown = Opened(None, render("explore/empty.html.j2"), {}, {})
    if run:
        shown = show_run(run)
    points = shown.failure_map
    with gr.Row(elem_classes="top-row"):
        strip_view = gr.HTML(shown.strip, elem_id="strip", **PLAIN)
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
        pane = gr.HTML(
            shown.pane.get("value", ""),
            run=shown.pane.get("run", ""),
            js_on_load=script("latest", "pane", "heat", "yours", "clicks"),
            server_functions=[describe],
            elem_id="pane",
            elem_classes="pane-column",
            **PLAIN,
        )
        failure_map = gr.HTML(
            points.get("value"),
            html_template=render("failure_map.html.j2"),
            js_on_load="\n".join(map(script, SCRIPTS)),
            server_functions=[describe],
            elem_id="map",
            elem_classes="map-column",
            selection=NO_SELECTION,
            view=points.get("view"),
            colour=points.get("colour"),
            **PLAIN,
        )
    view = View(strip_view, failure_map, pane, picker, offer)
    selection: dict[str, Any] = {"outputs": [session, pane, failure_map], **QUICK}
    for act, of in ((on_act, pane.act), (on_yours, pane.yours), (on_lasso, failure_map.lasso)):
        of(shows_errors(_in_turn(act, 3)), [session], trigger_mode="always_last", **selection)
    failure_map.point(shows_errors(on_point), [session], **selection)
    failure_map.cluster(shows_errors(on_cluster), [session], **selection)
    failure_map.clear(shows_errors(on_clear), [session], **selection)
    coloured = shows_errors(_in_turn(on_colour, 2))
    outputs = [session, failure_map]
    failure_map.colour(coloured, [session], outputs, trigger_mode="always_last", **QUICK)
    view.picker.input(shows_errors(show_run), [view.picker], view.opened(session), **QUICK)
    return view


def _in_turn(act: Callable[[Session, gr.EventData], tuple[Any, ...]], n: int) -> Callable[..., tuple[Any, ...]]:
    """Wrap a callback so that it handles all presses of one event."""

    def acts(session: Session, event: gr.EventData) -> tuple[Any, ...]:
        return in_turn(event, act, session, n=n)

    return acts
