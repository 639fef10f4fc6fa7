"""Endpoints for programs: run a probe, and compare two models of a run."""

from __future__ import annotations

from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.records import other_models
from core.systems.probes.records import results_of
from webapp.api import read_run, tells_errors
from webapp.markup.components import json_object
from webapp.state.jobs import HEAVY, JOBS, LIGHT
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.systems.probes.state import MODEL, ProbeState, keep_results, run_one, with_probes


def probe(
    state: ProbeState, run: str, name: str, settings: Any = None, pool: str | None = None
) -> tuple[ProbeState, dict[str, Any]]:
    """Let a zero-shot or few-shot classifier answer the run's samples: is it the images or the training set? Answers
    with its accuracy beside the model's, over all and in each group. Some take minutes.

    Args:
        state: this client's earlier results, kept by the server between its calls.
        run: the id of a run with labels.
        name: zero-shot (seconds), label-desc, tip-adapter, linear-probe, lp++, sus-x, coop, or cocoop.
        settings: an object of the probe's settings, such as {"shots": 4, "seed": 1}, further "split" ("halves" or
            "column"), and for a pool "pool_folders" and "pool_names"; missing ones have their defaults.
        pool: a zip or tar of unlabeled images, which sus-x alone can use.
    """
    from core.systems.probes.tables import probe_document

    run = str(run)
    RUNS.require_own(run)
    diagnosis = read_run(run)
    earlier = state.by_run.get(run, results_of(diagnosis))
    if settings in (None, ""):
        settings = {}
    results, label = JOBS.run(
        lambda progress: run_one(diagnosis, str(name)[:60], settings, pool=pool, results=earlier, progress=progress)
    )
    result = next(r for r in results if r.name == label)
    return keep_results(state, run, results, label), probe_document(with_probes(run, results), result)


def compare(state: ProbeState, run: str, a: str = "", b: str = "", table: str | None = None) -> dict[str, Any]:
    """Compare two models on a run's samples, over all, by group and by class: what one fixes and what it breaks.

    Args:
        state: this client's earlier results, kept by the server between its calls.
        run: the id of a run.
        a: "model" for the run's own model, or the name of a probe that `probe` ran; "" for the model.
        b: the other, by default the new model of `table`, or the only probe.
        table: a new model's answers, with the run's ids or file names, the label, and predictions or probabilities.
    """
    from core.checks.compare import compare as compare_models
    from core.checks.second_model import with_second
    from core.reports.tables.comparison import comparison_document

    run = str(run)
    diagnosis = read_run(run)
    if run in state.by_run:
        diagnosis = with_probes(run, state.by_run[run])
    if not (b or table or other_models(diagnosis)):
        raise InvalidInput(
            "No other model was run on these samples. Give a new model's answers in `table`, or call `probe`."
        )
    notes = ()
    if table:
        diagnosis, name, notes = with_second(diagnosis, table)
        b = b or name
    document = comparison_document(diagnosis, compare_models(diagnosis, str(a or MODEL), str(b) if b else None))
    return document | {"notes": [*document["notes"], *notes]}


def build() -> None:
    """Add the endpoints to the open Blocks."""
    state = gr.State(ProbeState(), time_to_live=STATE_S)
    which = gr.Textbox(visible=False, label="run")
    name = gr.Textbox(visible=False, label="name")
    settings = json_object("settings", {})
    pool = gr.File(visible=False, type="filepath", label="pool")
    result = json_object("result")
    sides = [gr.Textbox("", visible=False, label=side) for side in ("a", "b")]
    table = gr.File(visible=False, type="filepath", label="table")
    gr.Button(visible=False).click(
        tells_errors(probe), [state, which, name, settings, pool], [state, result], api_name="probe", **HEAVY
    )
    gr.Button(visible=False).click(
        tells_errors(compare), [state, which, *sides, table], result, api_name="compare", **LIGHT
    )
