"""A failing class without the samples of one confirmed finding: whether that finding accounts for its errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import EVERYTHING, ClassFinding, Diagnosis, FailureCluster, Insight

MIN_CLASS_MEMBERS = 5
"""Samples of the class that the finding must hold. A convention."""
MAX_CLASS_SHARE = 0.5
"""Share of the class that the finding may hold at most, and of the class's excess that may be left without it: with
more left the class fails without the finding. A convention: most of the excess, from at most half of the class."""
MIN_CLUSTER_SHARE = 0.8
"""A cluster that accounts for this share of what the best finding does is preferred: people look at clusters. A
convention."""


@dataclass(frozen=True, slots=True, eq=False)
class WithoutFinding:
    """A class without the samples of a finding, counted, not tested."""

    finding: FailureCluster | Insight
    taken: int
    """Samples of the class that the finding holds."""
    left: int
    level: float
    """Error rate of the samples left, or mean loss where errors are unknown."""
    rest: float
    """The same for all other classes, without the finding's samples there."""

    @property
    def gap(self) -> float:
        return self.level - self.rest


def class_without(diagnosis: Diagnosis, class_finding: ClassFinding) -> WithoutFinding | None:
    """The class without the confirmed cluster, condition or phrase that accounts for most of its excess, a cluster
    where it accounts for about as much; None where no finding does, or the class is not confirmed."""
    samples = diagnosis.samples
    outcomes = diagnosis.outcomes
    name = class_finding.name
    if class_finding.kind != "class" or not class_finding.confirmed:
        return None
    if samples.labels is None or name not in samples.class_names:
        return None
    class_rows = samples.labels == samples.class_names.index(name)
    values = outcomes.loss
    if outcomes.errors is not None:
        values = outcomes.errors.astype(np.float64)
    excess = float(values[class_rows].mean() - values[~class_rows].mean())
    accounts = list[WithoutFinding]()
    for finding in (*diagnosis.clusters, *(i for i in diagnosis.insights if i.confirmed)):
        if finding.scope not in (name, EVERYTHING):
            continue
        members = finding.mask if isinstance(finding, Insight) else finding.membership >= 0.5
        left = class_rows & ~members
        others = ~class_rows & ~members
        taken = int((class_rows & members).sum())
        if not MIN_CLASS_MEMBERS <= taken <= MAX_CLASS_SHARE * class_rows.sum() or not others.any():
            continue
        level = float(values[left].mean())
        level_of_others = float(values[others].mean())
        if level - level_of_others <= (1 - MAX_CLASS_SHARE) * excess and excess > 0:
            accounts.append(WithoutFinding(finding, taken, int(left.sum()), level, level_of_others))
    most = max((excess - account.gap for account in accounts), default=0.0)
    clusters = list[WithoutFinding]()
    for account in accounts:
        if isinstance(account.finding, FailureCluster) and excess - account.gap >= MIN_CLUSTER_SHARE * most:
            clusters.append(account)
    return min(clusters or accounts, key=lambda account: account.gap, default=None)
