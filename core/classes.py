"""Whole classes that fail, confused pairs, and suspected label errors: what to read before looking inside classes."""

from __future__ import annotations

import numpy as np
from scipy import stats

from core.errors import MissingDependency
from core.records import I64, Bool, ClassFinding, Estimate, Outcomes, SampleSet
from core.statistics import bootstrap, holm, wilson

FEWEST = 10
"""A class or a pair with fewer rows (or confusions) is not tested."""


def class_findings(samples: SampleSet, outcomes: Outcomes, *, alpha: float, testable: bool, seed: int) -> tuple[ClassFinding, ...]:
    """Classes with their loss and error rate, then the confused pairs, each kind worst first.

    A class is tested against all other rows (one-sided: Fisher's exact test on errors, Mann-Whitney on losses where errors are
    unknown); a pair true -> predicted against the share of that prediction among the errors of the other classes
    (hypergeometric). p is Holm-adjusted over both lists; with groups the rows are not independent and only the groups'
    bootstrap interval is given, without a p.
    """
    if samples.labels is None or len(samples.class_names) < 2:
        return ()
    rng = np.random.default_rng(seed)
    independent = testable and (samples.groups is None or len(np.unique(samples.groups)) > 0.9 * len(samples))
    found = [_class(samples, outcomes, c, rng) for c in np.unique(samples.labels)]
    raw = [_class_p(samples.labels == c, outcomes) for c in np.unique(samples.labels)]
    pairs, pair_raw = _pairs(samples, outcomes)
    adjusted = holm(raw + pair_raw)
    everything: list[ClassFinding] = []
    for finding, p in zip(found + pairs, adjusted):
        tested = independent and finding.size >= FEWEST
        confirmed = bool(tested and p <= alpha)
        everything.append(
            ClassFinding(finding.name, finding.kind, finding.size, finding.mean_loss, finding.error_rate, float(p) if tested else None, confirmed)
        )
    return tuple(sorted(everything, key=lambda f: (f.kind != "class", -f.mean_loss.value if f.kind == "class" else -f.size)))


def _class(samples: SampleSet, outcomes: Outcomes, number: int, rng: np.random.Generator) -> ClassFinding:
    assert samples.labels is not None
    rows = np.flatnonzero(samples.labels == number)
    groups = None if samples.groups is None else samples.groups[rows]
    losses = outcomes.fitted[rows]
    mean = bootstrap(lambda i: float(losses[i].mean()), len(rows), groups, rng, repeats=300)
    rate = None
    if outcomes.errors is not None:
        wrong = outcomes.errors[rows]
        clustered = groups is not None and len(np.unique(groups)) < len(rows)
        rate = bootstrap(lambda i: float(wrong[i].mean()), len(rows), groups, rng, repeats=300) if clustered else wilson(int(wrong.sum()), len(rows))
    return ClassFinding(samples.class_names[number], "class", len(rows), mean, rate, None, False)


def _class_p(inside: Bool, outcomes: Outcomes) -> float:
    if inside.all():
        return 1.0
    if outcomes.errors is not None:
        wrong = outcomes.errors
        table = [[int((wrong & inside).sum()), int((~wrong & inside).sum())], [int((wrong & ~inside).sum()), int((~wrong & ~inside).sum())]]
        return float(stats.fisher_exact(table, alternative="greater")[1])  # type: ignore[arg-type]
    return float(stats.mannwhitneyu(outcomes.loss[inside], outcomes.loss[~inside], alternative="greater").pvalue)


def _pairs(samples: SampleSet, outcomes: Outcomes) -> tuple[list[ClassFinding], list[float]]:
    """Confusions seen at least FEWEST / 2 times, and their raw p."""
    if outcomes.predictions is None or samples.labels is None or outcomes.errors is None:
        return [], []
    k = len(samples.class_names)
    wrong = outcomes.errors & (outcomes.predictions >= 0)
    table = np.zeros((k, k), dtype=np.int64)
    np.add.at(table, (samples.labels[wrong], outcomes.predictions[wrong]), 1)
    found: list[ClassFinding] = []
    raw: list[float] = []
    for true, predicted in np.argwhere(table >= FEWEST // 2):
        rows = np.flatnonzero(wrong & (samples.labels == true) & (outcomes.predictions == predicted))
        of_class = int((samples.labels == true).sum())
        # errors that could have been this prediction: those of every class but the predicted one
        possible = int(table.sum() - table[predicted].sum())
        marked, drawn = int(table[:, predicted].sum()), int(table[true].sum())
        raw.append(float(stats.hypergeom.sf(len(rows) - 1, possible, marked, drawn)))
        name = f"{samples.class_names[true]} → {samples.class_names[predicted]}"
        mean = Estimate(float(outcomes.fitted[rows].mean()), float("nan"), float("nan"))
        found.append(ClassFinding(name, "confusion", len(rows), mean, wilson(len(rows), of_class), None, False))
    return found, raw


def suspected_label_errors(samples: SampleSet, outcomes: Outcomes) -> tuple[I64, tuple[str, ...]]:
    """Rows whose given label is suspected, most suspected first, and notes. Empty without probabilities for all classes.

    Confident learning as cleanlab implements it (Northcutt, Jiang & Chuang 2021, JAIR 70), from the probabilities given; they
    must be out of sample.
    """
    if outcomes.scores is None or samples.labels is None or outcomes.scores.shape[1] < 2:
        return np.zeros(0, np.int64), ()
    present = np.unique(samples.labels)
    if len(present) != outcomes.scores.shape[1]:
        return np.zeros(0, np.int64), (f"Label errors were not looked for: {len(present)} of {outcomes.scores.shape[1]} classes have rows.",)
    try:
        from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]  # only where probabilities are given
    except ImportError as error:
        raise MissingDependency("Listing suspected label errors needs cleanlab. Run `pip install cleanlab`.") from error
    issues = find_label_issues(samples.labels, outcomes.scores, return_indices_ranked_by="self_confidence", n_jobs=1)
    return np.asarray(issues, dtype=np.int64), ()
