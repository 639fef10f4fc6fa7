"""Whole classes that fail, confused pairs, and suspected label errors: read these before looking inside classes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from core.discovery.design import Design
from core.discovery.settings import MIN_CLASS_REST, MIN_CLASS_ROWS
from core.discovery.superclasses import Superclasses
from core.errors import MissingDependency
from core.numbers import count
from core.records import F64, I64, ClassFinding, Estimate, Outcomes, SampleSet
from core.statistics.intervals import simultaneous_level, wilson
from core.statistics.means import PartMeans
from core.statistics.off_diagonal import excess_p
from core.statistics.permutation import holm

MIN_ROWS = MIN_CLASS_ROWS
MIN_REST = MIN_CLASS_REST
MAX_PAIRS = 200
"""Pairs listed at most, the most frequent first. Holm pays for all that could have been tested, listed or not; the
limit only bounds the list."""


def class_findings(samples: SampleSet, outcomes: Outcomes, design: Design, *, alpha: float) -> tuple[ClassFinding, ...]:
    """Classes with their loss and error rate, then the confused pairs, each kind worst first.

    The tested figure is the one shown. A class is tested against all other rows, one-sided: its error rate by Fisher's
    exact test, or where errors are unknown its mean loss by `core.statistics.means`, which assumes no shape (ranks
    would answer another question, docs/decisions/classes.md). Losses are not clipped: means that are equal before a
    clip need not be equal after it.

    A pair true -> predicted is tested against what the errors of its class and the wrong answers of its prediction
    explain together (`core.statistics.off_diagonal`): "confused more than other pairs", not "a class that fails". One
    wrong answer that all classes favor makes no pair a finding. With superclasses the same tests run for whole
    superclasses and for pairs of two different ones, since confusions too rare to be tested one by one may be frequent
    together. Where rows come in groups, whole groups are weighted, for error rates too, and each group counts for a
    pair at most once.

    p is Holm-adjusted within each list and multiplied by the number of lists (Bonferroni). A list holds everything that
    could have been tested, as its margins decide: a pair counts if its class has MIN_ROWS errors and its prediction
    MIN_ROWS wrong rows, whether or not they met. Holm over the observed pairs only would claim too much: on even
    confusions of 30 classes x 300 rows, error 0.3, at alpha 0.2 it claimed in 62 of 200 nulls (0.25 to 0.38). Intervals
    hold for a whole list at once with 95%, so that they hold for the claimed ones as well.
    """
    tests = class_tests(samples, outcomes, design)
    if tests is None:
        return ()
    if not design.testable:
        return tests.findings(None)
    return tests.findings(alpha)


def class_tests(samples: SampleSet, outcomes: Outcomes, design: Design) -> ClassTests | None:
    """The tests of `class_findings`, before their p are adjusted; None without classes."""
    if samples.labels is None or len(samples.class_names) < 2:
        return None
    lists = [_singles(samples.labels, samples.class_names, outcomes, design.given_groups)]
    if outcomes.predictions is not None:
        lists.append(_pairs(outcomes, samples.labels, outcomes.predictions, samples.class_names, design.given_groups))
    if design.superclasses is not None and len(design.superclasses) > 1:
        lists += _of_superclasses(samples.labels, outcomes, design.superclasses, design.given_groups)
    return ClassTests(tuple(lists))


@dataclass(frozen=True, slots=True, eq=False)
class ClassTests:
    """Lists of tests, the classes first."""

    lists: tuple[_Tests, ...]

    @property
    def used(self) -> int:
        """Number of lists in which anything could be tested."""
        return sum(len(tests.p) > 0 for tests in self.lists)

    def first_level(self, alpha: float) -> float:
        """The raw p at which a class is confirmed if no other is; 0 where none can be."""
        n_tests = self.used * len(self.lists[0].p)
        if not n_tests:
            return 0.0
        return alpha / n_tests

    def findings(self, alpha: float | None) -> tuple[ClassFinding, ...]:
        """The classes by mean loss, then the pairs by size, worst first; with alpha None nothing is tested."""
        findings: list[ClassFinding] = []
        for tests in self.lists:
            findings += tests.adjusted(self.used, alpha)
        classes = [finding for finding in findings if finding.kind == "class"]
        pairs = [finding for finding in findings if finding.kind != "class"]
        classes.sort(key=lambda finding: -finding.mean_loss.value)
        pairs.sort(key=lambda finding: -finding.size)
        return (*classes, *pairs)


@dataclass(frozen=True, slots=True, eq=False)
class _Tests:
    """findings: what is listed. which: index of each finding's test, -1 for none. p: raw p of everything that could
    have been tested."""

    findings: list[ClassFinding]
    which: I64
    p: F64

    def adjusted(self, n_lists: int, alpha: float | None) -> list[ClassFinding]:
        """The findings with their adjusted p; with alpha None nothing is tested."""
        if alpha is None:
            return [replace(finding, p=None, confirmed=False) for finding in self.findings]
        adjusted = np.minimum(n_lists * holm(self.p.tolist()), 1.0)
        findings: list[ClassFinding] = []
        for finding, test in zip(self.findings, self.which):
            p = float(adjusted[test]) if test >= 0 else None
            findings.append(replace(finding, p=p, confirmed=p is not None and p <= alpha))
        return findings


def _singles(labels: I64, names: Sequence[str], outcomes: Outcomes, groups: I64 | None) -> _Tests:
    """Every class (or superclass) with rows; those of at least MIN_ROWS rows (or groups) are tested."""
    present, part, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    k = len(present)
    losses = PartMeans.of(outcomes.loss, part, k, groups)
    tested = losses.units >= MIN_ROWS
    if outcomes.errors is None:
        tested &= losses.units.sum() - losses.units >= MIN_REST
    level = simultaneous_level(int(tested.sum()))
    means = losses.estimates(level)
    rates = list[Estimate | None]([None] * k)
    if outcomes.errors is None:
        p = losses.excess_p()
    elif groups is None:
        counts = np.bincount(part, outcomes.errors).astype(np.int64)
        p = stats.hypergeom.sf(counts - 1, len(labels), counts.sum(), sizes)  # Fisher's exact test, one-sided
        rates = [wilson(int(count), int(size), level) for count, size in zip(counts, sizes)]
    else:
        errors = PartMeans.of(outcomes.errors.astype(np.float64), part, k, groups)
        p = errors.excess_p()
        rates = [*errors.estimates(level)]
    findings: list[ClassFinding] = []
    for c, size, mean, rate in zip(present, sizes, means, rates):
        findings.append(ClassFinding(names[int(c)], "class", int(size), mean, rate, None, False))
    return _Tests(findings, np.where(tested, np.cumsum(tested) - 1, -1), np.asarray(p)[tested])


def _of_superclasses(labels: I64, outcomes: Outcomes, superclasses: Superclasses, groups: I64 | None) -> list[_Tests]:
    """Superclasses as wholes, and pairs of two different ones."""
    wide = superclasses.of_class[labels]
    names = [f"superclass {name}" for name in superclasses.names]
    lists = [_singles(wide, names, outcomes, groups)]
    if outcomes.predictions is not None:
        known = outcomes.predictions >= 0
        predictions = np.where(known, superclasses.of_class[np.maximum(outcomes.predictions, 0)], -1)
        predictions = np.where(known & (predictions < 0), len(names), predictions)  # the predicted class has no rows
        lists.append(_pairs(outcomes, wide, predictions, [*names, "a class without rows"], groups))
    return lists


def _pairs(outcomes: Outcomes, labels: I64, predictions: I64, names: Sequence[str], groups: I64 | None) -> _Tests:
    """The most frequent confusions, each at least MIN_ROWS / 2 times, and the p of every pair whose margins allow a
    test.

    A group that shows a pair several times counts once. Where groups have two rows or more on average, pairs are not
    tested: too few errors would be independent.
    """
    if outcomes.errors is None:
        return _Tests([], np.zeros(0, np.int64), np.zeros(0))
    k = len(names)
    wrong = np.flatnonzero(outcomes.errors & (predictions >= 0))
    key = labels[wrong] * k + predictions[wrong]
    table = np.bincount(key, minlength=k * k).reshape(k, k)
    losses = np.bincount(key, outcomes.loss[wrong], minlength=k * k).reshape(k, k)
    sizes = np.bincount(labels, minlength=k)
    counted = table
    testable = True
    if groups is not None:
        testable = 2 * len(np.unique(groups)) > len(groups)
        once = np.unique(groups[wrong] * (k * k) + key) % (k * k)
        counted = np.bincount(once, minlength=k * k).reshape(k, k)
    errors_of = counted.sum(1) - np.diag(counted)
    answers_of = counted.sum(0) - np.diag(counted)
    on_diagonal = int(((errors_of >= MIN_ROWS) & (answers_of >= MIN_ROWS)).sum())
    n_tests = int((errors_of >= MIN_ROWS).sum()) * int((answers_of >= MIN_ROWS).sum()) - on_diagonal
    listed = np.argwhere((table >= MIN_ROWS // 2) & ~np.eye(k, dtype=bool))
    listed = listed[np.argsort(-table[listed[:, 0], listed[:, 1]], kind="stable")][:MAX_PAIRS]
    level = simultaneous_level(max(n_tests, len(listed)))
    findings: list[ClassFinding] = []
    tested = np.zeros(len(listed), bool)
    if testable:
        tested = counted[listed[:, 0], listed[:, 1]] >= MIN_ROWS
    p = excess_p(counted, listed[tested])
    for true, predicted in listed:
        n_rows = int(table[true, predicted])
        mean = Estimate(float(losses[true, predicted] / n_rows), float("nan"), float("nan"))
        rate = wilson(n_rows, int(sizes[true]), level)
        pair = f"{names[true]} → {names[predicted]}"
        findings.append(ClassFinding(pair, "confusion", n_rows, mean, rate, None, False))
    # pairs that could have been tested but are too rare to be listed: Holm pays for them, with p = 1
    n_unlisted = max(0, n_tests - len(p)) if testable else 0
    return _Tests(findings, np.where(tested, np.cumsum(tested) - 1, -1), np.r_[p, np.ones(n_unlisted)])


def suspected_label_errors(samples: SampleSet, outcomes: Outcomes) -> tuple[I64, tuple[str, ...]]:
    """Rows whose label is suspected, most suspected first, and notes. Empty without probabilities for all classes.

    Confident learning as cleanlab implements it (Northcutt, Jiang & Chuang 2021, JAIR 70), from the table's
    probabilities, which must be out of sample.
    """
    if outcomes.scores is None or samples.labels is None or outcomes.scores.shape[1] < 2:
        return np.zeros(0, np.int64), ()
    present = np.unique(samples.labels)
    if len(present) != outcomes.scores.shape[1]:
        return np.zeros(0, np.int64), (
            f"Errata did not look for label errors: {len(present)} of {outcomes.scores.shape[1]} classes have rows.",
        )
    try:
        from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]  # only where probabilities are given
    except ImportError as error:
        raise MissingDependency("Listing suspected label errors needs cleanlab. Run `pip install cleanlab`.") from error
    labels = samples.labels
    single = int((np.bincount(samples.labels) == 1).sum())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "May not flag all")  # classes of a single sample, which the note counts
        issues = find_label_issues(labels, outcomes.scores, return_indices_ranked_by="self_confidence", n_jobs=1)
    notes: tuple[str, ...] = ()
    if single:
        notes = (f"Errata may miss label errors in {count(single, 'class')} with a single sample.",)
    return np.asarray(issues, dtype=np.int64), notes
