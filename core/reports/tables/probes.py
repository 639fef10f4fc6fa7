"""Probes and comparisons as tables and JSON values: the schema of docs/schema.md. Nothing here computes a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.checks.compare import comparison_with, comparisons
from core.probes.measures import by_class, groups_of
from core.records import Comparison, Diagnosis, FourWay, ProbeResult
from core.records.codec import to_json
from core.reports.tables.values import estimate, fields, flat, reasons, strings
from core.reports.wording.probes import accuracy_sentence, curve_sentence, overall_sentences, scope_title, verdict_words
from core.statistics.intervals import UNDEFINED

if TYPE_CHECKING:
    from core.probes.ladder.reproduce import LadderRow
    from core.probes.shot_curves import ShotCurves


def probes_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row for each sample and probe: id, probe, label, prediction, loss, p_true, correct."""
    parts = [_rows(diagnosis, result) for result in diagnosis.probes]
    columns = ["id", "probe", "label", "prediction", "loss", "p_true", "correct"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in columns})


def _rows(diagnosis: Diagnosis, result: ProbeResult) -> pd.DataFrame:
    outcomes, names = result.outcomes, result.class_names
    assert outcomes.predictions is not None
    assert outcomes.scores is not None
    return pd.DataFrame(
        {
            "id": strings([diagnosis.samples.ids[i] for i in result.rows.tolist()]),
            "probe": strings([result.name] * len(result.rows)),
            "label": strings([names[c] for c in result.labels.tolist()]),
            "prediction": strings([names[c] for c in outcomes.predictions.tolist()]),
            "loss": outcomes.loss,
            "p_true": outcomes.scores[np.arange(len(result.rows)), result.labels],
            "correct": outcomes.predictions == result.labels,
        }
    )


def comparisons_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """Every comparison of `comparisons`, one under the other."""
    found = [comparison_table(diagnosis, c) for c in comparisons(diagnosis)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["a", "b", "kind", "scope", "n"])


def comparison_table(diagnosis: Diagnosis, found: Comparison) -> pd.DataFrame:
    """One row for all samples, each cluster and each class: the four counts, the difference, and the verdict."""
    scopes = (found.overall, *found.clusters, *found.classes)
    rows = [{"a": found.a, "b": found.b} | _flat(_scope(diagnosis, found, scope)) for scope in scopes]
    return pd.DataFrame(rows).astype({"cluster": "Int64"})


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    """As `flat`; estimates that are not there become three empty columns."""
    known = {name: entry[name] or UNDEFINED.to_dict() for name in ("shares", "excess_gap")}
    return flat(entry | known)


def probes_document(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The key `probes` of diagnosis.json."""
    return [probe_document(diagnosis, result) for result in diagnosis.probes]


def probe_document(diagnosis: Diagnosis, result: ProbeResult) -> dict[str, Any]:
    """One probe as JSON values, with its comparison with the model under diagnosis."""
    assert result.outcomes.predictions is not None
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
                for c in by_class(
                    result.labels, result.outcomes.predictions, result.class_names, groups_of(diagnosis, result)
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


def shot_curves_document(found: Sequence[ShotCurves]) -> list[dict[str, Any]]:
    """The key `shot_curves` of diagnosis.json."""
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


def comparison_document(diagnosis: Diagnosis, found: Comparison) -> dict[str, Any]:
    """Two models side by side as JSON values."""
    return to_json(
        {
            "a": found.a,
            "b": found.b,
            "n": len(found.rows),
            "sentence": " ".join(overall_sentences(found, diagnosis)),
            "accuracy_a": estimate(found.accuracy_a),
            "accuracy_b": estimate(found.accuracy_b),
            "agreement": found.agreement,
            "scopes": [_scope(diagnosis, found, scope) for scope in (found.overall, *found.clusters, *found.classes)],
            "notes": found.notes,
        }
    )


def _scope(diagnosis: Diagnosis, found: Comparison, scope: FourWay) -> dict[str, Any]:
    return {
        "kind": scope.kind,
        "scope": scope.scope,
        "title": scope_title(diagnosis, scope),
        **fields(scope, "cluster n fixed broken both neither difference p shares shares_p excess_gap verdict"),
        "words": verdict_words(found, scope, diagnosis),
    }


def reproduction_table(rows: Sequence[LadderRow]) -> pd.DataFrame:
    """One row for each figure of a reproduction: step, shots, setting, metric, value, each seed's own, gains,
    published, how that came about, what is done otherwise here, seconds, note."""
    return pd.DataFrame([flat(_reproduced(row)) for row in rows]).astype({"shots": "Int64"})


def _reproduced(row: LadderRow) -> dict[str, Any]:
    return {
        **fields(row, "step shots setting metric"),
        "value": estimate(row.value or UNDEFINED),
        **{f"gain over {name}": estimate(gain) for name, gain in row.gains.items()},
        "each": " ".join(f"{value:.6g}" for value in row.each),
        "published": " | ".join(row.published),
        "protocol": row.protocol,
        "here": " | ".join(row.here),
        "seconds": row.seconds,
        "note": row.note,
    }


def reproduction_document(
    rows: Sequence[LadderRow], method: str, encoder: str, dataset: str, seeds: int
) -> dict[str, Any]:
    """The same as JSON values, with what was asked for."""
    return to_json(
        {
            "method": method,
            "encoder": encoder,
            "dataset": dataset,
            "seeds": seeds,
            "rows": [
                fields(row, "step shots setting metric value")
                | {"gains": {name: estimate(gain) for name, gain in row.gains.items()}}
                | fields(row, "each published protocol here seconds note")
                for row in rows
            ],
        }
    )
