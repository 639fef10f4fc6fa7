"""Two models on the same samples, as tables and JSON values: see docs/schema.md."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.checks.compare import comparisons
from core.records import UNDEFINED, Comparison, Diagnosis, FourWay
from core.records.codec import to_json
from core.reports.tables.values import estimate, fields, flat
from core.reports.wording.comparison import overall_sentences, scope_title, verdict_words


def comparisons_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """Every comparison of `comparisons`, one under the other."""
    tables = [comparison_table(diagnosis, comparison) for comparison in comparisons(diagnosis)]
    if not tables:
        return pd.DataFrame(columns=["a", "b", "kind", "scope", "n"])
    return pd.concat(tables, ignore_index=True)


def comparison_table(diagnosis: Diagnosis, comparison: Comparison) -> pd.DataFrame:
    """One row for all samples, each cluster and each class: the four counts, the difference, and the verdict."""
    scopes = (comparison.overall, *comparison.clusters, *comparison.classes)
    rows = [{"a": comparison.a, "b": comparison.b} | _flat(_scope(diagnosis, comparison, scope)) for scope in scopes]
    return pd.DataFrame(rows).astype({"cluster": "Int64"})


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    """As `flat`; estimates that are not there become three empty columns."""
    known = {name: entry[name] or UNDEFINED.to_dict() for name in ("shares", "excess_gap")}
    return flat(entry | known)


def comparison_document(diagnosis: Diagnosis, comparison: Comparison) -> dict[str, Any]:
    """Two models side by side as JSON values."""
    scopes = (comparison.overall, *comparison.clusters, *comparison.classes)
    return to_json(
        {
            "a": comparison.a,
            "b": comparison.b,
            "n": len(comparison.rows),
            "sentence": " ".join(overall_sentences(comparison, diagnosis)),
            "accuracy_a": estimate(comparison.accuracy_a),
            "accuracy_b": estimate(comparison.accuracy_b),
            "agreement": comparison.agreement,
            "scopes": [_scope(diagnosis, comparison, scope) for scope in scopes],
            "notes": comparison.notes,
        }
    )


def _scope(diagnosis: Diagnosis, comparison: Comparison, scope: FourWay) -> dict[str, Any]:
    return {
        "kind": scope.kind,
        "scope": scope.scope,
        "title": scope_title(diagnosis, scope),
        **fields(scope, "cluster n fixed broken both neither difference p shares shares_p excess_gap verdict"),
        "words": verdict_words(comparison, scope, diagnosis),
    }
