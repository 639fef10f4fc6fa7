"""Probe tab: a zero-shot or few-shot classifier on the open run's images, beside the user's own model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.records import Diagnosis, ProbeResult, Progress
from webapp.explore.tab import View, on_downloads, show_run, waiting
from webapp.failure_map import SCRIPTS
from webapp.markup.html import esc
from webapp.probe.clusters import PICTURES, gallery_view
from webapp.probe.form import FIRST, cards, controls, needs_pool, read_press
from webapp.probe.images import explanation_view, similarities
from webapp.probe.result import result_view
from webapp.probe.state import (
    Made,
    ProbeState,
    compared,
    diagnose_failures,
    estimate,
    keep_made,
    make_one,
    refusal,
    with_probes,
)
from webapp.state.choices import IMAGES
from webapp.state.jobs import JOBS, Job, closing, follow
from webapp.state.session import RUNS, Session, as_int, event_data, shows_errors


def on_open(session: Session, probing: ProbeState) -> tuple[Any, ...]:
    """The tab is shown: returns (probing, cards, form, pool, result, gallery, explanation, buttons) for the open
    run."""
    if not session.run:
        return (
            probing,
            "",
            gr.update(value=NO_RUN, run=""),
            gr.update(visible=False),
            "",
            "",
            "",
            *_buttons(None, probing),
        )
    if probing.run == session.run:
        return tuple(gr.skip() for _ in range(9))
    diagnosis = RUNS.get(session.run)
    kept = probing.kept if session.run in probing.kept else {**probing.kept, session.run: diagnosis.probes}
    made = ProbeState(session.run, kept, former=probing.former if probing.former != session.run else "")
    return (
        made,
        "" if refusal(diagnosis) else cards(run=session.run),
        *form_of(session.run, diagnosis, FIRST),
        *_views(made),
    )


def form_of(run: str, diagnosis: Diagnosis, name: str) -> tuple[Any, Any]:
    """(form, pool) for a probe on a run; the reason where no probe can run."""
    if why := refusal(diagnosis):
        form = f'<div class="empty small"><h2>No probe can run on this run</h2><p>{esc(why)}</p></div>'
        return gr.update(value=form, run=run), gr.update(visible=False)
    return gr.update(value=controls(name, diagnosis), run=run), gr.update(visible=needs_pool(name), value=None)


def on_choose(session: Session, event: gr.EventData) -> tuple[Any, Any]:
    """Another probe was chosen: returns (form, pool)."""
    if not session.run:
        return gr.skip(), gr.skip()
    return form_of(session.run, RUNS.get(session.run), str(event_data(event).get("probe", ""))[:60])


def on_start(session: Session, pool: str | None, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
    """Run what the form says; yields (job id, status, what was made), which `on_made` then adds to the visitor's
    record."""
    if not session.run:
        raise InvalidInput("No run is open. Open an example in Explore, or bring your own data.")
    name, settings = read_press(event_data(event))
    run, diagnosis = session.run, RUNS.get(session.run)
    made: list[Made] = []

    def work(progress: Progress) -> str:
        made.append(Made(run, make_one(diagnosis, name, settings, pool=pool or None, progress=progress)))
        return run

    yield from follow(Job(work), "The probe did not finish", None)
    if made:
        yield "", closing("Done"), made[0]


def on_made(session: Session, probing: ProbeState, made: Made | None) -> tuple[Any, ...]:
    """Add what a probe made to the visitor's record as it is now: other runs may have been opened while the probe was
    at work.

    Returns (status, probing, result, gallery, explanation, buttons); the views stay where another run is open.
    """
    if made is None:
        return tuple(gr.skip() for _ in range(7))
    kept = keep_made(probing, made)
    if session.run == made.run:
        return f"<div data-shown>{closing('Done', f'{kept.name} was added.')}</div>", kept, *_views(kept)
    said = closing("Done", f"{kept.name} was added to {RUNS.get(made.run).samples.name}.")
    return (
        said,
        replace(probing, kept=kept.kept, run="" if probing.run == made.run else probing.run),
        *(gr.skip() for _ in range(5)),
    )


def _views(probing: ProbeState) -> tuple[Any, ...]:
    """(result, gallery, explanation, failures button, back button) of what is shown."""
    result = probing.result()
    if result is None:
        return (
            gr.update(value=WAITING, run=probing.run),
            gr.update(value="", run=probing.run),
            "",
            *_buttons(None, probing),
        )
    diagnosis = with_probes(probing.run, probing.results)
    view = result_view(diagnosis, probing.results, result, compared(diagnosis, result.name))
    gallery = gallery_view(diagnosis, result, probing.kind, probing.scope, probing.shown or PICTURES)
    return (
        gr.update(value=view, run=probing.run),
        gr.update(value=gallery, run=probing.run),
        PICK,
        *_buttons(result, probing),
    )


def _buttons(result: ProbeResult | None, probing: ProbeState) -> tuple[Any, Any]:
    back = f"Back to {RUNS.get(probing.former).samples.name}"[:60] if probing.former else "Back"
    return gr.update(visible=result is not None), gr.update(visible=bool(probing.former), value=back)


def on_result(session: Session, probing: ProbeState, event: gr.EventData) -> tuple[Any, ...]:
    """A button of the result or of the gallery: another result, the images of one kind, or more of them.

    Returns (probing, result, gallery, explanation, failures button, back button).
    """
    said, skip = event_data(event), gr.skip()
    result = _shown(session, probing)
    do = said.get("do")
    if do == "result":
        made = replace(probing, name=str(said.get("name", "")), scope="all", kind="", shown=0)
        return made, *_views(made)
    if do == "kind":
        made = replace(
            probing, scope=str(said.get("scope", "all"))[:12], kind=str(said.get("kind", ""))[:12], shown=PICTURES
        )
    elif do == "more":
        made = replace(probing, shown=(probing.shown or PICTURES) + PICTURES)
    else:
        return tuple(skip for _ in range(6))
    diagnosis = RUNS.get(session.run)
    return made, skip, gallery_view(diagnosis, result, made.kind, made.scope, made.shown), skip, skip, skip


def on_explain(session: Session, probing: ProbeState, event: gr.EventData) -> Any:
    """A picture was pressed: returns its explanation."""
    said = event_data(event)
    if said.get("do") != "explain":
        return gr.skip()
    result, diagnosis, place = _shown(session, probing), RUNS.get(session.run), as_int(said.get("place"))
    return explanation_view(diagnosis, result, place, similarities(diagnosis, result, place))


def _shown(session: Session, probing: ProbeState) -> ProbeResult:
    result = probing.result()
    if result is None or probing.run != session.run:
        raise InvalidInput("This result is of another run than the open one. Open the tab Probe again.")
    return result


def on_failures(session: Session, probing: ProbeState) -> Iterator[tuple[Any, ...]]:
    """Diagnose the outcomes of the probe that is shown; yields (job id, status, (the new run, the run that was
    probed))."""
    result, diagnosis = _shown(session, probing), RUNS.get(session.run)
    job = Job(lambda progress: diagnose_failures(diagnosis, result, progress))
    yield from follow(job, "The diagnosis did not finish", NOTHING)
    if job.result:
        yield "", closing("Done", "The probe’s failures are open in Explore."), (job.result, session.run)


def on_found(probing: ProbeState, finished: tuple[str, str], examples: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Open the run that was made of a probe's outcomes: returns (tabs, picker, probing, then what `show_run` fills)."""
    found, probed = finished
    if not found:
        return tuple(gr.skip() for _ in range(9))
    former = RUNS.get(probed)
    own = [(former.samples.name, probed)] if probed not in [run for _, run in examples] else []
    choices = [(f"Probe: {RUNS.get(found).samples.name}", found), *own, *examples]
    return (
        gr.update(selected="explore"),
        gr.update(choices=choices, value=found, visible=True),
        replace(probing, former=probed),
        *show_run(found),
    )


