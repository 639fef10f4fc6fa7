"""Small charts as inline SVG: no script, no font, no file beside them. Colors come from the page's style sheet by
class name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from core.records import F32, F64, I64, Bool, Diagnosis
from core.row_runs import some_rows

N_LOSS_COLOURS = 6
N_CLUSTER_COLOURS = 8
MAX_POINTS = 50_000
"""Beyond it the map draws every member of a cluster and a fixed random share of the rest."""
_SIZE = 1000  # the map's own units; a point is drawn on a whole number
_MARGIN = 20


@dataclass(frozen=True, slots=True)
class LossScale:
    """The colors of the loss: equal steps between its 2nd and 98th percentile, so that a few extremes don't wash out
    the rest."""

    low: float
    high: float

    @classmethod
    def of(cls, loss: F64) -> LossScale:
        low, high = np.percentile(loss, [2, 98])
        return cls(float(low), float(high if high > low else low + 1.0))

    def step(self, loss: F64) -> I64:
        """(n,) the color's number, 0 to N_LOSS_COLOURS - 1."""
        share = (loss - self.low) / (self.high - self.low)
        return np.clip(np.floor(share * N_LOSS_COLOURS), 0, N_LOSS_COLOURS - 1).astype(np.int64)


def map_by_loss(diagnosis: Diagnosis) -> Markup:
    """The map, each sample colored by its observed loss, the worst drawn last."""
    loss = diagnosis.outcomes.loss
    steps = LossScale.of(loss).step(loss)
    shown = _shown(diagnosis)
    points, height = _on_canvas(diagnosis.map.xy)
    paths = [_dots(points[shown & (steps == step)], f"loss-{step}") for step in range(N_LOSS_COLOURS)]
    return _canvas(paths, height, "Map of the samples, colored by observed loss")


def map_by_cluster(diagnosis: Diagnosis) -> Markup:
    """The map, the members of each confirmed cluster in its color and numbered by its rank, the rest pale."""
    clusters, _ = diagnosis.cluster_of()
    points, height = _on_canvas(diagnosis.map.xy)
    paths = [_dots(points[_shown(diagnosis) & (clusters < 0)], "rest")]
    # The first in rank is drawn last, so on top.
    for cluster in reversed(diagnosis.clusters):
        paths.append(_dots(points[clusters == cluster.id], f"cluster-{cluster.id % N_CLUSTER_COLOURS}"))
    for cluster in reversed(diagnosis.clusters):
        members = points[clusters == cluster.id]
        if len(members):
            # the point nearest to the median, so that a badge never lies outside its cluster
            nearest = np.abs(members - np.median(members, axis=0)).sum(1).argmin()
            x, y = members[nearest].tolist()
            paths.append(
                f'<circle class="badge" cx="{x}" cy="{y}" r="26"/><text class="badge" x="{x}" y="{y}" '
                f'dy=".35em">{cluster.id + 1}</text>'
            )
    return _canvas(paths, height, "Map of the samples, colored by group")


def observed_by_predicted(predicted: F64, loss: F64) -> list[tuple[float, float]]:
    """Mean predicted and mean observed loss in ten bins of equal count, lowest prediction first; of few samples in
    fewer."""
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, max(1, min(10, len(order) // 5))) if len(part)]
    return [(float(predicted[part].mean()), float(loss[part].mean())) for part in parts]


def calibration(diagnosis: Diagnosis) -> Markup:
    """Observed mean loss by bins of predicted loss: bars that climb where the embedding knows something, level bars
    where it does not."""
    means = observed_by_predicted(diagnosis.estimate.predicted, diagnosis.outcomes.loss)
    top = max(observed for _, observed in means) or 1.0
    overall = float(diagnosis.outcomes.loss.mean())
    width = 300 / len(means)
    bars: list[str] = []
    for i, (_, observed) in enumerate(means):
        height = 100 * max(observed, 0.0) / top
        bars.append(
            f'<rect x="{i * width + 2:.1f}" y="{110 - height:.1f}" width="{width - 4:.1f}" '
            f'height="{height:.1f}" rx="2"/>'
        )
    line = 110 - 100 * overall / top
    return Markup(
        '<svg class="calibration" viewBox="0 0 300 112" role="img" aria-label="Mean observed loss by '
        'bin of predicted loss">' + "".join(bars) + f'<path class="mean" d="M0 {line:.1f}H300"/></svg>'
    )


def n_left_off(diagnosis: Diagnosis) -> int:
    """How many samples the maps leave out."""
    return int((~_shown(diagnosis)).sum())


def _shown(diagnosis: Diagnosis) -> Bool:
    shown = diagnosis.cluster_of()[0] >= 0
    shown[some_rows(len(shown), MAX_POINTS)] = True
    return shown


def _on_canvas(xy: F32) -> tuple[I64, int]:
    """(n, 2) whole numbers on a canvas _SIZE wide, both axes to the same scale, y upwards; and the canvas' height."""
    low = xy.min(0)
    high = xy.max(0)
    scale = (_SIZE - 2 * _MARGIN) / (float((high - low).max()) or 1.0)
    height = int(max((high[1] - low[1]) * scale + 2 * _MARGIN, _SIZE * 0.6))
    centred = (xy - (low + high) / 2) * scale
    return np.rint(np.column_stack([centred[:, 0] + _SIZE / 2, height / 2 - centred[:, 1]])).astype(np.int64), height


def _dots(points: I64, css_class: str) -> str:
    """One path for all points of a color: a line of no length with round ends is a dot, at a tenth of a circle's
    bytes."""
    if not len(points):
        return ""
    path = "".join(f"M{x} {y}h0" for x, y in points.tolist())
    return f'<path class="{css_class}" d="{path}"/>'


def _canvas(parts: list[str], height: int, label: str) -> Markup:
    return Markup(
        f'<svg class="map" viewBox="0 0 {_SIZE} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )
