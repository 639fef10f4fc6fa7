"""Probe tab: a zero-shot or few-shot classifier on the open run's samples, compared with the user's model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.records import Diagnosis
from core.systems.probes.records import ProbeResult, results_of
from webapp.explore.new_run import HERE, on_made as on_made_run, on_new_run
from webapp.explore.tab import View, show_run
from webapp.markup.components import script, upload
from webapp.markup.render import empty
from webapp.markup.two_models import MAX_PICTURES, gallery_view
from webapp.panels import Page
from webapp.state.choices import IMAGES
from webapp.state.events import as_int, event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, on_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session, require_own, shows_errors
from webapp.systems.probes.form import FIRST, cards, controls, needs_pool, read_press
from webapp.systems.probes.images import explanation_view, similarities
from webapp.systems.probes.inputs import estimate, refusal, unfit
from webapp.systems.probes.render import render
from webapp.systems.probes.result import result_view
from webapp.systems.probes.state import (
    NewResults,
    ProbeState,
    compared,
    diagnose_failures,
    keep_new,
    run_all,
    with_probes,
)

NO_DIAGNOSIS = ("", "")
"""(new run, probed run) before a probe's failures are diagnosed."""


def on_open(session: Session, state: ProbeState) -> tuple[Any, ...]:
    """Show the tab: returns (state, cards, form, pool, result, gallery, explanation, buttons) for the open run."""
    if not session.run:
        form = gr.update(value=empty(NO_RUN), run="")
        return state, "", form, gr.update(visible=False), "", "", "", *_buttons(None, state)
    if state.run == session.run:
        return tuple(gr.skip() for _ in range(9))
    diagnosis = RUNS.get(session.run)
    by_run = state.by_run
    if session.run not in by_run:
        by_run = {**by_run, session.run: results_of(diagnosis)}
    former = "" if state.former == session.run else state.former
    state = ProbeState(session.run, by_run, former=former)
    choices = "" if refusal(diagnosis) else cards(diagnosis, run=session.run)
    return state, choices, *form_of(session.run, diagnosis, FIRST), *_views(state)


def form_of(run: str, diagnosis: Diagnosis, name: str) -> tuple[Any, Any]:
    """(form, pool) for a probe on a run; the reason if it cannot run."""
    reason = refusal(diagnosis)
    title = "No probe can run on this run"
    if not reason:
        reason = unfit(name, diagnosis)
        title = "Not for these samples"
    if reason:
        return gr.update(value=empty(reason, title), run=run), gr.update(visible=False)
    pool = needs_pool(name) and diagnosis.samples.modality == "image"
    return gr.update(value=controls(name, diagnosis), run=run), gr.update(visible=pool, value=None)


def on_choose(session: Session, event: gr.EventData) -> tuple[Any, Any]:
    """Choose another probe: returns (form, pool)."""
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

    Returns (status, state, result, gallery, explanation, buttons); the views stay if another run is open.
    """
    if new is None:
        return tuple(gr.skip() for _ in range(7))
    latest = keep_new(state, new)
    target = RUNS.get(new.run).samples.name
    sentence = f"Added {latest.name} to {target}."
    if len(new.results) > 1:
        sentence = f"Added {latest.name} and {len(new.results) - 1} with fewer shots to {target}."
    status = closing("Done", sentence)
    if session.run == new.run:
        return render("added.html.j2", status=status), latest, *_views(latest)
    state = replace(state, by_run=latest.by_run, run="" if state.run == new.run else state.run)
    return status, state, *(gr.skip() for _ in range(5))


def _views(state: ProbeState) -> tuple[Any, ...]:
    """(result, gallery, explanation, failures button, back button) of the shown result."""
    result = state.result()
    if result is None:
        waiting = ""
        if not refusal(RUNS.get(state.run)):  # otherwise the form gives the reason
            waiting = render("waiting.html.j2")
        return gr.update(value=waiting, run=state.run), gr.update(value="", run=state.run), "", *_buttons(None, state)
    diagnosis = with_probes(state.run, state.results)
    view = result_view(diagnosis, state.results, result, compared(diagnosis, result.name))
    gallery = gallery_view(diagnosis, result, state.kind, state.scope, state.shown or MAX_PICTURES)
    return (
        gr.update(value=view, run=state.run),
        gr.update(value=gallery, run=state.run),
        render("pick.html.j2"),
        *_buttons(result, state),
    )


def _buttons(result: ProbeResult | None, state: ProbeState) -> tuple[Any, Any]:
    back = "Back"
    if state.former:
        back = f"Back to {RUNS.get(state.former).samples.name}"[:60]
    return gr.update(visible=result is not None), gr.update(visible=bool(state.former), value=back)


def on_result(session: Session, state: ProbeState, event: gr.EventData) -> tuple[Any, ...]:
    """Handle a button of the result or the gallery: another result, the images of one kind, or more images.

    Returns (state, result, gallery, explanation, failures button, back button).
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
        return tuple(skip for _ in range(6))
    diagnosis = RUNS.get(session.run)
    return state, skip, gallery_view(diagnosis, result, state.kind, state.scope, state.shown), skip, skip, skip


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
        raise InvalidInput("This result belongs to another run. Open the tab Probe again.")
    return result


def on_failures(session: Session, state: ProbeState) -> Iterator[tuple[Any, ...]]:
    """Diagnose the failures of the shown probe; yields (job id, status, (new run, probed run))."""
    result = _shown(session, state)
    diagnosis = require_own(session)
    job = Job(lambda progress: diagnose_failures(diagnosis, result, progress))
    done = "The diagnosis of the probe’s failures is in the list of runs."
    probed = session.run
    yield from follow(
        job, "The diagnosis did not finish", NO_DIAGNOSIS, outputs=lambda run: ((run, probed),), done=done
    )


def on_diagnosed(
    session: Session, state: ProbeState, finished: tuple[str, str], here: str, examples: list[tuple[str, str]]
) -> tuple[Any, ...]:
    """Open or offer the diagnosis of a probe's failures: returns (offer, state, then the outputs of `on_new_run`);
    nothing changes without one."""
    run, probed = finished
    offer, tabs, *shown = on_made_run(session, run, here, began="probe", what="Probe", others=examples)
    new_state: Any = gr.skip()
    if run and here in ("", "probe"):
        new_state = replace(state, former=probed)
    return offer, new_state, tabs, *shown


def on_back(state: ProbeState) -> tuple[Any, ...]:
    """Reopen the run whose probe was diagnosed: returns the same as `on_diagnosed`, without the offer."""
    if not state.former:
        return gr.skip(), *on_new_run("", "", [])
    cleared = replace(state, former="")
    return cleared, gr.update(selected="explore"), gr.update(value=state.former), *show_run(state.former)


@dataclass(frozen=True)
class ProbeParts:
    """The tab's components."""

    chooser: gr.HTML
    pool: gr.File
    form: gr.HTML
    status: gr.HTML
    result: gr.HTML
    gallery: gr.HTML
    why: gr.HTML
    failures: gr.Button
    back: gr.Button

    def views(self) -> list[Any]:
        """The components that `_views` fills."""
        return [self.result, self.gallery, self.why, self.failures, self.back]


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    session = page.session
    view = page.view
    tabs = page.tabs
    examples = page.examples
    parts = _layout()
    state = gr.State(ProbeState(), time_to_live=STATE_S)
    job = gr.State("")
    opened = [state, parts.chooser, parts.form, parts.pool, *parts.views()]
    tab.select(shows_errors(on_open), [session, state], opened, **PRIVATE)
    parts.chooser.choose(shows_errors(on_choose), [session], [parts.form, parts.pool], **QUICK)
    parts.form.stop(on_cancel, [job], None, **QUICK)
    _wire_probes(parts, session, state, job, view)

    def open_diagnosis(session: Session, state: ProbeState, finished: tuple[str, str], here: str) -> tuple[Any, ...]:
        return on_diagnosed(session, state, finished, here, examples)

    inputs = [session, state]
    finished = gr.State(NO_DIAGNOSIS)
    diagnosed = parts.failures.click(
        shows_errors(on_failures), inputs, [job, parts.status, finished], **HEAVY, **PRIVATE
    )
    outputs = [state, tabs, view.picker, *view.opened(session)]
    diagnosed.success(
        shows_errors(open_diagnosis), [*inputs, finished, view.here], [view.offer, *outputs], js=HERE, **PRIVATE
    )
    parts.back.click(shows_errors(on_back), [state], outputs, **QUICK)


def _layout() -> ProbeParts:
    gr.HTML(render("intro.html.j2"), **PLAIN)
    chooser = gr.HTML("", js_on_load=CHOOSE, elem_id="probe-cards", **PLAIN)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=30, min_width=300):
            title = "Pool of images (zip or tar), with or without class folders (default: half of the samples)"
            pool = upload(title, IMAGES, "probe-pool", visible=False)
            estimates: dict[str, Any] = {
                "js_on_load": script(Path(__file__).parent / "probe.js"),
                "server_functions": [estimate],
            }
            form = gr.HTML("", run="", elem_id="probe-form", **estimates, **PLAIN)
            line = gr.HTML("", elem_id="probe-status", **PLAIN)
        with gr.Column(scale=70, min_width=320):
            back = gr.Button("Back", visible=False, elem_id="probe-back", size="sm")
            waiting = render("waiting.html.j2")
            result = gr.HTML(waiting, run="", js_on_load=script("pane", "heat"), elem_id="probe-result", **PLAIN)
            failures = gr.Button("Find where this probe fails", visible=False, elem_id="probe-failures")
    with gr.Row(elem_classes="probe-images"):
        with gr.Column(scale=50, min_width=320):
            gallery = gr.HTML("", run="", js_on_load=script("pane"), elem_id="probe-gallery", **PLAIN)
        with gr.Column(scale=50, min_width=320):
            why = gr.HTML("", js_on_load=FOCUS, elem_id="probe-why", **PLAIN)
    return ProbeParts(chooser, pool, form, line, result, gallery, why, failures, back)


def _wire_probes(parts: ProbeParts, session: gr.State, state: gr.State, job: gr.State, view: View) -> None:
    """Wire running a probe and showing its results."""
    inputs = [session, state]
    outputs = [state, *parts.views()]
    new = gr.State(None)
    started = parts.form.start(
        shows_errors(on_start), [session, parts.pool], [job, parts.status, new], **HEAVY, **PRIVATE
    )
    shown = started.success(shows_errors(on_new_results), [*inputs, new], [parts.status, *outputs], **PRIVATE)
    shown.success(None, None, None, js=TO_RESULT, **PRIVATE)
    pressed = parts.result.act(shows_errors(on_result), inputs, outputs, **PRIVATE)
    pressed.success(None, None, None, js=TO_GALLERY, **PRIVATE)
    parts.gallery.act(shows_errors(on_result), inputs, outputs, **PRIVATE)
    parts.gallery.act(shows_errors(on_explain), inputs, [parts.why], concurrency_limit=4, **PRIVATE)


CHOOSE = (
    "element.addEventListener('change', (event) => trigger('choose', { probe: event.target.value }));"
    "watch('value', () => { for (const card of element.querySelectorAll('input')) card.checked = "
    "card.defaultChecked; });"
)
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
