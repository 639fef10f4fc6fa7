"""The cells of a grid with their tests: is the attribute seen, is the object, and are the two bound?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.records import UNDEFINED, Bool, Estimate
from core.statistics.intervals import wilson
from core.statistics.paired import mcnemar
from core.statistics.permutation import holm
from core.systems.composition.grid.answers import GridAnswer
from core.systems.composition.grid.questions import Mode, Pair

ALPHA = 0.05
MIN_CELL_PICTURES = 5
"""Images below which a cell is greyed: neither tested nor claimed."""
NO_ATTRIBUTE = "does not see the attribute"
NO_OBJECT = "does not see the object"
NEITHER = "sees neither the attribute nor the object"
UNBOUND = "sees both and binds them wrongly"
NOTHING = "no claim"
GREY = "too few images"
VERDICTS = (NO_ATTRIBUTE, NO_OBJECT, NEITHER, UNBOUND, NOTHING, GREY)
ALL = ("all", "all")
"""Stands for all images as one cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """How often one question is answered rightly."""

    value: Estimate
    """With its Wilson interval; undefined where the question cannot be asked."""
    n: int
    chance: float
    """Mean over the images of what guessing reaches."""
    ties: int
    """Images that count as wrong only because scores are equal."""


@dataclass(frozen=True, slots=True, eq=False)
class GridCell:
    """One attribute of one object."""

    attribute: str
    object: str
    n: int
    """Images that show it and can be asked."""
    sees_attribute: Share
    sees_object: Share
    binds: Share
    """In mode "one": the true pair outscores every other pair of the grid that is false of the image."""
    pair: Share
    """In mode "two": the plain question; in mode "one" as `binds`."""
    p_attribute: float
    """That it is right half-way between chance and always, or more often; adjusted by Holm over all tests of the grid.
    nan where not tested."""
    p_object: float
    p_binding: float
    """That binding is right as often as the harder of the two (one-sided McNemar mid-p), adjusted likewise; nan in mode
    "one"."""
    verdict: str


def _share(answers: Sequence[GridAnswer], which: int) -> Share:
    asked = [answer for answer in answers if answer.right[which] is not None]
    if not asked:
        return Share(UNDEFINED, 0, float("nan"), 0)
    right = sum(bool(answer.right[which]) for answer in asked)
    chance = float(np.mean([answer.chance[which] for answer in asked]))
    return Share(wilson(right, len(asked)), len(asked), chance, sum(answer.tied[which] for answer in asked))


def cells_of(
    answers: Sequence[GridAnswer], attributes: Sequence[str], objects: Sequence[str], mode: Mode
) -> tuple[tuple[GridCell, ...], GridCell, int]:
    """The cells, all images as one, and the number of tests."""
    grouped: dict[Pair, list[GridAnswer]] = {}
    for answer in answers:
        grouped.setdefault(answer.question.true, []).append(answer)
    keys = [(a, o) for a in attributes for o in objects if (a, o) in grouped]
    every = {**{key: grouped[key] for key in keys}, ALL: _once(answers)}
    tests = {key: _tests(own, mode) for key, own in every.items() if len(own) >= MIN_CELL_PICTURES}
    known = [(key, k) for key, found in tests.items() for k in range(3) if np.isfinite(found[k])]
    adjusted = dict(zip(known, holm([tests[key][k] for key, k in known]).tolist())) if known else {}
    cells = {
        key: _cell(key, own, [adjusted.get((key, k), float("nan")) for k in range(3)]) for key, own in every.items()
    }
    return tuple(cells[key] for key in keys), cells[ALL], len(known)


def _once(answers: Sequence[GridAnswer]) -> list[GridAnswer]:
    """Each image once: of its two things the one that is named first."""
    first: dict[int, GridAnswer] = {}
    for answer in answers:
        first.setdefault(answer.question.picture, answer)
    return list(first.values())


def _cell(key: Pair, answers: Sequence[GridAnswer], p: Sequence[float]) -> GridCell:
    attribute, noun, binding, pair = (_share(answers, which) for which in range(4))
    verdict = GREY if len(answers) < MIN_CELL_PICTURES else _verdict((attribute, noun, binding), p)
    return GridCell(key[0], key[1], len(answers), attribute, noun, binding, pair, p[0], p[1], p[2], verdict)


def _verdict(shares: tuple[Share, Share, Share], p: Sequence[float]) -> str:
    blind = [value <= ALPHA for value in p[:2]]
    if any(blind):
        if all(blind):
            return NEITHER
        if blind[0]:
            return NO_ATTRIBUTE
        return NO_OBJECT
    sees = all(share.value.low > share.chance for share in shares[:2])
    fails = shares[2].value.value < _half_way(shares[2])
    if p[2] <= ALPHA and sees and fails:
        return UNBOUND
    return NOTHING


def _half_way(share: Share) -> float:
    """Half-way between chance and always."""
    return (1 + share.chance) / 2


def _tests(answers: Sequence[GridAnswer], mode: Mode) -> tuple[float, float, float]:
    """p that the attribute is seen, that the object is seen, and that binding is as often right as the harder of the
    two."""
    shares = [_share(answers, which) for which in range(3)]
    seen = [_binomial(share) for share in shares[:2]]
    if mode == "one" or not all(share.n for share in shares):
        return seen[0], seen[1], float("nan")
    columns = [_right(answers, which) for which in range(3)]
    harder = columns[0] if columns[0].sum() <= columns[1].sum() else columns[1]
    only_marginal = int((harder & ~columns[2]).sum())
    only_binding = int((columns[2] & ~harder).sum())
    p = mcnemar(only_marginal, only_binding) / 2
    return seen[0], seen[1], p if only_marginal > only_binding else 1.0


def _binomial(share: Share) -> float:
    """p that a share at least half-way between chance and 1 comes out as low as this."""
    if not share.n:
        return float("nan")
    right = round(share.value.value * share.n)
    return float(stats.binom.cdf(right, share.n, _half_way(share)))


def _right(answers: Sequence[GridAnswer], which: int) -> Bool:
    return np.array([bool(answer.right[which]) for answer in answers])
