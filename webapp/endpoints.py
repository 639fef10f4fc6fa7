"""The public endpoints for programs, beside "diagnose" in the Your data tab: a run is named by the id that diagnose gave."""

from __future__ import annotations

from typing import Any

import gradio as gr

from core.records import Diagnosis
from webapp.failure_map import read_polygon
from webapp.figures import mean_of
from webapp.session import RUNS, Session, selected_rows, shows_errors
from webapp.tabs.explore import describe_selection


def clusters(run: str) -> dict[str, Any]:
    """The finished run as in diagnosis.json: predictability, classes, clusters in rank order, insights, settings."""
    from core.results import to_document  # pandas

    return to_document(RUNS.get(run))


def select(run: str, polygon: list) -> dict[str, Any]:
    """The samples inside an outline on the map, [[x, y], ...]: count, ids, mean loss inside and outside, exploratory conditions."""
    diagnosis = RUNS.get(run)
    session = Session(run, polygon=read_polygon(polygon))
    rows = selected_rows(session, diagnosis)
    inside, outside = mean_of(diagnosis, _mask(rows, diagnosis))
    found = describe_selection(session, diagnosis).insights
    return {
        "count": len(rows),
        "ids": [diagnosis.samples.ids[int(i)] for i in rows],
        "mean_loss": inside if len(rows) else None,
        "mean_loss_outside": outside if len(rows) < len(diagnosis.samples) else None,
        "exploratory": True,
        "conditions": [{"text": i.text, "size": i.size, "effect": i.effect.to_dict()} for i in found],
    }


def report(run: str) -> str:
    """The run's report: one self-contained HTML document."""
    stored = RUNS.folder(run) / "report.html"
    if stored.is_file():
        return stored.read_text("utf-8")
    from core.report import render_report  # the template engine

    return render_report(RUNS.get(run))


def build() -> None:
    """Add the endpoints to the open Blocks."""
    gr.api(shows_errors(clusters), api_name="clusters", queue=False)
    gr.api(shows_errors(select), api_name="select", concurrency_id="compute", concurrency_limit=1)
    gr.api(shows_errors(report), api_name="report", concurrency_id="compute", concurrency_limit=1)


def _mask(rows: Any, diagnosis: Diagnosis) -> Any:
    import numpy as np

    mask = np.zeros(len(diagnosis.samples), bool)
    mask[rows] = True
    return mask
