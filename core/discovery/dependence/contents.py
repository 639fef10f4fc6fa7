"""How alike rows are in what the encoder sees, and in their losses, where a carrier puts them beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from core.discovery.dependence.carriers import Key, Order
from core.discovery.ridge.heads import split_by_block
from core.discovery.search.family import centre
from core.records import F32, F64, I64, Outcomes
from core.row_runs import row_runs, some_rows

MAX_DIMENSIONS = 128
"""Wider vectors are projected to as many random dimensions, and to half of them above MANY_ROWS: what is compared are
shares of rows, which the noise of a projection hardly moves."""
MANY_ROWS = 20_000
N_QUERIES = 2000
"""Rows whose nearest neighbor is looked up: the share then has a standard error of .011 at most."""
WINDOW = 10
"""Places in an order that count as beside each other."""
WIDE_WINDOW = 40
"""Places within which neighbors are counted to see whether they are concentrated."""
MAX_PAIRS = 10_000
"""Pairs of rows beside each other whose likeness is averaged."""
CONTENT_LAGS = (1, 2, 3, 4)
"""Distances at which contents are compared; several, for cameras that take turns."""
LOSS_LAGS = (1, 3, 8)
"""Losses are compared up to these distances."""
PRICE_OF_LOOKS = 0.5
"""Taken off the largest of several z, about as much as looking at several adds."""
_CELLS = 8_000_000
_PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
_N_FOLDS = 5
_N_BLOCKS = 40
"""Stretches along an order from which the folds of its fit are made."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far a carrier puts similar rows beside each other."""

    share: float
    """Of the rows whose nearest neighbor, among rows of their class, stands beside them or shares their key."""
    beyond_chance: float
    """The same less what unrelated rows would show, as a share of what is left."""
    concentrated: float
    """Of the nearest neighbors within WIDE_WINDOW places those within WINDOW, less chance; 1 for a key."""
    likeness: float
    """Mean cosine of rows beside each other: 0 is that of two random rows, 1 that of nearest neighbors."""
    z: float
    """The same in standard errors."""


