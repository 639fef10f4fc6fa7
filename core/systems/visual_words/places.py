"""Where visual words lie: those that mark one place in an image are one thing, and some are a position alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.records import Bool
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.fit import I16

TOUCHING = 0.5
"""Share of the images with either of two words in which cells of both touch, from which they are one thing."""
AT_ONE = 0.9
"""Share of a word's cells in one cell and its eight neighbours, from which it is a position. Cells spread evenly over a
grid of 14 x 14 have 5% there."""


@dataclass(frozen=True, slots=True, eq=False)
class SamePlace:
    """Confirmed words of one scope that touch each other wherever they are."""

    findings: tuple[WordFinding, ...]
    """Two or more, the strongest first."""
    rows: Bool
    """(m,) images with any of them."""
    together: Bool
    """(m,) those of them in which cells of two of the words touch."""


@dataclass(frozen=True, slots=True)
class Position:
    """The part of the image in which nearly all cells of a word lie."""

    row: int
    column: int
    """Of the cell that most of them are, from 0, from the upper left."""
    share: float
    """Of the word's cells, those in that cell or beside it."""
    of_pictures: float
    """Share of all images that have the word there."""


def same_places(findings: Sequence[WordFinding], maps: I16) -> tuple[SamePlace, ...]:
    """The confirmed words that are one thing, by chains of pairs that touch.

    Args:
        findings: the strongest first.
        maps: (m, r, c) the word of each cell.
    """
    told = [finding for finding in findings if finding.confirmed]
    touching = {
        (i, j): touch
        for i, one in enumerate(told)
        for j, other in enumerate(told[:i])
        if (touch := _touching(one, other, maps)) is not None
    }
    group = list(range(len(told)))
    for i, j in touching:
        group = [group[j] if g == group[i] else g for g in group]
    found = list[SamePlace]()
    for g in dict.fromkeys(group):
        own = [i for i in range(len(told)) if group[i] == g]
        if len(own) > 1:
            rows = np.any([told[i].rows for i in own], 0)
            together = np.any([touch for (i, _), touch in touching.items() if i in own], 0)
            found.append(SamePlace(tuple(told[i] for i in own), rows, together))
    return tuple(found)


def _touching(one: WordFinding, other: WordFinding, maps: I16) -> Bool | None:
    """(m,) the images in which cells of both words touch; None where these are too few of those with either."""
    both = one.rows & other.rows
    either = int((one.rows | other.rows).sum())
    if one.scope != other.scope or both.sum() < TOUCHING * either:
        return None
    at = np.flatnonzero(both)
    touch = np.zeros(len(maps), np.bool_)
    touch[at] = (_widened(maps[at] == one.word) & (maps[at] == other.word)).any((1, 2))
    return touch if touch.sum() >= TOUCHING * either else None


def _widened(cells: Bool) -> Bool:
    """(m, r, c) the cells and their eight neighbours."""
    rows, columns = cells.shape[1:]
    padded = np.pad(cells, ((0, 0), (1, 1), (1, 1)))
    return np.any([padded[:, y : y + rows, x : x + columns] for y in range(3) for x in range(3)], 0)


def position_of(finding: WordFinding, maps: I16) -> Position | None:
    """The position that a word is, of all images; None where its cells lie in several parts of the image."""
    own = maps == finding.word
    counts = own.sum(0)
    row, column = (int(v) for v in np.unravel_index(counts.argmax(), counts.shape))
    there = own[:, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    if not there.sum() or there.sum() < AT_ONE * counts.sum():
        return None
    return Position(row, column, float(there.sum() / counts.sum()), float(there.any((1, 2)).mean()))
