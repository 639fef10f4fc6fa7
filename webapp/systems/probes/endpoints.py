"""The addresses for programs that run a probe and set two models of a run side by side."""

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
    """Run a zero-shot or few-shot probe on a run's samples: its result, with the comparison with the run's own model,
    as in diagnosis.json.

    Args:
        state: what this client ran before, kept by the server between its calls.
        name: one of `core.systems.probes.PROBES`, such as "zero-shot".
        settings: the probe's own by name, "seed" and "split" ("halves" or "column"), and of a pool "pool_folders" and
            "pool_names"; what is left out stays at its default.
        pool: zip or tar of unlabeled images that SuS-X draws its support from, or None.
    """
    from core.systems.probes.tables import probe_document

    run = str(run)
    RUNS.require_own(run)
    diagnosis = RUNS.get(run)
    before = state.kept.get(run, results_of(diagnosis))
    given = {} if settings in (None, "") else settings
    results, label = JOBS.run(
        lambda progress: run_one(diagnosis, str(name)[:60], given, pool=pool, results=before, progress=progress)
    )
    made = keep_results(state, run, results, label)
    return made, probe_document(with_probes(run, results), next(r for r in results if r.name == label))


def compare(state: ProbeState, run: str, a: str, b: str) -> dict[str, Any]:
    """Two models of a run side by side, over all samples, by failure cluster and by class: each is "model" or the name
    of a probe's result.

    Args:
        state: what this client ran before, kept by the server between its calls.
    """
    from core.checks.compare import compare as set_beside
    from core.reports.tables.comparison import comparison_document

    run = str(run)
    diagnosis = with_probes(run, state.kept[run]) if run in state.kept else RUNS.get(run)
    return comparison_document(diagnosis, set_beside(diagnosis, str(a or MODEL), str(b) if b else None))


def build() -> None:
    """Add them to the open Blocks."""
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
