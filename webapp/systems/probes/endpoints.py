"""Endpoints for programs: run a probe, and compare two models of a run."""

from __future__ import annotations

from typing import Any

import gradio as gr

from core.systems.probes.records import results_of
from webapp.api import tells_errors
from webapp.markup.components import json_object
from webapp.state.jobs import HEAVY, JOBS, LIGHT
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.systems.probes.state import MODEL, ProbeState, keep_results, run_one, with_probes


def probe(
    state: ProbeState, run: str, name: str, settings: Any, pool: str | None = None
) -> tuple[ProbeState, dict[str, Any]]:
    """Run a zero-shot or few-shot probe on a run's samples; returns its result and its comparison with the run's model,
    as in diagnosis.json.

    Args:
        state: this client's earlier results, kept by the server between its calls.
        name: one of `core.systems.probes.PROBES`, such as "zero-shot".
        settings: the probe's settings by name, "seed" and "split" ("halves" or "column"), and for a pool "pool_folders"
            and "pool_names"; missing ones have their defaults.
        pool: zip or tar of unlabeled images for SuS-X's support set, or None.
    """
    from core.systems.probes.tables import probe_document

    run = str(run)
    RUNS.require_own(run)
    diagnosis = RUNS.get(run)
    earlier = state.by_run.get(run, results_of(diagnosis))
    if settings in (None, ""):
        settings = {}
    results, label = JOBS.run(
        lambda progress: run_one(diagnosis, str(name)[:60], settings, pool=pool, results=earlier, progress=progress)
    )
    result = next(r for r in results if r.name == label)
    return keep_results(state, run, results, label), probe_document(with_probes(run, results), result)


def compare(state: ProbeState, run: str, a: str, b: str) -> dict[str, Any]:
    """Compare two models of a run over all samples, by failure cluster and by class; each is "model" or the name of a
    probe's result.

    Args:
        state: this client's earlier results, kept by the server between its calls.
    """
    from core.checks.compare import compare as compare_models
    from core.reports.tables.comparison import comparison_document

    run = str(run)
    diagnosis = RUNS.get(run)
    if run in state.by_run:
        diagnosis = with_probes(run, state.by_run[run])
    return comparison_document(diagnosis, compare_models(diagnosis, str(a or MODEL), str(b) if b else None))


def build() -> None:
    """Add the endpoints to the open Blocks."""
    state = gr.State(ProbeState(), time_to_live=STATE_S)
    which = gr.Textbox(visible=False, label="run")
    name = gr.Textbox(visible=False, label="name")
    settings = json_object("settings", {})
    pool = gr.File(visible=False, type="filepath", label="pool")
    result = json_object("result")
    sides = [gr.Textbox(visible=False, label=side) for side in ("a", "b")]
    gr.Button(visible=False).click(
        tells_errors(probe), [state, which, name, settings, pool], [state, result], api_name="probe", **HEAVY
    )
    gr.Button(visible=False).click(tells_errors(compare), [state, which, *sides], result, api_name="compare", **LIGHT)
