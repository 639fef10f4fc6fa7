"""Positions of visual words: words that mark the same region, and words that only mark a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from core.records import Bool
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.fit import I16

MIN_TOUCHING_SHARE = 0.5
"""Two words mark the same region from this share of the images with either in which cells of both touch."""
MIN_POSITION_SHARE = 0.9
"""A word is a position from this share of its cells in one cell and its eight neighbors. Of cells spread evenly over
14 x 14, 5% lie there."""


@dataclass(frozen=True, slots=True, eq=False)
class SamePlace:
    """Confirmed words of one scope that mark the same region of images."""

    findings: tuple[WordFinding, ...]
    """Two or more, the strongest first."""
    rows: Bool
    """(m,) images with any of them."""
    together: Bool
    """(m,) images in which cells of two of the words touch."""


@dataclass(frozen=True, slots=True)
class Position:
    """The part of the image with nearly all cells of a word."""

    row: int
    column: int
    """Of the word's most frequent cell, from 0 at the upper left."""
    share: float
    """Share of the word's cells in that cell or beside it."""
    of_pictures: float
    """Share of all images with the word there."""


def same_places(findings: Sequence[WordFinding], maps: I16) -> tuple[SamePlace, ...]:
    """Sets of confirmed words that mark the same region, linked by pairs that touch.

    Args:
        findings: the strongest first.
        maps: (m, r, c) the word of each cell.
    """
    confirmed = [finding for finding in findings if finding.confirmed]
    touching = dict[tuple[int, int], Bool]()
    for i, first in enumerate(confirmed):
        for j, second in enumerate(confirmed[:i]):
            touch = _touching(first, second, maps)
            if touch is not None:
                touching[i, j] = touch
    group = list(range(len(confirmed)))
    for i, j in touching:
        group = [group[j] if g == group[i] else g for g in group]
    places = list[SamePlace]()
    for g in dict.fromkeys(group):
        linked = [i for i in range(len(confirmed)) if group[i] == g]
        if len(linked) > 1:
            rows = np.any([confirmed[i].rows for i in linked], 0)
            together = np.any([touch for (i, _), touch in touching.items() if i in linked], 0)
            places.append(SamePlace(tuple(confirmed[i] for i in linked), rows, together))
    return tuple(places)


def _touching(first: WordFinding, second: WordFinding, maps: I16) -> Bool | None:
    """(m,) images in which cells of both words touch; None where these are too few of those with either."""
    both = first.rows & second.rows
    min_images = MIN_TOUCHING_SHARE * int((first.rows | second.rows).sum())
    if first.scope != second.scope or both.sum() < min_images:
        return None
    at = np.flatnonzero(both)
    touch = np.zeros(len(maps), np.bool_)
    wide = binary_dilation(maps[at] == first.word, np.ones((1, 3, 3)))  # the cells and their eight neighbors
    touch[at] = (wide & (maps[at] == second.word)).any((1, 2))
    if touch.sum() < min_images:
        return None
    return touch


def position_of(finding: WordFinding, maps: I16) -> Position | None:
    """The position that a word marks in all images; None where its cells lie in several parts of the image."""
    has_word = maps == finding.word
    counts = has_word.sum(0)
    row, column = (int(v) for v in np.unravel_index(counts.argmax(), counts.shape))
    near = has_word[:, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    if not near.sum() or near.sum() < MIN_POSITION_SHARE * counts.sum():
        return None
    return Position(row, column, float(near.sum() / counts.sum()), float(near.any((1, 2)).mean()))
