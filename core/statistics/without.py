"""How a class that fails as a whole does without one confirmed finding in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import EVERYTHING, ClassFinding, Diagnosis, FailureCluster, Insight

MIN_CLASS_MEMBERS = 5
"""Fewest samples of the class that the finding holds."""
MAX_CLASS_SHARE = 0.5
"""Largest share of the class that it may hold, and of its excess that may be left: else the class fails without it."""
MIN_CLUSTER_SHARE = 0.8
"""A cluster that takes this share of what the best finding takes is told instead: it is what people look at."""


@dataclass(frozen=True, slots=True, eq=False)
class WithoutFinding:
    """A class without the samples of a finding, as counted: nothing was tested."""

    finding: FailureCluster | Insight
    taken: int
    """Samples of the class that the finding holds."""
    left: int
    level: float
    """Error rate of what is left, or mean loss where errors are unknown."""
    rest: float
    """The same of all other classes, without the finding's samples there."""

    @property
    def gap(self) -> float:
        return self.level - self.rest


def class_without(diagnosis: Diagnosis, found: ClassFinding) -> WithoutFinding | None:
    """The class without that confirmed cluster, condition or phrase which most of its excess over the rest goes
    through, a cluster where it takes about as much; None where no one does, or the class is not confirmed."""
    samples = diagnosis.samples
    outcomes = diagnosis.outcomes
    if found.kind != "class" or not found.confirmed or samples.labels is None or found.name not in samples.class_names:
        return None
    own = samples.labels == samples.class_names.index(found.name)
    values = outcomes.loss if outcomes.errors is None else outcomes.errors.astype(np.float64)
    excess = float(values[own].mean() - values[~own].mean())
    made = list[WithoutFinding]()
    for finding in (*diagnosis.clusters, *(i for i in diagnosis.insights if i.confirmed)):
        members = finding.mask if isinstance(finding, Insight) else finding.membership >= 0.5
        inside = own & members
        left = own & ~members
        rest = ~own & ~members
        taken = int(inside.sum())
        if (
            finding.scope not in (found.name, EVERYTHING)
            or not MIN_CLASS_MEMBERS <= taken <= MAX_CLASS_SHARE * own.sum()
            or not rest.any()
        ):
            continue
        level = float(values[left].mean())
        beside = float(values[rest].mean())
        if level - beside <= (1 - MAX_CLASS_SHARE) * excess and excess > 0:
            made.append(WithoutFinding(finding, taken, int(left.sum()), level, beside))
    most = max((excess - one.gap for one in made), default=0.0)
    clusters = [o for o in made if isinstance(o.finding, FailureCluster) and excess - o.gap >= MIN_CLUSTER_SHARE * most]
    return min(clusters or made, key=lambda one: one.gap, default=None)
