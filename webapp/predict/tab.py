"""Predict tab: freeze what the open run found, then bring fresh samples and see whether it fails again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from core.errors import Cancelled, DiagnosisError, InvalidInput
from core.records import I64, Diagnosis, Prediction, Progress
from webapp.explore.tab import View, on_downloads
from webapp.markup.html import esc
from webapp.predict.view import frozen_view, prediction_view, selection_line
from webapp.state.choices import IMAGES, TABLES, VECTORS
from webapp.state.jobs import JOBS, Job, closing, status
from webapp.state.session import RUNS, Session, event_data, selected_rows, shows_errors


@dataclass(frozen=True, slots=True, eq=False)
class PredictState:
    """What is shown: a run, and its prediction if there is one."""

    run: str = ""
    prediction: Prediction | None = None


def lasso_of(session: Session, diagnosis: Diagnosis) -> I64:
    """The rows that a person picked by eye in Explore; a cluster is no such pick."""
    return selected_rows(session, diagnosis) if session.polygon or session.rows else np.empty(0, np.int64)


def on_open(session: Session, shown: PredictState) -> tuple[Any, ...]:
    """The tab is shown: returns (shown, frozen findings, a word on the lasso, result) for the open run."""
    if not session.run:
        return PredictState(), NO_RUN, "", ""
    diagnosis = RUNS.get(session.run)
    word = f'<p class="muted small-note">{esc(selection_line(lasso_of(session, diagnosis).tolist()))}</p>'
    if shown.run == session.run:
        return gr.skip(), gr.skip(), word, gr.skip()
    from core.checks.freeze import freeze  # scipy: not needed for the first view

    try:
        frozen = frozen_view(diagnosis, freeze(diagnosis))
    except DiagnosisError as error:
        frozen = f'<div class="empty small"><p>{esc(error)}</p></div>'
    made = PredictState(session.run, diagnosis.prediction)
    return made, frozen, word, result_of(diagnosis, made.prediction)


def on_go(session: Session, shown: PredictState, event: gr.EventData) -> tuple[Any, ...]:
    """The list of clusters asks for the tab: returns (tabs, then what `on_open` gives); nothing changes at any other
    press."""
    if event_data(event).get("do") != "predict":
        return tuple(gr.skip() for _ in range(5))
    return gr.update(selected="predict"), *on_open(session, shown)


def result_of(diagnosis: Diagnosis, prediction: Prediction | None) -> str:
    """The result's place, also before there is one."""
    return prediction_view(diagnosis, prediction) if prediction is not None else WAITING


def make_prediction(
    session: Session, table: str | None, images: str | None, vectors: str | None, progress: Progress
) -> Prediction:
    """Read, embed and predict; a visitor's own run keeps the prediction for its downloads.

    Raises:
        InvalidInput: no run is open, nothing was brought, or it does not fit the run.
    """
    from core.checks.fresh import predict_fresh  # reads tables with pandas, pictures with the encoder

    diagnosis, brought = RUNS.get(session.run), _brought(table, images, vectors)
    found = predict_fresh(
        diagnosis,
        brought[0],
        images=brought[1],
        embeddings=brought[2],
        selection=lasso_of(session, diagnosis),
        progress=progress,
    )
    assert found.prediction is not None
    prediction = replace(found.prediction, source=Path(table or images or "fresh samples").name)
    RUNS.keep(session.run, replace(found, prediction=prediction))
    return prediction


def _brought(
    table: str | None, images: str | None, vectors: str | None
) -> tuple[Path | None, Path | None, Path | None]:
    if not (table or images):
        raise InvalidInput(
            "Bring fresh samples first: a table with the same columns as the diagnosed one, and their pictures."
        )
    return tuple(Path(p) if p else None for p in (table, images, vectors))  # type: ignore[return-value]