def on_back(probing: ProbeState) -> tuple[Any, ...]:
    """Open the run again whose probe was diagnosed: returns (tabs, picker, probing, then what `show_run` fills)."""
    if not probing.former:
        return tuple(gr.skip() for _ in range(9))
    return (
        gr.update(selected="explore"),
        gr.update(value=probing.former),
        replace(probing, former=""),
        *show_run(probing.former),
    )


def on_cancel(job: str) -> None:
    """Stop the visitor's own job."""
    if not JOBS.cancel(job):
        gr.Info("Nothing is running.")


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


def build(
    session: gr.State, view: View, buttons: list[Any], tabs: gr.Tabs, tab: gr.Tab, examples: list[tuple[str, str]]
) -> None:
    """Lay out the tab and wire its callbacks."""
    pane, heat, form_script = ((SCRIPTS / name).read_text("utf-8") for name in ("pane.js", "heat.js", "probe.js"))
    both = f"{{\n{pane}\n}}\n{{\n{heat}\n}}"
    plain: dict[str, Any] = dict(apply_default_css=False)
    gr.HTML(INTRO, **plain)
    chooser = gr.HTML("", js_on_load=CHOOSE, elem_id="probe-cards", **plain)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=30, min_width=300):
            pool = gr.File(
                label="Pool of unlabelled pictures (zip or tar); without one, the other half of the samples",
                file_types=list(IMAGES),
                type="filepath",
                height=96,
                elem_id="probe-pool",
                visible=False,
            )
            form = gr.HTML(
                "", run="", js_on_load=form_script, server_functions=[estimate], elem_id="probe-form", **plain
            )
            line = gr.HTML("", elem_id="probe-status", **plain)
        with gr.Column(scale=70, min_width=320):
            back = gr.Button("Back", visible=False, elem_id="probe-back", size="sm")
            result = gr.HTML(WAITING, run="", js_on_load=both, elem_id="probe-result", **plain)
            failures = gr.Button("Find this probe’s failure clusters", visible=False, elem_id="probe-failures")
    with gr.Row(elem_classes="probe-images"):
        with gr.Column(scale=50, min_width=320):
            gallery = gr.HTML("", run="", js_on_load=pane, elem_id="probe-gallery", **plain)
        with gr.Column(scale=50, min_width=320):
            why = gr.HTML("", js_on_load=FOCUS, elem_id="probe-why", **plain)
    _wire(
        ProbeParts(chooser, pool, form, line, result, gallery, why, failures, back),
        session,
        view,
        buttons,
        tabs,
        tab,
        examples,
    )


