"""Every phrase of the vocabulary in every class: predicted and observed excess loss, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.checks.questions import FLAT, QuestionReader
from core.discovery.family import Scope
from core.errors import InvalidInput
from core.records import F32, F64, Diagnosis, Estimate

MATCHING = 0.1
"""Share of the scope in a cell of the audit table."""


@dataclass(frozen=True, slots=True, eq=False)
class AuditCell:
    """One phrase in one class."""

    phrase: str
    family: str
    scope: str
    support: int
    observed: Estimate
    """Excess loss of the tenth of the class that looks most like the phrase; 95 % interval for this cell alone."""
    read: Estimate | None
    """Excess loss that the ensemble reads in the phrase."""
    error_inside: float | None
    error_outside: float | None
    extrapolation: bool


def audit_table(diagnosis: Diagnosis, phrases: Sequence[str] = (), *, most: int = 40) -> list[AuditCell]:
    """Predicted and observed excess loss of every phrase in every class (and in all samples): description, not a test.

    Args:
        phrases: of the vocabulary; the `most` of the largest absolute excess anywhere if none is named.

    Raises:
        InvalidInput: the run has no words, or a phrase is not in its vocabulary.
    """
    words = diagnosis.words
    if words is None:
        raise InvalidInput(
            "This run has no words to tabulate: no encoder with a text tower saw its images. "
            "Diagnose again with --images."
        )
    unknown = [p for p in phrases if p not in words.phrases]
    if unknown:
        raise InvalidInput(
            f"{unknown[0]!r} is not among the {len(words.phrases):,} phrases of this run. "
            "Ask it as a free question instead."
        )
    reader = QuestionReader(diagnosis, words)
    scores = reader.scores
    tables = [_excess(scores[s.rows], diagnosis.outcomes.fitted[s.rows]) for s in reader.design.scopes]
    if phrases:
        chosen = [words.phrases.index(p) for p in phrases]
    else:
        chosen = np.argsort(-np.max([np.abs(t) for t in tables], axis=0), kind="stable")[:most].tolist()
    return [_cell(reader, phrase, scope) for phrase in chosen for scope in reader.design.scopes]


def _excess(scores: F32, losses: F64) -> F64:
    """(P,) excess loss over the rest of the tenth of highest score, over its standard error."""
    size = max(1, round(MATCHING * len(losses)))
    top = np.argsort(-scores, axis=0, kind="stable")[:size]
    inside = losses[top].mean(0)
    outside = (losses.sum() - inside * size) / max(len(losses) - size, 1)
    return (inside - outside) / max(float(losses.std()), 1e-12) * np.sqrt(size)


def _cell(reader: QuestionReader, phrase: int, scope: Scope) -> AuditCell:
    outcomes, words, ensemble, rows = reader.diagnosis.outcomes, reader.words, reader.diagnosis.reader, scope.rows
    scores, losses = reader.scores[rows, phrase], outcomes.fitted[rows]
    size = max(1, round(MATCHING * len(rows)))
    inside = np.zeros(len(rows), bool)
    inside[np.argsort(-scores, kind="stable")[:size]] = True
    wrong = None if outcomes.errors is None else outcomes.errors[rows]
    gap = float(losses[inside].mean() - losses[~inside].mean())
    reach = 1.96 * float(np.sqrt(losses[inside].var() / size + losses[~inside].var() / max(len(rows) - size, 1)))
    return AuditCell(
        words.phrases[phrase],
        words.families[phrase],
        scope.name,
        size,
        Estimate(gap, gap - reach, gap + reach),
        None if ensemble is None else ensemble.read(words.directions[phrase], scope.block),
        None if wrong is None else float(wrong[inside].mean()),
        None if wrong is None else float(wrong[~inside].mean()),
        bool(scores.std() < FLAT * reader.spread),
    )
