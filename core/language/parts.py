"""Split a cluster of two kinds: the members are split in a few ways, each half gets themes against the others of the
scope, and the split is chosen whose themes most likely name two kinds that are there."""

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

MIN_PART = 5
"""Members of a part at least."""
PAIRED_DESCRIBERS = 16
MAX_PAIRS = 4
MAX_CORRELATION = 0.3
"""The leading describers that are paired, the pairs by which members are split at most, and the correlation from which
two describers mean the same."""
MAX_STEPS = 10
MAX_DISTANCE = 8.0
"""Standard deviations at which a distance is clipped: for a value that no other row has it could be any number."""
WORTH_SAYING = 0.4
"""Lowest chance at which two kinds are named: guesses that are right or near in that share of cases are shown
(`core.checks.title_fit`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """A way to split a cluster."""

    themes: tuple[list[Theme], list[Theme]]
    chances: tuple[float, float]
    """Of the leading theme of each half being right."""
    second: Bool
    """(k,) of the members, which are in the second half."""
    features: F64
    """(7,) features of the model that decides whether there are two kinds at all."""


def chance_of_two(model: TitleModel, halves: Halves) -> float:
    """Chance that the members are of two kinds, and that the themes of the halves name both."""
    return float(logistic(model.split, halves.features[None])[0])


def halves_of(model: TitleModel, ranked: Ranked, themes: Sequence[Theme], members: Bool) -> Halves | None:
    """The likeliest split; None if no way gives each half its own theme."""
    ways = ways_apart(model, ranked, themes, members)
    return max(ways, key=lambda halves: chance_of_two(model, halves), default=None)


def ways_apart(model: TitleModel, ranked: Ranked, themes: Sequence[Theme], members: Bool) -> Iterator[Halves]:
    """The splits that give each half its own theme.

    Args:
        ranked: the describers of the whole cluster.
        themes: its themes.
        members: (m,)
    """
    whole = theme_chance(model, ranked, themes)
    by_text = {described.text: described for described in ranked.wider}
    for second in _splits(ranked, themes, members):
        if min(second.sum(), (~second).sum()) < MIN_PART:
            continue
        themes_1, chance_1 = _titled_part(model, ranked.wider, members, ~second)
        themes_2, chance_2 = _titled_part(model, ranked.wider, members, second)
        if not themes_1 or not themes_2 or set(themes_1[0].texts) & set(themes_2[0].texts):
            continue
        across_1 = _distance(by_text[themes_1[0].lead.text].scores, members, second)
        across_2 = _distance(by_text[themes_2[0].lead.text].scores, members, ~second)
        same = any(set(themes[0].texts) & set(half[0].texts) for half in (themes_1, themes_2))
        chances = sorted((chance_1, chance_2))
        across = sorted((across_1, across_2))
        features = np.array([*chances, whole, np.log(members.sum()), *across, float(same)])
        yield Halves((themes_1, themes_2), (chance_1, chance_2), second, features)


def _titled_part(
    model: TitleModel, describers: Sequence[Describer], members: Bool, part: Bool
) -> tuple[list[Theme], float]:
    """Title a part of the members against the others of the scope, without the other members."""
    inside = np.zeros(len(members), bool)
    inside[np.flatnonzero(members)[part]] = True
    keep = ~members | inside
    reduced = [described.keep(keep) for described in describers]
    return titled(model, rank(reduced, inside[keep]))


def _distance(scores: F64, members: Bool, other: Bool) -> float:
    """How far the other part lies along a part's own lead, in standard deviations of the non-members."""
    rest = scores[~members]
    distance = (scores[members][other].mean() - rest.mean()) / (rest.std() + 1e-9)
    return float(np.clip(distance, -MAX_DISTANCE, MAX_DISTANCE))


def _splits(ranked: Ranked, themes: Sequence[Theme], members: Bool) -> Iterator[Bool]:
    """(k,) which members are in the second part."""
    scores = np.stack([described.scores for described in ranked.wider], 1)
    rest = scores[~members]
    z = (scores - rest.mean(0)) / (rest.std(0) + 1e-9)
    inside = z[members]
    beyond = (scores[members] > np.quantile(rest, 0.9, axis=0)).mean(0)
    foremost = np.argsort(-(aurocs(scores, members) + 0.7 * beyond), kind="stable")[:PAIRED_DESCRIBERS]
    x = standardised(inside[:, foremost])
    alike = x.T @ x / len(x)
    pairs: list[tuple[int, int]] = []
    for i in range(len(foremost)):
        for j in range(i):
            if alike[i, j] < MAX_CORRELATION:
                pairs.append((int(foremost[i]), int(foremost[j])))
    if pairs:
        either = aurocs(np.stack([np.maximum(z[:, a], z[:, b]) for a, b in pairs], 1), members)
        for k in np.argsort(-either, kind="stable")[:MAX_PAIRS]:
            yield inside[:, pairs[k][0]] <= inside[:, pairs[k][1]]
    yield _two_means(inside[:, foremost])
    for theme in themes[:2]:
        yield theme.lead.scores[members] <= np.quantile(theme.lead.scores[~members], 0.75)


def _two_means(x: F64) -> Bool:
    """(k,) the second of two groups by k-means, started along the direction of largest variance."""
    x = x - x.mean(0)
    second = x @ np.linalg.svd(x, full_matrices=False)[2][0] > 0
    for _ in range(MAX_STEPS):
        if not 2 < second.sum() < len(second) - 2:
            break
        second = ((x - x[second].mean(0)) ** 2).sum(1) < ((x - x[~second].mean(0)) ** 2).sum(1)
    return second
