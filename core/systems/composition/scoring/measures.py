"""The figures of a benchmark with their intervals: over all items, by tag, and averaged over the values of a tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.records import F64, I64, UNDEFINED, Estimate
from core.statistics.intervals import accuracy_of, bootstrap, percentile_interval
from core.statistics.redraws import bootstrap_mean
from core.systems.composition.records import Item, Metric, Picture, TagMetrics
from core.systems.composition.scoring.judging import Judged

TITLES = {
    "image": "Image score (each caption picks its image)",
    "text": "Text score (each image picks its caption)",
    "group": "Group score (both)",
    "pairwise": "Pairwise accuracy",
    "both": "Both true captions above the foil (image to text)",
    "first": "First true caption above the foil",
    "second": "Second true caption above the foil",
    "text only": "Text only: the true captions closer to each other than to the foil",
    "mean rank": "Mean rank of the true caption",
    "map": "Mean average precision over hard images",
    "map all": "Mean average precision over all images",
}
MIN_TAG_ITEMS = 5
"""Items of a tag's value that is shown alone; smaller ones are pooled."""
POOLED = f"fewer than {MIN_TAG_ITEMS} items each"
MAX_VALUES = 60
"""A tag with more values (after pooling) names items rather than breaking them down."""
MIN_GROUPS = 20
"""Below this number of groups the bootstrap over groups has intervals that are too narrow."""
REPEATS = 500


@dataclass(frozen=True, slots=True, eq=False)
class TagScope:
    """The items of one value of a tag."""

    tag: str
    value: str
    rows: I64


def title_of(key: str, keys: Sequence[str]) -> str:
    """A metric's name for people; `keys` are all metrics of the result."""
    if key == "map" and "map all" not in keys:
        return "Mean average precision"
    return TITLES.get(key, f"Recall at {key.removeprefix('r@')}")


def picture_groups(items: Sequence[Item], pictures: Sequence[Picture] = ()) -> tuple[I64 | None, str]:
    """(n,) group of each item: items that share an image, directly or through others, stand or fall together. And a
    note, or "".

    Args:
        images: of the benchmark; crops of one file are then one image.

    Returns:
        None without a note where no two items share an image; None with one where there are fewer than `MIN_GROUPS`
        groups (every query of a retrieval benchmark ranks the same images), so that intervals can only speak of other
        items on the same images.
    """
    parents: dict[int, int] = {}

    def root(at: int) -> int:
        while parents.setdefault(at, at) != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    names: dict[str, int] = {}
    file = {at: names.setdefault(picture.name, at) for at, picture in enumerate(pictures)}
    for item in items:
        first = root(file.get(item.pictures[0], item.pictures[0]))
        for picture_at in set(item.pictures[1:]):
            parents[root(file.get(picture_at, picture_at))] = first
    _, groups = np.unique([root(file.get(item.pictures[0], item.pictures[0])) for item in items], return_inverse=True)
    n_groups = len(np.unique(groups))
    if n_groups == len(items):
        return None, ""
    if n_groups < MIN_GROUPS:
        scope = "intervals and p describe other items on these images, not other images"
        return None, f"The items share their images: {scope}."
    return groups.astype(np.int64), (
        f"{len(items):,} items share images, directly or through others, in {n_groups:,} sets. Intervals and p "
        "keep each set whole."
    )


def tags_of(items: Sequence[Item]) -> dict[str, tuple[str, ...]]:
    """(n,) each item's value by tag, "" where it has none; tags in order of first appearance."""
    names = dict.fromkeys(name for item in items for name in item.tags)
    return {name: tuple(item.tags.get(name, "") for item in items) for name in names}


def scopes_of(tags: Mapping[str, Sequence[str]], average: str = "") -> tuple[TagScope, ...]:
    """The breakdowns: each tag of 2 to `MAX_VALUES` values, the largest value first.

    Values of fewer than `MIN_TAG_ITEMS` items are pooled into one that comes last. The tag that a headline averages
    over is always broken down, without pooling.
    """
    scopes: list[TagScope] = []
    for tag, values in tags.items():
        names, counts = np.unique([v for v in values if v], return_counts=True)
        small = set() if tag == average else {str(name) for name, count in zip(names, counts) if count < MIN_TAG_ITEMS}
        pooled = np.array([POOLED if v in small else v for v in values], object)
        large = [(str(n), int(c)) for n, c in zip(names, counts) if str(n) not in small]
        ordered = sorted(large, key=lambda pair: (-pair[1], pair[0]))
        shown = [name for name, _ in ordered] + ([POOLED] if small else [])
        if tag == average or 2 <= len(shown) <= MAX_VALUES:
            scopes += [TagScope(tag, value, np.flatnonzero(pooled == value)) for value in shown]
    return tuple(scopes)