def on_predict(
    session: Session, table: str | None, images: str | None, vectors: str | None
) -> Iterator[tuple[Any, ...]]:
    """Predict what was brought; yields (job id, status, shown, result)."""
    if not session.run:
        raise InvalidInput(
            "No run is open whose findings could be tried. Open an example in Explore, or bring your own data."
        )
    _brought(table, images, vectors)
    made: list[Prediction] = []

    def work(progress: Progress) -> str:
        made.append(make_prediction(session, table, images, vectors, progress))
        return session.run

    job = Job(work)
    yield job.id, status(job), gr.skip(), gr.skip()
    try:
        for _ in JOBS.follow(job):
            yield job.id, status(job), gr.skip(), gr.skip()
    except Cancelled as stopped:
        yield "", closing("Stopped", str(stopped)), gr.skip(), gr.skip()
        return
    except Exception:
        yield "", closing("The prediction did not finish", "Your files are still here."), gr.skip(), gr.skip()
        raise
    yield "", closing("Done", ""), PredictState(session.run, made[0]), result_of(RUNS.get(session.run), made[0])


def on_cancel(job: str) -> None:
    """Stop the visitor's own prediction."""
    if not JOBS.cancel(job):
        gr.Info("Nothing is running.")


def build(session: gr.State, view: View, buttons: list[Any], tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    shown, job = gr.State(PredictState(), time_to_live=24 * 3600), gr.State("")
    gr.HTML(INTRO, apply_default_css=False)
    with gr.Row(elem_classes="bring"):
        with gr.Column(scale=50, min_width=320):
            frozen = gr.HTML("", elem_id="frozen", apply_default_css=False)
        with gr.Column(scale=50, min_width=320):
            gr.HTML("<h2>Bring fresh samples</h2>", apply_default_css=False)
            table = gr.File(
                label="Table, with the same columns as before",
                file_types=list(TABLES),
                type="filepath",
                height=96,
                elem_id="fresh-table",
            )
            images = gr.File(
                label="Pictures: zip or tar",
                file_types=list(IMAGES),
                type="filepath",
                height=96,
                elem_id="fresh-images",
            )
            with gr.Accordion("Embeddings, if the run was made of them", open=False):
                vectors = gr.File(
                    label="Embeddings", file_types=list(VECTORS), type="filepath", height=96, elem_id="fresh-vectors"
                )
            word = gr.HTML("", apply_default_css=False, elem_id="lasso-word")
            with gr.Row():
                run = gr.Button("Open them and compare", variant="primary", elem_id="predict")
                cancel = gr.Button("Cancel", elem_id="predict-cancel", scale=0, min_width=110)
            line = gr.HTML("", apply_default_css=False, elem_id="predict-status")
    result = gr.HTML(WAITING, apply_default_css=False, elem_id="prediction")
    private: dict[str, Any] = dict(show_progress="hidden", api_visibility="private")
    opened = [shown, frozen, word, result]
    tab.select(shows_errors(on_open), [session, shown], opened, queue=False, **private)
    view.pane.act(shows_errors(on_go), [session, shown], [tabs, *opened], queue=False, **private)
    said = [session, table, images, vectors]
    tried = run.click(
        shows_errors(on_predict),
        said,
        [job, line, shown, result],
        concurrency_id="compute",
        concurrency_limit=1,
        **private,
    )
    tried.success(
        shows_errors(on_downloads), [session], buttons, **private
    )  # the files of a visitor's own run tell of it too
    cancel.click(on_cancel, [job], None, queue=False, **private)


INTRO = (
    '<div class="tab-intro"><h2>Predict the next failures</h2><p class="muted">A finding that was luck does not come '
    "back. What the open run found "
    "is frozen with the error rate that it predicts; then samples that nobody looked at are opened, "
    "beside what a person would have picked by eye."
    "</p></div>"
)
WAITING = (
    '<div class="empty small"><p>The comparison will stand here. '
    "Without fresh samples, hold a part of your data back: "
    "“Hide a part and predict it” in the tab Your data.</p></div>"
)
NO_RUN = '<div class="empty small"><p>No run is open. Open an example in Explore, or bring your own data.</p></div>'
