"""Probe tab: a zero-shot or few-shot classifier on the open run's samples, beside the user's own model."""

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
from webapp.systems.probes.state import Made, ProbeState, compared, diagnose_failures, keep_made, make_each, with_probes

NOTHING = ("", "")
"""No run was made of a probe's outcomes."""


def on_open(session: Session, state: ProbeState) -> tuple[Any, ...]:
    """The tab is shown: returns (state, cards, form, pool, result, gallery, explanation, buttons) for the open run."""
    if not session.run:
        form = gr.update(value=empty(NO_RUN), run="")
        return state, "", form, gr.update(visible=False), "", "", "", *_buttons(None, state)
    if state.run == session.run:
        return tuple(gr.skip() for _ in range(9))
    diagnosis = RUNS.get(session.run)
    kept = state.kept if session.run in state.kept else {**state.kept, session.run: results_of(diagnosis)}
    made = ProbeState(session.run, kept, former=state.former if state.former != session.run else "")
    return (
        made,
        "" if refusal(diagnosis) else cards(diagnosis, run=session.run),
        *form_of(session.run, diagnosis, FIRST),
        *_views(made),
    )


def form_of(run: str, diagnosis: Diagnosis, name: str) -> tuple[Any, Any]:
    """(form, pool) for a probe on a run; the reason where no probe can run."""
    if why := refusal(diagnosis):
        form = empty(why, "No probe can run on this run")
        return gr.update(value=form, run=run), gr.update(visible=False)
    if why := unfit(name, diagnosis):
        return gr.update(value=empty(why, "Not on these samples"), run=run), gr.update(visible=False)
    pool = needs_pool(name) and diagnosis.samples.modality == "image"
    return gr.update(value=controls(name, diagnosis), run=run), gr.update(visible=pool, value=None)


def on_choose(session: Session, event: gr.EventData) -> tuple[Any, Any]:
    """Another probe was chosen: returns (form, pool)."""
    if not session.run:
        return gr.skip(), gr.skip()
    return form_of(session.run, RUNS.get(session.run), str(event_data(event).get("probe", ""))[:60])


