"""The first part of the tab Compose: one or two models on a benchmark, its single items, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.records import Progress
from webapp.explore.new_run import wire_made
from webapp.markup.components import download_row, script, upload
from webapp.panels import Page
from webapp.state.choices import IMAGES, TABLES
from webapp.state.events import event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, on_wait, wire_cancel
from webapp.state.session import shows_errors
from webapp.systems.composition.files import FILES, compared, on_files
from webapp.systems.composition.items import VERSUS, WHICH, items_view
from webapp.systems.composition.models import NOTHING, ModelAccess, encoder_choices, second_choices
from webapp.systems.composition.render import PRESSES, render
from webapp.systems.composition.result import result_view
from webapp.systems.composition.state import (
    FIRST,
    OWN,
    benchmarks,
    diagnose_items,
    known_result,
    open_benchmark,
    run_models,
    shipped,
)
from webapp.systems.composition.visit import PAGE, BenchmarkRun, ComposeState


def on_open(state: ComposeState) -> tuple[Any, ...]:
    """Show the tab: returns (state, views, files); an earlier result on the first benchmark appears at once."""
    known = known_result(FIRST, "embedded")
    if state.loaded is not None or known is None:
        return tuple(gr.skip() for _ in range(1 + VIEWS + len(FILES)))
    opened = replace(state, choice=FIRST, loaded=shipped(FIRST), opened=shipped(FIRST), results=(known,))
    return opened, *_views(opened), *on_files(opened)


def on_choose(choice: str) -> Any:
    """Choose another benchmark: returns the files' column, visible for the visitor's own."""
    return gr.update(visible=choice == OWN)


def on_run(
    state: ComposeState, access: ModelAccess, choice: str, file: str | None, images: str | None, form: str, *models: str
) -> Iterator[tuple[Any, ...]]:
    """Run one or two models; yields (job id, status, result for `on_made`)."""
    chosen = [model for model in models if model and model != NOTHING]
    if len(set(chosen)) < len(chosen):
        raise InvalidInput("The second model is the same as the first. Choose another, or Nothing.")

    def work(progress: Progress) -> BenchmarkRun:
        progress("open the benchmark", 0, 1)
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
    """(result, items, diagnose button, files' row) of the open results."""
    if not state.results:
        return result_view((), None), "", gr.update(visible=False), gr.update(visible=False)
    visible = gr.update(visible=True)
    return result_view(state.results, compared(state), habits(state)), items_view(state), visible, visible


def habits(state: ComposeState) -> list[str]:
    """A sentence for each model on its pattern of right and wrong pairs; "" for items other than pairs."""
    from core.systems.composition.scoring.signature import signature_of

    assert state.loaded is not None
    sentences = list[str]()
    for result in state.results:
        signature = signature_of(result, state.loaded.benchmark)
        if signature is None:
            sentences.append("")
        else:
            sentences.append(signature.sentence)
    return sentences


def on_act(state: ComposeState, event: gr.EventData) -> tuple[Any, Any]:
    """Filter the items, or show more: returns (state, items)."""
    data = event_data(event)
    do = data.get("do")
    first = state.first
    known = {(t.tag, t.value) for t in first.by_tag}
    if do == "tag" or do == "filter":
        tag = str(data.get("tag", ""))
        value = str(data.get("value", ""))
        if do == "filter":
            tag, _, value = value.partition("=")
        if tag and (tag, value) not in known:
            raise InvalidInput("This benchmark has no items of that kind. Choose one from the list.")
        changed = replace(state, tag=tag, value=value, shown=PAGE)
    elif do == "which":
        which = str(data.get("which") or data.get("value") or "")
        if which not in dict((*WHICH, *VERSUS)):
            raise InvalidInput("No list of items has that name. Choose one from the list.")
        changed = replace(state, which=which, shown=PAGE)
    elif do == "more":
        changed = replace(state, shown=state.shown + PAGE)
    else:
        return gr.skip(), gr.skip()
    return changed, items_view(changed)


def on_failures(state: ComposeState) -> Iterator[tuple[Any, ...]]:
    """Diagnose the errors of the open result; yields (job id, status, id of the new run)."""
    first = state.first
    loaded = state.loaded
    assert loaded is not None
    job = Job(lambda progress: diagnose_items(loaded, state.results, "embedded", progress))
    done_text = f"The list of runs now holds the diagnosis of {first.name}."
    yield from follow(job, "The diagnosis did not finish", "", done=done_text)


@dataclass(frozen=True)
class BenchmarkForm:
    """The fields of the form."""

    choice: gr.Dropdown
    own_column: gr.Column
    files: list[Any]
    """Benchmark file, images, form."""
    models: list[gr.Dropdown]
    run: gr.Button
    cancel: gr.Button
    status: gr.HTML

    def asked(self) -> list[Any]:
        """The inputs of `on_run` after the state."""
        return [self.choice, *self.files, *self.models]


@dataclass(frozen=True)
class BenchmarkViews:
    """The components of a result, in the order of `_views`."""

    result: gr.HTML
    items: gr.HTML
    failures: gr.Button
    downloads: gr.Row
    buttons: list[Any]

    def all(self) -> list[Any]:
        return [self.result, self.items, self.failures, self.downloads]


def build_benchmark(access: ModelAccess) -> tuple[BenchmarkForm, BenchmarkViews]:
    """The form, the result and the items."""
    scripts = script("pane", PRESSES)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=28, min_width=300, elem_classes="compose-form"):
            form = _form(access)
        with gr.Column(scale=72, min_width=320):
            result = gr.HTML(result_view((), None), js_on_load=scripts, elem_id="compose-result", **PLAIN)
            failures = gr.Button("Diagnose these failures", visible=False, elem_id="compose-failures")
            downloads, buttons = download_row([(f"compose-{key}", title) for key, title in FILES], visible=False)
    items = gr.HTML("", js_on_load=scripts, elem_id="compose-items", **PLAIN)
    return form, BenchmarkViews(result, items, failures, downloads, buttons)


