"""The public endpoints for programs: "diagnose" gives a run's id, and the others take it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of, replace
from typing import Any

import gradio as gr
import numpy as np
from gradio.events import api

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from webapp.ask.audit import EVERY, cells_of
from webapp.ask.tab import answer_texts
from webapp.data.run import make_settings, run_diagnosis
from webapp.explore.picked import describe_selection
from webapp.failure_map import read_polygon
from webapp.markup.components import json_object
from webapp.panels import add_endpoints
from webapp.predict.tab import make_prediction
from webapp.state.boxes import to_program
from webapp.state.choices import ENCODERS, sources
from webapp.state.jobs import HEAVY, JOBS, LIGHT
from webapp.state.runs import RUNS
from webapp.state.session import Session, selected_rows, shows_errors

OTHER_OPTIONS = ("encoder", "alpha", "seed", "within", "hold_back")
MAX_TEXTS = 8
"""Of a report that is sent as text, of which Gradio makes fourteen times its bytes on the way."""
MAX_NAMES = 20_000
"""Of columns in one option: as many as a table may have."""
LISTS = ("probabilities", "logits", "masks", "conditions", "class_names")


def diagnose(table: str | None, images: str | None = None, embeddings: str | None = None, options: Any = None) -> str:
    """Diagnose uploaded files; returns the run's id, which is the key to the result.

    Args:
        table: CSV, TSV, JSON Lines or Parquet.
        images: zip or tar of the images, or None.
        embeddings: npy, npz, safetensors or Parquet in the table's row order, or None.
        options: roles by their names in core.data.tables.roles.Roles ("loss", "label", "probabilities", "loss_kind",
            ...), "encoder", "alpha", "seed", "within" (a list of the classes to search inside, beside all samples) and
            "hold_back" (a share of 0.05 to 0.5 that is hidden and then predicted).
    """
    said = read_options(options)
    encoder = str(said.pop("encoder", "embedded"))
    if encoder not in {name for _, name in ENCODERS}:
        raise InvalidInput(f"The encoder must be one of {', '.join(name for _, name in ENCODERS)}: got {encoder!r}.")
    settings = make_settings(said.pop("alpha", 0.05), said.pop("seed", 0), said.pop("within", ()), quick_map=False)
    share = said.pop("hold_back", 0.0)
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise InvalidInput(f"hold_back must be a number of 0 to 0.5: got {str(share)[:40]!r}. Correct it.")
    given = sources(table, images, embeddings, None, None)
    roles = Roles(**said)
    return JOBS.run(lambda progress: run_diagnosis(given, roles, encoder, settings, progress, hold_back=float(share)))


def read_options(options: Any) -> dict[str, Any]:
    """The options of `diagnose`, lists as tuples; raises InvalidInput where one is unknown or of the wrong kind."""
    said = known_options(options, (*(f.name for f in fields_of(Roles)), *OTHER_OPTIONS))
    return {
        key: value if key in OTHER_OPTIONS else _read_role(key, value)
        for key, value in said.items()
        if value is not None
    }


def known_options(options: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    """The options as they were given; raises InvalidInput where one is not among the known."""
    said = {} if options in (None, "") else options
    unknown = [str(key) for key in said if key not in known] if isinstance(said, Mapping) else [type(said).__name__]
    if unknown:
        raise InvalidInput(
            f"The options must be an object with keys among {', '.join(known)}: got {', '.join(unknown)[:200]}."
        )
    return said


def _read_role(key: str, value: Any) -> Any:
    """The value as `Roles` takes it: a tuple of names, a switch, or one name."""
    if key in LISTS:
        fits = isinstance(value, list) and len(value) <= MAX_NAMES and all(isinstance(name, str) for name in value)
        wanted = f"a list of at most {MAX_NAMES:,} names"
        if key == "masks":
            fits = fits and len(value) == 2
            wanted = "a list of two names"
    elif key in ("higher_is_better", "as_is"):
        fits = isinstance(value, bool)
        wanted = "true or false"
    else:
        fits = isinstance(value, str)
        wanted = "one name"
    if not fits:
        raise InvalidInput(f"The option {key!r} must be {wanted}: got {str(value)[:80]!r}. Correct it.")
    return tuple(value) if key in LISTS else value


def clusters(run: str) -> dict[str, Any]:
    """The finished run as in diagnosis.json: predictability, classes, clusters in rank order, insights, settings."""
    from core.reports.tables.diagnosis import to_document  # pandas

    return to_document(RUNS.get(str(run)))


def select(run: str, polygon: list[list[float]]) -> dict[str, Any]:
    """The samples inside an outline on the map, [[x, y], ...]: count, ids, mean loss inside and outside, exploratory
    conditions."""
    diagnosis = RUNS.get(str(run))
    session = Session(run, polygon=read_polygon(polygon))
    rows = selected_rows(session, diagnosis)
    loss = diagnosis.outcomes.loss
    inside = np.zeros(len(diagnosis.samples), bool)
    inside[rows] = True
    found = describe_selection(session, diagnosis, rows).insights
    from core.records.codec import to_json

    said = {
        "count": len(rows),
        "ids": [diagnosis.samples.ids[int(i)] for i in rows],
        "mean_loss": float(loss[inside].mean()) if inside.any() else None,
        "mean_loss_outside": float(loss[~inside].mean()) if not inside.all() else None,
        "exploratory": True,
        "conditions": [{"text": i.text, "size": i.size, "effect": i.effect.to_dict()} for i in found],
    }
    return to_json(said)


def ask(run: str, texts: list[str], top: int | None = None) -> dict[str, Any]:
    """What the loss is where the run's images look like each of one to eight texts; the difference too where there are
    two. `top` samples of each are shown, or as many as are expected to show it.

    Each `p_alone` holds if it was the only question, each `p` for the different questions of this call.
    """
    from core.records.codec import to_json
    from core.reports.tables.answers import answer_document, difference_document  # pandas

    diagnosis = RUNS.get(str(run))
    answers, gap = answer_texts(diagnosis, _read_texts(texts), top=top)
    ids = diagnosis.samples.ids
    said = [answer_document(diagnosis, a) | {"ids": [ids[row] for row in a.rows.tolist()]} for a in answers]
    return to_json({"answers": said, "difference": None if gap is None else difference_document(diagnosis, gap)})


def _read_texts(said: Any) -> list[str]:
    if not isinstance(said, list) or not 1 <= len(said) <= MAX_TEXTS or not all(isinstance(t, str) for t in said):
        raise InvalidInput(
            f"texts must be a list of 1 to {MAX_TEXTS} questions: got {str(said)[:80]!r}. Ask in several calls."
        )
    return said


def audit(run: str, family: str) -> list[dict[str, Any]]:
    """Observed excess loss of every phrase of one family ("" for those that stand out or show the most) in every class,
    and what the ensemble reads in the words alone."""
    from core.records.codec import to_json
    from core.reports.tables.diagnosis import audit_frame

    return to_json(audit_frame(cells_of(RUNS.get(str(run)), str(family or EVERY))).to_dict("records"))


def predict(run: str, table: str | None, images: str | None = None, embeddings: str | None = None) -> dict[str, Any]:
    """Try the run's frozen findings on fresh samples, uploaded as for `diagnose`: what each predicted beside what was
    observed."""
    from core.reports.tables.diagnosis import prediction_document

    diagnosis = RUNS.get(str(run))
    session = Session(str(run))
    made = JOBS.run(lambda progress: make_prediction(session, table, images, embeddings, progress))
    found = prediction_document(replace(diagnosis, prediction=made))
    assert found is not None
    return found


def report(run: str) -> str:
    """The run's report: one self-contained HTML document."""
    from core.reports.html.diagnosis import render_report  # the template engine

    return render_report(RUNS.get(str(run)))


