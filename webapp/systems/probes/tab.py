"""The part Classes of the place Probe: a zero-shot or few-shot classifier on the open run's samples, compared with the
user's model group by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.records import Diagnosis
from core.systems.probes.records import ProbeResult
from webapp.explore.new_run import wire_made
from webapp.markup.components import script, upload
from webapp.markup.render import empty
from webapp.markup.two_models import MAX_PICTURES, gallery_view
from webapp.panels import Opening, Page
from webapp.state.choices import IMAGES
from webapp.state.events import as_int, event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, on_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session, require_own, shows_errors
from webapp.systems.probes.form import FIRST, controls, needs_of, read_press
from webapp.systems.probes.groups import groups_view
from webapp.systems.probes.images import explanation_view, similarities
from webapp.systems.probes.inputs import estimate, refusal, unfit
from webapp.systems.probes.result import figures_view, shots_plot
from webapp.systems.probes.state import (
    NewResults,
    ProbeState,
    compared,
    diagnose_failures,
    keep_new,
    run_all,
    with_probes,
    with_zero_shot,
)


def on_open(session: Session, state: ProbeState) -> tuple[Any, ...]:
    """Show the place: returns (state, form, pool, then what `_views` gives) for the open run, with zero-shot's result
    where that is made at once, and the picked group first."""
    if not session.run:
        return state, gr.update(value=empty(NO_RUN), run=""), gr.update(visible=False), *_views(ProbeState())
    if state.run == session.run and state.group == session.cluster:
        return tuple(gr.skip() for _ in range(9))
    if state.run == session.run:
        state = replace(state, group=session.cluster)
        return state, gr.skip(), gr.skip(), *_views(state)
    diagnosis = RUNS.get(session.run)
    by_run = {session.run: with_zero_shot(diagnosis), **state.by_run}
    state = ProbeState(session.run, by_run, group=session.cluster)
    return state, *form_of(session.run, diagnosis, FIRST), *_views(state)


def form_of(run: str, diagnosis: Diagnosis, name: str) -> tuple[Any, Any]:
    """(form, pool) for a probe on a run; the reason if it cannot run."""
    reason = refusal(diagnosis)
    if reason:
        return gr.update(value=empty(reason, "No probe can run on this run"), run=run), gr.update(visible=False)
    reason = unfit(name, diagnosis)
    if reason:
        raise InvalidInput(reason)
    pool = needs_of(name).pool and diagnosis.samples.modality == "image"
    return gr.update(value=controls(name, diagnosis), run=run), gr.update(visible=pool, value=None)


def on_choose(session: Session, event: gr.EventData) -> tuple[Any, Any]:
    """Choose another method: returns (form, pool)."""
    if not session.run:
        return gr.skip(), gr.skip()
    return form_of(session.run, RUNS.get(session.run), str(event_data(event).get("probe", ""))[:60])


def on_start(session: Session, pool: str | None, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
    """Run the form's probe; yields (job id, status, new results), which `on_new_results` then adds to the visitor's
    state."""
    diagnosis = require_own(session)
    name, settings = read_press(event_data(event))
    job = Job(lambda progress: run_all(diagnosis, name, settings, pool=pool or None, progress=progress))
    yield from follow(
        job, "The probe did not finish", None, outputs=lambda results: (NewResults(session.run, results),)
    )


def on_new_results(session: Session, state: ProbeState, new: NewResults | None) -> tuple[Any, ...]:
    """Add a probe's results to the visitor's latest state: other runs may have been opened while the probe ran.

    Returns (status, state, then what `_views` gives); the views stay if another run is open.
    """
    if new is None:
        return tuple(gr.skip() for _ in range(8))
    latest = keep_new(state, new)
    target = RUNS.get(new.run).samples.name
    sentence = f"Added {latest.name} to {target}."
    if len(new.results) > 1:
        sentence = f"Added {latest.name} and {len(new.results) - 1} with fewer shots to {target}."
    status = closing("Done", sentence)
    if session.run == new.run:
        latest = replace(latest, group=session.cluster)
        return f"<div data-shown>{status}</div>", latest, *_views(latest)
    if state.run == new.run:
        state = replace(state, run="")
    return status, replace(state, by_run=latest.by_run), *(gr.skip() for _ in range(6))


def _views(state: ProbeState) -> tuple[Any, ...]:
    """(chart, result, gallery, explanation, figures, failures button) of the shown result; `on_figures` fills the
    figures."""
    result = state.result()
    if result is None:
        waiting = ""
        if state.run and not refusal(RUNS.get(state.run)):  # otherwise the form gives the reason
            waiting = empty(WAITING)
        blank = gr.update(value="", run=state.run)
        return (
            gr.update(visible=False),
            gr.update(value=waiting, run=state.run),
            blank,
            "",
            "",
            gr.update(visible=False),
        )
    diagnosis = with_probes(state.run, state.results)
    view = groups_view(diagnosis, result, state.group)
    chart = shots_plot(diagnosis, result)
    return (
        gr.update(value=chart, visible=chart is not None),
        gr.update(value=view, run=state.run),
        gr.update(value="", run=state.run),
        "",
        "",
        gr.update(visible=True),
    )


def on_figures(state: ProbeState) -> Any:
    """Show the figures of the shown result, whose comparison takes a second."""
    result = state.result()
    if result is None:
        return gr.update(value="", run=state.run)
    diagnosis = with_probes(state.run, state.results)
    view = figures_view(diagnosis, state.results, result, compared(diagnosis, result.name))
    return gr.update(value=view, run=state.run)


def on_result(session: Session, state: ProbeState, event: gr.EventData) -> tuple[Any, ...]:
    """Handle a button of the result or the gallery: another result, the images of one kind, or more images.

    Returns (state, then what `_views` gives).
    """
    press = event_data(event)
    skip = gr.skip()
    result = _shown(session, state)
    do = press.get("do")
    if do == "result":
        state = replace(state, name=str(press.get("name", "")), scope="all", kind="", shown=0)
        return state, *_views(state)
    if do == "kind":
        scope = str(press.get("scope", "all"))[:12]
        state = replace(state, scope=scope, kind=str(press.get("kind", ""))[:12], shown=MAX_PICTURES)
    elif do == "more":
        state = replace(state, shown=(state.shown or MAX_PICTURES) + MAX_PICTURES)
    else:
        return tuple(skip for _ in range(7))
    gallery = gallery_view(RUNS.get(session.run), result, state.kind, state.scope, state.shown)
    return state, skip, skip, gallery, skip, skip, skip


def on_explain(session: Session, state: ProbeState, event: gr.EventData) -> Any:
    """Explain the pressed image: returns the explanation."""
    press = event_data(event)
    if press.get("do") != "explain":
        return gr.skip()
    result = _shown(session, state)
    diagnosis = RUNS.get(session.run)
    index = as_int(press.get("place"))
    return explanation_view(diagnosis, result, index, similarities(diagnosis, result, index))


def _shown(session: Session, state: ProbeState) -> ProbeResult:
    result = state.result()
    if result is None or state.run != session.run:
        raise InvalidInput("This result belongs to another run. Open Probe again.")
    return result


def on_failures(session: Session, state: ProbeState) -> Iterator[tuple[Any, ...]]:
    """Diagnose the failures of the shown probe; yields (job id, status, id of the new run)."""
    result = _shown(session, state)
    diagnosis = require_own(session)
    job = Job(lambda progress: diagnose_failures(diagnosis, result, progress))
    done = "The diagnosis of the probe’s failures is in the list of runs."
    yield from follow(job, "The diagnosis did not finish", "", done=done)


def build(page: Page, opening: Opening) -> None:
    """Lay out the part and wire its callbacks."""
    session = page.session
    state = gr.State(ProbeState(), time_to_live=STATE_S)
    job = gr.State("")
    new = gr.State(None)
    run = gr.State("")
    estimates: dict[str, Any] = {
        "js_on_load": script(Path(__file__).parent / "probe.js"),
        "server_functions": [estimate],
    }
    with gr.Row(elem_classes="probe-row probe-place"):
        with gr.Column(scale=72, min_width=320):
            chart = gr.Plot(visible=False, show_label=False, elem_id="probe-shots")
            result = gr.HTML("", run="", js_on_load=script("pane"), elem_id="probe-result", **PLAIN)
            gallery = gr.HTML("", run="", js_on_load=script("pane"), elem_id="probe-gallery", **PLAIN)
            why = gr.HTML("", js_on_load=FOCUS, elem_id="probe-why", **PLAIN)
            figures = gr.HTML("", run="", js_on_load=script("pane", "heat"), elem_id="probe-figures", **PLAIN)
            failures = gr.Button("Find where this probe fails", visible=False, elem_id="probe-failures")
        with gr.Column(scale=28, min_width=300):
            title = "Pool of images (zip or tar), with or without class folders (default: half of the samples)"
            pool = upload(title, IMAGES, "probe-pool", visible=False)
            form = gr.HTML("", run="", elem_id="probe-form", **estimates, **PLAIN)
            status = gr.HTML("", elem_id="probe-status", **PLAIN)
    inputs = [session, state]
    views = [chart, result, gallery, why, figures, failures]  # in the order of `_views`
    shows_figures: dict[str, Any] = {"fn": shows_errors(on_figures), "inputs": [state], "outputs": [figures], **PRIVATE}
    opened = opening.select(shows_errors(on_open), inputs, [state, form, pool, *views], **PRIVATE)
    opened.success(**shows_figures)
    form.choose(shows_errors(on_choose), [session], [form, pool], **QUICK)
    form.stop(on_cancel, [job], None, **QUICK)
    started = form.start(shows_errors(on_start), [session, pool], [job, status, new], **HEAVY, **PRIVATE)
    shown = started.success(shows_errors(on_new_results), [*inputs, new], [status, state, *views], **PRIVATE)
    shown.success(None, None, None, js=TO_RESULT, **PRIVATE)
    shown.success(**shows_figures)
    for images in (result, gallery, figures):
        pressed = images.act(shows_errors(on_result), inputs, [state, *views], **PRIVATE)
        pressed.success(None, None, None, js=TO_GALLERY, **PRIVATE)
    pressed.success(**shows_figures)  # of another result
    for images in (result, gallery):
        images.act(shows_errors(on_explain), inputs, [why], concurrency_limit=4, **PRIVATE)
    diagnosed = failures.click(shows_errors(on_failures), inputs, [job, status, run], **HEAVY, **PRIVATE)
    of_page = (session, page.view, page.tabs)
    wire_made(diagnosed, run, of_page, began="probe", what="Probe", others=page.examples)


WAITING = "Press Run to see which errors zero-shot gets right: it would take a while, so it does not start by itself."
FOCUS = "watch('value', () => element.querySelector('.probe-why h3')?.focus());"
TO_RESULT = (  # not after a canceled run, nor for a result of a run that is not open
    "() => { if (!document.querySelector('#probe-status [data-shown]')) return [];"
    " const title = document.querySelector('#probe-result h2'); title?.focus({ preventScroll: true });"
    " title?.scrollIntoView({ block: 'nearest' }); return []; }"
)
TO_GALLERY = (
    "() => { if (document.activeElement?.dataset?.do !== 'kind') return [];"
    " const title = document.querySelector('#probe-gallery h3'); title?.scrollIntoView({ block: 'start' }); "
    "title?.focus(); return []; }"
)
