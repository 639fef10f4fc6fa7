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
from core.records import Progress
from core.systems.composition.records import LoadedBenchmark
from webapp.state.caches import own_cache
from webapp.state.downloads import fresh_folder
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, on_wait, wire_cancel
from webapp.state.session import shows_errors
from webapp.systems.composition.benchmark import BenchmarkForm, BenchmarkViews, on_made
from webapp.systems.composition.files import on_files
from webapp.systems.composition.models import ADAPTER, ModelAccess, checked_encoder, second_choices
from webapp.systems.composition.render import render
from webapp.systems.composition.state import FIRST, MAX_ADAPTERS, Remembered, run_model, shipped
from webapp.systems.composition.train_form import PART, RENDERED, Plan, form, read_plan
from webapp.systems.composition.train_view import curve_view, estimate_view, trained_view
from webapp.systems.composition.visit import BenchmarkRun, ComposeState, TrainedAdapter

if TYPE_CHECKING:
    from core.encoders import Encoder
    from core.systems.composition.training.adapted import Adapted
    from core.systems.composition.training.forgetting import ForgettingCheck


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What one training made."""

    adapter: TrainedAdapter
    ran: BenchmarkRun
    regression: ForgettingCheck | str
    """Or why it is not known."""
    archive: Path
    stopped: bool


def on_plan(adapter: Any, source: Any, kind: Any, n: Any, epochs: Any) -> str:
    """What a training is likely to take."""
    try:
        plan = read_plan(adapter, source, kind, n, epochs)
    except InvalidInput as error:
        return render("estimate.html.j2", said=str(error))
    return estimate_view(plan.adapter, plan.n if plan.source == RENDERED else None, plan.epochs)


def on_train(state: ComposeState, access: ModelAccess, *values: Any) -> Iterator[tuple[Any, ...]]:
    """Train, then score before and after; yields (job id, status, curve so far, what was made)."""
    plan = read_plan(*values)
    folder = fresh_folder("adapter")
    drawn = [""]

    def so_far() -> tuple[Any, ...]:
        """The curve where it has changed."""
        before, drawn[0] = drawn[0], curve_so_far_view(folder)
        return drawn[0] if drawn[0] != before else gr.skip(), None

    job = Job(lambda progress: learn(state, access, plan, folder, progress))
    try:
        yield from follow(job, "The training did not finish", gr.skip(), None, so_far=so_far, done=None)
    finally:
        if job.result is None:
            shutil.rmtree(folder, ignore_errors=True)
    if job.result is not None:
        yield "", closing("Stopped, and kept" if job.result.stopped else "Done"), gr.skip(), job.result


def curve_so_far_view(folder: Path) -> str:
    """The curve of the epochs that are finished."""
    from core.systems.composition.training.train import curve_so_far

    return curve_view(curve_so_far(folder / "state"))


def learn(state: ComposeState, access: ModelAccess, plan: Plan, folder: Path, progress: Progress) -> Learned:
    """Train by the plan and score the frozen and the adapted encoder on the open benchmark, or on the part that nothing
    was learned from.

    A training that is stopped after its first epoch is kept as it stands.
    """
    from core.encoders import load_encoder

    encoder = load_encoder(checked_encoder(plan.encoder, access))
    progress("draw what to learn from", 0, 1)
    choice, test, training = _parts(state, plan)
    progress("draw what to learn from", 1, 1)
    adapted, stopped = _adapt(plan, training, encoder, folder, progress)
    name = _named(adapted.adapter.title, plan, state.adapters, len(training.benchmark))
    adapter = TrainedAdapter(name, folder, plan.encoder)
    patient = _patient(progress)
    before = run_model(choice, test, plan.encoder, (), access, patient)
    after = run_model(choice, test, f"{ADAPTER}{name}", (adapter,), access, patient)
    cost = "the training was stopped."
    if not stopped:
        cost = _regression(adapted, progress)
    return Learned(adapter, BenchmarkRun(choice, test, (before, after), state.opened), cost, _archive(folder), stopped)


def _adapt(
    plan: Plan, training: LoadedBenchmark, encoder: Encoder, folder: Path, progress: Progress
) -> tuple[Adapted, bool]:
    """The trained module, saved to the folder, and whether it was stopped after one of its epochs.

    Raises:
        Cancelled: it was stopped before.
    """
    from core.systems.composition.training.loop import Training
    from core.systems.composition.training.train import adapt, adapted_so_far  # torch

    how = Training(epochs=plan.epochs, seed=plan.seed)
    state = folder / "state"
    stopped = False
    arguments: dict[str, Any] = dict(state=state, cache=own_cache())
    try:
        adapted: Adapted | None = adapt(training, plan.adapter, {}, how, encoder, progress=progress, **arguments)
    except Cancelled as early:
        adapted = adapted_so_far(training, plan.adapter, {}, how, encoder, **arguments)
        stopped = True
        if adapted is None:
            raise Cancelled(f"{early} No epoch had finished, so nothing was saved.") from early
    assert adapted is not None
    adapted.save(folder)
    shutil.rmtree(state, ignore_errors=True)
    return adapted, stopped


def _patient(progress: Progress) -> Progress:
    """The same without stopping: what follows a stop is short, and nothing that was trained may be lost by it."""

    def report(step: str, done: int, total: int) -> None:
        with contextlib.suppress(Cancelled):
            progress(step, done, total)

    return report


def _parts(state: ComposeState, plan: Plan) -> tuple[str, LoadedBenchmark, LoadedBenchmark]:
    """(choice, benchmark to test on, benchmark to learn from)."""
    if plan.source == PART:
        from core.systems.composition.split import two_parts

        if state.opened is None:
            raise InvalidInput(
                "Learning from part of a benchmark needs an open one. Run one first, or learn from rendered scenes."
            )
        training, test = two_parts(state.opened, seed=plan.seed)
        return "", test, training
    from core.systems.composition.scenes.shipped import draw_training

    drawn = draw_training(plan.n, plan.seed, (plan.kind,) if plan.kind else ())
    choice = state.choice if state.loaded is not None else FIRST
    return choice, state.loaded or shipped(FIRST), replace(drawn, store=Remembered(drawn.store))


def _regression(adapted: Any, progress: Progress) -> ForgettingCheck | str:
    """What it cost elsewhere; a stop, or data that cannot be read, does not lose the adapter."""
    from core.systems.composition.scoring.encoder import EncoderScorer
    from core.systems.composition.training.adapted_scorer import AdaptedScorer
    from core.systems.composition.training.forgetting import check_regression

    before = EncoderScorer(adapted.encoder)
    after = AdaptedScorer(adapted)
    try:
        return check_regression(before, after, weight=adapted.record.rerank, cache=own_cache(), progress=progress)
    except DiagnosisError as error:
        return str(error)


def _named(title: str, plan: Plan, adapters: tuple[TrainedAdapter, ...], n: int) -> str:
    """A name of its own for a trained adapter."""
    what = "items"
    if plan.kind and plan.source == RENDERED:
        what = f"{plan.kind} items"
    name = f"{title}, {n:,} {what}, seed {plan.seed}"
    taken = {adapter.name for adapter in adapters}
    unique = name
    i = 2
    while unique in taken:
        unique = f"{name} ({i})"
        i = i + 1
    return unique


def _archive(folder: Path) -> Path:
    """The adapter's files as one zip beside them."""
    path = folder / "adapter.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            if file.suffix in (".json", ".safetensors"):
                archive.write(file, file.name)
    return path


