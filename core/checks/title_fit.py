"""The model of titles, fitted on clusters whose cause is known.

The clusters are cut from samples of which it is known what they show: those that show one thing (by captions, or by the
words of a text), edited images, those of a column, neighborhoods of the space in which clusters are found, and
random ones; each with a share of others among its members. A theme is right where what one of its first three words
says is shown by 40% of the members and by 1.5 times the share of the rest, and near from 20% and 1.7 times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from core.language.describers import Describer, names_of, properties_of, unspoken
from core.language.parts import WORTH_SAYING, Halves, halves_of, ways_apart
from core.language.title_model import (
    N_OF_SPLIT,
    Ranked,
    Theme,
    TitleModel,
    aurocs,
    rank,
    theme_features,
    themes,
    titled as titled_by,
)
from core.records import F32, F64, I64, Bool, Column

Kind = Literal["natural", "edit", "column", "region", "random", "mixture"]
COUNTS: Mapping[Kind, int] = {"natural": 400, "edit": 200, "column": 200, "region": 80, "random": 200, "mixture": 300}
FOLDS = 5
RIDGE = 0.3
SAME = 1e-4
"""Deviation below which a feature is the same of all clusters, as that of properties is where none is measured."""
FEWEST_ROWS = 40
MOST_ROWS = 1500
MOST_MEMBERS = 300
"""Samples of a class from which a cluster is cut, and members that it has at most."""
IDLE = (0.05, 0.1, 0.3, 0.5)
"""Shares of the rows that have a value of a column that says nothing."""
MOST_WRONG = 0.08
MOST_RANDOM = 0.02
"""Shares of wrong ones among the likely, and of random clusters that are likely, up to which a line is low enough."""


@dataclass(frozen=True, slots=True, eq=False)
class TitlePool:
    """n samples, then e edited copies of some, and what is known of them. P phrases."""

    joint: F32
    """(n + e, d) in the space shared with texts."""
    found_in: F32
    """(n + e, f) in the space in which clusters are found."""
    columns: tuple[Column, ...]
    """Measured, n + e rows."""
    phrases: tuple[str, ...]
    directions: F32
    """(P, d)"""
    known: F64
    """(P,) AUROC of each phrase, nan where it was not measured."""
    said: F64
    """(P,) mentions in 1,000 captions, nan where unknown."""
    shown: F32
    """(n + e, P) 1 where a sample shows a phrase, 0.5 where it may, 0 where it does not; nan where nobody knows."""
    scopes: Mapping[str, Bool]
    """(n,) of each class, and of all samples."""
    origin: I64
    """(e,) the sample that each copy is of."""
    edit: Sequence[str] = ()
    """(e,) what was done to it."""
    edits_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The edits that show a phrase."""

    @property
    def n(self) -> int:
        return len(self.joint) - len(self.origin)


@dataclass(frozen=True, slots=True, eq=False)
class Plant:
    """A cluster with its cause."""

    kind: Kind
    cause: str
    """What its members share; "" of a random one."""
    rows: I64
    """(m,) of the scope."""
    members: Bool
    """(m,)"""
    true: Bool
    """(m,) which rows have the cause."""
    dirt: float = 0.0
    """Share of the members without the cause."""
    scope: str = ""
    part: I64 | None = None
    """(m,) of a mixture: 1 or 2 for members of either cause."""


Attribute = Callable[[np.random.Generator, I64], tuple[str, Bool, Bool]]
"""Gives a cause, the rows that show it for certain, and those that do not."""


def plants(pool: TitlePool, counts: Mapping[Kind, int], seed: int, attribute: Attribute | None = None) -> list[Plant]:
    """Random clusters of each kind, up to so many.

    Args:
        attribute: draws a natural cause; None takes the phrases.
    """
    rng = np.random.default_rng(seed)
    made = list[Plant]()
    draw = attribute or phrase_attribute(pool)
    usable = np.ones(pool.n, bool)
    for kind, n in counts.items():
        if kind == "edit" and not len(pool.edit):
            continue
        got = tries = 0
        while got < n and tries < 200 * n:
            tries += 1
            one = _plant(pool, kind, rng, draw, usable)
            if one is not None:
                made.append(one)
                got += 1
    return made


def phrase_attribute(pool: TitlePool) -> Attribute:
    """Causes that are phrases of the vocabulary."""
    told = np.flatnonzero(np.isfinite(pool.shown[: pool.n]).any(0))

    def draw(rng: np.random.Generator, rows: I64) -> tuple[str, Bool, Bool]:
        j = int(rng.choice(told))
        return pool.phrases[j], pool.shown[rows, j] >= 1, pool.shown[rows, j] == 0

    return draw


