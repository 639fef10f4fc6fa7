"""The effect of each visual word in a run that was searched with them."""

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
from core.records import F64, Bool, Diagnosis, Measure
from core.statistics.groups import term_sums
from core.statistics.permutation import permutation_p, permutation_threshold, studentised_excess
from core.statistics.ranking import auroc

MIN_PHRASE_AUROC = 0.7
"""AUROC from which a phrase is shown beside a word. A convention."""
MAX_PHRASES = 2


@dataclass(frozen=True, slots=True, eq=False)
class WordFinding:
    """The effect of one visual word in the scope where it is strongest."""

    word: int
    scope: str
    rows: Bool
    """(m,) readable images of the scope with the word."""
    of: int
    """Images of the scope."""
    among_failures: float
    """Share of the scope's failures with the word."""
    elsewhere: float
    """Share of the scope's other images with the word."""
    effects: Effects
    measure: Measure
    p: float | None
    """Adjusted for the whole search: clusters, conditions, phrases and words; None where nothing could be permuted."""
    confirmed: bool
    phrases: tuple[tuple[str, float], ...] = ()
    """Known phrases that go with the word within the scope, with their AUROC."""

    @property
    def name(self) -> str:
        return name_of(self.word)


def name_of(word: int) -> str:
    """The neutral name of a word: its number."""
    return f"visual word {word + 1}"


def word_conditions(present: Bool) -> Sequence[Condition]:
    """The presence of each word as a condition; present: (n, K)."""
    conditions = list[Condition]()
    for word in range(present.shape[1]):
        name = name_of(word)
        conditions.append(Condition(name, (name,), present[:, word], False, tests=((name, ">=", 1.0),)))
    return conditions


def word_findings(diagnosis: Diagnosis, present: Bool) -> tuple[WordFinding, ...]:
    """The finding of each word with enough images, the strongest first; present: (m, K)."""
    design = design_of(diagnosis)
    fails = failing(diagnosis)
    tested = measures(diagnosis.outcomes, design)
    null = diagnosis.family_null
    alpha = float(diagnosis.settings.get("alpha_inside", 0.05))
    best = [_strongest(tested.standardised_residuals, present, scope, design) for scope in design.scopes]
    statistics = np.stack([statistic.max(1) for statistic in best])  # (scopes, K)
    threshold = float("nan")
    if null is not None:
        threshold = permutation_threshold(null, alpha)
    words = diagnosis.words
    alike = None
    if words is not None:
        alike = phrase_scores(words.joint.vectors, words.directions, design.centring_stratum).astype(np.float64)
    findings: list[tuple[float, WordFinding]] = []
    for word in range(present.shape[1]):
        at = int(statistics[:, word].argmax())
        value = float(statistics[at, word])
        if not np.isfinite(value):
            continue
        scope = design.scopes[at]
        # The words were conditions of this run, so its null holds the maximum over them and everything else searched.
        p = None if null is None else permutation_p(value, null)
        confirmed = p is not None and p <= alpha
        rows = np.zeros(len(present), np.bool_)
        rows[scope.rows] = present[scope.rows, word]
        effects = effects_of(
            rows, scope.rows, diagnosis.outcomes, design, threshold, value if confirmed else None, of=scope.rows
        )
        measure = tested.names[int(best[at][word].argmax())]
        scope_fails = fails[scope.rows]
        among_failures = _share(rows[scope.rows[scope_fails]])
        elsewhere = _share(rows[scope.rows[~scope_fails]])
        phrases: tuple[tuple[str, float], ...] = ()
        if confirmed and alike is not None:
            phrases = _phrases(diagnosis, alike, rows, scope)
        finding = WordFinding(
            word, scope.name, rows, len(scope.rows), among_failures, elsewhere, effects, measure, p, confirmed, phrases
        )
        findings.append((value, finding))
    return tuple(finding for _, finding in sorted(findings, key=lambda pair: -pair[0]))


def _strongest(scores: F64, present: Bool, scope: Scope, design: Design) -> F64:
    """(K, m) the family's statistic of each word within a scope in each measure; -inf where too few images have the
    word or lack it."""
    # (r, m), (K, r)
    scope_scores = scores[scope.rows]
    has = present[scope.rows].T.astype(np.float64)
    counts = has.sum(1, keepdims=True)
    n = np.full((1, 1), float(len(scope_scores)))
    sums = (has @ scope_scores, has @ scope_scores**2, scope_scores.sum(0)[None], (scope_scores**2).sum(0)[None])
    of_groups = ()
    if design.groups is not None:
        of_groups = term_sums(has, scope_scores, design.groups[scope.rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = studentised_excess(counts, n, *sums, *of_groups)
    enough = (counts >= MIN_CANDIDATE_ROWS) & (counts <= len(scope_scores) - MIN_CANDIDATE_ROWS)
    return np.where(enough & enough_rows(present)[:, None], statistics, -np.inf)


def _share(marks: Bool) -> float:
    if not len(marks):
        return 0.0
    return float(marks.mean())


def _phrases(diagnosis: Diagnosis, alike: F64, rows: Bool, scope: Scope) -> tuple[tuple[str, float], ...]:
    """The phrases that go with the rows; alike: (m, P) of `core.language.directions.phrase_scores`."""
    assert diagnosis.words is not None
    words = diagnosis.words
    has_word = rows[scope.rows]
    scores = alike[scope.rows]
    areas = [(auroc(scores[:, j], has_word), j) for j in range(scores.shape[1])]
    near = list[tuple[str, float]]()
    for area, j in sorted(areas, reverse=True)[: 4 * MAX_PHRASES]:
        if area >= MIN_PHRASE_AUROC and words.is_enough(j):
            near.append((words.phrases[j], float(area)))
    return tuple(near[:MAX_PHRASES])
