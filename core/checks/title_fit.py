"""Fit the title model on clusters whose cause is known.

The clusters are cut from samples with known content: samples that show the same thing (by captions, or by the words of
a text), edited images, those of a column, neighborhoods of the space in which clusters are found, and random ones; each
with a share of other samples among its members. A theme is right if one of its first three phrases is shown by 40% of
the members and by 1.5 times the share of the others, and near from 20% and 1.7 times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from core.language.describers import Describer, names_of, properties_of, unspoken
from core.language.parts import WORTH_SAYING, Halves, ways_apart
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
MIN_DEVIATION = 1e-4
"""A feature with a smaller deviation is the same for all clusters, as properties are if none is measured."""
MIN_CLASS_ROWS = 40
MAX_CLASS_ROWS = 1500
MAX_MEMBERS = 300
"""Samples of a class needed to cut a cluster from it, those used at most, and members of a cluster at most."""
NOISE_SHARES = (0.05, 0.1, 0.3, 0.5)
"""Shares of the rows that have a value of a meaningless column."""
MAX_WRONG_SHARE = 0.08
MAX_RANDOM_SHARE = 0.02
"""Highest share of wrong titles among the likely ones, and of random clusters with a likely title, for a line to be
accepted. Conventions."""


@dataclass(frozen=True, slots=True, eq=False)
class TitlePool:
    """n samples, then e edited copies of some, with their known content. P phrases."""

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
    """(P,) AUROC of each phrase, nan if it was not measured."""
    spoken: F64
    """(P,) mentions in 1,000 captions, nan where unknown."""
    shown: F32
    """(n + e, P) 1 if a sample shows a phrase, 0.5 if it may, 0 if not; nan if unknown."""
    scopes: Mapping[str, Bool]
    """(n,) of each class, and of all samples."""
    origin: I64
    """(e,) the sample of which each is a copy."""
    edit: Sequence[str] = ()
    """(e,) what was done to it."""
    edits_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The edits that show a phrase."""

    @property
    def n(self) -> int:
        return len(self.joint) - len(self.origin)


@dataclass(frozen=True, slots=True, eq=False)
class Plant:
    """A planted cluster with its cause."""

    kind: Kind
    cause: str
    """What its members share; "" for a random one."""
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
    """(m,) for a mixture: 1 or 2 for members of either cause."""


Attribute = Callable[[np.random.Generator, I64], tuple[str, Bool, Bool]]
"""Draws a cause, the rows that certainly show it, and those that do not."""


def plants(pool: TitlePool, counts: Mapping[Kind, int], seed: int, attribute: Attribute | None = None) -> list[Plant]:
    """Random clusters of each kind, at most `counts` of each.

    Args:
        attribute: draws a natural cause; None takes the phrases.
    """
    rng = np.random.default_rng(seed)
    planted = list[Plant]()
    draw = attribute or phrase_attribute(pool)
    usable = np.ones(pool.n, bool)
    for kind, n in counts.items():
        if kind == "edit" and not len(pool.edit):
            continue
        accepted = tries = 0
        while accepted < n and tries < 200 * n:
            tries += 1
            plant = _plant(pool, kind, rng, draw, usable)
            if plant is not None:
                planted.append(plant)
                accepted += 1
    return planted


def phrase_attribute(pool: TitlePool) -> Attribute:
    """Causes that are phrases of the vocabulary."""
    known = np.flatnonzero(np.isfinite(pool.shown[: pool.n]).any(0))

    def draw(rng: np.random.Generator, rows: I64) -> tuple[str, Bool, Bool]:
        j = int(rng.choice(known))
        return pool.phrases[j], pool.shown[rows, j] >= 1, pool.shown[rows, j] == 0

    return draw