def on_learned(state: ComposeState, access: ModelAccess, learned: Learned | None) -> tuple[Any, ...]:
    """Show what a training made: returns (status, state, result, items, diagnose button, files' row, training's
    view, zip, second models)."""
    from core.systems.composition.training.adapted import load_adapted

    if learned is None:
        return tuple(gr.skip() for _ in range(9))
    adapters = (*state.adapters, learned.adapter)
    for old in adapters[:-MAX_ADAPTERS]:
        shutil.rmtree(old.folder, ignore_errors=True)
    adapters = adapters[-MAX_ADAPTERS:]
    name = learned.adapter.name
    status, state_after, *views = on_made(replace(state, adapters=adapters), learned.ran)
    record = load_adapted(learned.adapter.folder).record
    cost = None
    if not isinstance(learned.regression, str):
        cost = learned.regression
    state_after = replace(state_after, forgetting=cost, curve=(record.curve, record.best))
    view = trained_view(name, record, learned.regression, stopped=learned.stopped)
    models = gr.update(choices=second_choices(access, adapters), value=f"{ADAPTER}{name}")
    return status, state_after, *views, view, gr.update(value=str(learned.archive), visible=True), models


def build(state: gr.State, benchmark: BenchmarkForm, views: BenchmarkViews, access: ModelAccess) -> None:
    """Lay out the training and wire its callbacks."""
    job = gr.State("")
    result = gr.State(None)
    gr.HTML(render("train_intro.html.j2"), elem_id="teach-intro", **PLAIN)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=28, min_width=300, elem_classes="compose-form"):
            *asked, seed = form()
            guess = gr.HTML(estimate_view("local", 1000, 12), elem_id="teach-estimate", **PLAIN)
            with gr.Row():
                run = gr.Button("Train", variant="primary", elem_id="teach-run")
                cancel = gr.Button("Stop", elem_id="teach-cancel", scale=0, min_width=110, interactive=False)
            line = gr.HTML("", elem_id="teach-status", **PLAIN)
        with gr.Column(scale=72, min_width=320):
            curve = gr.HTML(render("train_empty.html.j2"), elem_id="teach-result", **PLAIN)
            archive = gr.DownloadButton("Download the adapter (zip)", visible=False, size="sm", elem_id="teach-zip")

    def start(state: ComposeState, *values: Any) -> Iterator[tuple[Any, ...]]:
        yield from on_train(state, access, *values)

    def show(state: ComposeState, learned: Learned | None) -> tuple[Any, ...]:
        return on_learned(state, access, learned)

    encoder, second = benchmark.models
    for changed in asked:
        changed.change(on_plan, asked, guess, trigger_mode="always_last", **QUICK)
    run.click(on_wait, None, line, **QUICK)
    started = run.click(
        shows_errors(start), [state, *asked, seed, encoder], [job, line, curve, result], **HEAVY, **PRIVATE
    )
    outputs = [line, state, *views.all(), curve, archive, second]
    shown = started.success(shows_errors(show), [state, result], outputs, **PRIVATE)
    shown.success(shows_errors(on_files), [state], views.buttons, **PRIVATE)
    wire_cancel(cancel, job)
