"""Answers to questions, and how two differ, as JSON values: what `ask --json` and the page's address for programs
give."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.records import Diagnosis
from core.reports.tables.values import fields
from core.reports.wording.answers import answer_parts, answer_sentence, difference_sentence

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

ANSWERED = (
    "text scope unsearched shown refused support expected guessed observed rest error_rate error_rest p p_alone asked "
    "confirmed untested measure least counted labelled"
)
"""Fields of an answer that are given as they are."""


def answer_document(diagnosis: Diagnosis, answer: Answer) -> dict[str, Any]:
    """An answer without its samples, what it names, and how it is told."""
    cluster = answer.cluster
    condition = answer.condition
    condition_fields = None
    if condition is not None:
        condition_fields = fields(condition, "text scope size p measure") | {"named": answer.named or condition.text}
    return {
        **fields(answer, ANSWERED),
        "cluster": cluster and fields(cluster, "id scope size p measure"),
        "condition": condition_fields,
        "known": answer.known and asdict(answer.known),
        "sentence": answer_sentence(diagnosis, answer),
        "paragraphs": answer_parts(diagnosis, answer).paragraphs,
    }


def difference_document(diagnosis: Diagnosis, difference: Difference) -> dict[str, Any]:
    """How two answers differ, and how it is told."""
    return fields(difference, "first second observed shared") | {"sentence": difference_sentence(diagnosis, difference)}
