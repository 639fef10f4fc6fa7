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
