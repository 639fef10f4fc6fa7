"""Public endpoints for programs, and tools for assistants: "diagnose" returns a run's id, which the others take.

A docstring is what a program or an assistant reads before it calls. Addresses of images and of the page are relative to
the page's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of, replace
from typing import Any

import gradio as gr
import numpy as np
from gradio.events import api
from pydantic import TypeAdapter, ValidationError

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.records import I64, Diagnosis, FailureCluster
from core.results import Finding
from core.run import Run
from core.statistics.counts import means_of_rows
from webapp.ask.audit import EVERY, cells_of
from webapp.ask.tab import answer_texts
from webapp.compare.work import make_prediction
from webapp.data.run import make_settings, run_diagnosis
from webapp.explore.picked import describe_selection
from webapp.failure_map import read_polygon
from webapp.markup.components import json_object
from webapp.markup.html import sample_facts, shown
from webapp.panels import add_endpoints
from webapp.state.boxes import to_program
from webapp.state.choices import ENCODERS, sources
from webapp.state.jobs import HEAVY, JOBS, LIGHT
from webapp.state.runs import RUNS
from webapp.state.session import Session, selected_rows, shows_errors

N_WORST = 3
"""Samples shown beside a finding."""
MAX_SAMPLES = 24
"""Samples in one answer."""
N_MATCHES = 6
"""Samples shown of an answered question."""
OTHER_OPTIONS = ("encoder", "alpha", "seed", "within", "hold_back", "title")
MAX_TEXTS = 8
"""Questions in one call."""
READ = set[str]()
"""Link ids of runs whose results a program has read since the server began. Words that it proposes afterward were
chosen after seeing the results."""


def read_run(run: str) -> Diagnosis:
    """Return a run whose results the caller is told."""
    diagnosis = RUNS.get(str(run))
    READ.add(RUNS.link(str(run)))
    return diagnosis


def runs() -> dict[str, Any]:
    """List the runs that you can read: the user's own, the latest first, then those that this server offers to
    everybody. Each has the id `run`, which the other tools take. For new data call `diagnose`."""
    RUNS.adopt([])
    own = [
        {"run": run, "title": note.title, "n": note.n_samples, "kind": note.kind, "groups": note.n_clusters}
        for run, note in reversed(RUNS.own_notes())
    ]
    shared = list[dict[str, Any]]()
    for run in RUNS.offered:
        try:
            diagnosis = RUNS.get(run)
        except InvalidInput as error:
            shared.append({"run": run, "problem": str(error)})
            continue
        samples = diagnosis.samples
        entry = {"run": run, "title": samples.name, "n": len(samples), "kind": samples.modality}
        shared.append(entry | {"groups": len(diagnosis.clusters)})
    return {"runs": [*own, *shared]}


def diagnose(table: str | None, images: str | None = None, embeddings: str | None = None, options: Any = None) -> str:
    """Find where a model fails, from a table of its results; answers with the id of the new run. It takes minutes for
    a thousand images. Then read `findings`.

    Args:
        table: one row per sample, with the image's file name in a column such as file, and a column loss, or label with
            prediction, or label with probabilities. Every other column may explain errors. CSV, TSV, JSON Lines or
            Parquet; use held-out samples, at least some hundred.
        images: a zip or tar of the images that the table names. Leave it out for texts (a column text), or if you
            give embeddings.
        embeddings: npy, npz, safetensors or Parquet, a vector per row in the table's order.
        options: an object that names columns by role where their names are unusual, such as {"loss": "nll", "label":
            "y", "prediction": "y_hat", "probabilities": ["p_cat", "p_dog"], "group": "patient"}; further "encoder",
            "alpha" (0.05), "seed" (0), "within" (a list of classes to search, besides all samples), "hold_back" (a
            share of 0.05 to 0.5 held out to check the findings), and "title" (of the run, for the list of runs).
    """
    roles, values = read_options(options)
    encoder = str(values.pop("encoder", "embedded"))
    if encoder not in {name for _, name in ENCODERS}:
        raise InvalidInput(f"The encoder must be one of {', '.join(name for _, name in ENCODERS)}: got {encoder!r}.")
    settings = make_settings(
        values.pop("alpha", 0.05), values.pop("seed", 0), values.pop("within", ()), quick_map=False
    )
    share = values.pop("hold_back", 0.0)
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise InvalidInput(f"hold_back must be a number from 0 to 0.5: got {str(share)[:40]!r}. Fix it.")
    title = str(values.pop("title", ""))
    task = sources(table, images, embeddings, None, None)
    run = JOBS.run(lambda progress: run_diagnosis(task, roles, encoder, settings, progress, hold_back=float(share)))
    RUNS.entitle(run, title)
    return run


def read_options(options: Any) -> tuple[Roles, dict[str, Any]]:
    """Return the roles and the other options of `diagnose`; raises InvalidInput for an unknown one or a wrong type."""
    values = known_options(options, (*(f.name for f in fields_of(Roles)), *OTHER_OPTIONS))
    given = {key: value for key, value in values.items() if value is not None}
    others = {key: given.pop(key) for key in OTHER_OPTIONS if key in given}
    try:
        return TypeAdapter(Roles).validate_json(json.dumps(given), strict=True), others
    except ValidationError as error:
        wrong = error.errors()[0]
        if not wrong["loc"]:  # half a character, which no JSON holds
            raise InvalidInput(f"The options must be JSON: {wrong['msg']}. Fix them.") from None
        key = str(wrong["loc"][0])
        raise InvalidInput(
            f"The option {key!r} must be of its kind ({wrong['msg']}): got {str(given[key])[:80]!r}. Fix it."
        ) from None


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


def clusters(run: str) -> dict[str, Any]:
    """Return a run as in diagnosis.json: predictability, classes, clusters in rank order, insights, settings."""
    from core.reports.tables.diagnosis import to_document  # pandas

    return to_document(read_run(run))


def findings(run: str) -> dict[str, Any]:
    """Read what a run found: its verdict, and each finding with its number, a sentence with its figures, p, and its
    samples with the highest loss. A confirmed finding is beyond chance; a hint says how likely it is to be noise.
    Nothing confirmed is a result too. Read on with `samples`, or check a suspicion with `ask`.

    Args:
        run: the id of a run, from `runs` or `diagnose`.
    """
    from core.records.codec import to_json
    from core.reports.wording.verdict import verdict

    diagnosis = read_run(run)
    told = list[dict[str, Any]]()
    for finding in _numbered(diagnosis):
        worst = [shown(diagnosis, row) for row in _worst_first(diagnosis, finding.rows)[:N_WORST].tolist()]
        entry = {"number": len(told) + 1, "kind": finding.kind, "title": finding.title, "sentence": finding.text}
        entry |= {"confirmed": finding.record.confirmed, "size": finding.record.size, "p": finding.record.p}
        told.append(entry | {"worst": [image or text for image, text in worst if image or text]})
    document = {
        "n": len(diagnosis.samples),
        "verdict": verdict(diagnosis),
        "findings": told,
        "notes": list(diagnosis.notes),
        "page": f"?run={RUNS.link(str(run))}",
    }
    return to_json(document)


def samples(run: str, finding: int = 1, similar: bool = False, first: int = 1, n: int = N_MATCHES) -> dict[str, Any]:
    """Read the samples of a finding, the highest loss first: id, image or text, label, prediction, loss, and columns of
    the table.

    Args:
        run: the id of a run.
        finding: the finding's number in `findings`; 0 for all samples of the run.
        similar: true for the most similar samples that the model gets right, which only groups and hints have.
        first: the place in the list to begin at, from 1.
        n: how many, 1 to 24.
    """
    diagnosis = read_run(run)
    numbered = _numbered(diagnosis)
    require_whole("finding", finding, 0, len(numbered))
    require_whole("n", n, 1, MAX_SAMPLES)
    require_whole("first", first, 1, len(diagnosis.samples))
    rows = np.arange(len(diagnosis.samples))
    cluster = None
    if finding:
        rows = numbered[finding - 1].rows
        cluster = numbered[finding - 1].record
    rows = _worst_first(diagnosis, rows)
    if similar:
        if not isinstance(cluster, FailureCluster):
            raise InvalidInput(f"Only groups and hints have similar samples: finding {finding} is neither. Use false.")
        rows = cluster.counterexamples
    shown_rows = rows[first - 1 : first - 1 + n].tolist()
    return {"total": len(rows), "first": first, "samples": [_sample(diagnosis, row) for row in shown_rows]}


def _numbered(diagnosis: Diagnosis) -> list[Finding]:
    """Return the findings, then the hints, as `findings` numbers them."""
    run = Run.of(diagnosis)
    return [*run.findings, *run.hints]


def _worst_first(diagnosis: Diagnosis, rows: I64) -> I64:
    return rows[np.argsort(-diagnosis.outcomes.loss[rows], kind="stable")]


def _sample(diagnosis: Diagnosis, row: int) -> dict[str, Any]:
    """Return a sample with an image's address relative to the page, or a text, and plain lines."""
    image, text = shown(diagnosis, row)
    seen = {"image": image, "text": text}
    known = {key: value for key, value in seen.items() if value}
    return {"id": diagnosis.samples.ids[row], **known, "facts": sample_facts(diagnosis, row)}


