"""Classes that fail as a whole, planted: found as often as their test finds fresh ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.discovery.classes import class_findings, class_tests
from core.discovery.design import make_design
from core.discovery.sensitivity.strengths import ErrorRates, MeanLosses
from core.discovery.sensitivity.whole_classes import ClassRows, whole_classes
from core.records import F64, I64, Bool, Outcomes, SampleSet

ALPHA, N, CLASSES = 0.01, 600, 6
LABELS = np.arange(N) % CLASSES


def outcomes(losses: F64, errors: Bool | None = None) -> Outcomes:
    return Outcomes(losses, "loss", "loss", "given", errors=errors)


def samples(labels: I64 = LABELS) -> SampleSet:
    names = tuple(map(str, range(int(labels.max()) + 1)))
    return SampleSet(tuple(map(str, range(len(labels)))), labels=labels, class_names=names)


def test_the_level_is_that_of_the_first_class_that_is_confirmed() -> None:
    errors = np.random.default_rng(0).random(N) < 0.1
    tests = class_tests(samples(), outcomes(errors.astype(np.float64), errors), make_design(samples()))
    assert tests is not None
    assert tests.first_level(ALPHA) == pytest.approx(ALPHA / CLASSES)
    assert tests.findings(ALPHA) == () or len(tests.findings(ALPHA)) == CLASSES


def test_error_rates_are_found_as_often_as_the_exact_test_says() -> None:
    errors = np.random.default_rng(0).random(N) < 0.1
    rows = ClassRows(LABELS, None, outcomes(errors.astype(np.float64), errors), ALPHA / CLASSES)
    strengths = ErrorRates.of(errors, LABELS)
    found = {p.strength: p for p in whole_classes(rows, strengths, 400, np.random.default_rng(1))}
    others = round(float(errors.mean()) * N * (CLASSES - 1) / CLASSES)
    counts = np.arange(101)
    passing = stats.hypergeom.sf(counts - 1, N, others + counts, 100) <= ALPHA / CLASSES
    for rate in (0.2, 0.35):
        exact = float(stats.binom.pmf(counts, 100, rate)[passing].sum())
        assert found[rate].found.low - 0.05 <= exact <= found[rate].found.high + 0.05
        assert (found[rate].scope, found[rate].size, found[rate].share) == ("whole class", 100, 1.0)


def test_mean_losses_are_found_as_often_as_fresh_ones() -> None:
    rng = np.random.default_rng(0)
    losses = rng.gamma(2.0, 0.5, N)
    rows = ClassRows(LABELS, None, outcomes(losses), ALPHA / CLASSES)
    strengths = MeanLosses.of(losses, LABELS)
    promised = next(p for p in whole_classes(rows, strengths, 60, rng) if p.strength == 1.5)
    fresh = 0
    for _ in range(20):
        drawn = rng.gamma(2.0, 0.5, N) * np.where(LABELS == 2, 1.5, 1.0)
        made = class_findings(samples(), outcomes(drawn), make_design(samples()), alpha=ALPHA)
        fresh += any(f.confirmed and f.name == "2" for f in made)
    assert promised.found.low - 0.1 <= fresh / 20 <= promised.found.high + 0.1


def test_groups_are_weighted_whole() -> None:
    rng = np.random.default_rng(0)
    errors, groups = rng.random(N) < 0.1, np.arange(N) // 12
    rows = ClassRows(LABELS, groups, outcomes(errors.astype(np.float64), errors), ALPHA / CLASSES)
    found = whole_classes(rows, ErrorRates.of(errors, LABELS), 20, rng)
    assert found[0].n_found <= found[-1].n_found == 20


def test_small_classes_are_none() -> None:
    labels = np.repeat([0, 1, 2], [500, 5, 5])
    errors = np.arange(510) % 10 == 0
    rows = ClassRows(labels, None, outcomes(errors.astype(np.float64), errors), ALPHA)
    assert whole_classes(rows, ErrorRates.of(errors, labels), 10, np.random.default_rng(0)) == []
