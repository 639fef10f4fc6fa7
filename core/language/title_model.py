"""How likely a title is right: the describers of a cluster are ranked by one logistic model, those that mean the same
are joined to themes, and a second model gives the chance that the leading theme is right.

Both are fitted on clusters whose cause is known (`core.checks.title_fit`). A reader would agree with a theme if most of
the members show one of its first three phrases, and clearly more of them than of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from scipy.special import expit

from core.documents import read_json
from core.files import ASSETS
from core.language.describers import Describer
from core.records import F64, Bool, Words
from core.statistics.ranking import aurocs_of_ranks

MAX_PHRASES = 60
MAX_RANKED = 20
"""Phrases whose AUROC is computed, those with the largest difference of means; and of these those that are ranked."""
MIN_COSINE = 0.55
MIN_CORRELATION = 0.6
"""Cosine of two directions, or correlation of two scores, from which describers mean the same."""
COMPARED_PHRASES = 10
"""The leading phrases with which each describer's agreement is measured."""
LEADING = 3
"""Describers by which a theme is judged, and that a title may list."""
MAX_ERRORS = 64.0
"""Standard errors at which an AUROC's distance from 0.5 is clipped: beyond, it is no surer."""
MAX_WEIGHT = 1e6
"""Largest number of a model that is read: with features of about 1, real ones stay below a hundred."""
MIN_PROPERTY_AUROC = 0.65
"""Lowest AUROC at which a property is ranked."""
MAX_LUCK = 0.02
"""Chance, over all ends and values of columns that are tried, at which one is ranked: of many columns the best
separates any few rows from the others."""
USUAL_SURENESS = 2.05
USUAL_NEXT = -1.7
"""Root of the standard errors of a cluster's best phrase, and logit of the second theme's chance: used without a phrase
or a second theme, the means of the clusters on which the models were fitted."""


