"""What the report shows of probes: the figures, tables and example pictures that its templates lay out. Nothing here
computes a finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.checks.compare import comparison_with, probe_of
from core.checks.paired_errors import MODEL
from core.numbers import count, p_value, percent
from core.probes.measures import by_class, groups_of
from core.records import I64, Bool, Comparison, Diagnosis, FourWay, ProbeResult
from core.reports.wording.probes import (
    choice_sentence,
    control_sentence,
    model_name,
    overall_sentences,
    scope_title,
    share,
    support_sentence,
    verdict_words,
)

EXAMPLES = 8
"""Pictures of what a probe fixes, and as many of what it fails on too."""
MAX_CLASSES = 60
"""Rows of the table by class: with more classes, those of the lowest recall."""

Entries = Callable[[I64], Sequence[Any]]
"""entries(rows): the samples as the report shows them (`core.reports.html.diagnosis.ReportSample`)."""


def probe_sections(diagnosis: Diagnosis, entries: Entries) -> list[dict[str, Any]]:
    """One section for each probe of the run, in the order in which they were run."""
    return [_section(diagnosis, result, entries, number) for number, result in enumerate(diagnosis.probes)]


def _section(diagnosis: Diagnosis, result: ProbeResult, entries: Entries, number: int) -> dict[str, Any]:
    compared = comparison_with(diagnosis, result.name)
    found = (
        by_class(result.labels, result.outcomes.predictions, result.class_names, groups_of(diagnosis, result))
        if result.outcomes.predictions is not None
        else ()
    )
    present = sorted(
        (c for c in found if c.recall is not None), key=lambda c: c.recall.value if c.recall is not None else 0.0
    )
    return {
        "anchor": f"probe-{number}",
        "name": result.name,
        "accuracy": share(result.accuracy),
        "calibration": share(result.calibration_error),
        "n": count(len(result.rows), result.modality),
        "split": result.split,
        "encoder": result.encoder,
        "controls": [control_sentence(c) for c in result.controls],
        "choices": [choice_sentence(c) for c in result.choices],
        "settings": [(name, "none" if value in ("", None) else str(value)) for name, value in result.settings.items()],
        "support": "" if result.support is None else support_sentence(result.support, result.modality),
        "classes": [(c.name, f"{c.n:,}", share(c.recall), share(c.precision)) for c in present[:MAX_CLASSES]],
        "n_more_classes": len(present) - len(present[:MAX_CLASSES]),
        "compared": None if compared is None else comparison_section(diagnosis, compared, entries),
        "notes": result.notes,
        "n_excluded": len(result.excluded),
        "why_excluded": result.excluded[0][1] if result.excluded else "",
    }


def comparison_section(diagnosis: Diagnosis, found: Comparison, entries: Entries) -> dict[str, Any]:
    """Two models side by side: sentences, the four-way tables by cluster and class, and pictures."""
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
    a, b = scope.fixed + scope.both, scope.broken + scope.both
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
    result, errors = probe_of(diagnosis, name), np.zeros(len(diagnosis.samples), bool)
    assert result.outcomes.errors is not None
    errors[result.rows] = result.outcomes.errors
    return errors


def _examples(diagnosis: Diagnosis, found: Comparison, chosen: Bool, entries: Entries) -> list[dict[str, Any]]:
    """Up to `EXAMPLES` pictures with what both models say, those of failure clusters first and then by the loss under
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
        predictions, names, at = diagnosis.outcomes.predictions, diagnosis.samples.class_names, row
    else:
        result = probe_of(diagnosis, name)
        predictions, names, at = result.outcomes.predictions, result.class_names, int(np.searchsorted(result.rows, row))
    said = ""
    if predictions is not None:
        place = int(predictions[at])
        said = names[place] if 0 <= place < len(names) else str(place)
    return model_name(name, diagnosis), said, bool(errors[row])
