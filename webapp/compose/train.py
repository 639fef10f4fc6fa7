"""Training, below a benchmark's result in the tab Compose: a small module on the encoder's frozen tokens, before and
after on the same items."""

from __future__ import annotations

import contextlib
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import Cancelled, DiagnosisError, InvalidInput
from core.records import LoadedBenchmark, Progress
from webapp.compose.models import TAUGHT, ModelAccess, checked_encoder, second_choices
from webapp.compose.state import FIRST, MAX_ADAPTERS, Remembered, own_folder, run_model, shipped
from webapp.compose.train_view import EMPTY, INTRO, curve_view, estimate_view, taught_view
from webapp.compose.visit import BenchmarkRun, ComposeState, TrainedAdapter
from webapp.markup.html import esc
from webapp.state.jobs import JOBS, Job, closing, on_cancel, on_wait, status
from webapp.state.session import as_int, shows_errors

if TYPE_CHECKING:
    from core.training.forgetting import ForgettingCheck
    from webapp.compose.benchmark import BenchmarkParts

RENDERED, PART = "rendered", "part"
MIN_ITEMS, MAX_ITEMS, MAX_EPOCHS = 100, 2000, 30
STARTS = {"local": "Local: each word looks for its patch", "mm-adapter": "MM-Adapter: Cola’s joint module"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What stands in the form."""

    adapter: str
    source: str
    n: int
    epochs: int
    seed: int
    encoder: str
    kind: str = ""
    """Of the rendered items; "" takes every kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What one training made."""

    taught: TrainedAdapter
    ran: BenchmarkRun
    regression: ForgettingCheck | str
    """Or why it is not known."""
    archive: Path
    stopped: bool


def adapters() -> list[tuple[str, str]]:
    """(title, name) of the adapters, those first that learn most for their cost."""
    from core.training.adapters import ADAPTERS

    rest = [name for name in ADAPTERS if name not in STARTS]
    return [
        *((title, name) for name, title in STARTS.items() if name in ADAPTERS),
        *((name.capitalize(), name) for name in rest),
    ]


def kinds() -> list[tuple[str, str]]:
    """(title, name) of the kinds of rendered items, and every kind together."""
    from core.scenes.items import KINDS

    return [
        *((f"{name.capitalize()}: {what}", name) for name, what in KINDS.items()),
        ("Every kind: needs more items and epochs", ""),
    ]


def read_plan(adapter: Any, source: Any, kind: Any, n: Any, epochs: Any, seed: Any, encoder: str) -> Plan:
    """The form as a plan.

    Raises:
        InvalidInput: a number is out of range, or there is no such adapter.
    """
    known = {name for _, name in kinds()}
    if adapter not in {name for _, name in adapters()} or source not in (RENDERED, PART) or (kind or "") not in known:
        raise InvalidInput("Choose an adapter and what it learns from.")
    plan = Plan(str(adapter), str(source), as_int(n), as_int(epochs), as_int(seed), encoder, str(kind or ""))
    for name, value, low, high in (
        ("Items", plan.n, MIN_ITEMS, MAX_ITEMS),
        ("Epochs", plan.epochs, 1, MAX_EPOCHS),
        ("Seed", plan.seed, 0, 2**31 - 1),
    ):
        if not low <= value <= high:
            raise InvalidInput(f"{name} must be between {low:,} and {high:,}: got {value:,}. Correct it.")
    return plan


def on_plan(adapter: Any, source: Any, kind: Any, n: Any, epochs: Any) -> str:
    """What a training is likely to take."""
    try:
        plan = read_plan(adapter, source, kind, n, epochs, 0, "")
    except InvalidInput as error:
        return f'<p class="estimate">{esc(error)}</p>'
    return estimate_view(plan.adapter, plan.n if plan.source == RENDERED else None, plan.epochs)


def on_teach(composing: ComposeState, house: ModelAccess, *said: Any) -> Iterator[tuple[Any, ...]]:
    """Train, then score before and after; yields (job id, status, curve so far, what was made)."""
    plan = read_plan(*said)
    folder, made = own_folder(), list[Learned]()

    def work(progress: Progress) -> str:
        made.append(learn(composing, house, plan, folder, progress))
        return str(folder)

    job = Job(work)
    yield job.id, status(job), gr.skip(), None
    drawn = ""
    try:
        for _ in JOBS.follow(job):
            now = curve_so_far_view(folder)
            yield job.id, status(job), now if now != drawn else gr.skip(), None
            drawn = now
    except Cancelled as stopped:
        shutil.rmtree(folder, ignore_errors=True)
        yield "", closing("Stopped", f"{stopped} No epoch was finished, so there is nothing to keep."), gr.skip(), None
        return
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        yield "", closing("The training did not finish", "Your choices are still here."), gr.skip(), None
        raise
    yield "", closing("Stopped, and kept" if made[0].stopped else "Done"), gr.skip(), made[0]


def curve_so_far_view(folder: Path) -> str:
    """The curve of the epochs that are finished."""
    from core.training.train import curve_so_far

    return curve_view(curve_so_far(folder / "state"))


def learn(composing: ComposeState, house: ModelAccess, plan: Plan, folder: Path, progress: Progress) -> Learned:
    """Train by the plan and score the frozen and the adapted encoder on the open benchmark, or on the part that nothing
    was learned from.

    A training that is stopped after its first epoch is kept as it stands.
    """
    from core.embeddings.cache import default_cache
    from core.encoders import load_encoder
    from core.training.adapted import Adapted
    from core.training.loop import Training
    from core.training.train import (
        adapt,  # torch
        adapted_so_far,
    )

    encoder = load_encoder(checked_encoder(plan.encoder, house))
    progress("draw what to learn from", 0, 1)
    choice, test, training = _parts(composing, plan)
    progress("draw what to learn from", 1, 1)
    how, state = Training(epochs=plan.epochs, seed=plan.seed), folder / "state"
    given: dict[str, Any] = dict(state=state, cache=default_cache())
    stopped, patient = False, _patient(progress)  # once trained, nothing that follows may lose it
    try:
        adapted: Adapted | None = adapt(training, plan.adapter, {}, how, encoder, progress=progress, **given)
    except Cancelled:
        adapted, stopped = adapted_so_far(training, plan.adapter, {}, how, encoder, **given), True
        if adapted is None:
            raise
    assert adapted is not None
    adapted.save(folder)
    shutil.rmtree(state, ignore_errors=True)
    taught = TrainedAdapter(
        _named(adapted.adapter.title, plan, composing.adapters, len(training.benchmark)), folder, plan.encoder
    )
    before = run_model(choice, test, plan.encoder, (), house, patient)
    after = run_model(choice, test, f"{TAUGHT}{taught.name}", (taught,), house, patient)
    cost = "the training was stopped." if stopped else _regression(adapted, progress)
    return Learned(
        taught, BenchmarkRun(choice, test, (before, after), composing.opened), cost, _archive(folder), stopped
    )


def _patient(progress: Progress) -> Progress:
    """The same without stopping: what follows a stop is short, and the visitor has asked for it."""

    def report(step: str, done: int, total: int) -> None:
        with contextlib.suppress(Cancelled):
            progress(step, done, total)

    return report


def _parts(composing: ComposeState, plan: Plan) -> tuple[str, LoadedBenchmark, LoadedBenchmark]:
    """(choice, benchmark to test on, benchmark to learn from)."""
    if plan.source == PART:
        from core.composition.parts import two_parts

        if composing.opened is None:
            raise InvalidInput(
                "No benchmark is open whose part could be learned from. Run one first, or learn from rendered scenes."
            )
        training, test = two_parts(composing.opened, seed=plan.seed)
        return "", test, training
    from core.scenes.shipped import draw_training

    drawn = draw_training(plan.n, plan.seed, (plan.kind,) if plan.kind else ())
    choice = composing.choice if composing.pictured is not None else FIRST
    return choice, composing.pictured or shipped(FIRST), replace(drawn, store=Remembered(drawn.store))


def _regression(adapted: Any, progress: Progress) -> ForgettingCheck | str:
    """What it cost elsewhere; a stop, or data that cannot be read, does not lose the adapter."""
    from core.embeddings.cache import default_cache
    from core.training.forgetting import check_regression

    try:
        return check_regression(adapted, cache=default_cache(), progress=progress)
    except DiagnosisError as error:
        return str(error)


def _named(title: str, plan: Plan, taught: tuple[TrainedAdapter, ...], n: int) -> str:
    """A name of its own for a trained adapter."""
    what = f"{plan.kind} items" if plan.kind and plan.source == RENDERED else "items"
    name = f"{title}, {n:,} {what}, seed {plan.seed}"
    taken, made, i = {t.name for t in taught}, name, 2
    while made in taken:
        made, i = f"{name} ({i})", i + 1
    return made


def _archive(folder: Path) -> Path:
    """The adapter's files as one zip beside them."""
    path = folder / "adapter.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            if file.suffix in (".json", ".safetensors"):
                archive.write(file, file.name)
    return path


def on_learned(composing: ComposeState, house: ModelAccess, learned: Learned | None) -> tuple[Any, ...]:
    """Show what a training made: returns (status, composing, result, items, diagnose button, files' row, training's
    view, zip, second models)."""
    from core.training.adapted import load_adapted
    from webapp.compose.benchmark import on_made

    if learned is None:
        return tuple(gr.skip() for _ in range(9))
    kept = (*composing.adapters, learned.taught)
    for old in kept[:-MAX_ADAPTERS]:
        shutil.rmtree(old.folder, ignore_errors=True)
    kept = kept[-MAX_ADAPTERS:]
    said, made, *views = on_made(replace(composing, adapters=kept), learned.ran)
    record = load_adapted(learned.taught.folder).record
    cost = None if isinstance(learned.regression, str) else learned.regression
    made = replace(made, forgetting=cost, curve=(record.curve, record.best))
    view = taught_view(learned.taught.name, record, learned.regression, stopped=learned.stopped)
    models = gr.update(choices=second_choices(house, kept), value=f"{TAUGHT}{learned.taught.name}")
    return said, made, *views, view, gr.update(value=str(learned.archive), visible=True), models


def build(composing: gr.State, parts: BenchmarkParts, house: ModelAccess) -> None:
    """Lay out the training and wire its callbacks."""
    from webapp.compose import files as compose_files

    job, made = gr.State(""), gr.State(None)
    plain: dict[str, Any] = dict(apply_default_css=False)
    gr.HTML(INTRO, elem_id="teach-intro", **plain)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=28, min_width=300, elem_classes="compose-form"):
            adapter = gr.Dropdown(adapters(), value="local", label="What is trained", elem_id="teach-adapter")
            sources = [("Rendered scenes, drawn now", RENDERED), ("A part of the open benchmark", PART)]
            source = gr.Radio(sources, value=RENDERED, label="It learns from", elem_id="teach-source")
            kind = gr.Dropdown(kinds(), value="colour", label="Rendered items in which", elem_id="teach-kind")
            n = gr.Slider(MIN_ITEMS, MAX_ITEMS, 1000, step=100, label="Rendered items", elem_id="teach-n")
            epochs = gr.Slider(1, MAX_EPOCHS, 12, step=1, label="Epochs at most", elem_id="teach-epochs")
            seed = gr.Number(0, precision=0, minimum=0, label="Seed", elem_id="teach-seed")
            guess = gr.HTML(estimate_view("local", 1000, 12), elem_id="teach-estimate", **plain)
            with gr.Row():
                run = gr.Button("Train", variant="primary", elem_id="teach-run")
                cancel = gr.Button("Stop", elem_id="teach-cancel", scale=0, min_width=110)
            line = gr.HTML("", elem_id="teach-status", **plain)
        with gr.Column(scale=72, min_width=320):
            curve = gr.HTML(EMPTY, elem_id="teach-result", **plain)
            archive = gr.DownloadButton(
                "Take the adapter with you (zip)", visible=False, size="sm", elem_id="teach-zip"
            )

    def start(composing: ComposeState, *said: Any) -> Iterator[tuple[Any, ...]]:
        yield from on_teach(composing, house, *said)

    def show(composing: ComposeState, learned: Learned | None) -> tuple[Any, ...]:
        return on_learned(composing, house, learned)

    private: dict[str, Any] = dict(show_progress="hidden", api_visibility="private")
    heavy: dict[str, Any] = dict(concurrency_id="compute", concurrency_limit=1)
    asked = [adapter, source, kind, n, epochs]
    for changed in asked:
        changed.change(on_plan, asked, guess, queue=False, trigger_mode="always_last", **private)
    run.click(on_wait, None, line, queue=False, **private)
    started = run.click(
        shows_errors(start), [composing, *asked, seed, parts.models[0]], [job, line, curve, made], **heavy, **private
    )
    outputs = [line, composing, *parts.views(), curve, archive, parts.models[1]]
    shown = started.success(shows_errors(show), [composing, made], outputs, **private)
    shown.success(shows_errors(compose_files.on_files), [composing], parts.buttons, **private)
    cancel.click(on_cancel, [job], None, queue=False, **private)
