"""What a score matrix says of its item: right or wrong by each metric, by what margin, decided by a tie or not.

A tie is wrong: the true answer must score strictly higher. A scorer that says the same of everything gets 0, and its
ties are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, Bool
from core.systems.composition.records import Benchmark, CompositionResult, Item
from core.systems.composition.scoring.precision import average_precision, chance_precision

BOTH = "both"
TEXT_ONLY = "text only"
"""Metrics of a choice with two true captions: both above every foil, and what texts say without the image."""
RECALL_AT = (1, 3, 5, 10)
"""Depths at which a choice among many captions is reported."""
PAIR_CHANCE = {"image": 1 / 4, "text": 1 / 4, "group": 1 / 6}
"""Of scores in random order. Image and text score ask two questions of two answers each, which share no score: 1/2 x
1/2. The group score asks that both true scores lie above both false ones: of the 4! orders of four scores, 2! x 2!
do."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the scores say of each of n items."""

    correct: Mapping[str, Bool] = field(default_factory=dict[str, Bool])
    """(n,) by metric."""
    ties: Mapping[str, Bool] = field(default_factory=dict[str, Bool])
    """(n,) by metric: wrong (or ranked lower) only because two scores are equal."""
    values: Mapping[str, F64] = field(default_factory=dict[str, F64])
    """(n,) by metric, of those that are a mean."""
    chance: Mapping[str, F64] = field(default_factory=dict[str, F64])
    """(n,) by metric: what a ranking by chance gives on average."""
    margin: F64 = field(default_factory=lambda: np.empty(0))
    tied: Bool = field(default_factory=lambda: np.empty(0, bool))


def judge(benchmark: Benchmark, matrices: Sequence[F64], unreadable: frozenset[int] = frozenset()) -> Judged:
    """Judge every item of the benchmark by its (I, T) scores.

    Args:
        matrices: one for each item.
        unreadable: places in `benchmark.pictures`; a query of a retrieval benchmark is judged without them.

    Raises:
        InvalidInput: a matrix has another shape than its item, a score is not finite, or an item is not of the
        benchmark's kind.
    """
    for item, matrix in zip(benchmark.items, matrices):
        _check(item, matrix, benchmark, unreadable)
    if benchmark.kind == "pairs":
        return _pairs(benchmark, matrices)
    if benchmark.headline == BOTH:
        return _two_true(benchmark, matrices)
    if benchmark.kind == "choice":
        return _choice(benchmark, matrices)
    return _retrieval(benchmark, matrices, unreadable)


def readable(item: Item, unreadable: frozenset[int]) -> Bool:
    """(I,) True for the item's images that could be read."""
    return np.array([at not in unreadable for at in item.pictures], bool)


def hard_pictures(item: Item, usable: Bool) -> Bool:
    """(I,) True for the images on which Cola's headline is computed: the hard ones, or all where the benchmark names
    none."""
    if item.hard is None:
        return usable
    return usable & item.hard


def relevant_pictures(item: Item) -> Bool:
    """(I,) True for the images that a query describes."""
    relevant = np.zeros(len(item.pictures), bool)
    relevant[[picture for picture, _ in item.match]] = True
    return relevant


def in_order(items: Sequence[Item], matrices: Sequence[F64]) -> F64:
    """(n, 2, 2) scores of pairs in which caption i is of image i."""
    s = np.array(matrices, np.float64).reshape(-1, 2, 2)
    crossed = [dict(item.match)[0] == 1 for item in items]
    s[crossed] = s[crossed][:, :, ::-1]
    return s


def items_of(result: CompositionResult, benchmark: Benchmark) -> tuple[Item, ...]:
    """The item of each row of a result.

    Raises:
        InvalidInput: an item of the result is not in the benchmark.
    """
    known = {item.id: item for item in benchmark.items}
    if strange := [name for name in result.ids if name not in known]:
        raise InvalidInput(
            f"Item {strange[0]!r} of {result.name!r} is not in {benchmark.title}. Use the benchmark of the result."
        )
    return tuple(known[name] for name in result.ids)


