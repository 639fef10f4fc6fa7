"""A cluster of two things, taken apart: the members are split in a few ways, each half is given themes against the rest
of the scope, and the split is kept whose themes most likely name two kinds that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.language.describers import Describer
from core.language.title_model import (
    Ranked,
    Theme,
    TitleModel,
    aurocs,
    logistic,
    rank,
    standardised,
    theme_chance,
    titled,
)
from core.records import F64, Bool

LEAST = 5
"""Members of a part."""
PAIRED = 16
PAIRS = 4
APART = 0.3
"""The foremost describers that are paired, the pairs by which the members are split, and the least correlation from
which two do not say different things."""
STEPS = 10
MOST_APART = 8.0
"""Deviations beyond which two are no farther apart: of a value that no other row has there would be any number."""
WORTH_SAYING = 0.4
"""Least chance with which two kinds are said, as guesses that are right or near in so many cases are
(`core.checks.title_fit`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """A way to take a cluster apart."""

    themes: tuple[list[Theme], list[Theme]]
    chances: tuple[float, float]
    """With which the leading theme of each half is right."""
    second: Bool
    """(k,) of the members, which are in the second half."""
    features: F64
    """(7,) by which it is told whether there are two at all."""


def chance_of_two(model: TitleModel, halves: Halves) -> float:
    """With which the members are of two kinds, and the themes of the halves name both."""
    return float(logistic(model.split, halves.features[None])[0])


def halves_of(model: TitleModel, ranked: Ranked, found: Sequence[Theme], members: Bool) -> Halves | None:
    """The likeliest split; None where no way gives both halves a theme of its own."""
    ways = ways_apart(model, ranked, found, members)
    return max(ways, key=lambda halves: chance_of_two(model, halves), default=None)


def ways_apart(model: TitleModel, ranked: Ranked, found: Sequence[Theme], members: Bool) -> Iterator[Halves]:
    """The splits that give each half a theme of its own.

    Args:
        ranked: the describers of the whole.
        found: its themes.
        members: (m,)
    """
    whole = theme_chance(model, ranked, found)
    by_text = {one.text: one for one in ranked.wider}
    for second in _splits(ranked, found, members):
        if min(second.sum(), (~second).sum()) < LEAST:
            continue
        (one, one_chance), (two, two_chance) = (
            _titled(model, ranked.wider, members, part) for part in (~second, second)
        )
        if not one or not two or set(one[0].texts) & set(two[0].texts):
            continue
        other_part = ((one, second), (two, ~second))
        across = sorted(_across(by_text[half[0].lead.text].scores, members, other) for half, other in other_part)
        same = any(set(found[0].texts) & set(half[0].texts) for half in (one, two))
        weak, strong = sorted((one_chance, two_chance))
        features = np.array([weak, strong, whole, np.log(members.sum()), *across, float(same)])
        yield Halves((one, two), (one_chance, two_chance), second, features)


def _titled(model: TitleModel, describers: Sequence[Describer], members: Bool, part: Bool) -> tuple[list[Theme], float]:
    """A part of the members beside the rest of the scope, the other members left out."""
    own = np.zeros(len(members), bool)
    own[np.flatnonzero(members)[part]] = True
    keep = ~members | own
    some = [one.keep(keep) for one in describers]
    return titled(model, rank(some, own[keep]))


def _across(scores: F64, members: Bool, other: Bool) -> float:
    """How far the other part lies along a part's own lead, in deviations of the rest."""
    rest = scores[~members]
    return float(np.clip((scores[members][other].mean() - rest.mean()) / (rest.std() + 1e-9), -MOST_APART, MOST_APART))


def _splits(ranked: Ranked, found: Sequence[Theme], members: Bool) -> Iterator[Bool]:
    """(k,) which members are in the second part."""
    scores = np.stack([one.scores for one in ranked.wider], 1)
    rest = scores[~members]
    z = (scores - rest.mean(0)) / (rest.std(0) + 1e-9)
    own = z[members]
    beyond = (scores[members] > np.quantile(rest, 0.9, axis=0)).mean(0)
    foremost = np.argsort(-(aurocs(scores, members) + 0.7 * beyond), kind="stable")[:PAIRED]
    x = standardised(own[:, foremost])
    alike = x.T @ x / len(x)
    pairs = [
        (int(foremost[i]), int(foremost[j])) for i in range(len(foremost)) for j in range(i) if alike[i, j] < APART
    ]
    if pairs:
        either = aurocs(np.stack([np.maximum(z[:, a], z[:, b]) for a, b in pairs], 1), members)
        for k in np.argsort(-either, kind="stable")[:PAIRS]:
            yield own[:, pairs[k][0]] <= own[:, pairs[k][1]]
    yield _two_means(own[:, foremost])
    for theme in found[:2]:
        yield theme.lead.scores[members] <= np.quantile(theme.lead.scores[~members], 0.75)


def _two_means(x: F64) -> Bool:
    """(k,) the second of two groups, begun along the widest direction."""
    x = x - x.mean(0)
    second = x @ np.linalg.svd(x, full_matrices=False)[2][0] > 0
    for _ in range(STEPS):
        if not 2 < second.sum() < len(second) - 2:
            break
        second = ((x - x[second].mean(0)) ** 2).sum(1) < ((x - x[~second].mean(0)) ** 2).sum(1)
    return second
