"""Two models on the same samples, in plain sentences."""

from __future__ import annotations

import math

import numpy as np

from core.checks.paired_errors import ALPHA, MARGIN, MODEL
from core.numbers import count, interval, number, p_value, points, with_interval
from core.records import OWN, Comparison, Diagnosis, Estimate, FourWay
from core.reports.wording.findings import cluster_title, sample_noun

VERDICTS = {
    "fixed": "better: {b} is wrong less often",
    "partly": "better: {b} is wrong less often here, but more often than elsewhere",
    "same": "hard for both models: equally often wrong, within {margin}",
    "shared": "hard for both models",
    "own": "hard for {a} only: {b} is not shown to be worse here",
    "broken": "worse: {b} is wrong more often",
    "open": "open: not enough data",
}
BLIND = "open: {b} is not shown to be much better than chance, so it shows nothing here"
UNTESTED = "not tested"
"""Of a scope with too few rows, or of models that are judged by different truths."""


def model_name(name: str, diagnosis: Diagnosis | None = None) -> str:
    """What a model is called in a sentence: "your model", or the probe that the run is about."""
    if name != MODEL:
        return name
    if diagnosis is not None and isinstance(title := diagnosis.extras.get(OWN), str):
        return title
    return "your model"


def share(estimate: Estimate | None) -> str:
    """Such as "43% (40 to 46%)"; a dash where there is none."""
    return with_interval(estimate, share=True)


def overall_sentences(
    comparison: Comparison, diagnosis: Diagnosis | None = None, noun: str = "image"
) -> tuple[str, ...]:
    """What the second model fixed and broke, and both accuracies.

    Args:
        noun: what is counted, where there is no diagnosis to say it.
    """
    if diagnosis is not None:
        noun = sample_noun(diagnosis)
    a = model_name(comparison.a, diagnosis)
    b = model_name(comparison.b, diagnosis)
    overall = comparison.overall
    change = f"{points(overall.difference.value, sign=True)} (95% CI {interval(overall.difference, points=True)}"
    chance = "not tested"
    if overall.p is not None:
        chance = f"{_test_name(comparison, diagnosis)} {p_value(overall.p)}"
    counts = (
        f"{b} fixed {overall.fixed:,} and broke {overall.broken:,} of {count(overall.n, noun)}: {change}; {chance})"
    )
    if overall.verdict not in ("fixed", "broken") and overall.p is not None:
        counts = f"No difference shown. {counts}"
    rates = f"Right: {a} {share(comparison.accuracy_a)}, {b} {share(comparison.accuracy_b)}."
    rates = f"{rates} Both are wrong on {overall.both:,}."
    if math.isfinite(comparison.agreement):
        rates = f"{rates} Agreement of their errors beyond chance (kappa): {number(comparison.agreement, 2)}."
    return f"{counts}.", rates


def scope_sentence(comparison: Comparison, scope: FourWay, diagnosis: Diagnosis) -> str:
    """Both models' errors in one scope, and what the second fixed and broke, without intervals: "Wrong on 7 of 37, your
    model on 18: fixed 12, broke 1." """
    a = model_name(comparison.a, diagnosis)
    now = scope.both + scope.broken
    before = scope.both + scope.fixed
    return f"Wrong on {now:,} of {scope.n:,}, {a} on {before:,}: fixed {scope.fixed:,}, broke {scope.broken:,}."


def _test_name(comparison: Comparison, diagnosis: Diagnosis | None) -> str:
    """The test behind the p-value of all samples: related rows flip together."""
    if diagnosis is not None and diagnosis.samples.groups is not None:
        groups = diagnosis.samples.groups[comparison.rows]
        if len(np.unique(groups)) < len(groups):
            return "sign-flip"
    return "McNemar"


def verdict_words(
    comparison: Comparison, scope: FourWay, diagnosis: Diagnosis | None = None, *, figures: bool = True
) -> str:
    """The verdict on one class or cluster; for the words of one run also the figure that it rests on, unless figures
    stand beside it."""
    if scope.p is None and scope.verdict == "open":
        return UNTESTED
    a = model_name(comparison.a, diagnosis)
    b = model_name(comparison.b, diagnosis)
    template = VERDICTS[scope.verdict]
    if scope.blind and scope.verdict == "open":
        template = BLIND
    text = template.format(a=a, b=b, margin=points(MARGIN))
    if scope.verdict == "shared" and scope.p is not None and scope.p <= ALPHA and scope.difference.value < 0:
        text = f"hard for both models, and worse for {b}"
    level = f"error rate of {b} here minus that on the others"
    grounds = {
        "own": (f"excess error rate of {a} minus that of {b}", scope.excess_gap),
        "shared": (level, scope.shares),
        "partly": (level, scope.shares),
        "same": ("gain", scope.difference),
    }
    quantity, ground = grounds.get(scope.verdict, ("", None))
    if diagnosis is not None and figures and ground is not None:
        ends = interval(ground, points=True)
        text += f" ({quantity}: {points(ground.value, sign=True)}, 95% CI {ends})"
    return text


def scope_title(diagnosis: Diagnosis, scope: FourWay) -> str:
    """A cluster by its number and title, a class by its name."""
    cluster = next((c for c in diagnosis.clusters if c.id == scope.cluster), None)
    if cluster is None:
        return scope.scope
    return f"{cluster.id + 1}. {cluster_title(diagnosis, cluster)}"