def metrics_of(
    judged: Judged,
    groups: I64 | None = None,
    rows: I64 | None = None,
    strata: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> tuple[Metric, ...]:
    """Every metric over the items `rows` (all of them by default).

    Args:
        groups: (n,) of `picture_groups`.
        strata: (n,) values of the tag that is averaged over, each weighing the same; items without one ("") play no
            part. None weighs items equally.
    """
    if rows is None:
        rows = np.arange(len(judged.margin))
    values = np.array([] if strata is None else strata, str)
    if values.any():
        rows = rows[values[rows] != ""]
    mine = None
    if groups is not None:
        mine = groups[rows]
    among = None
    if values.any():
        among = values[rows]
    keys = (*judged.correct, *judged.values)
    metrics: list[Metric] = []
    for key in keys:
        title = title_of(key, keys)
        chance = judged.chance[key][rows]
        share = key in judged.correct
        scored = (judged.correct if share else judged.values)[key][rows].astype(np.float64)
        estimate = estimate_of(scored, mine, among, share=share, rng=np.random.default_rng(seed))
        if among is not None:
            names, places = np.unique(among, return_inverse=True)
            chance = np.bincount(places, chance) / np.bincount(places)
            title = f"{title}, mean over {len(names)} kinds of item"
        metrics.append(Metric(key, title, estimate, len(rows), _mean(chance), int(judged.ties[key][rows].sum())))
    return tuple(metrics)


def by_tag(
    judged: Judged, tags: Mapping[str, Sequence[str]], groups: I64 | None = None, *, average: str = "", seed: int = 0
) -> tuple[TagMetrics, ...]:
    """The metrics of each scope of `scopes_of`."""
    return tuple(
        TagMetrics(s.tag, s.value, metrics_of(judged, groups, s.rows, seed=seed)) for s in scopes_of(tags, average)
    )


def estimate_of(
    values: F64, groups: I64 | None, strata: npt.NDArray[np.str_] | None, *, share: bool, rng: np.random.Generator
) -> Estimate:
    """The mean of (n,) values with its interval: by `accuracy_of` where they are 0 or 1, by `macro_of` where strata
    weigh the same, else `mean_of`."""
    if strata is not None and not (share and (values.all() or not values.any())):
        return macro_of(values, np.unique(strata, return_inverse=True)[1].astype(np.int64), groups, rng)
    # Resampling sees no spread where all items are right, or all wrong: an interval of a share does.
    if share and len(values):
        return accuracy_of(values <= 0, groups)
    return mean_of(values, groups, rng)


def mean_of(values: F64, groups: I64 | None, rng: np.random.Generator) -> Estimate:
    """The mean with its percentile bootstrap interval over items, or over groups of them; no interval of a single
    one."""
    n = len(values)
    if not n:
        return UNDEFINED
    if (n if groups is None else len(np.unique(groups))) < 2:
        return Estimate(float(values.mean()), float("nan"), float("nan"))
    return bootstrap_mean(values, groups, rng, repeats=REPEATS)


def macro_of(values: F64, strata: I64, groups: I64 | None, rng: np.random.Generator) -> Estimate:
    """The mean over strata of each one's mean, with a 95% bootstrap interval.

    Items are resampled within their stratum, so that each keeps its size; where items come in groups, whole groups are,
    across strata.

    Args:
        strata: (n,) numbers 0 to k - 1, none of them empty.
    """
    k = int(strata.max()) + 1
    if groups is not None:

        def macro(at: I64) -> float:
            counts = np.bincount(strata[at], minlength=k)
            sums = np.bincount(strata[at], values[at], minlength=k)
            if counts.all():
                return float((sums / counts).mean())
            return float("nan")

        return bootstrap(macro, len(values), groups, rng, repeats=REPEATS)
    parts = [values[strata == s] for s in range(k)]
    value = float(np.mean([part.mean() for part in parts]))
    draws = np.mean(
        [[part[rng.integers(0, len(part), len(part))].mean() for _ in range(REPEATS)] for part in parts], axis=0
    )
    return percentile_interval(value, draws, 0.95)


def _mean(chance: F64) -> float | None:
    if len(chance) and np.isfinite(chance).all():
        return float(chance.mean())
    return None
