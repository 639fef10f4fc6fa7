"""Whole classes that fail, confused pairs, and suspected label errors: what to read before looking inside classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from core.discovery.design import Design
from core.discovery.regressors import split_by_block
from core.discovery.superclasses import Superclasses
from core.errors import MissingDependency
from core.records import F64, I64, ClassFinding, Estimate, Outcomes, SampleSet
from core.statistics.intervals import bootstrap, wilson
from core.statistics.permutation import holm

MIN_ROWS = 10
"""A class or a pair with fewer rows (or confusions) is not tested."""
MAX_PAIRS = 200
"""So many pairs are listed, the most frequent; all that could have been tested are paid for."""


def class_findings(
    samples: SampleSet, outcomes: Outcomes, design: Design, *, alpha: float, seed: int
) -> tuple[ClassFinding, ...]:
    """Classes with their loss and error rate, then the confused pairs, each kind worst first.

    A class is tested against all other rows (one-sided: Fisher's exact test on errors, Mann-Whitney on losses where
    errors are unknown); a pair true -> predicted against the share of that prediction among the errors of the other
    classes (hypergeometric). With superclasses the same is done for whole superclasses and for pairs of two different
    ones: confusions too rare to be tested one by one may be frequent together.

    p is Holm-adjusted within each of these lists, and times the number of lists. A list holds what could have been
    tested, which is decided by its margins: a pair counts if its class has MIN_ROWS errors and its prediction MIN_ROWS
    wrong rows, whether or not they met. Holm over the pairs that were seen would claim too much: on even confusions of
    30 classes x 300 rows, error 0.3, at alpha 0.2 it claimed in 62 of 200 nulls (0.25 to 0.38). With groups the rows
    are not independent and only the groups' bootstrap interval is given, without a p.
    """
    if samples.labels is None or len(samples.class_names) < 2:
        return ()
    rng = np.random.default_rng(seed)
    independent = design.testable and (samples.groups is None or len(np.unique(samples.groups)) > 0.9 * len(samples))
    lists = [_singles(samples, outcomes, samples.labels, samples.class_names, rng)]
    if outcomes.predictions is not None:
        lists.append(_pairs(outcomes, samples.labels, outcomes.predictions, samples.class_names))
    if design.superclasses is not None and len(design.superclasses) > 1:
        lists += _of_superclasses(samples, outcomes, samples.labels, design.superclasses, rng)
    used = sum(len(one.p) > 0 for one in lists)
    everything = [finding for one in lists for finding in one.adjusted(used, alpha if independent else None)]
    return tuple(
        sorted(everything, key=lambda f: (f.kind != "class", -f.mean_loss.value if f.kind == "class" else -f.size))
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Tests:
    """findings: what is listed. which: for each its test, or -1 for none. p: raw p of everything that could have been
    tested."""

    findings: list[ClassFinding]
    which: I64
    p: F64

    def adjusted(self, n_lists: int, alpha: float | None) -> list[ClassFinding]:
        """The findings with their adjusted p; without alpha nothing is tested."""
        adjusted = np.minimum(n_lists * holm(self.p.tolist()), 1.0)
        made: list[ClassFinding] = []
        for finding, test in zip(self.findings, self.which):
            p = float(adjusted[test]) if test >= 0 and alpha is not None else None
            made.append(replace(finding, p=p, confirmed=p is not None and alpha is not None and p <= alpha))
        return made


def _singles(
    samples: SampleSet, outcomes: Outcomes, labels: I64, names: Sequence[str], rng: np.random.Generator
) -> _Tests:
    """Every class (or superclass) with rows; those of MIN_ROWS rows or more are tested against the rest."""
    members = split_by_block(np.arange(len(labels)), labels, len(names))
    present = [c for c, rows in enumerate(members) if len(rows)]
    findings = [_class(samples, outcomes, names[c], members[c], rng) for c in present]
    sizes = np.array([len(members[c]) for c in present])
    ranks = None if outcomes.errors is not None else stats.rankdata(outcomes.loss)
    p = np.array([_class_p(members[c], outcomes, ranks) for c, size in zip(present, sizes) if size >= MIN_ROWS])
    return _Tests(findings, np.where(sizes >= MIN_ROWS, np.cumsum(sizes >= MIN_ROWS) - 1, -1), p)


def _of_superclasses(
    samples: SampleSet, outcomes: Outcomes, labels: I64, superclasses: Superclasses, rng: np.random.Generator
) -> list[_Tests]:
    """Superclasses as wholes, and pairs of two different ones."""
    wide, names = superclasses.of_class[labels], [f"superclass {name}" for name in superclasses.names]
    lists = [_singles(samples, outcomes, wide, names, rng)]
    if outcomes.predictions is not None:
        known = outcomes.predictions >= 0
        predictions = np.where(known, superclasses.of_class[np.maximum(outcomes.predictions, 0)], -1)
        predictions = np.where(known & (predictions < 0), len(names), predictions)  # its class has no rows
        lists.append(_pairs(outcomes, wide, predictions, [*names, "a class without rows"]))
    return lists


def _class(samples: SampleSet, outcomes: Outcomes, name: str, rows: I64, rng: np.random.Generator) -> ClassFinding:
    groups = None if samples.groups is None else samples.groups[rows]
    losses = outcomes.fitted[rows]
    mean = bootstrap(lambda i: float(losses[i].mean()), len(rows), groups, rng, repeats=300)
    rate = None
    if outcomes.errors is not None:
        wrong = outcomes.errors[rows]
        rate = wilson(int(wrong.sum()), len(rows))
        if groups is not None and len(np.unique(groups)) < len(rows):
            rate = bootstrap(lambda i: float(wrong[i].mean()), len(rows), groups, rng, repeats=300)
    return ClassFinding(name, "class", len(rows), mean, rate, None, False)


def _class_p(rows: I64, outcomes: Outcomes, ranks: F64 | None) -> float:
    n, inside = len(outcomes.loss), len(rows)
    if inside == n:
        return 1.0
    if outcomes.errors is not None:
        wrong, total = int(outcomes.errors[rows].sum()), int(outcomes.errors.sum())
        return float(stats.hypergeom.sf(wrong - 1, n, total, inside))  # Fisher's exact test, one-sided
    assert ranks is not None
    return _rank_sum_p(ranks, rows)


def _rank_sum_p(ranks: F64, rows: I64) -> float:
    """Mann & Whitney's one-sided p that the ranks of `rows` are high: normal, with ties and continuity, as scipy's for
    ten rows or more."""
    n, inside = len(ranks), len(rows)
    above = float(ranks[rows].sum()) - inside * (inside + 1) / 2
    ties = np.unique(ranks, return_counts=True)[1].astype(np.float64)
    spread = np.sqrt(inside * (n - inside) / 12 * ((n + 1) - (ties**3 - ties).sum() / (n * (n - 1))))
    return float(stats.norm.sf((above - inside * (n - inside) / 2 - 0.5) / spread)) if spread > 0 else 1.0


def _pairs(outcomes: Outcomes, labels: I64, predictions: I64, names: Sequence[str]) -> _Tests:
    """The most frequent confusions, seen at least MIN_ROWS / 2 times, and the p of every pair that its margins allow to
    be tested."""
    if outcomes.errors is None:
        return _Tests([], np.zeros(0, np.int64), np.zeros(0))
    k = len(names)
    wrong = np.flatnonzero(outcomes.errors & (predictions >= 0))
    key = labels[wrong] * k + predictions[wrong]
    table = np.bincount(key, minlength=k * k).reshape(k, k)
    losses = np.bincount(key, outcomes.fitted[wrong], minlength=k * k).reshape(k, k)
    sizes = np.bincount(labels, minlength=k)
    drawn = table.sum(1)
    # errors that could have been this prediction are those of every class but the predicted one
    possible, marked = table.sum() - drawn, table.sum(0) - np.diag(table)
    on_diagonal = int(((drawn >= MIN_ROWS) & (marked >= MIN_ROWS)).sum())
    n_tests = int((drawn >= MIN_ROWS).sum()) * int((marked >= MIN_ROWS).sum()) - on_diagonal
    seen = np.argwhere((table >= MIN_ROWS // 2) & ~np.eye(k, dtype=bool))
    seen = seen[np.argsort(-table[seen[:, 0], seen[:, 1]], kind="stable")][:MAX_PAIRS]
    findings: list[ClassFinding] = []
    p: list[float] = []
    which: list[int] = []
    for true, predicted in seen:
        count = int(table[true, predicted])
        which.append(len(p) if count >= MIN_ROWS else -1)
        if count >= MIN_ROWS:
            p.append(float(stats.hypergeom.sf(count - 1, possible[predicted], marked[predicted], drawn[true])))
        mean = Estimate(float(losses[true, predicted] / count), float("nan"), float("nan"))
        rate = wilson(count, int(sizes[true]))
        pair = f"{names[true]} → {names[predicted]}"
        findings.append(ClassFinding(pair, "confusion", count, mean, rate, None, False))
    rest = np.ones(max(0, n_tests - len(p)))  # tested in principle, too rare to be listed
    return _Tests(findings, np.array(which, dtype=np.int64), np.r_[np.array(p), rest])


def suspected_label_errors(samples: SampleSet, outcomes: Outcomes) -> tuple[I64, tuple[str, ...]]:
    """Rows whose given label is suspected, most suspected first, and notes. Empty without probabilities for all
    classes.

    Confident learning as cleanlab implements it (Northcutt, Jiang & Chuang 2021, JAIR 70), from the probabilities
    given; they must be out of sample.
    """
    if outcomes.scores is None or samples.labels is None or outcomes.scores.shape[1] < 2:
        return np.zeros(0, np.int64), ()
    present = np.unique(samples.labels)
    if len(present) != outcomes.scores.shape[1]:
        return np.zeros(0, np.int64), (
            f"Label errors were not looked for: {len(present)} of {outcomes.scores.shape[1]} classes have rows.",
        )
    try:
        from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]  # only where probabilities are given
    except ImportError as error:
        raise MissingDependency("Listing suspected label errors needs cleanlab. Run `pip install cleanlab`.") from error
    issues = find_label_issues(samples.labels, outcomes.scores, return_indices_ranked_by="self_confidence", n_jobs=1)
    return np.asarray(issues, dtype=np.int64), ()
