"""Two models on the same samples, for report and page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.checks.compare import probe_of
from core.checks.paired_errors import MODEL
from core.numbers import p_value, percent
from core.records import I64, Bool, Comparison, Diagnosis, FourWay
from core.reports.wording.comparison import model_name, overall_sentences, scope_title, verdict_words

EXAMPLES = 8
"""Images of what a probe fixes, and as many of what it fails on too."""
Entries = Callable[[I64], Sequence[Any]]
"""entries(rows): the samples as the report shows them (`core.reports.html.diagnosis.ReportSample`)."""


def comparison_section(diagnosis: Diagnosis, found: Comparison, entries: Entries) -> dict[str, Any]:
    """Two models side by side: sentences, the four-way tables by cluster and class, and images."""
    wrong_a, wrong_b = (_errors(diagnosis, name)[found.rows] for name in (found.a, found.b))
    return {
        "a": model_name(found.a, diagnosis),
        "b": model_name(found.b, diagnosis),
        "sentences": overall_sentences(found, diagnosis),
        "overall": _row(diagnosis, found, found.overall),
        "clusters": [_row(diagnosis, found, scope) for scope in found.clusters],
        "classes": [_row(diagnosis, found, scope) for scope in found.classes if scope.verdict != "open"],
        "fixed": _examples(diagnosis, found, wrong_a & ~wrong_b, entries),
        "both": _examples(diagnosis, found, wrong_a & wrong_b, entries),
        "bare": diagnosis.samples.items is None,
        "notes": found.notes,
    }


def _row(diagnosis: Diagnosis, found: Comparison, scope: FourWay) -> dict[str, Any]:
    counts = {name: f"{getattr(scope, name):,}" for name in ("n", "fixed", "broken", "both", "neither")}
    a = scope.fixed + scope.both
    b = scope.broken + scope.both
    return {
        "title": scope_title(diagnosis, scope),
        **counts,
        "wrong_a": percent(a / scope.n) if scope.n else "–",
        "wrong_b": percent(b / scope.n) if scope.n else "–",
        "p": p_value(scope.p),
        "words": verdict_words(found, scope, diagnosis),
        "open": scope.verdict == "open",
    }


def _errors(diagnosis: Diagnosis, name: str) -> Bool:
    """(n,) a model's errors on all samples; False where a probe did not score."""
    if name == MODEL:
        assert diagnosis.outcomes.errors is not None
        return diagnosis.outcomes.errors
    result = probe_of(diagnosis, name)
    errors = np.zeros(len(diagnosis.samples), bool)
    assert result.outcomes.errors is not None
    errors[result.rows] = result.outcomes.errors
    return errors


def _examples(diagnosis: Diagnosis, found: Comparison, chosen: Bool, entries: Entries) -> list[dict[str, Any]]:
    """Up to `EXAMPLES` images with what both models say, those of failure clusters first and then by the loss under
    diagnosis, so that what was found is seen again."""
    rows = found.rows[chosen]
    inside = diagnosis.cluster_of()[0][rows] >= 0
    order = np.lexsort((rows, -diagnosis.outcomes.loss[rows], ~inside))
    picked = rows[order][:EXAMPLES]
    return [
        {"entry": entry, "said": [_said(diagnosis, name, row) for name in (found.a, found.b)]}
        for row, entry in zip(picked.tolist(), entries(picked))
    ]


def _said(diagnosis: Diagnosis, name: str, row: int) -> tuple[str, str, bool]:
    """(model, what it takes a sample for or "" where only its errors are known, whether that is wrong)."""
    errors = _errors(diagnosis, name)
    if name == MODEL:
        predictions = diagnosis.outcomes.predictions
        names = diagnosis.samples.class_names
        at = row
    else:
        result = probe_of(diagnosis, name)
        predictions = result.outcomes.predictions
        names = result.class_names
        at = int(np.searchsorted(result.rows, row))
    said = ""
    if predictions is not None:
        place = int(predictions[at])
        said = names[place] if 0 <= place < len(names) else str(place)
    return model_name(name, diagnosis), said, bool(errors[row])
