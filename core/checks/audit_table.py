"""Every phrase of the vocabulary in every class: the excess loss of the images like it, and the loss that the ensemble
predicts from the words alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.checks.asked_text import require_words
from core.checks.readings import Readings, read_phrases
from core.discovery.design import design_of, measures
from core.discovery.search.family import Scope
from core.errors import InvalidInput
from core.language.directions import phrase_scores
from core.records import F32, F64, Diagnosis, Estimate, Words

MATCHING = 0.1
"""Share of the scope in a cell of the audit table: a convention, large enough for an interval in small classes."""
SCORE_DECIMALS = 5
"""Of cosines: far above what float32 sums differ by (1e-7), far below what tells two images apart."""


@dataclass(frozen=True, slots=True, eq=False)
class AuditCell:
    """One phrase in one class."""

    phrase: str
    family: str
    scope: str
    support: int
    observed: Estimate
    """Excess loss of the tenth of the class most like the phrase; the 95% interval is for this cell alone."""
    read: float | None
    """What the ensemble predicts from the words alone, in standard deviations of its predictions of
    permuted losses: positive if they mean more loss. None if nothing can be permuted."""
    stands_out: bool
    """Whether that exceeds what permuted losses give anywhere in the whole grid of phrases and scopes."""
    error_inside: float | None
    error_outside: float | None


def audit_table(diagnosis: Diagnosis, phrases: str | Sequence[str] = (), *, most: int = 40) -> list[AuditCell]:
    """Excess loss and reading of every phrase in every class and in all samples. Exploratory: it has no p.

    Args:
        diagnosis: what `diagnose` or `load` gave.
        phrases: of the vocabulary; a string is one. Without any: those whose reading stands out anywhere, then those
            with the largest absolute excess.
        most: how many phrases to read if none is named.

    Raises:
        InvalidInput: the run has no words, or a phrase is not in its vocabulary.
    """
    if isinstance(phrases, str):
        phrases = [phrases]
    words = require_words(diagnosis, "be read phrase by phrase")
    unknown = [p for p in phrases if p not in words.phrases]
    if unknown:
        raise InvalidInput(
            f"{unknown[0]!r} is not among the {len(words.phrases):,} phrases of this run. Ask it as a question instead."
        )
    design = design_of(diagnosis)
    scopes = design.scopes
    losses = diagnosis.outcomes.fitted
    readings = read_phrases(
        words, measures(diagnosis.outcomes, design).standardised_residuals[:, -1], design
    )  # the last is the loss
    # Rounded: another number of threads sums in another order, and near-equal scores at a tenth's border would swap.
    scores = np.round(phrase_scores(words.joint.vectors, words.directions, design.centring_stratum), SCORE_DECIMALS)
    tables = [_excess(scores[s.rows], losses[s.rows]) for s in scopes]
    if phrases:
        chosen = [words.phrases.index(p) for p in phrases]
    else:
        strength = np.max([np.abs(t) for t in tables], axis=0)
        out = (np.abs(readings.values) >= readings.threshold).any(0)
        chosen = np.lexsort((-strength, ~out))[:most].tolist()
    cells: list[AuditCell] = []
    for phrase in chosen:
        for number, scope in enumerate(scopes):
            cells.append(_cell(diagnosis, words, readings, phrase, number, scope, scores[scope.rows, phrase]))
    return cells


def _excess(scores: F32, losses: F64) -> F64:
    """(P,) excess loss of the tenth with the highest score over the others, divided by its standard error."""
    size = max(1, round(MATCHING * len(losses)))
    top = np.argsort(-scores, axis=0, kind="stable")[:size]
    inside = losses[top].mean(0)
    outside = (losses.sum() - inside * size) / max(len(losses) - size, 1)
    return (inside - outside) / max(float(losses.std()), 1e-12) * np.sqrt(size)


def _cell(
    diagnosis: Diagnosis, words: Words, readings: Readings, phrase: int, number: int, scope: Scope, scores: F32
) -> AuditCell:
    outcomes = diagnosis.outcomes
    rows = scope.rows
    read: float | None = float(readings.values[number, phrase])
    if not np.isfinite(read):
        read = None
    losses = outcomes.fitted[rows]
    size = max(1, round(MATCHING * len(rows)))
    inside = np.zeros(len(rows), bool)
    inside[np.argsort(-scores, kind="stable")[:size]] = True
    error_inside = None
    error_outside = None
    if outcomes.errors is not None:
        wrong = outcomes.errors[rows]
        error_inside = float(wrong[inside].mean())
        error_outside = float(wrong[~inside].mean())
    gap = float(losses[inside].mean() - losses[~inside].mean())
    reach = 1.96 * float(np.sqrt(losses[inside].var() / size + losses[~inside].var() / max(len(rows) - size, 1)))
    return AuditCell(
        words.phrases[phrase],
        words.families[phrase],
        scope.name,
        size,
        Estimate(gap, gap - reach, gap + reach),
        read,
        readings.stands_out(number, phrase),
        error_inside,
        error_outside,
    )