@dataclass(frozen=True, slots=True, eq=False)
class TitleModel:
    """Two logistic models and the thresholds between grades. F features of a describer, G of a theme."""

    one: F64
    """(3, F + 1) mean and deviation of each feature, and its weight; the last column holds the constant."""
    two: F64
    """(3, G + 1) the same for themes."""
    split: F64
    """(3, 8) the same for the best way to split a cluster (`core.language.parts`)."""
    likely: float
    """The lowest chance at which a title is called likely."""
    perhaps: float

    def write(self) -> dict[str, Any]:
        """The model as JSON."""
        content: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                value = np.round(value, 5).tolist()
            content[f.name] = value
        return content

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> TitleModel:
        """Read the model from what `write` returns.

        Raises:
            KeyError, TypeError, ValueError: it is not a title model.
        """
        one, two, split = (np.array(content[name], np.float64) for name in ("one", "two", "split"))
        likely, perhaps = (float(content[name]) for name in ("likely", "perhaps"))
        shapes = [model.shape for model in (one, two, split)]
        if shapes != [(3, n + 1) for n in (N_DESCRIBER_FEATURES, N_THEME_FEATURES, N_OF_SPLIT)]:
            raise ValueError(f"a title model with the shapes {shapes}")
        if not all((np.abs(model) <= MAX_WEIGHT).all() and (model[1] > 0).all() for model in (one, two, split)):
            raise ValueError(f"a title model with numbers that are not finite, or beyond {MAX_WEIGHT:g}")
        if not 0 < perhaps <= likely < 1:
            raise ValueError(f"thresholds of {perhaps} and {likely}")
        return cls(one, two, split, likely, perhaps)


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """Describers that mean the same, the likeliest first."""

    members: tuple[Describer, ...]
    chances: tuple[float, ...]
    """Of each member, by the first model."""

    @property
    def lead(self) -> Describer:
        return self.members[0]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(described.text for described in self.members[:LEADING])


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The describers of a cluster that are ranked, with their features."""

    describers: tuple[Describer, ...]
    features: F64
    """(D, F)"""
    wider: tuple[Describer, ...] = ()
    """All whose AUROC was computed, except columns that luck may explain: these describe parts of the cluster."""


def rank(describers: Sequence[Describer], members: Bool) -> Ranked:
    """Select what may describe the members rather than the other rows, with the features by which it is judged.

    Args:
        members: (m,) of the rows that the describers score.
    """
    n = len(members)
    n_in = int(members.sum())
    phrases, others = _foremost(describers, members)
    chosen = [*phrases, *others]
    if not chosen:
        return Ranked((), np.zeros((0, N_DESCRIBER_FEATURES)))
    scores = np.stack([described.scores for described in chosen], 1)
    areas = aurocs(scores, members)
    order = np.argsort(-areas[: len(phrases)], kind="stable")
    beyond_luck = _beyond_luck(others, scores[:, len(phrases) :], areas[len(phrases) :], members)
    visible = beyond_luck & (areas[len(phrases) :] >= MIN_PROPERTY_AUROC)
    ranked = np.r_[order[:MAX_RANKED], len(phrases) + np.flatnonzero(visible)].astype(np.int64)
    is_phrase = ranked < len(phrases)
    wider = (*phrases, *(others[i] for i in np.flatnonzero(beyond_luck)))
    chosen = [chosen[i] for i in ranked]
    area = areas[ranked]
    error = _auroc_error(members)
    selected = scores[:, ranked]
    inside = selected[members]
    outside = selected[~members]
    apart = np.clip((inside.mean(0) - outside.mean(0)) / (outside.std(0) + 1e-6), -2, 8)
    beyond = (inside > np.quantile(outside, 0.9, axis=0)).mean(0)
    agree = 0.0
    best = USUAL_SURENESS
    if phrases:
        leading = standardised(scores[:, order[:COMPARED_PHRASES]])
        agree = (standardised(selected).T @ leading / n).mean(1)
        best = np.sqrt(np.clip((areas[order[0]] - 0.5) / error, 0, MAX_ERRORS))
    sure = np.sqrt(np.clip((area - 0.5) / error, 0, MAX_ERRORS))
    ones = np.ones(len(ranked))
    spoken = np.log1p([USUALLY_SPOKEN if np.isnan(d.spoken) else d.spoken for d in chosen])
    known = np.array([d.known for d in chosen])
    of_property, of_column = (np.array([d.kind == kind for d in chosen], float) for kind in ("property", "condition"))
    lift = np.log((inside.clip(0, 1).mean(0) + 1 / n) / (outside.clip(0, 1).mean(0) + 1 / n))  # of a column's value
    features = (
        area - 0.5,
        sure,
        area - area.max(initial=0.5),
        known,
        np.where(is_phrase, spoken, 4.0),
        beyond,
        np.where(is_phrase, agree, 0.0),
        np.log(n_in) * ones,
        n_in / n * ones,
        best * ones,
        _ranks(area, is_phrase) / 10,
        apart,
        of_property,
        of_column,
        (area - 0.5) * known,
        apart * of_property,
        (area - 0.5) * of_column,
        sure * of_column,
        lift * of_column,
        inside.clip(0, 1).mean(0) * of_column,
    )
    return Ranked(tuple(chosen), np.stack(features, 1), wider)


def _foremost(describers: Sequence[Describer], members: Bool) -> tuple[list[Describer], list[Describer]]:
    """The phrases whose means differ most, and all other describers."""
    phrases = [described for described in describers if described.kind == "phrase"]
    others = [described for described in describers if described.kind != "phrase"]
    if len(phrases) > MAX_PHRASES:
        scores = np.stack([described.scores for described in phrases], 1)
        apart = (scores[members].mean(0) - scores[~members].mean(0)) / (scores.std(0) + 1e-9)
        phrases = [phrases[i] for i in np.argsort(-apart, kind="stable")[:MAX_PHRASES]]
    return phrases, others


def _auroc_error(members: Bool) -> float:
    """Standard error of the AUROC of uninformative scores without ties (Mann-Whitney)."""
    n = len(members)
    n_in = int(members.sum())
    return float(np.sqrt((n + 1) / (12 * n_in * (n - n_in))))


def _beyond_luck(others: Sequence[Describer], scores: F64, areas: F64, members: Bool) -> Bool:
    """(D,) which describers the members have more than random rows would, over all conditions together (Bonferroni);
    always True for measured properties, whose number does not grow with the user's table."""
    from scipy.stats import hypergeom, norm  # not needed to start the page

    of_column = np.array([described.kind == "condition" for described in others], bool)
    is_value = ((scores == 0) | (scores == 1)).all(0)
    tail = np.where(
        is_value,
        hypergeom.sf(scores[members].sum(0) - 1, len(members), scores.sum(0), members.sum()),
        norm.sf((areas - 0.5) / _auroc_error(members)),
    )
    return ~of_column | (tail * of_column.sum() <= MAX_LUCK)


