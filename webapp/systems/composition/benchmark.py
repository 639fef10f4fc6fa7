"""One or two models on a benchmark of composition: its worst items, its figures, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.records import Progress
from webapp.explore.new_run import wire_made
from webapp.markup.components import download_row, script, upload
from webapp.markup.render import empty
from webapp.panels import Opening, Page
from webapp.state.choices import IMAGES, TABLES
from webapp.state.events import event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, on_wait, wire_cancel
from webapp.state.runs import RUNS
from webapp.state.session import Session, shows_errors
from webapp.systems.composition.files import FILES, compared, on_files
from webapp.systems.composition.items import VERSUS, WHICH, items_view
from webapp.systems.composition.models import NOTHING, ModelAccess, encoder_choices, second_choices
from webapp.systems.composition.render import PRESSES, render
from webapp.systems.composition.result import result_view
from webapp.systems.composition.state import (
    FIRST,
    OWN,
    RUN,
    benchmarks,
    diagnose_items,
    known_result,
    open_benchmark,
    run_models,
    shipped,
)
from webapp.systems.composition.visit import PAGE, BenchmarkRun, ComposeState


def on_open(session: Session, state: ComposeState, access: ModelAccess) -> tuple[Any, ...]:
    """Show the part: returns (choice, encoder, state, views); the stored result on the first benchmark appears at once.
    The open run comes first among the choices, with its encoder, where its table has captions."""
    from core.systems.composition.readers.captions import captions_of

    chosen = encoder = gr.skip()
    if session.run and captions_of(RUNS.get(session.run).samples):
        diagnosis = RUNS.get(session.run)
        named = f"The open run: {diagnosis.samples.name}"[:60]
        chosen = gr.update(choices=[(named, RUN), *benchmarks(access.folder)])
        if not state.choice:
            chosen["value"] = RUN
            if diagnosis.embeddings.encoder in {key for _, key in encoder_choices(access)}:
                encoder = gr.update(value=diagnosis.embeddings.encoder)
    known = known_result(FIRST, "embedded")
    if state.loaded is not None or known is None:
        return chosen, encoder, *(gr.skip() for _ in range(1 + VIEWS))
    opened = replace(state, choice=FIRST, loaded=shipped(FIRST), opened=shipped(FIRST), results=(known,))
    return chosen, encoder, opened, *_views(opened)


def on_choose(choice: str) -> Any:
    """Choose another benchmark: returns the files' column, visible for the visitor's own."""
    return gr.update(visible=choice == OWN)


def on_run(
    session: Session,
    state: ComposeState,
    access: ModelAccess,
    choice: str,
    file: str | None,
    images: str | None,
    form: str,
    *models: str,
) -> Iterator[tuple[Any, ...]]:
    """Run one or two models; yields (job id, status, result for `on_made`)."""
    chosen = [model for model in models if model and model != NOTHING]
    if len(set(chosen)) < len(chosen):
        raise InvalidInput("The second model is the same as the first. Choose another, or Nothing.")

    def work(progress: Progress) -> BenchmarkRun:
        from core.systems.composition.readers.captions import read_run

        progress("open the benchmark", 0, 1)
        if choice == RUN:
            loaded = read_run(RUNS.get(session.run).samples, progress)
        else:
            loaded = open_benchmark(choice or "", file, images, form or "", access.folder, progress)
        progress("open the benchmark", 1, 1)
        return run_models(choice, loaded, chosen, state.adapters, access, progress)

    yield from follow(Job(work), "The benchmark did not finish", None)


def on_made(state: ComposeState, ran: BenchmarkRun | None) -> tuple[Any, ...]:
    """Show the result: returns (status, state, views)."""
    if ran is None:
        return tuple(gr.skip() for _ in range(2 + VIEWS))
    state_after = ComposeState(ran.choice, ran.loaded, ran.opened or ran.loaded, ran.results, adapters=state.adapters)
    return f"<div data-shown>{closing('Done')}</div>", state_after, *_views(state_after)


def _views(state: ComposeState) -> tuple[Any, ...]:
    """(result, diagnose button, files) of the open results."""
    if not state.results:
        return empty(WAITING), gr.update(visible=False), gr.update(visible=False)
    return _result(state), gr.update(visible=True), gr.update(visible=True, open=False)


def _result(state: ComposeState) -> str:
    assert state.loaded is not None
    return result_view(state.results, state.loaded.benchmark, compared(state), items_view(state))


def on_act(state: ComposeState, event: gr.EventData) -> tuple[Any, Any]:
    """Filter the items, or show more: returns (state, result)."""
    data = event_data(event)
    do = data.get("do")
    first = state.first
    known = {(t.tag, t.value) for t in first.by_tag}
    if do == "filter":
        tag, _, value = str(data.get("value", "")).partition("=")
        if tag and (tag, value) not in known:
            raise InvalidInput("This benchmark has no items of that kind. Choose one from the list.")
        changed = replace(state, tag=tag, value=value, shown=PAGE)
    elif do == "which":
        which = str(data.get("value", ""))
        if which not in dict((*WHICH, *VERSUS)):
            raise InvalidInput("No list of items has that name. Choose one from the list.")
        changed = replace(state, which=which, shown=PAGE)
    elif do == "more":
        changed = replace(state, shown=state.shown + PAGE)
    else:
        return gr.skip(), gr.skip()
    return changed, _result(changed)


def on_failures(state: ComposeState) -> Iterator[tuple[Any, ...]]:
    """Diagnose the errors of the open result; yields (job id, status, id of the new run)."""
    first = state.first
    loaded = state.loaded
    assert loaded is not None
    job = Job(lambda progress: diagnose_items(loaded, state.results, "embedded", progress))
    done_text = f"The list of runs now holds the diagnosis of {first.name}."
    yield from follow(job, "The diagnosis did not finish", "", done=done_text)


def build(state: gr.State, page: Page, opening: Opening, access: ModelAccess) -> tuple[list[gr.Dropdown], list[Any]]:
    """Lay out the result with the form beside it, and wire them: returns (the fields of both models, the components
    that `_views` fills)."""
    from core.systems.composition.readers import READERS

    job = gr.State("")
    result = gr.State(None)
    diagnosed_run = gr.State("")
    custom: dict[str, Any] = {"allow_custom_value": access.is_local}
    note = None
    if access.is_local:
        note = "Or type any model of open_clip, for example ViT-B-16/openai."
    with gr.Row(elem_classes="probe-row probe-place"):
        with gr.Column(scale=72, min_width=320):
            scripts = script("pane", PRESSES)
            view = gr.HTML(empty(WAITING), js_on_load=scripts, elem_id="compose-result", **PLAIN)
            failures = gr.Button("Diagnose these failures", visible=False, elem_id="compose-failures")
            with gr.Accordion("More: downloads", open=False, visible=False, elem_id="compose-files") as downloads:
                buttons = download_row([(f"compose-{key}", title) for key, title in FILES])[1]
        with gr.Column(scale=28, min_width=300, elem_classes="compose-form"):
            title = "Images and captions"
            choice = gr.Dropdown(benchmarks(access.folder), value=FIRST, label=title, elem_id="compose-choice")
            with gr.Column(visible=False) as own_column:
                file = upload("Benchmark: json, jsonl, csv, tsv", TABLES, "compose-file")
                images = upload("Its images: zip or tar", IMAGES, "compose-images")
                forms = [("Recognize it", ""), *((name, name) for name in READERS)]
                form = gr.Dropdown(forms, value="", label="Format of the file", elem_id="compose-form-name")
                gr.HTML(render("forms.html.j2"), **PLAIN)
            encoders = encoder_choices(access)
            encoder = gr.Dropdown(
                encoders, value="embedded", label="Encoder", info=note, elem_id="compose-encoder", **custom
            )
            seconds = second_choices(access, ())
            second = gr.Dropdown(seconds, value=NOTHING, label="Second model", elem_id="compose-second", **custom)
            with gr.Row():
                run = gr.Button("Run", variant="primary", elem_id="compose-run")
                cancel = gr.Button("Cancel", elem_id="compose-cancel", scale=0, min_width=110, interactive=False)
            status = gr.HTML("", elem_id="compose-status", **PLAIN)
    views = [view, failures, downloads]

    def open_part(session: Session, state: ComposeState) -> tuple[Any, ...]:
        return on_open(session, state, access)

    def start(session: Session, state: ComposeState, *values: Any) -> Iterator[tuple[Any, ...]]:
        yield from on_run(session, state, access, *values)

    opening.select(shows_errors(open_part), [page.session, state], [choice, encoder, state, *views], **PRIVATE)
    downloads.expand(shows_errors(on_files), [state], buttons, **PRIVATE)
    choice.input(on_choose, [choice], [own_column], **QUICK)
    run.click(on_wait, None, status, **QUICK)
    asked = [page.session, state, choice, file, images, form, encoder, second]
    started = run.click(shows_errors(start), asked, [job, status, result], **HEAVY, **PRIVATE)
    shown = started.success(shows_errors(on_made), [state, result], [status, state, *views], **PRIVATE)
    shown.success(None, None, None, js=TO_RESULT, **PRIVATE)
    wire_cancel(cancel, job)
    acted = view.act(shows_errors(on_act), [state], [state, view], **PRIVATE)
    acted.success(None, None, None, js=TO_ITEMS, **PRIVATE)
    diagnosed = failures.click(shows_errors(on_failures), [state], [job, status, diagnosed_run], **HEAVY, **PRIVATE)
    parts = (page.session, page.view, page.tabs)
    wire_made(diagnosed, diagnosed_run, parts, began="probe", what="Composition", others=page.examples)
    return [encoder, second], views


WAITING = "Choose images and captions and a model, and press Run."
VIEWS = 3
"""Number of components that `_views` updates."""
TO_RESULT = (
    "() => { if (!document.querySelector('#compose-status [data-shown]')) return [];"
    " const title = document.querySelector('#compose-result h2'); title?.focus({ preventScroll: true });"
    " title?.scrollIntoView({ block: 'nearest' }); return []; }"
)
TO_ITEMS = (
    "() => { const title = document.querySelector('#compose-result .compose-items h3');"
    " title?.scrollIntoView({ block: 'start' }); title?.focus({ preventScroll: true }); return []; }"
)
