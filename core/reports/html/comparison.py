"""Two models on the same samples, for report and page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
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


def comparison_section(diagnosis: Diagnosis, comparison: Comparison, entries: Entries) -> dict[str, Any]:
    """Two models side by side: sentences, the four-way tables by cluster and class, and images."""
    wrong_a, wrong_b = (_errors(diagnosis, name)[comparison.rows] for name in (comparison.a, comparison.b))
    return {
        "a": model_name(comparison.a, diagnosis),
        "b": model_name(comparison.b, diagnosis),
        "sentences": overall_sentences(comparison, diagnosis),
        "overall": _row(diagnosis, comparison, comparison.overall),
        "clusters": [_row(diagnosis, comparison, scope) for scope in comparison.clusters],
        "classes": [_row(diagnosis, comparison, scope) for scope in comparison.classes if scope.verdict != "open"],
        "fixed": _examples(diagnosis, comparison, wrong_a & ~wrong_b, entries),
        "both": _examples(diagnosis, comparison, wrong_a & wrong_b, entries),
        "bare": diagnosis.samples.items is None,
        "notes": comparison.notes,
    }


def _row(diagnosis: Diagnosis, comparison: Comparison, scope: FourWay) -> dict[str, Any]:
    counts = {name: f"{getattr(scope, name):,}" for name in ("n", "fixed", "broken", "both", "neither")}
    n = scope.n or nan  # of no samples a dash
    a = scope.fixed + scope.both
    b = scope.broken + scope.both
    return {
        "title": scope_title(diagnosis, scope),
        **counts,
        "wrong_a": percent(a / n),
        "wrong_b": percent(b / n),
        "p": p_value(scope.p),
        "words": verdict_words(comparison, scope, diagnosis),
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


def _examples(diagnosis: Diagnosis, comparison: Comparison, chosen: Bool, entries: Entries) -> list[dict[str, Any]]:
    """Up to `EXAMPLES` images with what both models say, those of failure clusters first and then by the loss under
    diagnosis, so that what was found is seen again."""
    rows = comparison.rows[chosen]
    inside = diagnosis.cluster_of()[0][rows] >= 0
    order = np.lexsort((rows, -diagnosis.outcomes.loss[rows], ~inside))
    picked = rows[order][:EXAMPLES]
    examples = list[dict[str, Any]]()
    for row, entry in zip(picked.tolist(), entries(picked)):
        answers = [_answer(diagnosis, name, row) for name in (comparison.a, comparison.b)]
        examples.append({"entry": entry, "answers": answers})
    return examples


def _answer(diagnosis: Diagnosis, name: str, row: int) -> tuple[str, str, bool]:
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
    answer = ""
    if predictions is not None:
        number = int(predictions[at])
        answer = str(number)
        if 0 <= number < len(names):
            answer = names[number]
    return model_name(name, diagnosis), answer, bool(errors[row])
