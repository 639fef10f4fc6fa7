"""Training, a fold below a benchmark's result in Composition: a small module on the encoder's frozen tokens, with
results before and after on the same items."""

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
from webapp.systems.composition.benchmark import on_made
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
    """The result of a training."""

    adapter: TrainedAdapter
    ran: BenchmarkRun
    regression: ForgettingCheck | str
    """The check, or the reason that it is missing."""
    archive: Path
    stopped: bool


def on_plan(adapter: Any, source: Any, kind: Any, n: Any, epochs: Any) -> str:
    """The estimated time of a training."""
    try:
        plan = read_plan(adapter, source, kind, n, epochs)
    except InvalidInput as error:
        return render("estimate.html.j2", said=str(error))
    n_items = None
    if plan.source == RENDERED:
        n_items = plan.n
    return estimate_view(plan.adapter, n_items, plan.epochs)


def on_train(state: ComposeState, access: ModelAccess, *values: Any) -> Iterator[tuple[Any, ...]]:
    """Train, then score before and after; yields (job id, status, curve so far, result)."""
    plan = read_plan(*values)
    folder = fresh_folder("adapter")
    shown = [""]

    def so_far() -> tuple[Any, ...]:
        """The curve, if it has changed."""
        view = curve_so_far_view(folder)
        if view == shown[0]:
            return gr.skip(), None
        shown[0] = view
        return view, None

    job = Job(lambda progress: learn(state, access, plan, folder, progress))
    try:
        yield from follow(job, "The training did not finish", gr.skip(), None, so_far=so_far, done=None)
    finally:
        if job.result is None:
            shutil.rmtree(folder, ignore_errors=True)
    if job.result is not None:
        status = "Done"
        if job.result.stopped:
            status = "Stopped and saved"
        yield "", closing(status), gr.skip(), job.result


def curve_so_far_view(folder: Path) -> str:
    """The curve of the finished epochs."""
    from core.systems.composition.training.train import curve_so_far

    return curve_view(curve_so_far(folder / "state"))


def learn(state: ComposeState, access: ModelAccess, plan: Plan, folder: Path, progress: Progress) -> Learned:
    """Train by the plan, and score the frozen and the adapted encoder on the open benchmark, or on its held-out part.

    A training stopped after its first epoch keeps its best epoch.
    """
    from core.encoders import load_encoder

    encoder = load_encoder(checked_encoder(plan.encoder, access))
    progress("read training items", 0, 1)
    choice, test, training = _parts(state, plan)
    progress("read training items", 1, 1)
    adapted = _adapt(plan, training, encoder, folder, progress)
    name = _unique_name(adapted.adapter.title, plan, state.adapters, len(training.benchmark))
    adapter = TrainedAdapter(name, folder, plan.encoder)
    report = _without_cancel(progress)
    before = run_model(choice, test, plan.encoder, (), access, report)
    after = run_model(choice, test, f"{ADAPTER}{name}", (adapter,), access, report)
    cost = "the training was stopped."
    if not adapted.stopped:
        cost = _regression(adapted, progress)
    ran = BenchmarkRun(choice, test, (before, after), state.opened)
    return Learned(adapter, ran, cost, _archive(folder), adapted.stopped)


def _adapt(plan: Plan, training: LoadedBenchmark, encoder: Encoder, folder: Path, progress: Progress) -> Adapted:
    """The trained module, saved to the folder, also where the training was stopped after an epoch.

    Raises:
        Cancelled: the training was stopped before its first epoch ended.
    """
    from core.systems.composition.training.loop import Training
    from core.systems.composition.training.train import adapt  # torch

    how = Training(epochs=plan.epochs, seed=plan.seed)
    state = folder / "state"
    kept: dict[str, Any] = dict(state=state, keep_stopped=True, cache=own_cache(), progress=progress)
    try:
        adapted = adapt(training, plan.adapter, {}, how, encoder, **kept)
    except Cancelled as early:
        raise Cancelled(f"{early} No epoch had finished, so nothing was saved.") from early
    adapted.save(folder)
    shutil.rmtree(state, ignore_errors=True)
    return adapted


def _without_cancel(progress: Progress) -> Progress:
    """The progress without `Cancelled`: the work after a training is short, and a stop must not lose the module."""

    def report(step: str, done: int, total: int) -> None:
        with contextlib.suppress(Cancelled):
            progress(step, done, total)

    return report


def _parts(state: ComposeState, plan: Plan) -> tuple[str, LoadedBenchmark, LoadedBenchmark]:
    """(choice, test benchmark, training benchmark)."""
    if plan.source == PART:
        from core.systems.composition.split import two_parts

        if state.opened is None:
            raise InvalidInput(
                "Learning from part of a benchmark needs an open one. Run one first, or learn from rendered scenes."
            )
        training, test = two_parts(state.opened, seed=plan.seed)
        return "", test, training
    from core.systems.composition.scenes.shipped import draw_training

    kinds = ()
    if plan.kind:
        kinds = (plan.kind,)
    rendered = draw_training(plan.n, plan.seed, kinds)
    training = replace(rendered, store=Remembered(rendered.store))
    if state.loaded is None:
        return FIRST, shipped(FIRST), training
    return state.choice, state.loaded, training


def _regression(adapted: Any, progress: Progress) -> ForgettingCheck | str:
    """The loss of accuracy on other tasks, or the reason that it is missing, such as a stop or unreadable data."""
    from core.systems.composition.scoring.encoder import EncoderScorer
    from core.systems.composition.training.adapted_scorer import AdaptedScorer
    from core.systems.composition.training.forgetting import check_regression

    before = EncoderScorer(adapted.encoder)
    after = AdaptedScorer(adapted)
    try:
        return check_regression(before, after, weight=adapted.record.rerank, cache=own_cache(), progress=progress)
    except DiagnosisError as error:
        return str(error)


def _unique_name(title: str, plan: Plan, adapters: tuple[TrainedAdapter, ...], n: int) -> str:
    """A unique name for a trained adapter."""
    what = "items"
    if plan.kind and plan.source == RENDERED:
        what = f"{plan.kind} items"
    name = f"{title}, {n:,} {what}, seed {plan.seed}"
    taken = {adapter.name for adapter in adapters}
    unique = name
    copy = 2
    while unique in taken:
        unique = f"{name} ({copy})"
        copy += 1
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
    """Show the result of a training: returns (status, state, result, diagnose button, files' row, training's
    view, zip, second models)."""
    from core.systems.composition.training.adapted import load_adapted

    if learned is None:
        return tuple(gr.skip() for _ in range(8))
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


def build(state: gr.State, models: list[gr.Dropdown], views: list[Any], access: ModelAccess) -> None:
    """Lay out the training and wire its callbacks.

    Args:
        models: the fields of the benchmark's encoder and second model.
        views: the components of the benchmark's result.
    """
    job = gr.State("")
    result = gr.State(None)
    gr.HTML(render("train_intro.html.j2"), elem_id="teach-intro", **PLAIN)
    with gr.Row(elem_classes="probe-row"):
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

    encoder, second = models
    for changed in asked:
        changed.change(on_plan, asked, guess, trigger_mode="always_last", **QUICK)
    run.click(on_wait, None, line, **QUICK)
    started = run.click(
        shows_errors(start), [state, *asked, seed, encoder], [job, line, curve, result], **HEAVY, **PRIVATE
    )
    outputs = [line, state, *views, curve, archive, second]
    started.success(shows_errors(show), [state, result], outputs, **PRIVATE)
    wire_cancel(cancel, job)
