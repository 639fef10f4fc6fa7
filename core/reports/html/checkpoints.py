"""Failure clusters over checkpoints, drawn: one small chart for each cluster."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.checks.checkpoints.follow import FollowedCluster, FollowedRun
from core.files import write_text
from core.numbers import bracketed, percent
from core.records import Diagnosis, Estimate
from core.reports.html.diagnosis import style
from core.reports.html.render import render
from core.reports.wording.findings import cluster_title
from core.reports.wording.second_model import FOLLOWED, change_sentence

WIDTH = 300
HEIGHT = 130
LEFT = 34
BOTTOM = 18


@dataclass(frozen=True, slots=True)
class CheckpointPoint:
    """One checkpoint's rate, in the chart's units."""

    x: float
    y: float
    low: float
    high: float
    said: str


@dataclass(frozen=True, slots=True)
class CheckpointChart:
    """A cluster's chart."""

    number: int | None
    """The cluster's rank from 0; None for all samples."""
    title: str
    sentence: str
    points: tuple[CheckpointPoint, ...]
    own: CheckpointPoint
    """The run's own model, left of the others."""
    line: str
    rest: tuple[str, ...]
    """Lines of the rest of the scope, broken where a checkpoint answered nothing there."""
    ticks: tuple[tuple[float, str], ...]
    """(y, words) of the axis."""


def checkpoint_charts(diagnosis: Diagnosis, found: FollowedRun) -> list[CheckpointChart]:
    """The clusters in rank order, then all samples; all on one axis."""
    both = (*found.clusters, found.everything)
    ends = [e.high for one in both for e in (*one.rates, one.baseline)] + [r for one in both for r in one.rest]
    top = max([0.05, *(end for end in ends if math.isfinite(end))])
    return [_chart(diagnosis, found.names, one, top) for one in both]


def _chart(diagnosis: Diagnosis, names: Sequence[str], one: FollowedCluster, top: float) -> CheckpointChart:
    step = (WIDTH - LEFT - 12) / max(1, len(names))

    def x(place: int) -> float:
        return LEFT + 6 + step * (place + 1)

    def y(rate: float) -> float:
        return 6 + (HEIGHT - BOTTOM - 6) * (1 - rate / top)

    def point(place: int, name: str, rate: Estimate, n: str) -> CheckpointPoint:
        said = f"{name}: {percent(rate.value)} wrong {bracketed(rate, share=True)}{n}"
        return CheckpointPoint(x(place), y(rate.value), y(rate.low), y(rate.high), said)

    known = [place for place, rate in enumerate(one.rates) if math.isfinite(rate.value)]
    drawn = [point(place, names[place], one.rates[place], f" of {one.n[place]:,}") for place in known]
    rest = list[list[str]]()
    before = -2
    for place, rate in enumerate(one.rest):
        if math.isfinite(rate):
            rest = rest if place == before + 1 else [*rest, []]
            rest[-1].append(f"{x(place):.1f},{y(rate):.1f}")
            before = place
    title = "All samples" if one.cluster is None else cluster_title(diagnosis, one.cluster)
    return CheckpointChart(
        None if one.cluster is None else one.cluster.id,
        title,
        change_sentence(names, one),
        tuple(drawn),
        point(-1, "this run's model", one.baseline, ""),
        " ".join(f"{p.x:.1f},{p.y:.1f}" for p in drawn),
        tuple(map(" ".join, rest)),
        tuple((y(share), percent(share)) for share in (0.0, top)),
    )


def write_checkpoints(diagnosis: Diagnosis, found: FollowedRun, path: Path) -> None:
    """Write the charts to `path`: one HTML document that fetches nothing and runs nothing."""
    charts = checkpoint_charts(diagnosis, found)
    page = render("checkpoints.html.j2", diagnosis=diagnosis, charts=charts, found=found, rule=FOLLOWED, **style())
    write_text(path, page)