def on_start(session: Session, pool: str | None, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
    """Run what the form says; yields (job id, status, what was made), which `on_made` then adds to the visitor's
    record."""
    diagnosis, (name, settings) = require_own(session), read_press(event_data(event))
    job = Job(lambda progress: make_each(diagnosis, name, settings, pool=pool or None, progress=progress))
    yield from follow(job, "The probe did not finish", None, outputs=lambda found: (Made(session.run, found),))


def on_made(session: Session, state: ProbeState, made: Made | None) -> tuple[Any, ...]:
    """Add what a probe made to the visitor's record as it is now: other runs may have been opened while the probe was
    at work.

    Returns (status, state, result, gallery, explanation, buttons); the views stay where another run is open.
    """
    if made is None:
        return tuple(gr.skip() for _ in range(7))
    kept = keep_made(state, made)
    more = f" and {len(made.results) - 1} with fewer shots" if len(made.results) > 1 else ""
    said = closing("Done", f"{kept.name}{more} {'were' if more else 'was'} added to {RUNS.get(made.run).samples.name}.")
    if session.run == made.run:
        return render("added.html.j2", status=said), kept, *_views(kept)
    state = replace(state, kept=kept.kept, run="" if state.run == made.run else state.run)
    return said, state, *(gr.skip() for _ in range(5))


def _views(state: ProbeState) -> tuple[Any, ...]:
    """(result, gallery, explanation, failures button, back button) of what is shown."""
    result = state.result()
    if result is None:
        said = "" if refusal(RUNS.get(state.run)) else render("waiting.html.j2")  # else the form says why
        return gr.update(value=said, run=state.run), gr.update(value="", run=state.run), "", *_buttons(None, state)
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
    back = f"Back to {RUNS.get(state.former).samples.name}"[:60] if state.former else "Back"
    return gr.update(visible=result is not None), gr.update(visible=bool(state.former), value=back)


def on_result(session: Session, state: ProbeState, event: gr.EventData) -> tuple[Any, ...]:
    """A button of the result or of the gallery: another result, the images of one kind, or more of them.

    Returns (state, result, gallery, explanation, failures button, back button).
    """
    said = event_data(event)
    skip = gr.skip()
    result = _shown(session, state)
    do = said.get("do")
    if do == "result":
        made = replace(state, name=str(said.get("name", "")), scope="all", kind="", shown=0)
        return made, *_views(made)
    if do == "kind":
        made = replace(
            state, scope=str(said.get("scope", "all"))[:12], kind=str(said.get("kind", ""))[:12], shown=MAX_PICTURES
        )
    elif do == "more":
        made = replace(state, shown=(state.shown or MAX_PICTURES) + MAX_PICTURES)
    else:
        return tuple(skip for _ in range(6))
    diagnosis = RUNS.get(session.run)
    return made, skip, gallery_view(diagnosis, result, made.kind, made.scope, made.shown), skip, skip, skip


def on_explain(session: Session, state: ProbeState, event: gr.EventData) -> Any:
    """An image was pressed: returns its explanation."""
    said = event_data(event)
    if said.get("do") != "explain":
        return gr.skip()
    result = _shown(session, state)
    diagnosis = RUNS.get(session.run)
    place = as_int(said.get("place"))
    return explanation_view(diagnosis, result, place, similarities(diagnosis, result, place))


def _shown(session: Session, state: ProbeState) -> ProbeResult:
    result = state.result()
    if result is None or state.run != session.run:
        raise InvalidInput("This result is of another run than the open one. Open the tab Probe again.")
    return result


def on_failures(session: Session, state: ProbeState) -> Iterator[tuple[Any, ...]]:
    """Diagnose the outcomes of the probe that is shown; yields (job id, status, (the new run, the run that was
    probed))."""
    result = _shown(session, state)
    diagnosis = require_own(session)
    job = Job(lambda progress: diagnose_failures(diagnosis, result, progress))
    said = "The probe’s failures stand in the list of runs."
    probed = session.run
    yield from follow(job, "The diagnosis did not finish", NOTHING, outputs=lambda run: ((run, probed),), done=said)


def on_found(
    session: Session, state: ProbeState, finished: tuple[str, str], here: str, examples: list[tuple[str, str]]
) -> tuple[Any, ...]:
    """Open or offer the run that was made of a probe's outcomes: returns (offer, state, then what `on_new_run` gives);
    nothing changes without one."""
    found, probed = finished
    offer, tabs, *shown = on_made_run(session, found, here, began="probe", what="Probe", others=examples)
    left = not found or here not in ("", "probe")
    return offer, gr.skip() if left else replace(state, former=probed), tabs, *shown


def on_back(state: ProbeState) -> tuple[Any, ...]:
    """Open the run again whose probe was diagnosed: returns the same as `on_found`, after the offer."""
    if not state.former:
        return gr.skip(), *on_new_run("", "", [])
    left = replace(state, former="")
    return left, gr.update(selected="explore"), gr.update(value=state.former), *show_run(state.former)


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
        """What `_views` fills."""
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

    def found(session: Session, state: ProbeState, finished: tuple[str, str], here: str) -> tuple[Any, ...]:
        return on_found(session, state, finished, here, examples)

    own = [session, state]
    finished = gr.State(NOTHING)
    looked = parts.failures.click(shows_errors(on_failures), own, [job, parts.status, finished], **HEAVY, **PRIVATE)
    filled = [state, tabs, view.picker, *view.opened(session)]
    looked.success(shows_errors(found), [*own, finished, view.here], [view.offer, *filled], js=HERE, **PRIVATE)
    parts.back.click(shows_errors(on_back), [state], filled, **QUICK)


def _layout() -> ProbeParts:
    gr.HTML(render("intro.html.j2"), **PLAIN)
    chooser = gr.HTML("", js_on_load=CHOOSE, elem_id="probe-cards", **PLAIN)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=30, min_width=300):
            title = "Pool of images (zip or tar), loose or a folder a class; without one, half of the samples"
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
            failures = gr.Button("Find this probe’s failure clusters", visible=False, elem_id="probe-failures")
    with gr.Row(elem_classes="probe-images"):
        with gr.Column(scale=50, min_width=320):
            gallery = gr.HTML("", run="", js_on_load=script("pane"), elem_id="probe-gallery", **PLAIN)
        with gr.Column(scale=50, min_width=320):
            why = gr.HTML("", js_on_load=FOCUS, elem_id="probe-why", **PLAIN)
    return ProbeParts(chooser, pool, form, line, result, gallery, why, failures, back)


def _wire_probes(parts: ProbeParts, session: gr.State, state: gr.State, job: gr.State, view: View) -> None:
    """Running a probe, and looking at what it made."""
    own = [session, state]
    filled = [state, *parts.views()]
    made = gr.State(None)
    started = parts.form.start(
        shows_errors(on_start), [session, parts.pool], [job, parts.status, made], **HEAVY, **PRIVATE
    )
    shown = started.success(shows_errors(on_made), [*own, made], [parts.status, *filled], **PRIVATE)
    shown.success(None, None, None, js=TO_RESULT, **PRIVATE)
    pressed = parts.result.act(shows_errors(on_result), own, filled, **PRIVATE)
    pressed.success(None, None, None, js=TO_GALLERY, **PRIVATE)
    parts.gallery.act(shows_errors(on_result), own, filled, **PRIVATE)
    parts.gallery.act(shows_errors(on_explain), own, [parts.why], concurrency_limit=4, **PRIVATE)


CHOOSE = (
    "element.addEventListener('change', (event) => trigger('choose', { probe: event.target.value }));"
    "watch('value', () => { for (const card of element.querySelectorAll('input')) card.checked = "
    "card.defaultChecked; });"
)
FOCUS = "watch('value', () => element.querySelector('.probe-why h3')?.focus());"
TO_RESULT = (  # not after a run that was stopped, nor one whose result belongs to another run than the open one
    "() => { if (!document.querySelector('#probe-status [data-shown]')) return [];"
    " const title = document.querySelector('#probe-result h2'); title?.focus({ preventScroll: true });"
    " title?.scrollIntoView({ block: 'nearest' }); return []; }"
)
TO_GALLERY = (
    "() => { if (document.activeElement?.dataset?.do !== 'kind') return [];"
    " const title = document.querySelector('#probe-gallery h3'); title?.scrollIntoView({ block: 'start' }); "
    "title?.focus(); return []; }"
)
