"""Public endpoints for programs: "diagnose" returns a run's id, which the others take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of, replace
from typing import Any

import gradio as gr
from gradio.events import api

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.statistics.counts import means_of_rows
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
"""Questions in one call."""
MAX_NAMES = 20_000
"""Column names in one option, the most that a table may have."""
LISTS = ("probabilities", "logits", "masks", "conditions", "class_names")


def diagnose(table: str | None, images: str | None = None, embeddings: str | None = None, options: Any = None) -> str:
    """Diagnose uploaded files; returns the run's id.

    Args:
        table: CSV, TSV, JSON Lines or Parquet.
        images: zip or tar of the images, or None.
        embeddings: npy, npz, safetensors or Parquet in the table's row order, or None.
        options: roles by their names in core.data.tables.roles.Roles ("loss", "label", "probabilities", "loss_kind",
            ...), "encoder", "alpha", "seed", "within" (a list of classes to search, besides all samples), and
            "hold_back" (a share of 0.05 to 0.5 held out to check the findings).
    """
    values = read_options(options)
    encoder = str(values.pop("encoder", "embedded"))
    if encoder not in {name for _, name in ENCODERS}:
        raise InvalidInput(f"The encoder must be one of {', '.join(name for _, name in ENCODERS)}: got {encoder!r}.")
    settings = make_settings(
        values.pop("alpha", 0.05), values.pop("seed", 0), values.pop("within", ()), quick_map=False
    )
    share = values.pop("hold_back", 0.0)
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise InvalidInput(f"hold_back must be a number from 0 to 0.5: got {str(share)[:40]!r}. Fix it.")
    task = sources(table, images, embeddings, None, None)
    roles = Roles(**values)
    return JOBS.run(lambda progress: run_diagnosis(task, roles, encoder, settings, progress, hold_back=float(share)))


def read_options(options: Any) -> dict[str, Any]:
    """Return the options of `diagnose`, lists as tuples; raises InvalidInput for an unknown option or a wrong type."""
    values = known_options(options, (*(f.name for f in fields_of(Roles)), *OTHER_OPTIONS))
    read = dict[str, Any]()
    for key, value in values.items():
        if value is None:
            continue
        read[key] = value
        if key not in OTHER_OPTIONS:
            read[key] = _read_role(key, value)
    return read


def known_options(options: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the options unchanged; raises InvalidInput for one that is not known."""
    values = {}
    if options not in (None, ""):
        values = options
    if isinstance(values, Mapping):
        unknown = [str(key) for key in values if key not in known]
    else:
        unknown = [type(values).__name__]
    if unknown:
        raise InvalidInput(
            f"The options must be an object with keys from {', '.join(known)}: got {', '.join(unknown)[:200]}."
        )
    return values


def _read_role(key: str, value: Any) -> Any:
    """Return the value as `Roles` takes it: a tuple of names, a switch, or one name."""
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
        raise InvalidInput(f"The option {key!r} must be {wanted}: got {str(value)[:80]!r}. Fix it.")
    if key in LISTS:
        return tuple(value)
    return value


def clusters(run: str) -> dict[str, Any]:
    """Return a run as in diagnosis.json: predictability, classes, clusters in rank order, insights, settings."""
    from core.reports.tables.diagnosis import to_document  # pandas

    return to_document(RUNS.get(str(run)))


def select(run: str, polygon: list[list[float]]) -> dict[str, Any]:
    """Describe the samples inside an outline on the map, [[x, y], ...]: count, ids, mean loss inside and outside, and
    conditions without a p-value."""
    diagnosis = RUNS.get(str(run))
    session = Session(run, polygon=read_polygon(polygon))
    rows = selected_rows(session, diagnosis)
    mean, mean_others = means_of_rows(diagnosis.outcomes.loss, rows)
    conditions = describe_selection(session, diagnosis, rows).insights
    from core.records.codec import to_json

    document = {
        "count": len(rows),
        "ids": [diagnosis.samples.ids[int(i)] for i in rows],
        "mean_loss": mean,
        "mean_loss_outside": mean_others,
        "exploratory": True,
        "conditions": [{"text": i.text, "size": i.size, "effect": i.effect.to_dict()} for i in conditions],
    }
    return to_json(document)