class Contents:
    """What the encoder sees of (n, d) rows, class means out.

    Args:
        vectors: (n, d) rows.
        labels: (n,) class of each.
    """

    def __init__(self, vectors: F32, labels: I64, rng: np.random.Generator) -> None:
        n = len(vectors)
        self.labels = labels
        self.projected = _projected(vectors, rng)
        unit = centre(self.projected.astype(np.float64), labels).astype(np.float32)
        unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
        self.unit = unit
        self.queries, self.nearest, cosine = _nearest(unit, labels, rng)
        self.class_size = np.bincount(labels)[labels]
        random = self._cosines(rng.integers(0, n, N_QUERIES), rng.integers(0, n, N_QUERIES))
        self.random_cosine = float(random.mean())
        self.spread = max(float(random.std()), 1e-9)
        self.nearest_cosine = max(cosine, self.random_cosine + 1e-9)

    def _cosines(self, a: I64, b: I64) -> F64:
        return np.einsum("ij,ij->i", self.unit[a], self.unit[b], dtype=np.float64)

    def _likeness(self, a: I64, b: I64) -> tuple[float, float]:
        """The likeness of pairs of rows, and its z; 0 without pairs."""
        if not len(a):
            return 0.0, 0.0
        some = some_rows(len(a), MAX_PAIRS)
        a = a[some]
        b = b[some]
        excess = float(self._cosines(a, b).mean()) - self.random_cosine
        return excess / (self.nearest_cosine - self.random_cosine), excess / self.spread * len(a) ** 0.5

    def along(self, order: Order) -> Evidence:
        """The evidence of an order."""
        n = len(order.rows)
        place = np.empty(n, np.int64)
        place[order.rows] = np.arange(n)
        same = order.segments[self.queries] == order.segments[self.nearest]
        gap = np.where(same, np.abs(place[self.queries] - place[self.nearest]), n)
        near = float((gap <= WINDOW).mean())
        wide = float((gap <= WIDE_WINDOW).mean())
        by_chance = self._chance(order, place, WINDOW)
        wide_by_chance = self._chance(order, place, WIDE_WINDOW)
        concentrated = 0.0
        if near > 2 * by_chance:
            concentrated = (near - by_chance) / max(wide - wide_by_chance, near - by_chance, 1e-9)
        pairs = [self._beside(order, lag) for lag in CONTENT_LAGS]
        likeness, z = max(self._likeness(*pair) for pair in pairs)
        return Evidence(near, (near - by_chance) / max(1 - by_chance, 1e-9), concentrated, likeness, z)

    def _chance(self, order: Order, place: I64, window: int) -> float:
        """Share of the queries' class that stands within the window."""
        steps = np.r_[-window:0, 1 : window + 1]
        at = place[self.queries][:, None] + steps
        inside = (at >= 0) & (at < len(place))
        beside = order.rows[np.clip(at, 0, len(place) - 1)]
        own = self.queries[:, None]
        counted = inside & (order.segments[beside] == order.segments[own]) & (self.labels[beside] == self.labels[own])
        return float((counted.sum(1) / (self.class_size[self.queries] - 1)).mean())

    @staticmethod
    def _beside(order: Order, lag: int) -> tuple[I64, I64]:
        a = order.rows[:-lag]
        b = order.rows[lag:]
        same = order.segments[a] == order.segments[b]
        return a[same], b[same]

    def sharing(self, key: Key, rng: np.random.Generator) -> Evidence:
        """The evidence of a key."""
        groups = key.groups
        share = float((groups[self.queries] == groups[self.nearest]).mean())
        cell = np.unique(groups * (self.labels.max() + 1) + self.labels, return_inverse=True)[1]
        others = (np.bincount(cell)[cell] - 1)[self.queries]
        by_chance = float((others / (self.class_size[self.queries] - 1)).mean())
        rows = np.lexsort((rng.random(len(groups)), groups))
        a = rows[:-1]
        b = rows[1:]
        same = groups[a] == groups[b]
        likeness, z = self._likeness(a[same], b[same])
        return Evidence(share, (share - by_chance) / max(1 - by_chance, 1e-9), 1.0, likeness, z)

    def losses_along(self, order: Order, outcomes: Outcomes, rng: np.random.Generator) -> float:
        """z of neighboring losses being alike beyond class and content."""
        n = len(order.rows)
        block = np.empty(n, np.int64)
        block[order.rows] = np.arange(n) * min(_N_BLOCKS, n // WINDOW) // n
        scores = self._unexplained(outcomes, rng.permutation(np.arange(block.max() + 1) % _N_FOLDS)[block])
        best = -np.inf
        total = np.zeros(scores.shape[1])
        n_pairs = 0
        for lag in range(1, LOSS_LAGS[-1] + 1):
            a, b = self._beside(order, lag)
            total += (scores[a] * scores[b]).sum(0)
            n_pairs += len(a)
            if lag in LOSS_LAGS:
                best = max(best, float(total.max()) / max(n_pairs, 1) ** 0.5)
        return best - PRICE_OF_LOOKS

    def losses_sharing(self, groups: I64, outcomes: Outcomes, rng: np.random.Generator) -> float:
        """z of the losses of one group being alike beyond class and content."""
        sizes = np.bincount(groups)
        scores = self._unexplained(outcomes, rng.permutation(np.arange(len(sizes)) % _N_FOLDS)[groups])
        n_pairs = float((sizes * (sizes - 1)).sum()) / 2
        excess = [(np.bincount(groups, column) ** 2).sum() - (column**2).sum() for column in scores.T]
        return max(excess) / 2 / max(n_pairs, 1.0) ** 0.5 - PRICE_OF_LOOKS

    def _unexplained(self, outcomes: Outcomes, folds: I64) -> F64:
        """(n, m) ranks of the loss within the class, and errors, less what a ridge outside the fold predicts of them;
        centered within classes and of deviation 1, so that a product of two unrelated rows has mean 0, variance 1."""
        scores = [_ranks(outcomes.loss, self.labels)]
        if outcomes.errors is not None and 0 < outcomes.errors.mean() < 1:
            scores.append(outcomes.errors.astype(np.float64))
        wanted = centre(np.stack(scores, 1), self.labels)
        rest = centre(wanted - _out_of_fold(self.unit, wanted, folds), self.labels)
        return rest / np.maximum(rest.std(0), 1e-9)


def _projected(vectors: F32, rng: np.random.Generator) -> F32:
    n, d = vectors.shape
    dimensions = MAX_DIMENSIONS if n <= MANY_ROWS else MAX_DIMENSIONS // 2
    if d <= dimensions:
        return vectors.astype(np.float32)
    directions = rng.normal(0, dimensions**-0.5, (d, dimensions)).astype(np.float32)
    return vectors @ directions


def _nearest(unit: F32, labels: I64, rng: np.random.Generator) -> tuple[I64, I64, float]:
    """Some rows, the nearest row of the same class to each, and the mean cosine of the two."""
    some = rng.permutation(len(unit))[:N_QUERIES]
    n_classes = int(labels.max()) + 1
    members = split_by_block(np.arange(len(unit)), labels, n_classes)
    asked = split_by_block(np.sort(some), labels, n_classes)
    queries = list[I64]()
    nearest = list[I64]()
    total = 0.0
    for rows, all_queries in zip(members, asked):
        if len(rows) < 2 or not len(all_queries):
            continue
        others = unit[rows]
        for run in row_runs(len(all_queries), len(rows), _CELLS):
            part = all_queries[run]
            cosines = unit[part] @ others.T
            cosines[np.arange(len(part)), np.searchsorted(rows, part)] = -2
            best = cosines.argmax(1)
            total += float(cosines[np.arange(len(part)), best].sum())
            queries.append(part)
            nearest.append(rows[best])
    found = np.concatenate(queries)
    return found, np.concatenate(nearest), total / len(found)


def _ranks(loss: F64, labels: I64) -> F64:
    """(n,) middle rank of each loss in its class, as a share of the class."""
    ranks = np.empty(len(loss))
    for rows in split_by_block(np.arange(len(loss)), labels, int(labels.max()) + 1):
        ranks[rows] = rankdata(loss[rows]) / (len(rows) + 1)
    return ranks


def _out_of_fold(features: F32, wanted: F64, folds: I64) -> F64:
    """(n, m) ridge prediction by the other folds, with the penalty that does best; 0 where none helps."""
    n, d = features.shape
    parts = split_by_block(np.arange(n), folds, int(folds.max()) + 1)
    grams = [features[rows].T @ features[rows] for rows in parts]
    products = [features[rows].T @ wanted[rows] for rows in parts]
    gram = np.sum(grams, 0, dtype=np.float64)
    product = np.sum(products, 0)
    best = np.zeros_like(wanted)
    least = float((wanted**2).sum())
    for penalty in _PENALTIES:
        ridge = penalty * np.trace(gram) / d * np.eye(d)
        predicted = np.empty_like(wanted)
        for rows, own_gram, own_product in zip(parts, grams, products):
            predicted[rows] = features[rows] @ np.linalg.solve(gram - own_gram + ridge, product - own_product)
        error = float(((wanted - predicted) ** 2).sum())
        if error < least:
            best = predicted
            least = error
    return best


def split_stretches(contents: Contents, order: Order, factor: float, alike: float) -> tuple[I64, int]:
    """(n,) stretches along an order by row, and the reach of likeness in places.

    The order is cut where segments end and where contents change at once; a longer piece is split evenly into
    stretches of about `factor` times the reach: the distance at which rows are less than `alike` times as similar,
    beyond two random rows, as side by side.
    """
    n = len(order.rows)
    seen = contents.unit[order.rows]
    base = contents.random_cosine
    steps = np.einsum("ij,ij->i", seen[:-1], seen[1:])
    across = _across(seen)
    changes = (steps < (base + np.median(steps)) / 2) & (across < (base + np.median(across)) / 2)
    changes |= np.diff(order.segments[order.rows]) != 0
    piece = np.r_[0, np.cumsum(changes)]
    reach = _reach(seen, piece, base, alike)
    length = max(2, int(np.ceil(factor * reach)))
    stretches = np.empty(n, np.int64)
    count = 0
    for rows in np.split(order.rows, np.flatnonzero(changes) + 1):
        for part in np.array_split(rows, max(1, round(len(rows) / length))):
            stretches[part] = count
            count += 1
    return stretches, reach


def _across(seen: F32) -> F64:
    """(n - 1,) cosine-like product of the mean of the three rows before each step and of the three after it."""
    n = len(seen)
    total = np.concatenate([np.zeros((1, seen.shape[1])), np.cumsum(seen, 0, dtype=np.float64)]).astype(np.float32)
    step = np.arange(1, n)
    start = np.maximum(step - 3, 0)
    end = np.minimum(step + 3, n)
    product = np.einsum("ij,ij->i", total[step] - total[start], total[end] - total[step])
    return product / ((step - start) * (end - step))


def _reach(seen: F32, piece: I64, base: float, alike: float) -> int:
    """The first distance in places at which rows of one piece are hardly alike."""
    n = len(seen)
    beside = None
    for lag in _growing(n // 3):
        same = np.flatnonzero(piece[:-lag] == piece[lag:])
        if len(same) < 20:
            return lag
        same = same[:: max(1, len(same) // N_QUERIES)]
        excess = float(np.einsum("ij,ij->i", seen[same], seen[same + lag]).mean()) - base
        if beside is None:
            beside = excess
        if excess < alike * beside:
            return lag
    return n


def _growing(most: int) -> Sequence[int]:
    """1, 2, 3, ... and from ten on steps of a tenth, up to `most`."""
    lags = list[int]()
    lag = 1
    while lag < most:
        lags.append(lag)
        lag += max(1, lag // 10)
    return lags