def _wire(
    parts: ProbeParts,
    session: gr.State,
    view: View,
    buttons: list[Any],
    tabs: gr.Tabs,
    tab: gr.Tab,
    examples: list[tuple[str, str]],
) -> None:
    probing, job = gr.State(ProbeState(), time_to_live=24 * 3600), gr.State("")
    finished, made = gr.State(NOTHING), gr.State(None)
    private: dict[str, Any] = dict(show_progress="hidden", api_visibility="private")
    heavy: dict[str, Any] = dict(concurrency_id="compute", concurrency_limit=1)
    tab.select(
        shows_errors(on_open),
        [session, probing],
        [probing, parts.chooser, parts.form, parts.pool, *parts.views()],
        **private,
    )
    parts.chooser.choose(shows_errors(on_choose), [session], [parts.form, parts.pool], queue=False, **private)
    asked = [session, parts.pool]
    started = parts.form.start(shows_errors(on_start), asked, [job, parts.status, made], **heavy, **private)
    shown = started.success(
        shows_errors(on_made), [session, probing, made], [parts.status, probing, *parts.views()], **private
    )
    shown.success(None, None, None, js=TO_RESULT, **private)
    shown.success(
        shows_errors(on_downloads), [session], buttons, **private
    )  # the files of a visitor's own run tell of it too
    parts.form.stop(on_cancel, [job], None, queue=False, **private)
    said = [session, probing]
    parts.result.act(shows_errors(on_result), said, [probing, *parts.views()], **private).success(
        None, None, None, js=TO_GALLERY, **private
    )
    parts.gallery.act(shows_errors(on_result), said, [probing, *parts.views()], **private)
    parts.gallery.act(shows_errors(on_explain), said, [parts.why], concurrency_limit=4, **private)

    def found(probing: ProbeState, finished: tuple[str, str]) -> tuple[Any, ...]:
        return *on_found(probing, finished, examples), *(waiting() if finished[0] else [gr.skip()] * len(buttons))

    def back(probing: ProbeState) -> tuple[Any, ...]:
        return *on_back(probing), *(waiting() if probing.former else [gr.skip()] * len(buttons))

    opened = [tabs, view.picker, probing, session, *view.all(), *buttons]
    looked = parts.failures.click(shows_errors(on_failures), said, [job, parts.status, finished], **heavy, **private)
    seen = looked.success(shows_errors(found), [probing, finished], opened, **private)
    seen.then(shows_errors(on_downloads), [session], buttons, **private)
    left = parts.back.click(shows_errors(back), [probing], opened, queue=False, **private)
    left.then(shows_errors(on_downloads), [session], buttons, **private)


NOTHING = ("", "")
"""No run was made of a probe's outcomes."""
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
INTRO = (
    '<div class="tab-intro"><h2>Probe</h2><p class="muted">Which failures are your model’s own, '
    "and which are hard for anyone? A classifier that "
    "knows your classes by their names, or by a few images of each, is judged on the same images: what it fixes, "
    "what it breaks, where both fail."
    "</p></div>"
)
WAITING = (
    '<div class="empty small"><p>The result will stand here: how often the probe is right beside your model, '
    "class by class and inside each failure "
    "cluster, and why it says what it says of an image. Choose a probe and run it.</p></div>"
)
PICK = '<div class="empty small"><p>Press a picture to see why the probe says what it says of it.</p></div>'
NO_RUN = '<div class="empty small"><p>No run is open. Open an example in Explore, or bring your own data.</p></div>'
