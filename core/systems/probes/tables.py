"""Probes and comparisons as tables and JSON values: the schema of docs/schema.md. Nothing here computes a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.checks.compare import comparison_with
from core.records import Diagnosis
from core.records.codec import to_json
from core.reports.tables.comparison import comparison_document
from core.reports.tables.values import estimate, fields, reasons, strings
from core.systems.probes.measures import by_class, groups_of
from core.systems.probes.records import ProbeResult, results_of
from core.systems.probes.shot_curves import ShotCurves, shot_curves
from core.systems.probes.wording import accuracy_sentence, curve_sentence


def probes_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row for each sample and probe: id, probe, label, prediction, loss, p_true, correct. Of a model that was
    brought, what is not known of it is empty."""
    parts = [_rows(diagnosis, result) for result in results_of(diagnosis)]
    columns = ["id", "probe", "label", "prediction", "loss", "p_true", "correct"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in columns})


def _rows(diagnosis: Diagnosis, result: ProbeResult) -> pd.DataFrame:
    outcomes = result.outcomes
    names = result.class_names
    m = len(result.rows)
    correct = outcomes.errors
    said = np.full(m, -1) if outcomes.predictions is None else outcomes.predictions
    p_true = np.full(m, np.nan)
    if outcomes.scores is not None and (result.labels >= 0).all():
        p_true = outcomes.scores[np.arange(m), result.labels]
    return pd.DataFrame(
        {
            "id": strings([diagnosis.samples.ids[i] for i in result.rows.tolist()]),
            "probe": strings([result.name] * len(result.rows)),
            "label": strings([names[c] if c >= 0 else "" for c in result.labels.tolist()]),
            "prediction": strings([names[c] if c >= 0 else "" for c in said.tolist()]),
            "loss": outcomes.loss,
            "p_true": p_true,
            "correct": np.full(m, None) if correct is None else ~correct,
        }
    )


def probes_document(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The key `probes` of diagnosis.json."""
    return [probe_document(diagnosis, result) for result in results_of(diagnosis)]


def probe_document(diagnosis: Diagnosis, result: ProbeResult) -> dict[str, Any]:
    """One probe as JSON values, with its comparison with the model under diagnosis."""
    said = result.outcomes.predictions
    compared = comparison_with(diagnosis, result.name)
    return to_json(
        {
            "name": result.name,
            "probe": result.probe,
            "sentence": accuracy_sentence(result),
            "settings": result.settings,
            "encoder": result.encoder,
            "n": len(result.rows),
            "accuracy": estimate(result.accuracy),
            "mean_loss": float(result.outcomes.loss.mean()),
            "calibration_error": estimate(result.calibration_error),
            "split": result.split,
            "modality": result.modality,
            "controls": [
                fields(c, "name accuracy gain p repeats")
                | {
                    "spread": c.spread if c.each else None,
                    "each": [{"name": name, "accuracy": value} for name, value in c.each],
                }
                for c in result.controls
            ],
            "choices": [{"name": c.name, "number": c.value, "how": c.how} for c in result.choices],
            "classes": [
                fields(c, "name n recall n_said precision")
                for c in (
                    ()
                    if said is None
                    else by_class(result.labels, said, result.class_names, groups_of(diagnosis, result))
                )
            ],
            "support": _support(result),
            "comparison": None if compared is None else comparison_document(diagnosis, compared),
            "details": result.details,
            "notes": result.notes,
            "excluded": reasons(result.excluded),
            "seconds": result.seconds,
        }
    )


def _support(result: ProbeResult) -> dict[str, Any] | None:
    support = result.support
    if support is None:
        return None
    return {"n": len(support.ids), **fields(support, "source purity true_purity")}


def shot_curves_document(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The key `shot_curves` of diagnosis.json."""
    return curves_document(shot_curves(diagnosis))


def curves_document(found: Sequence[ShotCurves]) -> list[dict[str, Any]]:
    """Curves as JSON values."""
    return to_json(
        [
            {
                **fields(rows, "n modality split"),
                "curves": [
                    {
                        **fields(curve, "name zero_shot"),
                        "sentence": curve_sentence(curve),
                        "points": [
                            fields(p, "result shots labelled accuracy gain gain_p step step_p") for p in curve.points
                        ],
                    }
                    for curve in rows.curves
                ],
            }
            for rows in found
        ]
    )
