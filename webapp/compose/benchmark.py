"""Of webapp.compose.tab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.records import CompositionComparison, Progress
from webapp.compose import files as compose_files
from webapp.compose.items import VERSUS, WHICH, items_view
from webapp.compose.models import NOTHING, ModelAccess, encoder_choices, second_choices
from webapp.compose.result import result_view
from webapp.compose.state import (
    FIRST,
    OWN,
    benchmarks,
    diagnose_items,
    known_result,
    open_benchmark,
    run_models,
    shipped,
)
from webapp.compose.visit import PAGE, BenchmarkRun, ComposeState
from webapp.explore.tab import View, on_downloads, show_run, waiting
from webapp.failure_map import SCRIPTS
from webapp.state.choices import IMAGES, TABLES
from webapp.state.jobs import Job, closing, follow, on_cancel, on_wait
from webapp.state.session import RUNS, event_data, shows_errors


def on_open(composing: ComposeState) -> tuple[Any, ...]:
    """The tab is shown: returns (composing, views, files); what another visitor's run found of the first benchmark
    stands there at once."""
    known = known_result(FIRST, "embedded")
    if composing.pictured is not None or known is None:
        return tuple(gr.skip() for _ in range(1 + VIEWS + len(compose_files.FILES)))
    made = replace(composing, choice=FIRST, pictured=shipped(FIRST), opened=shipped(FIRST), results=(known,))
    return made, *_views(made), *compose_files.on_files(made)


def on_choose(choice: str) -> Any:
    """Another benchmark was chosen: returns the files' column, which is shown for the visitor's own."""
    return gr.update(visible=choice == OWN)


def on_run(
    composing: ComposeState,
    house: ModelAccess,
    choice: str,
    file: str | None,
    images: str | None,
    form: str,
    *models: str,
) -> Iterator[tuple[Any, ...]]:
    """Run one or two models; yields (job id, status, what was made), which `on_made` then adds to the visitor's
    record."""
    made: list[BenchmarkRun] = []
    named = [model for model in models if model and model != NOTHING]
    if len(set(named)) < len(named):
        raise InvalidInput("The second model is the first one. Choose another to set beside it, or nothing.")

    def work(progress: Progress) -> str:
        progress("open the benchmark", 0, 1)
        pictured = open_benchmark(choice or "", file, images, form or "", house.folder)
        progress("open the benchmark", 1, 1)
        made.append(run_models(choice, pictured, named, composing.adapters, house, progress))
        return choice

    yield from follow(Job(work), "The benchmark did not finish", None)
    if made:
        yield "", closing("Done"), made[0]


def on_made(composing: ComposeState, ran: BenchmarkRun | None) -> tuple[Any, ...]:
    """Show what was run: returns (status, composing, views)."""
    if ran is None:
        return tuple(gr.skip() for _ in range(2 + VIEWS))
    made = ComposeState(ran.choice, ran.pictured, ran.opened or ran.pictured, ran.results, adapters=composing.adapters)
    return f"<div data-shown>{closing('Done')}</div>", made, *_views(made)


def compared(composing: ComposeState) -> CompositionComparison | None:
    """The second model beside the first; None where there is one."""
    if len(composing.results) < 2:
        return None
    from core.composition.scoring.compare import compare_results

    return compare_results(*composing.results[:2])


def _views(composing: ComposeState) -> tuple[Any, ...]:
    """(result, items, diagnose button, files' row) of what is open."""
    if not composing.results:
        return WAITING, "", gr.update(visible=False), gr.update(visible=False)
    open_one = gr.update(visible=True)
    return (
        result_view(composing.results, compared(composing), habits(composing)),
        items_view(composing),
        open_one,
        open_one,
    )


def habits(composing: ComposeState) -> list[str]:
    """How each model is right and wrong on pairs, a sentence each; "" where the items are no pairs."""
    from core.composition.scoring.signature import signature_of

    assert composing.pictured is not None
    found = [signature_of(result, composing.pictured.benchmark) for result in composing.results]
    return ["" if one is None else one.sentence for one in found]


def on_act(composing: ComposeState, event: gr.EventData) -> tuple[Any, Any]:
    """A filter, a row of the kinds, or "Show more": returns (composing, items)."""
    said = event_data(event)
    do, first = said.get("do"), composing.first
    known = {(t.tag, t.value) for t in first.by_tag}
    if do == "tag" or do == "filter":
        tag, _, value = (
            str(said.get("value", "")).partition("=")
            if do == "filter"
            else (str(said.get("tag", "")), "", str(said.get("value", "")))
        )
        if tag and (tag, value) not in known:
            raise InvalidInput("This benchmark has no such kind of item. Choose one from the list.")
        made = replace(composing, tag=tag, value=value, shown=PAGE)
    elif do == "which":
        which = str(said.get("which") or said.get("value") or "")
        if which not in dict((*WHICH, *VERSUS)):
            raise InvalidInput("There is no such list of items. Choose one from the list.")
        made = replace(composing, which=which, shown=PAGE)
    elif do == "more":
        made = replace(composing, shown=composing.shown + PAGE)
    else:
        return gr.skip(), gr.skip()
    return made, items_view(made)


def on_failures(composing: ComposeState) -> Iterator[tuple[Any, ...]]:
    """Diagnose the failures of the result that is shown; yields (job id, status, id of the new run)."""
    first, pictured = composing.first, composing.pictured
    assert pictured is not None
    job = Job(lambda progress: diagnose_items(pictured, composing.results, "embedded", progress))
    yield from follow(job, "The diagnosis did not finish", "")
    if job.result:
        yield "", closing("Done", f"The failures of {first.name} are open in Explore."), job.result


def on_found(found: str, examples: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Open the run that was made of a result: returns (tabs, picker, then what `show_run` fills)."""
    if not found:
        return tuple(gr.skip() for _ in range(8))
    choices = [(f"Composition: {RUNS.get(found).samples.name}", found), *examples]
    return gr.update(selected="explore"), gr.update(choices=choices, value=found, visible=True), *show_run(found)


@dataclass(frozen=True)
class BenchmarkParts:
    """The components of the benchmark's part."""

    choice: gr.Dropdown
    own: gr.Column
    files: list[Any]
    """Benchmark file, pictures, form."""
    models: list[gr.Dropdown]
    run: gr.Button
    cancel: gr.Button
    status: gr.HTML
    result: gr.HTML
    items: gr.HTML
    failures: gr.Button
    downloads: gr.Row
    buttons: list[Any]

    def views(self) -> list[Any]:
        """What `_views` fills."""
        return [self.result, self.items, self.failures, self.downloads]

    def asked(self) -> list[Any]:
        """What `on_run` reads after the visitor's record."""
        return [self.choice, *self.files, *self.models]


def build_benchmark(house: ModelAccess) -> BenchmarkParts:
    """The form, the result and the items."""
    from core.composition.readers import READERS

    scripts = "\n".join(f"{{\n{(SCRIPTS / name).read_text('utf-8')}\n}}" for name in ("pane.js", "compose.js"))
    plain: dict[str, Any] = dict(apply_default_css=False)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=28, min_width=300, elem_classes="compose-form"):
            gr.HTML("<h2>1. Benchmark</h2>", **plain)
            choice = gr.Dropdown(
                benchmarks(house.folder), value=FIRST, label="Pictures and captions", elem_id="compose-choice"
            )
            with gr.Column(visible=False) as own:
                file = gr.File(
                    label="Benchmark: json, jsonl, csv, tsv",
                    file_types=list(TABLES),
                    type="filepath",
                    height=96,
                    elem_id="compose-file",
                )
                images = gr.File(
                    label="Its pictures: zip or tar",
                    file_types=list(IMAGES),
                    type="filepath",
                    height=96,
                    elem_id="compose-images",
                )
                forms = [("Recognise it", ""), *((name, name) for name in READERS)]
                form = gr.Dropdown(forms, value="", label="Form of the file", elem_id="compose-form-name")
                gr.HTML(FORMS, **plain)
            gr.HTML("<h2>2. Model</h2>", **plain)
            custom: dict[str, Any] = dict(allow_custom_value=house.is_local)
            note = "Or write any model that open_clip knows, such as ViT-B-16/openai." if house.is_local else None
            encoder = gr.Dropdown(
                encoder_choices(house),
                value="embedded",
                label="Encoder",
                info=note,
                elem_id="compose-encoder",
                **custom,
            )
            second = gr.Dropdown(
                second_choices(house, ()), value=NOTHING, label="Set beside it", elem_id="compose-second", **custom
            )
            with gr.Row():
                run = gr.Button("Run the benchmark", variant="primary", elem_id="compose-run")
                cancel = gr.Button("Cancel", elem_id="compose-cancel", scale=0, min_width=110)
            line = gr.HTML("", elem_id="compose-status", **plain)
            gr.HTML(NEXT, elem_id="compose-next", **plain)
        with gr.Column(scale=72, min_width=320):
            result = gr.HTML(WAITING, js_on_load=scripts, elem_id="compose-result", **plain)
            failures = gr.Button("Diagnose these failures", visible=False, elem_id="compose-failures")
            with gr.Row(elem_classes="downloads", visible=False) as downloads:
                gr.HTML("<span>Take it with you</span>", elem_classes="downloads-title", **plain)
                files = [
                    gr.DownloadButton(title, interactive=False, size="sm", elem_id=f"compose-{key}")
                    for key, title in compose_files.FILES
                ]
    items = gr.HTML("", js_on_load=scripts, elem_id="compose-items", **plain)
    return BenchmarkParts(
        choice,
        own,
        [file, images, form],
        [encoder, second],
        run,
        cancel,
        line,
        result,
        items,
        failures,
        downloads,
        files,
    )


def wire(
    parts: BenchmarkParts,
    composing: gr.State,
    session: gr.State,
    view: View,
    buttons: list[Any],
    tabs: gr.Tabs,
    tab: gr.Tab,
    examples: list[tuple[str, str]],
    house: ModelAccess,
) -> None:
    job, made, found = gr.State(""), gr.State(None), gr.State("")
    private: dict[str, Any] = dict(show_progress="hidden", api_visibility="private")
    heavy: dict[str, Any] = dict(concurrency_id="compute", concurrency_limit=1)

    def start(composing: ComposeState, *said: Any) -> Iterator[tuple[Any, ...]]:
        yield from on_run(composing, house, *said)

    def finish(found: str) -> tuple[Any, ...]:
        return *on_found(found, examples), *(waiting() if found else [gr.skip()] * len(buttons))

    tab.select(shows_errors(on_open), [composing], [composing, *parts.views(), *parts.buttons], **private)
    parts.choice.input(on_choose, [parts.choice], [parts.own], queue=False, **private)
    parts.run.click(on_wait, None, parts.status, queue=False, **private)
    started = parts.run.click(
        shows_errors(start), [composing, *parts.asked()], [job, parts.status, made], **heavy, **private
    )
    shown = started.success(
        shows_errors(on_made), [composing, made], [parts.status, composing, *parts.views()], **private
    )
    shown.success(None, None, None, js=TO_RESULT, **private)
    shown.success(shows_errors(compose_files.on_files), [composing], parts.buttons, **private)
    parts.cancel.click(on_cancel, [job], None, queue=False, **private)
    for pressed in (parts.result, parts.items):
        acted = pressed.act(shows_errors(on_act), [composing], [composing, parts.items], **private)
        acted.success(None, None, None, js=TO_ITEMS, **private) if pressed is parts.result else None
    looked = parts.failures.click(
        shows_errors(on_failures), [composing], [job, parts.status, found], **heavy, **private
    )
    opened = looked.success(
        shows_errors(finish), [found], [tabs, view.picker, session, *view.all(), *buttons], **private
    )
    opened.then(shows_errors(on_downloads), [session], buttons, **private)


VIEWS = 4


"""What `_views` fills."""


TO_RESULT = (
    "() => { if (!document.querySelector('#compose-status [data-shown]')) return [];"
    " const title = document.querySelector('#compose-result h2'); title?.focus({ preventScroll: true });"
    " title?.scrollIntoView({ block: 'nearest' }); return []; }"
)


TO_ITEMS = (
    "() => { const title = document.querySelector('#compose-items h3'); title?.scrollIntoView({ block: 'start' });"
    " title?.focus({ preventScroll: true }); return []; }"
)


FORMS = (
    '<p class="muted small-note">Read as published: Cola, Winoground, ColorSwap, SugarCrepe, ARO, CREPE, VALSE, '
    "CLEVR scenes, NegCLIP. Your own: "
    "columns <code>image, caption, foil</code> or <code>image_1, caption_1, image_2, caption_2</code>; "
    "other columns become kinds.</p>"
)


NEXT = (
    '<h2>3. Mend it</h2><p class="muted small-note">A small module on the frozen tokens can learn to bind: '
    '<a href="#teach-intro">train one below</a>, and see what it costs elsewhere.</p>'
)


WAITING = (
    '<div class="empty small"><p>The result will stand here: how often captions and pictures find each other, '
    "by kind of item, beside chance and "
    "beside what no picture is needed for, and the worst items one by one. "
    "Rendered scenes are chosen already: press “Run the benchmark”.</p></div>"
)
