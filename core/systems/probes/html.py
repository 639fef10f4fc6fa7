"""What the report shows of probes: the figures, tables and example images that its templates lay out. Nothing here
computes a finding."""

from __future__ import annotations

from typing import Any

from core.checks.compare import comparison_with
from core.numbers import count
from core.records import Diagnosis
from core.reports.html.comparison import Entries, comparison_section
from core.reports.wording.comparison import share
from core.systems.probes.measures import by_class, groups_of
from core.systems.probes.records import ProbeResult, results_of
from core.systems.probes.wording import choice_sentence, control_sentence, support_sentence

MAX_CLASSES = 60
"""Rows of the table by class: with more classes, those of the lowest recall."""


def probe_sections(diagnosis: Diagnosis, entries: Entries) -> list[dict[str, Any]]:
    """One section for each probe of the run, in the order in which they were run."""
    return [_section(diagnosis, result, entries, number) for number, result in enumerate(results_of(diagnosis))]


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