def _form(access: ModelAccess) -> BenchmarkForm:
    custom: dict[str, Any] = {"allow_custom_value": access.is_local}
    note = None
    if access.is_local:
        note = "Or type any model of open_clip, for example ViT-B-16/openai."
    gr.HTML("<h2>1. Benchmark</h2>", **PLAIN)
    offered = benchmarks(access.folder)
    choice = gr.Dropdown(offered, value=FIRST, label="Images and captions", elem_id="compose-choice")
    with gr.Column(visible=False) as own_column:
        files = _file_fields()
    gr.HTML("<h2>2. Model</h2>", **PLAIN)
    encoder = gr.Dropdown(
        encoder_choices(access), value="embedded", label="Encoder", info=note, elem_id="compose-encoder", **custom
    )
    second = gr.Dropdown(
        second_choices(access, ()), value=NOTHING, label="Second model", elem_id="compose-second", **custom
    )
    with gr.Row():
        run = gr.Button("Run the benchmark", variant="primary", elem_id="compose-run")
        cancel = gr.Button("Cancel", elem_id="compose-cancel", scale=0, min_width=110, interactive=False)
    status = gr.HTML("", elem_id="compose-status", **PLAIN)
    gr.HTML(render("next.html.j2"), elem_id="compose-next", **PLAIN)
    return BenchmarkForm(choice, own_column, files, [encoder, second], run, cancel, status)


def _file_fields() -> list[Any]:
    """Fields for the visitor's benchmark file, its images, and the file's format."""
    from core.systems.composition.readers import READERS

    file = upload("Benchmark: json, jsonl, csv, tsv", TABLES, "compose-file")
    images = upload("Its images: zip or tar", IMAGES, "compose-images")
    forms = [("Recognize it", ""), *((name, name) for name in READERS)]
    form = gr.Dropdown(forms, value="", label="Format of the file", elem_id="compose-form-name")
    gr.HTML(render("forms.html.j2"), **PLAIN)
    return [file, images, form]


def wire(
    form: BenchmarkForm, views: BenchmarkViews, state: gr.State, tab: gr.Tab, page: Page, access: ModelAccess
) -> None:
    """Wire the form to run a benchmark, the result to filter the items, and its errors to open in Findings."""
    job = gr.State("")
    result = gr.State(None)
    run = gr.State("")

    def start(state: ComposeState, *values: Any) -> Iterator[tuple[Any, ...]]:
        yield from on_run(state, access, *values)

    tab.select(shows_errors(on_open), [state], [state, *views.all(), *views.buttons], **PRIVATE)
    form.choice.input(on_choose, [form.choice], [form.own_column], **QUICK)
    form.run.click(on_wait, None, form.status, **QUICK)
    started = form.run.click(
        shows_errors(start), [state, *form.asked()], [job, form.status, result], **HEAVY, **PRIVATE
    )
    shown = started.success(shows_errors(on_made), [state, result], [form.status, state, *views.all()], **PRIVATE)
    shown.success(None, None, None, js=TO_RESULT, **PRIVATE)
    shown.success(shows_errors(on_files), [state], views.buttons, **PRIVATE)
    wire_cancel(form.cancel, job)
    acted = views.result.act(shows_errors(on_act), [state], [state, views.items], **PRIVATE)
    acted.success(None, None, None, js=TO_ITEMS, **PRIVATE)
    views.items.act(shows_errors(on_act), [state], [state, views.items], **PRIVATE)
    diagnosed = views.failures.click(shows_errors(on_failures), [state], [job, form.status, run], **HEAVY, **PRIVATE)
    parts = (page.session, page.view, page.tabs)
    wire_made(diagnosed, run, parts, began="compose", what="Composition", others=page.examples)


VIEWS = 4
"""Number of components that `_views` updates."""
TO_RESULT = (
    "() => { if (!document.querySelector('#compose-status [data-shown]')) return [];"
    " const title = document.querySelector('#compose-result h2'); title?.focus({ preventScroll: true });"
    " title?.scrollIntoView({ block: 'nearest' }); return []; }"
)
TO_ITEMS = (
    "() => { const title = document.querySelector('#compose-items h3'); title?.scrollIntoView({ block: 'start' });"
    " title?.focus({ preventScroll: true }); return []; }"
)
