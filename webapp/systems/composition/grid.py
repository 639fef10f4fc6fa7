"""The binding grid, a part of the tab Compose: the attributes and objects that a model sees, and whether it binds
them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.records import F64, ItemStore, Progress, SampleSet
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


@dataclass(frozen=True, slots=True, eq=False)
class GridState:
    """The displayed grid."""

    grid: BindingGrid | None = None
    title: str = ""
    measure: str = "binds"


def on_open(session: Session, state: ComposeState, access: ModelAccess, source: str) -> tuple[Any, ...]:
    """Show the tab: returns (sources, attributes, objects, models) for the open run."""
    sources = [("Rendered scenes", SCENES)]
    if session.run:
        samples = RUNS.get(session.run).samples
        if samples.items is not None and category_columns(samples):
            sources.append((f"The open run: {samples.name}"[:60], RUN))
    if source not in [key for _, key in sources]:
        source = SCENES
    models = adapter_choices(access, state.adapters)
    return gr.update(choices=sources, value=source), *on_source(session, source), gr.update(choices=models)


def on_source(session: Session, source: str) -> tuple[Any, Any]:
    """Choose other images: returns (attributes, objects)."""
    if source != RUN or not session.run:
        return gr.update(choices=["colour", "material"], value="colour"), gr.update(choices=["shape"], value="shape")
    samples = RUNS.get(session.run).samples
    columns = category_columns(samples)
    objects = list(columns)
    if samples.labels is not None:
        objects.insert(0, LABEL)
    first = next(iter(columns), None)
    second = next((name for name in objects if name != first), None)
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
    session: Session, state: ComposeState, access: ModelAccess, plan: GridPlan, progress: Progress
) -> GridState:
    """The grid of a plan.

    Raises:
        InvalidInput: no run is open, it lacks the column or images, or the model cannot be used.
    """
    from core.systems.composition.grid.binding import binding_grid
    from core.systems.composition.training.scorers import matrix_of

    name, scorer = scorer_for(plan.model or "embedded", state.adapters, access)

    def score(pictures: ItemStore, texts: Any) -> F64:
        return matrix_of(scorer, pictures, texts, cache=own_cache(), progress=progress)

    if plan.source != RUN:
        store, contents = scenes(plan.attribute)
        title = f"{name} on {len(store)} rendered scenes, {plan.attribute} by shape"
        return GridState(binding_grid(store, contents, score, mode="two"), title)
    samples, items, contents = _columns_of_run(session, plan)
    grid = binding_grid(items, contents, score, mode="one", template="a photo of {}")
    return GridState(grid, f"{name} on {samples.name}, {plan.attribute} by {plan.objects}")


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
def scenes(attribute: str) -> tuple[Remembered, tuple[PictureContents, ...]]:
    """The rendered scenes of one attribute, drawn once per process."""
    from core.systems.composition.grid.rendered import ATTRIBUTES, draw_binding

    if attribute not in ATTRIBUTES:
        raise InvalidInput(
            f"The rendered scenes vary {' and '.join(ATTRIBUTES)}: got {str(attribute)[:40]!r}. Choose one of them."
        )
    store, shown = draw_binding(N_SCENES, attribute)
    return Remembered(store), shown


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


def build(session: gr.State, state: gr.State, tab: gr.Tab, access: ModelAccess) -> None:
    """Lay out the part and wire its callbacks."""
    grid = gr.State(GridState(), time_to_live=STATE_S)
    job = gr.State("")
    result = gr.State(None)
    scripts = script("heat", PRESSES)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=28, min_width=300, elem_classes="compose-form"):
            form = _form(access)
            with gr.Row():
                run = gr.Button("Draw the grid", variant="primary", elem_id="grid-run")
                cancel = gr.Button("Cancel", elem_id="grid-cancel", scale=0, min_width=110, interactive=False)
            status = gr.HTML("", elem_id="grid-status", **PLAIN)
        with gr.Column(scale=72, min_width=320):
            view = gr.HTML(grid_view(None, "", ""), js_on_load=scripts, elem_id="grid-result", **PLAIN)

    def opened(session: Session, state: ComposeState, source: str) -> tuple[Any, ...]:
        return on_open(session, state, access, source)

    def start(session: Session, state: ComposeState, *values: str) -> Iterator[tuple[Any, ...]]:
        yield from on_grid(session, state, access, *values)

    source, attribute, objects, _ = form
    tab.select(shows_errors(opened), [session, state, source], form, **QUICK)
    source.input(shows_errors(on_source), [session, source], [attribute, objects], **QUICK)
    run.click(on_wait, None, status, **QUICK)
    started = run.click(shows_errors(start), [session, state, *form], [job, status, result], **HEAVY, **PRIVATE)
    started.success(shows_errors(on_made), [result], [grid, view], **PRIVATE)
    wire_cancel(cancel, job)
    view.act(shows_errors(on_measure), [grid], [grid, view], **QUICK)


def _form(access: ModelAccess) -> list[Any]:
    """Fields for the source, the attribute, the object and the model."""
    gr.HTML("<h2>1. Images</h2>", **PLAIN)
    source = gr.Dropdown([("Rendered scenes", SCENES)], value=SCENES, label="Images", elem_id="grid-source")
    attribute = gr.Dropdown(["colour", "material"], value="colour", label="Attribute", elem_id="grid-attribute")
    objects = gr.Dropdown(["shape"], value="shape", label="Object", elem_id="grid-object")
    gr.HTML("<h2>2. Model</h2>", **PLAIN)
    model = gr.Dropdown(
        adapter_choices(access, ()),
        value="embedded",
        label="Encoder or trained adapter",
        elem_id="grid-model",
        allow_custom_value=access.is_local,
    )
    return [source, attribute, objects, model]
