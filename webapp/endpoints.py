"""The public endpoints for programs: "diagnose" gives a run's id, and the others take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import gradio as gr
import numpy as np
from gradio.events import api

from core.errors import InvalidInput
from core.records import I64, Bool, Diagnosis, no_progress
from core.roles import Roles
from webapp.choices import sources
from webapp.failure_map import read_polygon
from webapp.figures import mean_of
from webapp.session import RUNS, Session, selected_rows, shows_errors
from webapp.tabs.explore import describe_selection
from webapp.tabs.your_data import ENCODERS, make_settings, run_diagnosis

OTHER_OPTIONS = ("encoder", "alpha", "seed")
LISTS = ("probabilities", "logits", "masks", "conditions", "class_names")


def diagnose(table: str | None, images: str | None, embeddings: str | None, options: Any) -> str:
    """Diagnose uploaded files; returns the run's id, which is the key to the result.

    Args:
        table: CSV, TSV, JSON Lines or Parquet.
        images: zip or tar of the pictures, or None.
        embeddings: npy, npz, safetensors or Parquet in the table's row order, or None.
        options: roles by their names in core.roles.Roles ("loss", "label", "probabilities", "loss_kind", ...), "encoder", "alpha" and "seed".
    """
    said = read_options(options)
    encoder = str(said.pop("encoder", "embedded"))
    if encoder not in {name for _, name in ENCODERS}:
        raise InvalidInput(f"The encoder must be one of {', '.join(name for _, name in ENCODERS)}: got {encoder!r}.")
    settings = make_settings(said.pop("alpha", 0.05), said.pop("seed", 0), quick_map=False)
    brought = sources(table, images, embeddings, None, None)
    return run_diagnosis(brought, Roles(**said), encoder, settings, no_progress)


def read_options(options: Any) -> dict[str, Any]:
    """The options of `diagnose`, lists as tuples; raises InvalidInput where one is unknown or of the wrong kind."""
    if options in (None, ""):
        return {}
    known = (*(f.name for f in fields(Roles)), *OTHER_OPTIONS)
    unknown = [str(key) for key in options if key not in known] if isinstance(options, Mapping) else [type(options).__name__]
    if unknown:
        raise InvalidInput(f"The options must be an object with keys among {', '.join(known)}: got {', '.join(unknown)[:200]}.")
    return {key: _read_role(key, value) if key not in OTHER_OPTIONS else value for key, value in options.items() if value is not None}


def _read_role(key: str, value: Any) -> Any:
    """The value as `Roles` takes it: a tuple of names, a switch, or one name."""
    if key in LISTS:
        fits, wanted = isinstance(value, list) and all(isinstance(name, str) for name in value), "a list of names"
        if key == "masks":
            fits, wanted = fits and len(value) == 2, "a list of two names"
    elif key == "higher_is_better":
        fits, wanted = isinstance(value, bool), "true or false"
    else:
        fits, wanted = isinstance(value, str), "one name"
    if not fits:
        raise InvalidInput(f"The option {key!r} must be {wanted}: got {str(value)[:80]!r}. Correct it.")
    return tuple(value) if key in LISTS else value


def clusters(run: str) -> dict[str, Any]:
    """The finished run as in diagnosis.json: predictability, classes, clusters in rank order, insights, settings."""
    from core.results import to_document  # pandas

    return to_document(RUNS.get(str(run)))


def select(run: str, polygon: list[list[float]]) -> dict[str, Any]:
    """The samples inside an outline on the map, [[x, y], ...]: count, ids, mean loss inside and outside, exploratory conditions."""
    diagnosis = RUNS.get(str(run))
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
    stored = RUNS.folder(str(run)) / "report.html"
    if stored.is_file():
        return stored.read_text("utf-8")
    from core.report import render_report  # the template engine

    return render_report(RUNS.get(str(run)))


def build() -> None:
    """Add the endpoints to the open Blocks. Uploads pass through real file components, which check that a path is an upload of the caller's."""
    files = [gr.File(visible=False, type="filepath", label=name) for name in ("table", "images", "embeddings")]
    options, run = gr.JSON({}, visible=False, label="options"), gr.Textbox(visible=False, label="run")
    heavy: dict[str, Any] = dict(concurrency_id="compute", concurrency_limit=1)
    gr.Button(visible=False).click(shows_errors(diagnose), [*files, options], run, api_name="diagnose", **heavy)
    api(shows_errors(clusters), api_name="clusters", queue=False)
    api(shows_errors(select), api_name="select", **heavy)
    api(shows_errors(report), api_name="report", **heavy)


def _mask(rows: I64, diagnosis: Diagnosis) -> Bool:
    mask = np.zeros(len(diagnosis.samples), bool)
    mask[rows] = True
    return mask