def ask(run: str, texts: list[str], top: int | None = None) -> dict[str, Any]:
    """Test whether errors rise on samples that match each of one to eight texts; two texts are also compared. `top`
    sets the samples shown for each, by default the number expected to show the text.

    `p_alone` is for a single question; `p` is adjusted for the different questions of this call.
    """
    from core.records.codec import to_json
    from core.reports.tables.answers import answer_document, difference_document  # pandas

    diagnosis = RUNS.get(str(run))
    answers, gap = answer_texts(diagnosis, _read_texts(texts), top=top)
    documents = list[dict[str, Any]]()
    for answer in answers:
        ids = [diagnosis.samples.ids[row] for row in answer.rows.tolist()]
        documents.append(answer_document(diagnosis, answer) | {"ids": ids})
    difference = None
    if gap is not None:
        difference = difference_document(diagnosis, gap)
    return to_json({"answers": documents, "difference": difference})


def _read_texts(texts: Any) -> list[str]:
    if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_TEXTS or not all(isinstance(t, str) for t in texts):
        raise InvalidInput(
            f"texts must be a list of 1 to {MAX_TEXTS} questions: got {str(texts)[:80]!r}. Use several calls."
        )
    return texts


def audit(run: str, family: str) -> list[dict[str, Any]]:
    """Return the observed excess loss of each phrase of one family ("" for the most notable phrases) in each class, and
    the ensemble's prediction from the words alone."""
    from core.records.codec import to_json
    from core.reports.tables.diagnosis import audit_frame

    return to_json(audit_frame(cells_of(RUNS.get(str(run)), str(family or EVERY))).to_dict("records"))


def predict(run: str, table: str | None, images: str | None = None, embeddings: str | None = None) -> dict[str, Any]:
    """Check the frozen findings on new samples, uploaded as for `diagnose`: predicted and observed values."""
    from core.reports.tables.diagnosis import prediction_document

    diagnosis = RUNS.get(str(run))
    session = Session(str(run))
    prediction = JOBS.run(lambda progress: make_prediction(session, table, images, embeddings, progress))
    document = prediction_document(replace(diagnosis, prediction=prediction))
    assert document is not None
    return document


def report(run: str) -> str:
    """Return the run's report, one self-contained HTML document."""
    from core.reports.html.diagnosis import render_report  # the template engine

    return render_report(RUNS.get(str(run)))


def tells_errors(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a callback as `shows_errors` does, with messages that name arguments instead of the page's controls."""
    return shows_errors(callback, to_program)


def build() -> None:
    """Add the endpoints to the open Blocks. Uploads pass through real file components, which check that a path is the
    caller's upload."""
    files = [gr.File(visible=False, type="filepath", label=name) for name in ("table", "images", "embeddings")]
    options = json_object("options", {})
    run = gr.Textbox(visible=False, label="run")
    gr.Button(visible=False).click(tells_errors(diagnose), [*files, options], run, api_name="diagnose", **HEAVY)
    api(tells_errors(clusters), api_name="clusters", queue=False)
    api(tells_errors(select), api_name="select", **LIGHT)
    api(tells_errors(report), api_name="report", **LIGHT)
    api(tells_errors(ask), api_name="ask", **LIGHT)
    api(tells_errors(audit), api_name="audit", **LIGHT)
    new_files = [gr.File(visible=False, type="filepath", label=name) for name in ("table", "images", "embeddings")]
    asked = gr.Textbox(visible=False, label="run")
    result = json_object("prediction")
    gr.Button(visible=False).click(tells_errors(predict), [asked, *new_files], result, api_name="predict", **HEAVY)
    add_endpoints()
