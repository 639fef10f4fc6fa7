"""Which kinds of item fail as a whole. The two samples of an item are not independent, so items are permuted and not
rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.records import F64, I64, Bool, ClassFinding, Outcomes, SampleSet
from core.statistics.permutation import Permuter, chunks, holm

PERMUTATIONS = 9999
MIN_GROUPS = 20
"""With fewer groups nothing is permuted."""
_AT_ONCE = 2_000_000
"""Values of permuted losses that are held at a time."""


def kinds_with_p(
    findings: Sequence[ClassFinding], samples: SampleSet, outcomes: Outcomes, *, alpha: float, seed: int = 0
) -> tuple[ClassFinding, ...]:
    """The findings of whole classes with a p, where `core.discovery.classes` gives none because rows come in groups.

    One-sided: the error rate of the kind (or its mean loss, where errors are unknown) minus that of all other samples,
    against a null in which whole groups exchange what was observed of them. Adjusted by Holm over the kinds.

    Args:
        alpha: what the run spends at class level.
    """
    labels, groups = samples.labels, samples.groups
    kinds = [finding for finding in findings if finding.kind == "class"]
    known = any(finding.p is not None for finding in kinds)
    if known or labels is None or groups is None or len(np.unique(groups)) < MIN_GROUPS:
        return tuple(findings)
    values = outcomes.fitted if outcomes.errors is None else outcomes.errors.astype(np.float64)
    insides = np.stack([labels == samples.class_names.index(finding.name) for finding in kinds])
    raw = group_p(insides, values, groups, seed=seed).tolist()
    adjusted = dict(zip((finding.name for finding in kinds), holm(raw).tolist()))
    return tuple(
        replace(f, p=adjusted[f.name], confirmed=adjusted[f.name] <= alpha) if f.kind == "class" else f
        for f in findings
    )


def group_p(insides: Bool, values: F64, groups: I64, *, seed: int = 0) -> F64:
    """(k,) one-sided permutation p that values are no higher inside than outside, for (k, n) sets of rows; whole groups
    are exchanged.

    p is 1 for a set that is empty or holds every row. The same draws serve all sets.
    """
    inside, outside = insides.sum(1, keepdims=True), (~insides).sum(1, keepdims=True)
    weights = np.where(insides, 1 / np.maximum(inside, 1), -1 / np.maximum(outside, 1))
    observed = weights @ values
    rng, reached = np.random.default_rng(seed), np.zeros(len(insides))
    permuter = Permuter(np.zeros(len(values), np.int64), groups)
    for count in chunks(PERMUTATIONS, max(1, _AT_ONCE // len(values))):
        null = weights @ values[permuter.draw(count, rng)]  # (k, count)
        reached += (null >= observed[:, None] - 1e-9).sum(1)
    return np.where((inside > 0) & (outside > 0), (reached[:, None] + 1) / (PERMUTATIONS + 1), 1.0)[:, 0]
