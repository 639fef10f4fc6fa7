"""Failure clusters over checkpoints, drawn: one small chart for each cluster."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.checks.checkpoints.follow import FollowedCluster, FollowedRun
from core.numbers import bracketed, percent
from core.records import Diagnosis, Estimate
from core.reports.wording.findings import cluster_title
from core.reports.wording.second_model import change_sentence

WIDTH = 300
HEIGHT = 130
LEFT = 34
BOTTOM = 18
MIN_TOP = 0.05
"""Error rate at the top of the axis where all rates are lower."""


@dataclass(frozen=True, slots=True)
class CheckpointPoint:
    """One checkpoint's rate, in the chart's units."""

    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True)
class CheckpointChart:
    """A cluster's chart."""

    number: int | None
    """The cluster's rank from 0; None for all samples."""
    title: str
    sentence: str
    points: tuple[CheckpointPoint, ...]
    run_point: CheckpointPoint
    """The run's own model, left of the others."""
    line: str
    rest: tuple[str, ...]
    """Lines of the rest of the scope, broken where a checkpoint answered nothing there."""
    ticks: tuple[tuple[float, str], ...]
    """(y, words) of the axis."""


def checkpoint_charts(diagnosis: Diagnosis, followed: FollowedRun) -> list[CheckpointChart]:
    """The clusters in rank order, then all samples; all on one axis."""
    scopes = (*followed.clusters, followed.everything)
    ends = [MIN_TOP]
    for scope in scopes:
        ends += [rate.high for rate in (*scope.rates, scope.baseline)]
        ends += scope.rest
    top = max(end for end in ends if math.isfinite(end))
    return [_chart(diagnosis, followed.names, scope, top) for scope in scopes]


def _chart(diagnosis: Diagnosis, names: Sequence[str], scope: FollowedCluster, top: float) -> CheckpointChart:
    step = (WIDTH - LEFT - 12) / max(1, len(names))

    def x(index: int) -> float:
        return LEFT + 6 + step * (index + 1)

    def y(rate: float) -> float:
        return 6 + (HEIGHT - BOTTOM - 6) * (1 - rate / top)

    def point(index: int, name: str, rate: Estimate, n: str) -> CheckpointPoint:
        text = f"{name}: {percent(rate.value)} wrong {bracketed(rate, share=True)}{n}"
        return CheckpointPoint(x(index), y(rate.value), y(rate.low), y(rate.high), text)

    known = [index for index, rate in enumerate(scope.rates) if math.isfinite(rate.value)]
    drawn = [point(index, names[index], scope.rates[index], f" of {scope.n[index]:,}") for index in known]
    rest = list[list[str]]()
    before = -2
    for index, rate in enumerate(scope.rest):
        if math.isfinite(rate):
            if index != before + 1:
                rest.append([])
            rest[-1].append(f"{x(index):.1f},{y(rate):.1f}")
            before = index
    number = None
    title = "All samples"
    if scope.cluster is not None:
        number = scope.cluster.id
        title = cluster_title(diagnosis, scope.cluster)
    return CheckpointChart(
        number,
        title,
        change_sentence(names, scope),
        tuple(drawn),
        point(-1, "this run's model", scope.baseline, ""),
        " ".join(f"{p.x:.1f},{p.y:.1f}" for p in drawn),
        tuple(map(" ".join, rest)),
        tuple((y(share), percent(share)) for share in (0.0, top)),
    )