def tells_errors(callback: Callable[..., Any]) -> Callable[..., Any]:
    """`shows_errors` for what programs call, who see no box of the page: the message names none."""
    return shows_errors(callback, to_program)


def build() -> None:
    """Add the endpoints to the open Blocks. Uploads pass through real file components, which check that a path is an
    upload of the caller's."""
    files = [gr.File(visible=False, type="filepath", label=name) for name in ("table", "images", "embeddings")]
    options = json_object("options", {})
    run = gr.Textbox(visible=False, label="run")
    gr.Button(visible=False).click(tells_errors(diagnose), [*files, options], run, api_name="diagnose", **HEAVY)
    api(tells_errors(clusters), api_name="clusters", queue=False)
    api(tells_errors(select), api_name="select", **LIGHT)
    api(tells_errors(report), api_name="report", **LIGHT)
    api(tells_errors(ask), api_name="ask", **LIGHT)
    api(tells_errors(audit), api_name="audit", **LIGHT)
    fresh = [gr.File(visible=False, type="filepath", label=name) for name in ("table", "images", "embeddings")]
    asked = gr.Textbox(visible=False, label="run")
    said = json_object("prediction")
    gr.Button(visible=False).click(tells_errors(predict), [asked, *fresh], said, api_name="predict", **HEAVY)
    add_endpoints()