def _check(item: Item, matrix: F64, benchmark: Benchmark, unreadable: frozenset[int]) -> None:
    kind = benchmark.kind
    n_true = 1
    if benchmark.headline == BOTH:
        n_true = 2
    shape = (len(item.pictures), len(item.captions))
    if matrix.shape != shape:
        raise InvalidInput(
            f"Item {item.id!r} needs {shape[0]} x {shape[1]} scores (images x captions): got "
            f"{' x '.join(map(str, matrix.shape))}."
        )
    usable = readable(item, unreadable) if kind == "retrieval" else np.ones(shape[0], bool)
    if not np.isfinite(matrix[usable]).all():
        raise InvalidInput(
            f"A score of item {item.id!r} is nan or infinite, so it cannot be ranked. Look for nan in the "
            "model's vectors or outputs."
        )
    sides = [sorted(side) for side in zip(*item.match)]
    wanted = {
        "pairs": shape == (2, 2) and sides == [[0, 1], [0, 1]],
        "choice": shape[0] == 1 and shape[1] > n_true == len(item.match),
        "retrieval": shape[1] == 1,
    }
    if not wanted[kind]:
        rule = {
            "pairs": "two images and two captions, one caption for each image",
            "choice": f"one image and at least {n_true + 1} captions, {n_true} of them true",
            "retrieval": "one caption and the images to rank",
        }[kind]
        raise InvalidInput(
            f"Item {item.id!r} must have {rule}: it has {shape[0]} images, {shape[1]} captions and "
            f"{len(item.match)} matches."
        )


def _pairs(benchmark: Benchmark, matrices: Sequence[F64]) -> Judged:
    """Source: Thrush et al. 2022 (Winoground, arXiv 2204.03162), eq. 1 to 3; the image score is Cola's multi-object
    accuracy (arXiv 2305.03689)."""
    s = in_order(benchmark.items, matrices)
    first = s[:, 0, 0]
    second = s[:, 1, 1]
    image = np.minimum(first - s[:, 1, 0], second - s[:, 0, 1])  # each caption picks its image
    text = np.minimum(first - s[:, 0, 1], second - s[:, 1, 0])  # each image picks its caption
    margins = {"image": image, "text": text, "group": np.minimum(image, text)}
    margin = margins.get(benchmark.headline, margins["group"])
    return Judged(
        correct={key: m > 0 for key, m in margins.items()},
        ties={key: m == 0 for key, m in margins.items()},
        chance={key: np.full(len(s), PAIR_CHANCE[key]) for key in margins},
        margin=margin,
        tied=margin == 0,
    )


def _two_true(benchmark: Benchmark, matrices: Sequence[F64]) -> Judged:
    """Source: Dumpala et al. 2024 (SugarCrepe++), arXiv 2406.11171, and its released code: the image-to-text task, and
    each true caption against the foil alone."""
    true = np.array([[m[0, at] for _, at in item.match] for item, m in zip(benchmark.items, matrices)])
    foil = np.array([np.delete(m[0], true_places(item)).max() for item, m in zip(benchmark.items, matrices)])
    margins = {"first": true[:, 0] - foil, "second": true[:, 1] - foil, BOTH: true.min(1) - foil}
    rivals = np.array([len(item.captions) - 2 for item in benchmark.items])
    chance = {"first": 1 / (1 + rivals), "second": 1 / (1 + rivals), BOTH: 2 / ((1 + rivals) * (2 + rivals))}
    order = (BOTH, "first", "second")
    return Judged(
        {key: margins[key] > 0 for key in order},
        {key: margins[key] == 0 for key in order},
        chance={key: chance[key] for key in order},
        margin=margins[BOTH],
        tied=margins[BOTH] == 0,
    )


