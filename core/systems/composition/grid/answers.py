"""What scores say to the questions of a grid, once what a model thinks of phrases whatever is shown is taken off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.records import F64
from core.systems.composition.grid.questions import BindingQuestion, Pair, PictureContents

TIE = 1e-7
"""A difference of scores up to this is a tie, and a tie is wrong."""


@dataclass(frozen=True, slots=True)
class GridAnswer:
    """What the scores say to one question; a tie is wrong and marked."""

    question: BindingQuestion
    right: tuple[bool | None, ...]
    """(4,) attribute, object, binding, pair; None where it cannot be asked."""
    tied: tuple[bool, ...]
    chance: tuple[float, ...]


class Evened:
    """What the model thinks of two phrases whatever is shown: the difference of their scores, in equal parts over the
    images that show the word of the one and not of the other, and the reverse. A model that sees neither word has
    nothing but this; one that sees both well has none of its seeing taken off."""

    def __init__(self, matrix: F64, column_of: Mapping[Pair, int], contents: Sequence[PictureContents]) -> None:
        self.matrix = matrix
        self.place = column_of
        self.showing: dict[tuple[int, str], set[int]] = {}
        for content in contents:
            for pair in content.things:
                for k, word in enumerate(pair):
                    self.showing.setdefault((k, word), set()).add(content.picture)
        self.known: dict[tuple[Pair, Pair, int], float] = {}
        self.holding: dict[frozenset[Pair], list[int]] = {}
        for content in contents:
            self.holding.setdefault(frozenset(content.things), []).append(content.picture)

    def __call__(self, true: Pair, rival: Pair, k: int) -> float:
        """Mean of the true phrase minus the rival, which differ in the attribute (k = 0) or the object (k = 1); nan
        where it cannot be told."""
        key = (true, rival, k)
        if key not in self.known:
            first = self.showing.get((k, true[k]), set())
            second = self.showing.get((k, rival[k]), set())
            sides = [sorted(first - second), sorted(second - first)]
            difference = self.matrix[:, self.place[true]] - self.matrix[:, self.place[rival]]
            self.known[key] = (
                float(np.mean([difference[rows].mean() for rows in sides])) if all(sides) else float("nan")
            )
        return self.known[key]

    def bound(self, picture: int, true: Pair, second: Pair) -> float:
        """The contrast of sums of one image, evened out over those that show the same and those that show the swapped
        pairs, if there are such: a liking for "red apple" then gains nothing. Without them a liking for single words
        has cancelled all the same."""
        swapped = (second[0], true[1]), (true[0], second[1])
        columns = [self.matrix[:, self.place[phrase]] for phrase in (true, second, *swapped)]
        contrast = columns[0] + columns[1] - columns[2] - columns[3]
        same = self.holding[frozenset((true, second))]
        opposite = self.holding.get(frozenset(swapped), [])
        liking = 0.0
        if opposite:
            liking = float(contrast[same].mean() + contrast[opposite].mean()) / 2
        return float(contrast[picture]) - liking


def answer_of(question: BindingQuestion, even: Evened) -> GridAnswer:
    """What the scores of its image say to a question."""
    row = even.matrix[question.picture]
    column_of = even.place
    mine = question.true
    true = float(row[column_of[mine]])

    def seen(rivals: Sequence[Pair], k: int) -> list[float]:
        margins = [true - float(row[column_of[rival]]) - even(mine, rival, k) for rival in rivals]
        return [margin for margin in margins if not np.isnan(margin)]

    plain = [true - float(row[column_of[phrase]]) for phrase in question.pairs]
    margins = [seen(question.attributes, 0), seen(question.objects, 1), plain, plain]
    chances = [1 / (1 + len(own)) for own in margins]
    least = [min(own) if own else float("nan") for own in margins]
    if question.other is not None:
        least[2], chances[2] = even.bound(question.picture, mine, question.other), 0.5
    right = [None if np.isnan(margin) else bool(margin > TIE) for margin in least]
    return GridAnswer(question, tuple(right), tuple(bool(abs(margin) <= TIE) for margin in least), tuple(chances))