def _ranks(areas: F64, is_phrase: Bool) -> F64:
    """Rank of each by its AUROC among those of its own kind, from 0."""
    from scipy.stats import rankdata

    ranks = np.empty(len(areas))
    for kind in (is_phrase, ~is_phrase):
        ranks[kind] = rankdata(-areas[kind]) - 1
    return ranks


N_DESCRIBER_FEATURES = 20
N_THEME_FEATURES = 10
N_OF_SPLIT = 7
USUALLY_SPOKEN = 20.0
"""Mentions in 1,000 captions assumed for a phrase that was not counted."""


def chances(model: TitleModel, ranked: Ranked) -> F64:
    """(D,) chance of each describer alone being right."""
    return logistic(model.one, ranked.features)


def themes(ranked: Ranked, chance: F64) -> list[Theme]:
    """The describers joined to themes, the likeliest first."""
    if not ranked.describers:
        return []
    d = max((len(x.direction) for x in ranked.describers if x.direction is not None), default=1)
    rows: list[Any] = []
    for described in ranked.describers:
        rows.append(np.zeros(d) if described.direction is None else described.direction)
    directions = np.stack(rows)
    z = standardised(np.stack([described.scores for described in ranked.describers], 1))
    same = (directions @ directions.T >= MIN_COSINE) | (z.T @ z / len(z) >= MIN_CORRELATION)
    left = np.argsort(-chance, kind="stable").tolist()
    joined = list[Theme]()
    while left:
        members = [j for j in left if j == left[0] or same[left[0], j]]
        joined.append(Theme(tuple(ranked.describers[j] for j in members), tuple(float(chance[j]) for j in members)))
        left = [j for j in left if j not in members]
    return joined


def theme_features(ranked: Ranked, themes: Sequence[Theme]) -> F64:
    """(G,) features of the leading theme, beside the next."""
    lead = ranked.features[ranked.describers.index(themes[0].lead)]
    first = (*themes[0].chances[:LEADING], 0.0, 0.0)
    following = USUAL_NEXT
    if len(themes) > 1:
        following = _logit(themes[1].chances[0])
    return np.array(
        [
            _logit(first[0]),
            first[1],
            first[2],
            following,
            lead[1],
            lead[7],
            lead[8],
            lead[9],
            lead[13],
            float(len(themes[0].members) > LEADING),
        ]
    )


def theme_chance(model: TitleModel, ranked: Ranked, themes: Sequence[Theme]) -> float:
    """Chance that a reader who sees the samples agrees with the leading theme; 0 without a theme."""
    if not themes:
        return 0.0
    return float(logistic(model.two, theme_features(ranked, themes)[None])[0])


def titled(model: TitleModel, ranked: Ranked) -> tuple[list[Theme], float]:
    """The themes of ranked describers, and the chance of the leading one."""
    ranked_themes = themes(ranked, chances(model, ranked))
    return ranked_themes, theme_chance(model, ranked, ranked_themes)


def _logit(chance: float) -> float:
    return float(np.log(max(chance, 1e-3) / max(1 - chance, 1e-3)))


def logistic(model: F64, features: F64) -> F64:
    """(n,) chances of the (n, F) features by a (3, F + 1) model."""
    mean, deviation, weights = model
    x = (features - mean[:-1]) / deviation[:-1]
    return expit(x @ weights[:-1] + weights[-1])


def standardised(scores: F64) -> F64:
    """(m, D) each column with mean 0 and deviation 1; a constant column is all 0."""
    return (scores - scores.mean(0)) / (scores.std(0) + 1e-9)


def aurocs(scores: F64, members: Bool) -> F64:
    """(D,) how well each column of the (m, D) scores separates the (m,) members from the others."""
    from scipy.stats import rankdata

    if scores.size:
        scores = rankdata(scores, axis=0)
    return aurocs_of_ranks(scores, members)


@cache
def _shipped(name: str) -> TitleModel:
    return TitleModel.read(read_json(ASSETS / "competence" / f"{name}.json")["titles"])


def model_of(words: Words | None, modality: str) -> TitleModel:
    """The model fitted for the run's encoder; without one, the shipped model: for texts, or for images and all
    else."""
    if words is not None and words.titles is not None:
        return TitleModel.read(words.titles)
    return _shipped("minilm" if modality == "text" else "embedded")