def with_text_only(judged: Judged, benchmark: Benchmark, vectors: Sequence[F32]) -> Judged:
    """What the text side alone says of two true captions and a foil, beside the rest: right where the two are nearer
    each other than either is to a foil.

    Args:
        vectors: for each item (T, d) unit rows of its captions.

    Source: as `_two_true`, the text-only task.
    """
    margin = np.empty(len(benchmark))
    for row, (item, rows) in enumerate(zip(benchmark.items, vectors)):
        places = true_places(item)
        foils = np.delete(rows, places, axis=0).astype(np.float64)
        first, second = rows[places].astype(np.float64)
        margin[row] = first @ second - (np.stack([first, second]) @ foils.T).max()
    rivals = np.array([len(item.captions) - 2 for item in benchmark.items])
    return replace(
        judged,
        correct={**judged.correct, TEXT_ONLY: margin > 0},
        ties={**judged.ties, TEXT_ONLY: margin == 0},
        chance={**judged.chance, TEXT_ONLY: 1 / (1 + 2 * rivals)},
    )


def true_places(item: Item) -> list[int]:
    """Places of the captions that a choice's image has."""
    return [caption for _, caption in item.match]


def _choice(benchmark: Benchmark, matrices: Sequence[F64]) -> Judged:
    n = len(matrices)
    count = np.zeros(n)
    strict = np.zeros(n)
    lucky = np.zeros(n)
    margin = np.zeros(n)
    for row, (item, matrix) in enumerate(zip(benchmark.items, matrices)):
        true = item.match[0][1]
        foils = np.delete(matrix[0], true)
        # A foil of equal score stands before the true caption; `lucky` is the rank if it stood behind.
        strict[row], lucky[row] = 1 + (foils >= matrix[0, true]).sum(), 1 + (foils > matrix[0, true]).sum()
        count[row], margin[row] = len(matrix[0]), matrix[0, true] - foils.max()
    if benchmark.headline == "pairwise":
        if (count != 2).any():
            odd = benchmark.items[int(np.argmax(count != 2))]
            raise InvalidInput(
                f"Pairwise accuracy needs one foil an item: item {odd.id!r} of {benchmark.title} has "
                f"{len(odd.captions) - 1}."
            )
        right = strict == 1
        return Judged(
            {"pairwise": right}, {"pairwise": ~right & (lucky == 1)}, {}, {"pairwise": 1 / count}, margin, margin == 0
        )
    depths = [k for k in RECALL_AT if k < count.max(initial=0) or f"r@{k}" == benchmark.headline]
    return Judged(
        correct={f"r@{k}": strict <= k for k in depths},
        ties={f"r@{k}": (strict > k) & (lucky <= k) for k in depths} | {"mean rank": strict > lucky},
        values={"mean rank": strict},
        chance={f"r@{k}": np.minimum(k / count, 1.0) for k in depths} | {"mean rank": (count + 1) / 2},
        margin=margin,
        tied=margin == 0,
    )


def _retrieval(benchmark: Benchmark, matrices: Sequence[F64], unreadable: frozenset[int]) -> Judged:
    keys = ("map", "map all") if any(item.hard is not None for item in benchmark.items) else ("map",)
    values, chance = ({key: np.full(len(matrices), np.nan) for key in keys} for _ in range(2))
    ties = {key: np.zeros(len(matrices), bool) for key in keys}
    for row, (item, matrix) in enumerate(zip(benchmark.items, matrices)):
        usable = readable(item, unreadable)
        relevant = relevant_pictures(item)
        for key in keys:
            among = hard_pictures(item, usable) if key == "map" else usable
            scores = matrix[among, 0]
            true = relevant[among]
            values[key][row] = average_precision(scores, true)
            chance[key][row] = chance_precision(int(true.sum()), len(true))
            ties[key][row] = len(np.intersect1d(scores[true], scores[~true])) > 0
    return Judged(ties=ties, values=values, chance=chance, margin=values["map"], tied=ties["map"])