def _plant(pool: TitlePool, kind: Kind, rng: np.random.Generator, draw: Attribute, usable: Bool) -> Plant | None:
    name = str(rng.choice(list(pool.scopes)))
    rows = np.flatnonzero(pool.scopes[name] & usable)
    size = int(np.exp(rng.uniform(np.log(10), np.log(MAX_MEMBERS))))
    dirt = float(rng.choice([0, 0.1, 0.25, 0.4, 0.5]))
    if len(rows) < MIN_CLASS_ROWS:
        return None
    if len(rows) > MAX_CLASS_ROWS:
        rows = np.sort(rng.choice(rows, MAX_CLASS_ROWS, replace=False))
    if kind == "random":
        members = np.isin(rows, rng.choice(rows, min(size, len(rows) // 3), replace=False))
        return Plant(kind, "", rows, members, np.zeros(len(rows), bool), scope=name)
    if kind == "region":
        centered = pool.found_in[rows] - pool.found_in[rows].mean(0)
        centered = centered / np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-9)
        near = np.argsort(-centered @ centered[rng.integers(len(rows))])[: min(size, len(rows) // 3)]
        members = np.isin(np.arange(len(rows)), near)
        return Plant(kind, "", rows, members, members, scope=name)
    if kind == "edit":
        return _plant_edit(pool, rows, size, dirt, rng, name, usable)
    cause, has, lacks = draw(rng, rows)
    if not 12 <= has.sum() <= 0.3 * len(rows):
        return None
    if kind in ("natural", "column"):
        n_in = min(max(5, round(size * (1 - dirt))), int(has.sum()))
        others = min(round(n_in * dirt / (1 - dirt)), int(lacks.sum()))
        picked = [rng.choice(rows[has], n_in, replace=False), rng.choice(rows[lacks], others, replace=False)]
        return Plant(kind, cause, rows, np.isin(rows, np.concatenate(picked)), has, dirt, name)
    second, has_second, lacks_second = draw(rng, rows)
    causes = (has, lacks, has_second, lacks_second)
    return _plant_mixture(rows, causes, size, dirt, rng, f"{cause} + {second}", name)


def _plant_edit(
    pool: TitlePool, rows: I64, size: int, dirt: float, rng: np.random.Generator, name: str, usable: Bool
) -> Plant | None:
    edits = sorted(set().union(*pool.edits_of.values()))
    edit = str(rng.choice(edits))
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


def _plant_mixture(
    rows: I64,
    causes: tuple[Bool, Bool, Bool, Bool],
    size: int,
    dirt: float,
    rng: np.random.Generator,
    cause: str,
    name: str,
) -> Plant | None:
    has, lacks, has_second, lacks_second = causes
    only_first = has & lacks_second
    only_second = has_second & lacks
    if not 8 <= has_second.sum() <= 0.3 * len(rows) or min(only_first.sum(), only_second.sum()) < 8:
        return None
    half = min(max(8, size // 2), int(only_first.sum()), int(only_second.sum()))
    share = float(rng.choice([0.3, 0.5, 0.7]))
    n_first = max(5, min(round(2 * half * share), int(only_first.sum())))
    n_second = max(5, min(2 * half - n_first, int(only_second.sum())))
    neither = rows[lacks & lacks_second]
    a = rng.choice(rows[only_first], n_first, replace=False)
    b = rng.choice(rows[only_second], n_second, replace=False)
    c = rng.choice(neither, min(len(neither), round((n_first + n_second) * min(dirt, 0.25))), replace=False)
    part = np.where(np.isin(rows, a), 1, np.where(np.isin(rows, b), 2, 0))
    return Plant("mixture", cause, rows, np.isin(rows, np.r_[a, b, c]), has | has_second, dirt, name, part)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A planted cluster's describers, and how right they are: 1 right, 0.5 near, 0 wrong."""

    plant: Plant
    ranked: Ranked
    right: Mapping[str, float]

    def of(self, theme: Sequence[str]) -> float:
        """How right the best of a theme's first words is."""
        return max((self.right.get(text, 0.0) for text in theme), default=0.0)


def judge(pool: TitlePool, plant: Plant, rng: np.random.Generator) -> Judged:
    """Rank the describers of a planted cluster beside meaningless columns, with how right each is."""
    rows = plant.rows
    members = plant.members
    n = len(plant.rows)
    properties = properties_of(pool.columns, rows)
    usable = [i for i in unspoken(pool.phrases, properties) if np.isfinite(pool.known[i])]
    scores = (pool.joint[rows] @ pool.directions[usable].T).astype(np.float64)
    phrases: list[Describer] = []
    for k, i in enumerate(usable):
        known = float(pool.known[i])
        spoken = float(pool.spoken[i])
        phrases.append(Describer(pool.phrases[i], "phrase", scores[:, k], pool.directions[i], known, spoken))
    columns: list[Describer] = []
    for k, share in enumerate(rng.choice(NOISE_SHARES, 12)):
        columns.append(Describer(f"column {k}", "condition", (rng.random(n) < share).astype(np.float64)))
    right = {column.text: 0.0 for column in columns} | _phrases_right(pool, plant, usable)
    right |= {described.text: _property_right(pool, plant, described) for described in properties}
    if plant.kind == "column":  # marks the cause, in the members or in all rows, with 3% of the cells wrong
        has = plant.true & (plant.members | bool(rng.random() < 0.5))
        columns.append(Describer("its own column", "condition", (has ^ (rng.random(n) < 0.03)).astype(np.float64)))
        share = _rightness(*(has[where].mean(keepdims=True) for where in (plant.members, ~plant.members)))
        right["its own column"] = float(share[0] >= 1)
    return Judged(plant, rank([*properties, *phrases, *columns], members), right)


def _phrases_right(pool: TitlePool, plant: Plant, phrases: Sequence[int]) -> dict[str, float]:
    if plant.kind == "edit":
        return {pool.phrases[i]: float(plant.cause in pool.edits_of.get(pool.phrases[i], ())) for i in phrases}
    shown = pool.shown[plant.rows][:, phrases]
    right = _rightness(*(shown[where].mean(0) for where in (plant.members, ~plant.members)))
    return {pool.phrases[i]: float(value) for i, value in zip(phrases, right)}


def _rightness(inside: npt.NDArray[Any], outside: npt.NDArray[Any]) -> F64:
    """1 right, 0.5 near, 0 wrong, for each describer, from the shares of members and of others that show it; nan is
    0."""
    inside = np.nan_to_num(inside)
    outside = np.nan_to_num(outside)
    near = np.where((inside >= 0.2) & (inside >= 1.7 * outside), 0.5, 0.0)
    return np.where((inside >= 0.4) & (inside >= 1.5 * outside), 1.0, near)


def _property_right(pool: TitlePool, plant: Plant, described: Describer) -> float:
    if plant.kind == "random":
        return 0.0
    if plant.kind == "edit":
        return float(any(plant.cause in pool.edits_of.get(name, ()) for name in names_of(described)))
    area = float(aurocs(described.scores[:, None], plant.members)[0])
    if area >= 0.85:
        return 1.0
    if area >= 0.75:
        return 0.5
    return 0.0


def fit_titles(pool: TitlePool, judged: Sequence[Judged]) -> tuple[TitleModel, F64, F64]:
    """Fit the model; also, for each cluster with one cause, the chance that models which did not see it give its theme,
    and how right that theme is."""
    held = [j for j in judged if len(j.ranked.describers) and j.plant.kind != "mixture"]
    fold = _folds([f"{j.plant.kind} {j.plant.cause or i % FOLDS}" for i, j in enumerate(held)])
    x = np.concatenate([j.ranked.features for j in held])
    y = np.concatenate([[j.right[d.text] for d in j.ranked.describers] for j in held])
    of = np.repeat(np.arange(len(held)), [len(j.ranked.describers) for j in held])
    weight = 1 / np.bincount(of)[of]  # each cluster counts the same, however many describers it has
    describer_model, describer_chance = _cross_fitted(x, y >= 1, fold[of], weight / weight.mean())
    themes_of = [themes(j.ranked, describer_chance[of == i]) for i, j in enumerate(held)]
    right = np.array([j.of(t[0].texts) for j, t in zip(held, themes_of)])
    features = np.stack([theme_features(j.ranked, t) for j, t in zip(held, themes_of)])
    theme_model, chance = _cross_fitted(features, right >= 1, fold)
    likely, perhaps = _lines(chance, right, np.array([j.plant.kind for j in held]))
    never = np.r_[np.zeros(N_OF_SPLIT), -10.0]  # an intercept so low that no cluster is split
    none = np.stack([np.zeros(N_OF_SPLIT + 1), np.ones(N_OF_SPLIT + 1), never])
    model = TitleModel(describer_model, theme_model, none, likely, perhaps)
    return _with_split(pool, model, judged), chance, right


def _with_split(pool: TitlePool, model: TitleModel, judged: Sequence[Judged]) -> TitleModel:
    """Add the part that decides whether a cluster has two kinds, each named rightly; without examples nothing."""
    ways: list[list[Halves]] = []
    right: list[bool] = []
    for j in judged:
        if j.plant.kind not in ("mixture", "natural", "random"):
            continue
        first_themes, _ = titled_by(model, j.ranked)
        splits: list[Halves] = []
        if first_themes:
            splits = list(ways_apart(model, j.ranked, first_themes, j.plant.members))
        ways.append(splits)
        right += [both_right(pool, j.plant, halves) for halves in splits]
    if min(sum(right), len(right) - sum(right)) < FOLDS:
        return model
    of = np.repeat(np.arange(len(ways)), [len(splits) for splits in ways])
    weight = 1 / np.bincount(of)[of]
    x = np.stack([halves.features for splits in ways for halves in splits])
    split, _ = _cross_fitted(x, np.array(right, bool), of % FOLDS, weight / weight.mean())
    return replace(model, split=split)


def both_right(pool: TitlePool, plant: Plant, halves: Halves) -> bool:
    """Whether the halves' themes name the two causes of a mixture, one each."""
    if plant.part is None:
        return False
    number = {text: i for i, text in enumerate(pool.phrases)}

    def names_part(theme: Theme, part: int) -> bool:
        phrases = [number[text] for text in theme.texts if text in number]
        shown = pool.shown[plant.rows][:, phrases]
        return bool((_rightness(shown[plant.part == part].mean(0), shown[~plant.members].mean(0)) >= 1).any())

    first, second = (themes[0] for themes in halves.themes)
    return (names_part(first, 1) and names_part(second, 2)) or (names_part(first, 2) and names_part(second, 1))


def _folds(causes: Sequence[str]) -> I64:
    """(c,) the fold of each cluster: clusters with the same cause share a fold."""
    order = np.random.default_rng(0).permutation(sorted(set(causes)))
    of = {cause: i % FOLDS for i, cause in enumerate(order)}
    return np.array([of[cause] for cause in causes], np.int64)


def _cross_fitted(x: F64, right: Bool, fold: I64, weight: F64 | None = None) -> tuple[F64, F64]:
    """(3, F + 1) the logistic model fitted on all rows, and (n,) chances by models without the row's fold."""
    mean = x.mean(0)
    deviation = x.std(0)
    deviation[deviation < MIN_DEVIATION] = 1.0
    x = (x - mean) / deviation
    if weight is None:
        weight = np.ones(len(x))

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
    """The lowest chance of a likely title, and the lowest at which a guess is worth showing."""
    grid = np.arange(0.3, 0.96, 0.01)
    # columns are easy, and would lower the line for the others
    random = kind == "random"
    sure = kind == "column"

    def enough(line: float) -> bool:
        real = (chance >= line) & ~random & ~sure
        if real.any() and np.mean(right[real] == 0) > MAX_WRONG_SHARE:
            return False
        return float(np.mean(chance[random] >= line)) <= MAX_RANDOM_SHARE

    likely = float(next((line for line in grid if enough(line)), grid[-1]))
    odds = np.log(chance / (1 - chance))
    near = LogisticRegression(C=1.0).fit(odds[~sure, None], right[~sure] > 0)
    wanted = np.log(WORTH_SAYING / (1 - WORTH_SAYING)) - near.intercept_[0]
    line = 1 / (1 + np.exp(-wanted / max(near.coef_[0, 0], 1e-3)))
    return likely, float(np.clip(line, 0.05, likely))
