"""Predict tab: freeze the open run's findings, then check them on new samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from core.data.tables.roles import Roles
from core.errors import DiagnosisError, InvalidInput
from core.records import I64, Diagnosis, Prediction, Progress
from webapp.explore.tab import View
from webapp.markup.components import as_is_box, upload
from webapp.markup.render import empty, render
from webapp.predict.view import frozen_view, prediction_view, selection_line
from webapp.state.choices import IMAGES, TABLES, VECTORS
from webapp.state.events import event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, follow, refused, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session, require_own, selected_rows, shows_errors

FAILED = "The check did not finish"


@dataclass(frozen=True, slots=True, eq=False)
class PredictState:
    """The run shown, and its prediction if any."""

    run: str = ""
    prediction: Prediction | None = None


def lasso_of(session: Session, diagnosis: Diagnosis) -> I64:
    """Return the rows that the user picked by eye in Findings; a cluster does not count."""
    if session.polygon or session.rows:
        return selected_rows(session.closed, diagnosis)
    return np.empty(0, np.int64)


def on_open(session: Session, shown: PredictState) -> tuple[Any, ...]:
    """Show the open run: returns (shown, frozen findings, line on the lasso, result)."""
    if not session.run:
        return PredictState(), empty(NO_RUN), "", ""
    diagnosis = RUNS.get(session.run)
    word = render("predict/lasso.html.j2", text=selection_line(lasso_of(session, diagnosis).tolist()))
    if shown.run == session.run:
        return gr.skip(), gr.skip(), word, gr.skip()
    from core.checks.freeze import freeze  # scipy: not needed for the first view

    try:
        frozen = frozen_view(diagnosis, freeze(diagnosis))
    except DiagnosisError as error:
        frozen = empty(str(error))
    state = PredictState(session.run, diagnosis.prediction)
    return state, frozen, word, result_of(diagnosis, state.prediction)


def on_go(session: Session, shown: PredictState, event: gr.EventData) -> tuple[Any, ...]:
    """Open this tab from the list of clusters: returns (tabs, then what `on_open` gives); nothing changes for another
    tab."""
    if event_data(event).get("do") != "predict":
        return tuple(gr.skip() for _ in range(5))
    return gr.update(selected="predict"), *on_open(session, shown)


def result_of(diagnosis: Diagnosis, prediction: Prediction | None) -> str:
    """Render the result, or its empty state."""
    if prediction is not None:
        return prediction_view(diagnosis, prediction)
    return render("predict/waiting.html.j2")


def make_prediction(
    session: Session,
    table: str | None,
    images: str | None,
    vectors: str | None,
    progress: Progress,
    as_is: bool = False,
) -> Prediction:
    """Read, embed, and predict; a visitor's own run keeps the prediction for its downloads.

    Raises:
        InvalidInput: no run is open, no files were added, or they do not fit the run.
    """
    from core.checks.fresh import predict_fresh  # reads tables with pandas, images with the encoder

    diagnosis = require_own(session)
    first, pictures, embeddings = _given(table, images, vectors)
    picked = lasso_of(session, diagnosis)
    predicted = predict_fresh(
        diagnosis,
        first,
        images=pictures,
        embeddings=embeddings,
        roles=Roles(as_is=as_is),
        selection=picked,
        progress=progress,
    )
    assert predicted.prediction is not None
    prediction = replace(predicted.prediction, source=Path(table or images or "new samples").name)
    RUNS.change(session.run, lambda now: replace(now, prediction=prediction))
    return prediction


def _given(table: str | None, images: str | None, vectors: str | None) -> list[Path | None]:
    if not (table or images):
        raise InvalidInput(
            "No new samples. Add a table with the same columns as the run's, and images, clips, or scans if it had any."
        )
    return [Path(p) if p else None for p in (table, images, vectors)]


def on_predict(
    session: Session, table: str | None, images: str | None, vectors: str | None, as_is: bool = False
) -> Iterator[tuple[Any, ...]]:
    """Check the findings on new samples; yields (job id, status, shown, result)."""
    reminder = "Your files are still here."
    try:
        run = require_own(session)
        _given(table, images, vectors)
    except DiagnosisError as why:
        yield "", refused(FAILED, why, reminder), gr.skip(), gr.skip()
        raise
    job = Job(lambda progress: make_prediction(session, table, images, vectors, progress, as_is))

    def outputs(prediction: Prediction) -> tuple[PredictState, str]:
        return PredictState(session.run, prediction), result_of(run, prediction)

    yield from follow(job, FAILED, gr.skip(), gr.skip(), reminder=reminder, outputs=outputs)


def build(session: gr.State, view: View, tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    shown = gr.State(PredictState(), time_to_live=STATE_S)
    job = gr.State("")
    gr.HTML(render("predict/intro.html.j2"), **PLAIN)
    with gr.Row(elem_classes="bring"):
        with gr.Column(scale=50, min_width=320):
            frozen = gr.HTML("", elem_id="frozen", **PLAIN)
        with gr.Column(scale=50, min_width=320):
            gr.HTML("<h2>Add new samples</h2>", **PLAIN)
            table = upload("Table with the same columns as the run's", TABLES, "fresh-table")
            images = upload("Images or scans, if the run has any: zip or tar", IMAGES, "fresh-images")
            with gr.Accordion("Embeddings, if the run used your own", open=False):
                vectors = upload("Embeddings", VECTORS, "fresh-vectors")
            as_is = as_is_box("fresh-as-is")
            word = gr.HTML("", elem_id="lasso-word", **PLAIN)
            with gr.Row():
                run = gr.Button("Check findings", variant="primary", elem_id="predict")
                cancel = gr.Button("Cancel", elem_id="predict-cancel", scale=0, min_width=110, interactive=False)
            line = gr.HTML("", elem_id="predict-status", **PLAIN)
    result = gr.HTML(render("predict/waiting.html.j2"), elem_id="prediction", **PLAIN)
    opened = [shown, frozen, word, result]
    tab.select(shows_errors(on_open), [session, shown], opened, **QUICK)
    view.pane.go(shows_errors(on_go), [session, shown], [tabs, *opened], **QUICK)
    inputs = [session, table, images, vectors, as_is]
    run.click(shows_errors(on_predict), inputs, [job, line, shown, result], **HEAVY, **PRIVATE)
    wire_cancel(cancel, job)
