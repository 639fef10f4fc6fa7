"""How a model fails on pairs: does it take one image for both captions, does it take each for the other, or does it
guess?

An accuracy far below chance is a habit, not a worse guess: a model that reads captions as bags of words gives both
captions of a pair nearly the same scores, so both take the same image, whatever binds the words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.numbers import interval, percent
from core.records import F64, UNDEFINED, Bool, Estimate
from core.statistics.intervals import accuracy_of
from core.systems.composition.records import Benchmark, CompositionResult
from core.systems.composition.scoring.judging import in_order, items_of

GUESSED_SAME = 1 / 2
"""Share of items in which a guess takes one image for both captions."""
GUESSED_RIGHT = 1 / 4
"""Share in which it gives each caption its own image, and as often the other's."""
MIN_ITEMS = 10
"""Fewest items for a verdict other than "open"."""

Verdict = Literal[
    "blind to binding", "nearly blind to binding", "guesses", "tells them apart", "takes them crossed", "open"
]


@dataclass(frozen=True, slots=True, eq=False)
class Picks:
    """What the captions of n pairs pick, or what their images do. The four shares add up to 1."""

    right: Estimate
    """Each picks its own; a guess does so in 1/4."""
    same: Estimate
    """Both pick the same; a guess does so in 1/2, a model that knows what belongs to what less often."""
    crossed: Estimate
    """Each picks the other's; a guess does so in 1/4."""
    tied: Estimate
    """Two scores are equal, so nothing is picked."""


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """The ways in which a model is right and wrong on n pairs."""

    n: int
    captions: Picks
    """Of the captions, between the two images (image score)."""
    pictures: Picks
    """Of the images, between the two captions (text score)."""
    binding: Estimate
    """Share of items whose true matches together outscore the crossed ones, of those in which the two sums differ: what
    is left once the likings for one image or one caption are taken out. A guess has 1/2, and so has a bag of words;
    undefined (nan) where all sums are equal."""
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """What the shares say, in one or two sentences."""
        return _sentence(self)


def signature_of(result: CompositionResult, benchmark: Benchmark) -> Signature | None:
    """How the model of a result on pairs is right and wrong; None for results on choices or queries, and where there is
    no item.

    Intervals are those of `core.statistics.intervals.accuracy_of`; items that share images are a group.

    The verdict compares 95% intervals with what guessing gives, on the side of the captions (Cola's), and adjusts
    nothing: it describes. "blind to binding": both captions take the same image more often than in 1/2, the accuracy
    is not shown to be above 1/4, and what is left once likings are taken out not to be above 1/2. "nearly": the same,
    but a little is left. "takes them crossed": what is left is worse than 1/2.

    Raises:
        InvalidInput: an item of the result is not in the benchmark.

    Source: the main effects and the interaction of a 2 x 2 table, by signs. The names of the verdicts are ours.
    """
    if result.kind != "pairs" or not result.ids:
        return None
    s = in_order(items_of(result, benchmark), result.matrices)
    groups = result.groups

    def share(chosen: Bool, among: Bool | None = None) -> Estimate:
        rows = slice(None) if among is None else among
        if len(chosen[rows]):
            return accuracy_of(~chosen[rows], None if groups is None else groups[rows])
        return UNDEFINED

    captions = _picks(s[:, 0, 0] - s[:, 1, 0], s[:, 1, 1] - s[:, 0, 1], share)
    pictures = _picks(s[:, 0, 0] - s[:, 0, 1], s[:, 1, 1] - s[:, 1, 0], share)
    lead = (s[:, 0, 0] + s[:, 1, 1]) - (s[:, 1, 0] + s[:, 0, 1])
    binding = share(lead > 0, lead != 0)
    return Signature(len(s), captions, pictures, binding, _verdict(len(s), captions, binding))


def _picks(first: F64, second: F64, share: Callable[[Bool], Estimate]) -> Picks:
    """Of (n,) leads of each one's own over the other's: both positive is right, both negative crossed, one of each the
    same picked twice."""
    tied = (first == 0) | (second == 0)
    return Picks(
        right=share((first > 0) & (second > 0)),
        same=share(~tied & ((first > 0) != (second > 0))),
        crossed=share((first < 0) & (second < 0)),
        tied=share(tied),
    )


def _verdict(n: int, picks: Picks, binding: Estimate) -> Verdict:
    if n < MIN_ITEMS:
        return "open"
    if binding.high < 1 / 2:
        return "takes them crossed"
    if picks.right.low > GUESSED_RIGHT:
        return "tells them apart"
    if picks.same.low > GUESSED_SAME:
        return "nearly blind to binding" if binding.low > 1 / 2 else "blind to binding"  # nan fails the comparison
    shares = ((picks.same, GUESSED_SAME), (picks.right, GUESSED_RIGHT), (binding, 1 / 2))
    if all(share.low <= guessed <= share.high for share, guessed in shares):
        return "guesses"
    return "open"


def _sentence(signature: Signature) -> str:
    picks = signature.captions
    same = (
        f"Both captions take the same image in {percent(picks.same.value)} of items "
        f"({interval(picks.same, share=True)}; a guess: 50%)"
    )
    if not np.isfinite(signature.binding.value):
        return (
            f"{same}. Its true and crossed matches always sum to the same, so it cannot tell the two captions, "
            "or the two images, apart."
        )
    won = (
        f"the true matches win in {percent(signature.binding.value)} "
        f"({interval(signature.binding, share=True)}; a guess: 50%)"
    )
    left = f"without its preferences for single images and captions, {won}"
    sentences: dict[Verdict, str] = {
        "blind to binding": f"{same}: it sees what is there, not what belongs to what. Even {left}.",
        "nearly blind to binding": (
            f"{same}: it mostly sees what is there, not what belongs to what. Yet {left}, so a little binding exists."
        ),
        "guesses": (
            f"{same}, and each takes its own in {percent(picks.right.value)}: the model guesses between these captions."
        ),
        "tells them apart": f"{same}, and {left}: it sees what belongs to what more often than a guess would.",
        "takes them crossed": (
            f"{same}; {left}: it prefers the wrong match. Check that captions and images are matched correctly."
        ),
        "open": f"{same}; {left}. This fits neither guessing nor blindness, or the items are too few.",
    }
    return sentences[signature.verdict]