def require_whole(name: str, value: Any, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(f"{name} must be a whole number from {least} to {most:,}: got {str(value)[:20]!r}. Fix it.")


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
    """Test a suspicion: whether errors rise on samples that match a text, such as "a dog in snow". Read `sentence`
    first. `p` is adjusted for the questions of this call, `p_alone` is not. Two texts are also compared.

    Args:
        run: the id of a run.
        texts: a list of one to eight texts, as one would caption such samples.
        top: how many of the best matches count for each; by default the number expected to show the text.
    """
    from core.records.codec import to_json
    from core.reports.tables.answers import answer_document, difference_document  # pandas

    diagnosis = read_run(run)
    answers, gap = answer_texts(diagnosis, _read_texts(texts), top=top)
    documents = list[dict[str, Any]]()
    for answer in answers:
        ids = [diagnosis.samples.ids[row] for row in answer.rows.tolist()]
        matches = [_sample(diagnosis, row) for row in answer.rows[:N_MATCHES].tolist()]
        documents.append(answer_document(diagnosis, answer) | {"ids": ids, "samples": matches})
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
    """List by how much the loss is higher on samples that match each of Errata's phrases, in each class, and what the
    loss model predicts from the words alone. It tests nothing; check a phrase with `ask`.

    Args:
        run: the id of a run.
        family: a family of phrases, such as "light" or "weather"; "" for the most notable phrases.
    """
    from core.records.codec import to_json
    from core.reports.tables.diagnosis import audit_frame

    return to_json(audit_frame(cells_of(read_run(run), str(family or EVERY))).to_dict("records"))


def predict(run: str, table: str | None, images: str | None = None, embeddings: str | None = None) -> dict[str, Any]:
    """Check a run's findings on new samples of the same kind: the error rate that each finding predicted beside the one
    observed, and whether it holds.

    Args:
        run: the id of a run.
        table: the new samples, with the columns of the run's table.
        images: a zip or tar of their images, if the run had images.
        embeddings: their vectors, if the run was made from embeddings.
    """
    from core.reports.tables.diagnosis import prediction_document

    diagnosis = read_run(run)
    session = Session(str(run))
    prediction = JOBS.run(lambda progress: make_prediction(session, table, images, embeddings, progress))
    document = prediction_document(replace(diagnosis, prediction=prediction))
    assert document is not None
    return document


def report(run: str) -> str:
    """Return the run's report, one self-contained HTML document."""
    from core.reports.html.diagnosis import render_report  # the template engine

    return render_report(read_run(run))


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
    api(tells_errors(runs), api_name="runs", **LIGHT)
    api(tells_errors(findings), api_name="findings", **LIGHT)
    api(tells_errors(samples), api_name="samples", **LIGHT)
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
