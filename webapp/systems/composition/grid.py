"""The binding grid, a fold of Composition: the attributes and objects that a model sees, and whether it binds
them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.records import F64, ItemStore, Progress, SampleSet, no_progress
from webapp.markup.components import script
from webapp.state.caches import own_cache
from webapp.state.events import event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, follow, on_wait, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, shows_errors
from webapp.systems.composition.grid_view import MEASURES, grid_view
from webapp.systems.composition.models import ModelAccess, adapter_choices
from webapp.systems.composition.render import PRESSES
from webapp.systems.composition.state import Remembered, category_columns, scorer_for
from webapp.systems.composition.visit import ComposeState

if TYPE_CHECKING:
    from core.systems.composition.grid.binding import BindingGrid
    from core.systems.composition.grid.questions import PictureContents

SCENES = "scenes"
RUN = "run"
LABEL = "the label"
N_SCENES = 300
ATTRIBUTES = ["colour", "material"]
SEED = 2026
"""Of the rendered scenes."""


@dataclass(frozen=True, slots=True, eq=False)
class GridState:
    """The displayed grid."""

    grid: BindingGrid | None = None
    title: str = ""
    measure: str = "binds"
    run: str = ""
    """The run that was open."""


def on_open(session: Session, state: ComposeState, access: ModelAccess, shown: GridState) -> tuple[Any, ...]:
    """Show the part: returns (state, view, source, attribute, object, model) for the open run.

    The grid of the run's images is made at once where its columns name attributes and the encoder that saw them comes
    with Errata.
    """
    models = gr.update(choices=adapter_choices(access, state.adapters))
    if shown.run == session.run:
        return *(gr.skip() for _ in range(5)), models
    sources = [("Rendered scenes", SCENES)]
    source = SCENES
    made = GridState(run=session.run)
    if session.run:
        samples = RUNS.get(session.run).samples
        if samples.items is not None and category_columns(samples):
            sources.insert(0, (f"The open run: {samples.name}"[:60], RUN))
            source = RUN
            made = grid_at_once(session)
    return *on_made(made), gr.update(choices=sources, value=source), *on_source(session, source), models


def grid_at_once(session: Session) -> GridState:
    """The grid of the open run's first columns by the vectors that the run holds; an empty one where it has none."""
    diagnosis = RUNS.get(session.run)
    words = diagnosis.words
    attribute, objects = first_columns(diagnosis.samples)
    if words is None or words.encoder != "embedded" or not objects:
        return GridState(run=session.run)
    with suppress(InvalidInput):  # such as columns with too few values: the form says so
        return make_grid(session, ComposeState(), ModelAccess(), GridPlan(RUN, attribute, objects, words.encoder))
    return GridState(run=session.run)


def first_columns(samples: SampleSet) -> tuple[str, str]:
    """(attribute, object) to begin with: a column whose every value meets several classes, and the label; without a
    label the first two columns."""
    columns = category_columns(samples)
    if samples.labels is None:
        return (*columns, "", "")[0], (*columns, "", "")[1]
    values = {column.name: column.values.tolist() for column in samples.metadata}
    for name in columns:
        classes: dict[str, set[int]] = {}
        for value, label in zip(values[name], samples.labels.tolist()):
            classes.setdefault(value, set()).add(label)
        if all(len(met) > 1 for met in classes.values()):
            return name, LABEL
    return next(iter(columns), ""), LABEL


def on_source(session: Session, source: str) -> tuple[Any, Any]:
    """Choose other images: returns (attributes, objects)."""
    if source != RUN or not session.run:
        return gr.update(choices=ATTRIBUTES, value="colour"), gr.update(choices=["shape"], value="shape")
    samples = RUNS.get(session.run).samples
    columns = category_columns(samples)
    first, second = first_columns(samples)
    objects = list(columns)
    if samples.labels is not None:
        objects.insert(0, LABEL)
    return gr.update(choices=columns, value=first), gr.update(choices=objects, value=second)


@dataclass(frozen=True, slots=True)
class GridPlan:
    """The values of the form."""

    source: str
    attribute: str
    objects: str
    model: str


def on_grid(session: Session, state: ComposeState, access: ModelAccess, *form: str) -> Iterator[tuple[Any, ...]]:
    """Compute the grid, with `form` as in `GridPlan`; yields (job id, status, grid)."""
    job = Job(lambda progress: make_grid(session, state, access, GridPlan(*form), progress))
    yield from follow(job, "The grid did not finish", None)


def make_grid(
    session: Session, state: ComposeState, access: ModelAccess, plan: GridPlan, progress: Progress = no_progress
) -> GridState:
    """The grid of a plan.

    Raises:
        InvalidInput: no run is open, it lacks the column or images, or the model cannot be used.
    """
    from core.systems.composition.grid.binding import binding_grid
    from core.systems.composition.scoring.encoder import EncoderScorer, cosines
    from core.systems.composition.training.scorers import matrix_of

    name, scorer = scorer_for(plan.model or "embedded", state.adapters, access)
    words = None
    if plan.source == RUN and session.run:
        words = RUNS.get(session.run).words

    def score(pictures: ItemStore, texts: Any) -> F64:
        if words is not None and words.encoder == plan.model and isinstance(scorer, EncoderScorer):
            return cosines(words.joint.vectors, scorer.read_captions(texts))
        return matrix_of(scorer, pictures, texts, cache=own_cache(), progress=progress)

    if plan.source != RUN:
        store, contents = scenes(plan.attribute, N_SCENES)
        title = f"{name} on {len(store)} rendered scenes, {plan.attribute} by shape"
        return GridState(binding_grid(store, contents, score, mode="two"), title, run=session.run)
    samples, items, contents = _columns_of_run(session, plan)
    grid = binding_grid(items, contents, score, mode="one", template="a photo of {}")
    return GridState(grid, f"{name} on {samples.name}, {plan.attribute} by {plan.objects}", run=session.run)


