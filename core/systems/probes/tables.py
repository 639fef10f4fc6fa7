"""Probes and comparisons as tables and JSON values, by the schema of docs/schema.md. Computes no statistics."""

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
from core.systems.probes.records import Control, ProbeResult, results_of
from core.systems.probes.shot_curves import ShotCurves, shot_curves
from core.systems.probes.wording import accuracy_sentence, curve_sentence


def probes_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row for each sample and probe: id, probe, label, prediction, loss, p_true, correct. A second model from a
    table leaves empty what it does not know."""
    parts = [_rows(diagnosis, result) for result in results_of(diagnosis)]
    if not parts:
        columns = ["id", "probe", "label", "prediction", "loss", "p_true", "correct"]
        return pd.DataFrame({name: [] for name in columns})
    return pd.concat(parts, ignore_index=True)


def _rows(diagnosis: Diagnosis, result: ProbeResult) -> pd.DataFrame:
    outcomes = result.outcomes
    m = len(result.rows)
    correct = np.full(m, None)
    if outcomes.errors is not None:
        correct = ~outcomes.errors
    predictions = outcomes.predictions
    if predictions is None:
        predictions = np.full(m, -1)
    names = np.array([*result.class_names, ""], object)  # index -1 is the empty name
    p_true = np.full(m, np.nan)
    if outcomes.scores is not None and (result.labels >= 0).all():
        p_true = outcomes.scores[np.arange(m), result.labels]
    return pd.DataFrame(
        {
            "id": strings([diagnosis.samples.ids[i] for i in result.rows.tolist()]),
            "probe": strings([result.name] * len(result.rows)),
            "label": strings(names[result.labels].tolist()),
            "prediction": strings(names[predictions].tolist()),
            "loss": outcomes.loss,
            "p_true": p_true,
            "correct": correct,
        }
    )


def probes_document(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The key `probes` of diagnosis.json."""
    return [probe_document(diagnosis, result) for result in results_of(diagnosis)]


def probe_document(diagnosis: Diagnosis, result: ProbeResult) -> dict[str, Any]:
    """One probe as JSON values, with its comparison with the model under diagnosis."""
    comparison = comparison_with(diagnosis, result.name)
    compared = None
    if comparison is not None:
        compared = comparison_document(diagnosis, comparison)
    predictions = result.outcomes.predictions
    classes: list[dict[str, Any]] = []
    if predictions is not None:
        for c in by_class(result.labels, predictions, result.class_names, groups_of(diagnosis, result)):
            classes.append(fields(c, "name n recall n_said precision"))
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
            "controls": [_control(c) for c in result.controls],
            "choices": [{"name": c.name, "number": c.value, "how": c.how} for c in result.choices],
            "classes": classes,
            "support": _support(result),
            "comparison": compared,
            "details": result.details,
            "notes": result.notes,
            "excluded": reasons(result.excluded),
            "seconds": result.seconds,
        }
    )


def _control(control: Control) -> dict[str, Any]:
    each = [{"name": name, "accuracy": value} for name, value in control.each]
    spread = control.spread if control.each else None
    return {**fields(control, "name accuracy gain p repeats"), "spread": spread, "each": each}


def _support(result: ProbeResult) -> dict[str, Any] | None:
    support = result.support
    if support is None:
        return None
    return {"n": len(support.ids), **fields(support, "source purity true_purity")}


def shot_curves_document(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The key `shot_curves` of diagnosis.json."""
    return curves_document(shot_curves(diagnosis))


def curves_document(curves: Sequence[ShotCurves]) -> list[dict[str, Any]]:
    """Curves as JSON values."""
    documents: list[dict[str, Any]] = []
    for rows in curves:
        drawn: list[dict[str, Any]] = []
        for curve in rows.curves:
            points = [fields(p, "result shots labelled accuracy gain gain_p step step_p") for p in curve.points]
            drawn.append({**fields(curve, "name zero_shot"), "sentence": curve_sentence(curve), "points": points})
        documents.append({**fields(rows, "n modality split"), "curves": drawn})
    return to_json(documents)
