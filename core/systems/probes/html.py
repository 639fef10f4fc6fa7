"""Figures, tables and example images of probes, for the report's templates. Computes no statistics."""

from __future__ import annotations

from typing import Any

from core.checks.compare import comparison_with
from core.numbers import count
from core.records import Diagnosis
from core.reports.html.comparison import Entries, comparison_section
from core.reports.wording.comparison import share
from core.systems.probes.measures import ClassAccuracy, by_class, groups_of
from core.systems.probes.records import ProbeResult, results_of
from core.systems.probes.wording import choice_sentence, control_sentence, support_sentence

MAX_CLASSES = 60
"""Rows of the table by class: with more classes, those with the lowest recall."""


def probe_sections(diagnosis: Diagnosis, entries: Entries) -> list[dict[str, Any]]:
    """One section for each probe, in the order of their runs."""
    return [_section(diagnosis, result, entries, number) for number, result in enumerate(results_of(diagnosis))]


def _section(diagnosis: Diagnosis, result: ProbeResult, entries: Entries, number: int) -> dict[str, Any]:
    comparison = comparison_with(diagnosis, result.name)
    compared = None
    if comparison is not None:
        compared = comparison_section(diagnosis, comparison, entries)
    support = ""
    if result.support is not None:
        support = support_sentence(result.support, result.modality)
    predictions = result.outcomes.predictions
    present: list[tuple[float, ClassAccuracy]] = []  # (recall, class)
    if predictions is not None:
        for c in by_class(result.labels, predictions, result.class_names, groups_of(diagnosis, result)):
            if c.recall is not None:
                present.append((c.recall.value, c))
    present.sort(key=lambda pair: pair[0])
    shown = [c for _, c in present[:MAX_CLASSES]]
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
        "support": support,
        "classes": [(c.name, f"{c.n:,}", share(c.recall), share(c.precision)) for c in shown],
        "n_more_classes": len(present) - len(shown),
        "compared": compared,
        "notes": result.notes,
        "n_excluded": len(result.excluded),
        "why_excluded": result.excluded[0][1] if result.excluded else "",
    }