def _columns_of_run(session: Session, plan: GridPlan) -> tuple[SampleSet, ItemStore, tuple[PictureContents, ...]]:
    """The open run, its images, and their contents by two of its columns."""
    from core.systems.composition.grid.questions import shown_from_columns

    if not session.run:
        raise InvalidInput("No run is open. Open an example in Findings, or choose the rendered scenes.")
    samples = RUNS.get(session.run).samples
    if samples.items is None:
        raise InvalidInput("The open run has no images. Choose the rendered scenes, or diagnose images with New run.")
    if plan.objects == plan.attribute:
        raise InvalidInput("Attribute and object are the same column. Choose two different ones.")
    objects = ""
    if plan.objects != LABEL:
        objects = str(plan.objects or "")
    return samples, samples.items, shown_from_columns(samples, str(plan.attribute or ""), objects)


@functools.cache
def scenes(attribute: str, n: int) -> tuple[Remembered, tuple[PictureContents, ...]]:
    """n rendered scenes, an even number, of two things that differ in shape and one attribute, drawn once per process.

    They come in twos with the attribute exchanged, and nothing is held out, so that what a model thinks of a word
    whatever is shown evens out. 300 give each of the 48 cells of colour and shape about ten images.
    """
    from core.language.grammar import spoken
    from core.systems.composition.grid.questions import PictureContents
    from core.systems.composition.scenes.benchmarks import SceneStore, scenes_of
    from core.systems.composition.scenes.held_out import HeldOut
    from core.systems.composition.scenes.items import RenderedPlan, draw_items

    if attribute not in ATTRIBUTES:
        raise InvalidInput(
            f"The rendered scenes vary {' and '.join(ATTRIBUTES)}: got {str(attribute)[:40]!r}. Choose one of them."
        )
    plan = RenderedPlan(kinds=(attribute,), distractors=(0, 0), held_out=HeldOut())
    drawn = scenes_of(draw_items(plan, n // 2, SEED, "seen"))
    shown = list[PictureContents]()
    for i, scene in enumerate(drawn):
        pairs = [(spoken(getattr(thing, attribute)), spoken(thing.shape)) for thing in scene.things]
        shown.append(PictureContents(i, tuple(pairs)))
    return Remembered(SceneStore(drawn)), tuple(shown)


def on_made(state: GridState | None) -> tuple[Any, Any]:
    """Show a finished grid: returns (state, view)."""
    if state is None:
        return gr.skip(), gr.skip()
    return state, grid_view(state.grid, state.title, state.measure)


def on_measure(state: GridState, event: gr.EventData) -> tuple[Any, Any]:
    """Choose another figure for the cells: returns (state, view)."""
    data = event_data(event)
    if data.get("do") != "measure" or data.get("value") not in MEASURES or state.grid is None:
        return gr.skip(), gr.skip()
    return on_made(replace(state, measure=str(data["value"])))


def build(session: gr.State, state: gr.State, fold: gr.Accordion, access: ModelAccess) -> None:
    """Lay out the part and wire its callbacks."""
    grid = gr.State(GridState(), time_to_live=STATE_S)
    job = gr.State("")
    result = gr.State(None)
    scripts = script("heat", PRESSES)
    with gr.Row(elem_classes="probe-row"):
        with gr.Column(scale=28, min_width=300, elem_classes="compose-form"):
            sources = [("Rendered scenes", SCENES)]
            source = gr.Dropdown(sources, value=SCENES, label="Images", elem_id="grid-source")
            attribute = gr.Dropdown(ATTRIBUTES, value="colour", label="Attribute", elem_id="grid-attribute")
            objects = gr.Dropdown(["shape"], value="shape", label="Object", elem_id="grid-object")
            model = gr.Dropdown(
                adapter_choices(access, ()),
                value="embedded",
                label="Encoder or trained adapter",
                elem_id="grid-model",
                allow_custom_value=access.is_local,
            )
            with gr.Row():
                run = gr.Button("Draw the grid", variant="primary", elem_id="grid-run")
                cancel = gr.Button("Cancel", elem_id="grid-cancel", scale=0, min_width=110, interactive=False)
            status = gr.HTML("", elem_id="grid-status", **PLAIN)
        with gr.Column(scale=72, min_width=320):
            view = gr.HTML(grid_view(None, "", ""), js_on_load=scripts, elem_id="grid-result", **PLAIN)

    def opened(session: Session, state: ComposeState, grid: GridState) -> tuple[Any, ...]:
        return on_open(session, state, access, grid)

    def start(session: Session, state: ComposeState, *values: str) -> Iterator[tuple[Any, ...]]:
        yield from on_grid(session, state, access, *values)

    form = [source, attribute, objects, model]
    fold.expand(shows_errors(opened), [session, state, grid], [grid, view, *form], **PRIVATE)
    source.input(shows_errors(on_source), [session, source], [attribute, objects], **QUICK)
    run.click(on_wait, None, status, **QUICK)
    started = run.click(shows_errors(start), [session, state, *form], [job, status, result], **HEAVY, **PRIVATE)
    started.success(shows_errors(on_made), [result], [grid, view], **PRIVATE)
    wire_cancel(cancel, job)
    view.act(shows_errors(on_measure), [grid], [grid, view], **QUICK)