def _plant(pool: TitlePool, kind: Kind, rng: np.random.Generator, draw: Attribute, usable: Bool) -> Plant | None:
    name = str(rng.choice(list(pool.scopes)))
    rows = np.flatnonzero(pool.scopes[name] & usable)
    size = int(np.exp(rng.uniform(np.log(10), np.log(MOST_MEMBERS))))
    dirt = float(rng.choice([0, 0.1, 0.25, 0.4, 0.5]))
    if len(rows) < FEWEST_ROWS:
        return None
    if len(rows) > MOST_ROWS:
        rows = np.sort(rng.choice(rows, MOST_ROWS, replace=False))
    if kind == "random":
        members = np.isin(rows, rng.choice(rows, min(size, len(rows) // 3), replace=False))
        return Plant(kind, "", rows, members, np.zeros(len(rows), bool), scope=name)
    if kind == "region":
        own = pool.found_in[rows] - pool.found_in[rows].mean(0)
        own = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-9)
        near = np.argsort(-own @ own[rng.integers(len(rows))])[: min(size, len(rows) // 3)]
        members = np.isin(np.arange(len(rows)), near)
        return Plant(kind, "", rows, members, members, scope=name)
    if kind == "edit":
        return _edited(pool, rows, size, dirt, rng, name, usable)
    cause, has, lacks = draw(rng, rows)
    if not 12 <= has.sum() <= 0.3 * len(rows):
        return None
    if kind in ("natural", "column"):
        n_in = min(max(5, round(size * (1 - dirt))), int(has.sum()))
        others = min(round(n_in * dirt / (1 - dirt)), int(lacks.sum()))
        picked = [rng.choice(rows[has], n_in, replace=False), rng.choice(rows[lacks], others, replace=False)]
        return Plant(kind, cause, rows, np.isin(rows, np.concatenate(picked)), has, dirt, name)
    other, has_other, lacks_other = draw(rng, rows)
    return _mixture(rows, (has, lacks, has_other, lacks_other), size, dirt, rng, f"{cause} + {other}", name)


def _edited(
    pool: TitlePool, rows: I64, size: int, dirt: float, rng: np.random.Generator, name: str, usable: Bool
) -> Plant | None:
    told = sorted({edit for edits in pool.edits_of.values() for edit in edits})
    edit = str(rng.choice(told))
    copies = np.flatnonzero((np.array(pool.edit) == edit) & pool.scopes[name][pool.origin] & usable[pool.origin])
    if len(copies) < 8:
        return None
    copies = copies[: max(8, size)]
    rows = np.r_[np.setdiff1d(rows, pool.origin[copies]), pool.n + copies]
    true = rows >= pool.n
    others = min(round(len(copies) * dirt / (1 - dirt)), int((~true).sum()) // 2)
    members = true.copy()
    members[rng.choice(np.flatnonzero(~true), others, replace=False)] = True
    return Plant("edit", edit, rows, members, true, dirt, name)


def _mixture(
    rows: I64,
    causes: tuple[Bool, Bool, Bool, Bool],
    size: int,
    dirt: float,
    rng: np.random.Generator,
    cause: str,
    name: str,
) -> Plant | None:
    has, lacks, has_other, lacks_other = causes
    one = has & lacks_other
    two = has_other & lacks
    if not 8 <= has_other.sum() <= 0.3 * len(rows) or min(one.sum(), two.sum()) < 8:
        return None
    half = min(max(8, size // 2), int(one.sum()), int(two.sum()))
    share = float(rng.choice([0.3, 0.5, 0.7]))
    first = max(5, min(round(2 * half * share), int(one.sum())))
    second = max(5, min(2 * half - first, int(two.sum())))
    neither = rows[lacks & lacks_other]
    a = rng.choice(rows[one], first, replace=False)
    b = rng.choice(rows[two], second, replace=False)
    c = rng.choice(neither, min(len(neither), round((first + second) * min(dirt, 0.25))), replace=False)
    part = np.where(np.isin(rows, a), 1, np.where(np.isin(rows, b), 2, 0))
    return Plant("mixture", cause, rows, np.isin(rows, np.r_[a, b, c]), has | has_other, dirt, name, part)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A planted cluster's describers, and which are right: 1, near: 0.5, or wrong: 0."""

    plant: Plant
    ranked: Ranked
    right: Mapping[str, float]

    def of(self, theme: Sequence[str]) -> float:
        """Of a theme's first words the best."""
        return max((self.right.get(text, 0.0) for text in theme), default=0.0)


def judge(pool: TitlePool, plant: Plant, rng: np.random.Generator) -> Judged:
    """The describers of a planted cluster beside columns that say nothing, with what is known of each."""
    rows = plant.rows
    members = plant.members
    n = len(plant.rows)
    properties = properties_of(pool.columns, rows)
    told = [i for i in unspoken(pool.phrases, properties) if np.isfinite(pool.known[i])]
    scores = (pool.joint[rows] @ pool.directions[told].T).astype(np.float64)
    phrases = [
        Describer(
            pool.phrases[i], "phrase", scores[:, k], pool.directions[i], float(pool.known[i]), float(pool.said[i])
        )
        for k, i in enumerate(told)
    ]
    columns = [
        Describer(f"column {k}", "condition", (rng.random(n) < share).astype(np.float64))
        for k, share in enumerate(rng.choice(IDLE, 12))
    ]
    right = {one.text: 0.0 for one in columns} | _shown(pool, plant, told)
    right |= {one.text: _property_is_right(pool, plant, one) for one in properties}
    if plant.kind == "column":  # bears the cause, of the members or of all rows, with three cells of a hundred wrong
        has = plant.true & (plant.members | bool(rng.random() < 0.5))
        columns.append(Describer("its own column", "condition", (has ^ (rng.random(n) < 0.03)).astype(np.float64)))
        share = _rightness(*(has[where].mean(keepdims=True) for where in (plant.members, ~plant.members)))
        right["its own column"] = float(share[0] >= 1)
    return Judged(plant, rank([*properties, *phrases, *columns], members), right)


def _shown(pool: TitlePool, plant: Plant, told: Sequence[int]) -> dict[str, float]:
    if plant.kind == "edit":
        return {pool.phrases[i]: float(plant.cause in pool.edits_of.get(pool.phrases[i], ())) for i in told}
    shown = pool.shown[plant.rows][:, told]
    right = _rightness(*(shown[where].mean(0) for where in (plant.members, ~plant.members)))
    return {pool.phrases[i]: float(value) for i, value in zip(told, right)}


def _rightness(inside: npt.NDArray[Any], outside: npt.NDArray[Any]) -> F64:
    """1 right, 0.5 near, 0 wrong, of each describer by the shares of members and of others that show it; nan is 0."""
    inside = np.nan_to_num(inside)
    outside = np.nan_to_num(outside)
    near = np.where((inside >= 0.2) & (inside >= 1.7 * outside), 0.5, 0.0)
    return np.where((inside >= 0.4) & (inside >= 1.5 * outside), 1.0, near)


def _property_is_right(pool: TitlePool, plant: Plant, one: Describer) -> float:
    if plant.kind == "random":
        return 0.0
    if plant.kind == "edit":
        return float(any(plant.cause in pool.edits_of.get(name, ()) for name in names_of(one)))
    area = float(aurocs(one.scores[:, None], plant.members)[0])
    return 1.0 if area >= 0.85 else 0.5 if area >= 0.75 else 0.0


def fit_titles(pool: TitlePool, judged: Sequence[Judged]) -> tuple[TitleModel, F64, F64]:
    """The model, and for each cluster of one cause the chance that models which did not see it give its theme, and how
    right that theme is."""
    held = [j for j in judged if len(j.ranked.describers) and j.plant.kind != "mixture"]
    fold = _folds([f"{j.plant.kind} {j.plant.cause or i % FOLDS}" for i, j in enumerate(held)])
    x = np.concatenate([j.ranked.features for j in held])
    y = np.concatenate([[j.right[d.text] for d in j.ranked.describers] for j in held])
    of = np.repeat(np.arange(len(held)), [len(j.ranked.describers) for j in held])
    weight = 1 / np.bincount(of)[of]
    one, each = _cross_fitted(x, y >= 1, fold[of], weight / weight.mean())
    found = [themes(j.ranked, each[of == i]) for i, j in enumerate(held)]
    right = np.array([j.of(t[0].texts) for j, t in zip(held, found)])
    two, chance = _cross_fitted(np.stack([theme_features(j.ranked, t) for j, t in zip(held, found)]), right >= 1, fold)
    likely, perhaps = _lines(chance, right, np.array([j.plant.kind for j in held]))
    never = np.r_[np.zeros(N_OF_SPLIT), -10.0]
    none = np.stack([np.zeros(N_OF_SPLIT + 1), np.ones(N_OF_SPLIT + 1), never])
    model = TitleModel(one, two, none, likely, perhaps)
    return _with_split(pool, model, judged), chance, right


def _with_split(pool: TitlePool, model: TitleModel, judged: Sequence[Judged]) -> TitleModel:
    """The model with what tells whether two kinds are there and rightly told; as it is where there are none."""
    some = [(j, titled_by(model, j.ranked)[0]) for j in judged if j.plant.kind in ("mixture", "natural", "random")]
    ways = [list(ways_apart(model, j.ranked, found, j.plant.members)) if found else [] for j, found in some]
    right = np.array([both_right(pool, j.plant, one) for (j, _), own in zip(some, ways) for one in own], bool)
    if min(right.sum(), (~right).sum()) < FOLDS:
        return model
    of = np.repeat(np.arange(len(ways)), [len(own) for own in ways])
    weight = 1 / np.bincount(of)[of]
    x = np.stack([one.features for own in ways for one in own])
    split, _ = _cross_fitted(x, right, of % FOLDS, weight / weight.mean())
    return replace(model, split=split)


def both_right(pool: TitlePool, plant: Plant, halves: Halves) -> bool:
    """Whether the halves' themes name the two causes of a mixture, one each."""
    if plant.part is None:
        return False
    place = {text: i for i, text in enumerate(pool.phrases)}

    def says(theme: Theme, part: int) -> bool:
        told = [place[text] for text in theme.texts if text in place]
        shown = pool.shown[plant.rows][:, told]
        return bool((_rightness(shown[plant.part == part].mean(0), shown[~plant.members].mean(0)) >= 1).any())

    one, two = (themes[0] for themes in halves.themes)
    return (says(one, 1) and says(two, 2)) or (says(one, 2) and says(two, 1))


def taken_apart(model: TitleModel, judged: Judged) -> Halves | None:
    """The best way to take a planted cluster apart."""
    found, _ = titled_by(model, judged.ranked)
    return halves_of(model, judged.ranked, found, judged.plant.members) if found else None


def titled(model: TitleModel, judged: Judged) -> tuple[float, tuple[tuple[str, ...], ...]]:
    """(chance, the words of each theme) that the model gives a planted cluster."""
    found, chance = titled_by(model, judged.ranked)
    return chance, tuple(theme.texts for theme in found)


def _folds(causes: Sequence[str]) -> I64:
    """(c,) by cause: no fold shares one with another."""
    order = np.random.default_rng(0).permutation(sorted(set(causes)))
    of = {cause: i % FOLDS for i, cause in enumerate(order)}
    return np.array([of[cause] for cause in causes], np.int64)


def _cross_fitted(x: F64, right: Bool, fold: I64, weight: F64 | None = None) -> tuple[F64, F64]:
    """(3, F + 1) the logistic model of all, and (n,) chances by models without the row's fold."""
    mean = x.mean(0)
    deviation = x.std(0)
    deviation[deviation < SAME] = 1.0
    x = (x - mean) / deviation
    weight = np.ones(len(x)) if weight is None else weight

    def fitted(rows: Bool) -> LogisticRegression:
        return LogisticRegression(C=RIDGE, max_iter=500).fit(x[rows], right[rows], sample_weight=weight[rows])

    every = fitted(np.ones(len(x), bool))
    chance = np.empty(len(x))
    for k in range(FOLDS):
        at = fold == k
        chance[at] = fitted(~at).predict_proba(x[at])[:, 1]
    weights = np.r_[every.coef_[0], every.intercept_]
    return np.stack([np.r_[mean, 0.0], np.r_[deviation, 1.0], weights]), chance


def _lines(chance: F64, right: F64, kind: npt.NDArray[Any]) -> tuple[float, float]:
    """The least chances with which a title is likely, and with which a guess is worth saying."""
    grid = np.arange(0.3, 0.96, 0.01)

    # columns are easy, and would lower the line for the others
    random = kind == "random"
    sure = kind == "column"

    def enough(line: float) -> bool:
        real = (chance >= line) & ~random & ~sure
        wrong = float(np.mean(right[real] == 0)) if real.any() else 0.0
        return wrong <= MOST_WRONG and float(np.mean(chance[random] >= line)) <= MOST_RANDOM

    likely = float(next((line for line in grid if enough(line)), grid[-1]))
    odds = np.log(chance / (1 - chance))
    near = LogisticRegression(C=1.0).fit(odds[~sure, None], right[~sure] > 0)
    wanted = np.log(WORTH_SAYING / (1 - WORTH_SAYING)) - near.intercept_[0]
    line = 1 / (1 + np.exp(-wanted / max(near.coef_[0, 0], 1e-3)))
    return likely, float(np.clip(line, 0.05, likely))
