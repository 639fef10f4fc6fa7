"""Images that two models answer differently, or on which both are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.checks.compare import probe_of
from core.checks.paired_errors import MODEL
from core.records import Bool, Comparison, Diagnosis, Pictures
from core.reports.html.render import render
from core.reports.wording.comparison import model_name

EXAMPLES = 8
"""Images of what a probe fixes, and as many of what it fails on too."""


def example_images(diagnosis: Diagnosis, comparison: Comparison, pictures: Pictures) -> str:
    """`compared_images` as markup."""
    fixed, both = compared_images(diagnosis, comparison, pictures)
    b = model_name(comparison.b, diagnosis)
    return render("compared_images.html.j2", b=b, fixed=fixed, both=both, bare=diagnosis.samples.items is None)


def compared_images(
    diagnosis: Diagnosis, comparison: Comparison, pictures: Pictures
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Images that the second model fixes, and images on which both are wrong, with what each answers."""
    wrong_a, wrong_b = (_errors(diagnosis, name)[comparison.rows] for name in (comparison.a, comparison.b))
    fixed = _examples(diagnosis, comparison, wrong_a & ~wrong_b, pictures)
    return fixed, _examples(diagnosis, comparison, wrong_a & wrong_b, pictures)


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


def _examples(diagnosis: Diagnosis, comparison: Comparison, chosen: Bool, pictures: Pictures) -> list[dict[str, Any]]:
    """Up to `EXAMPLES` images with what both models say, those of failure clusters first and then by the loss under
    diagnosis, so that what was found is seen again."""
    rows = comparison.rows[chosen]
    inside = diagnosis.cluster_of()[0][rows] >= 0
    order = np.lexsort((rows, -diagnosis.outcomes.loss[rows], ~inside))
    picked = rows[order][:EXAMPLES]
    examples = list[dict[str, Any]]()
    for row, entry in zip(picked.tolist(), pictures(picked)):
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
