"""What each visual word shows of a run that was searched with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.checks.reasons import failing
from core.discovery.conditions import Condition
from core.discovery.design import Design, Scope, design_of, measures
from core.discovery.effects import Effects, effects_of
from core.discovery.proposals import enough_rows
from core.discovery.search.family import MIN_CANDIDATE_ROWS
from core.language.directions import phrase_scores
from core.records import F64, I64, Bool, Diagnosis, Measure
from core.statistics.groups import term_sums
from core.statistics.permutation import permutation_p, permutation_threshold, studentised_excess
from core.statistics.ranking import auroc

NEAR = 0.7
"""AUROC from which a phrase is said to go with a word."""
PHRASES = 2


@dataclass(frozen=True, slots=True, eq=False)
class WordFinding:
    """What one visual word shows, in the scope where it stands out most."""

    word: int
    scope: str
    rows: Bool
    """(m,) of the images that could be read, those of the scope with the word."""
    of: int
    """Images of the scope."""
    among_failures: float
    """Share of the scope's failures that show the word."""
    elsewhere: float
    """The same of the rest."""
    effects: Effects
    measure: Measure
    p: float | None
    """Adjusted for everything that was searched, clusters, conditions, phrases and words; None where nothing could be
    permuted."""
    confirmed: bool
    phrases: tuple[tuple[str, float], ...] = ()
    """Phrases that the encoder knows and that go with the word inside the scope, with their AUROC."""

    @property
    def name(self) -> str:
        return name_of(self.word)


def name_of(word: int) -> str:
    """What a word is called where nothing else is known of it."""
    return f"visual word {word + 1}"


def word_conditions(present: Bool) -> Sequence[Condition]:
    """The presence of each word as a condition; present: (n, K)."""
    names = [name_of(word) for word in range(present.shape[1])]
    return [
        Condition(name, (name,), present[:, word], False, tests=((name, ">=", 1.0),)) for word, name in enumerate(names)
    ]


def word_findings(diagnosis: Diagnosis, present: Bool) -> tuple[WordFinding, ...]:
    design = design_of(diagnosis)
    fails = failing(diagnosis)
    tested = measures(diagnosis.outcomes, design)
    null = diagnosis.family_null
    alpha = float(diagnosis.settings.get("alpha_inside", 0.05))
    best = [_strongest(tested.standardised_residuals, present, scope, design) for scope in design.scopes]
    statistics = np.stack([statistic.max(1) for statistic in best])  # (scopes, K)
    threshold = float("nan") if null is None else permutation_threshold(null, alpha)
    words = diagnosis.words
    alike = None
    if words is not None:
        alike = phrase_scores(words.joint.vectors, words.directions, design.centring_stratum).astype(np.float64)
    made: list[tuple[float, WordFinding]] = []
    for word in range(present.shape[1]):
        at = int(statistics[:, word].argmax())
        value = float(statistics[at, word])
        if not np.isfinite(value):
            continue
        scope = design.scopes[at]
        p = None if null is None else permutation_p(value, null)
        confirmed = p is not None and p <= alpha
        rows = np.zeros(len(present), np.bool_)
        rows[scope.rows] = present[scope.rows, word]
        effects = effects_of(
            rows, scope.rows, diagnosis.outcomes, design, threshold, value if confirmed else None, of=scope.rows
        )
        measure = tested.names[int(best[at][word].argmax())]
        shares = _shares(rows, scope.rows, fails)
        phrases = _phrases(diagnosis, alike, rows, scope) if confirmed and alike is not None else ()
        finding = WordFinding(word, scope.name, rows, len(scope.rows), *shares, effects, measure, p, confirmed, phrases)
        made.append((value, finding))
    return tuple(finding for _, finding in sorted(made, key=lambda pair: -pair[0]))


def _strongest(scores: F64, present: Bool, scope: Scope, design: Design) -> F64:
    """(K, m) the statistic of each word inside a scope in each measure, as the family has it; -inf where it has none,
    since too few images have the word or lack it."""
    # (r, m), (K, r)
    own = scores[scope.rows]
    has = present[scope.rows].T.astype(np.float64)
    counts = has.sum(1, keepdims=True)
    n = np.full((1, 1), float(len(own)))
    sums = (has @ own, has @ own**2, own.sum(0)[None], (own**2).sum(0)[None])
    of_groups = () if design.groups is None else term_sums(has, own, design.groups[scope.rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = studentised_excess(counts, n, *sums, *of_groups)
    enough = (counts >= MIN_CANDIDATE_ROWS) & (counts <= len(own) - MIN_CANDIDATE_ROWS)
    return np.where(enough & enough_rows(present)[:, None], found, -np.inf)


def _shares(rows: Bool, scope: I64, fails: Bool) -> tuple[float, float]:
    own = rows[scope]
    fails = fails[scope]
    return float(own[fails].mean()) if fails.any() else 0.0, float(own[~fails].mean()) if not fails.all() else 0.0


def _phrases(diagnosis: Diagnosis, alike: F64, rows: Bool, scope: Scope) -> tuple[tuple[str, float], ...]:
    """The phrases that go with the rows; alike: (m, P) of `core.language.directions.phrase_scores`."""
    assert diagnosis.words is not None
    words = diagnosis.words
    own = rows[scope.rows]
    scores = alike[scope.rows]
    areas = [(auroc(scores[:, j], own), j) for j in range(scores.shape[1])]
    near = [
        (words.phrases[j], float(area))
        for area, j in sorted(areas, reverse=True)[: 4 * PHRASES]
        if area >= NEAR and words.is_enough(j)
    ]
    return tuple(near[:PHRASES])
