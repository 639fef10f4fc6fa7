"""How likely a title is right: the describers of a cluster ranked by one logistic model, those that say the same joined
to themes, and a second model that says with which chance the leading theme is right.

Both are fitted on clusters whose cause is known (`core.checks.title_fit`). A reader would agree with a theme if most of
the members have what one of its first three words says, and clearly more than the rest.
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

MEANT = 60
LOOKED_AT = 20
"""Phrases whose AUROC is found, those of the largest difference of means; and of these those that are ranked."""
ALIKE = 0.55
TOGETHER = 0.6
"""Cosine of two directions, or correlation of two scores, from which describers say the same."""
AGREE = 10
"""The foremost phrases with which each is held to agree."""
LEADING = 3
"""Describers by which a theme is judged, and that a title may list."""
MOST_SURE = 64.0
"""Standard errors beyond which an AUROC is no surer."""
MOST_WEIGHT = 1e6
"""Largest number of a model that is read: one of features of about 1 has none of a hundred."""
SEEN = 0.65
"""Least AUROC with which a property is ranked."""
LUCK = 0.02
"""Chance, over all ends and values of columns that are tried, up to which one is ranked: of many columns the best tells
any few rows from the rest."""
USUALLY_SURE = 2.05
USUALLY_NEXT = -1.7
"""Root of the standard errors of a cluster's best phrase, and logit of the second theme's chance: taken where there is
no phrase or no second theme, as the means of the clusters that the models were fitted on."""


@dataclass(frozen=True, slots=True, eq=False)
class TitleModel:
    """Two logistic models and the lines between grades. F features of a describer, G of a theme."""

    one: F64
    """(3, F + 1) mean and deviation of each feature and its weight; the last column holds the constant."""
    two: F64
    """(3, G + 1) the same of themes."""
    split: F64
    """(3, 8) the same of the best way to take a cluster apart (`core.language.parts`)."""
    likely: float
    """The least chance with which a title is said as likely."""
    perhaps: float

    def write(self) -> dict[str, Any]:
        """As JSON holds it."""
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: np.round(v, 5).tolist() if isinstance(v, np.ndarray) else v for k, v in told.items()}

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> TitleModel:
        """Of what `write` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no such model.
        """
        one, two, split = (np.array(said[name], np.float64) for name in ("one", "two", "split"))
        likely, perhaps = (float(said[name]) for name in ("likely", "perhaps"))
        shapes = [model.shape for model in (one, two, split)]
        if shapes != [(3, n + 1) for n in (N_OF_ONE, N_OF_THEME, N_OF_SPLIT)]:
            raise ValueError(f"a model of titles of the shapes {shapes}")
        if not all((np.abs(model) <= MOST_WEIGHT).all() and (model[1] > 0).all() for model in (one, two, split)):
            raise ValueError(f"a model of titles whose numbers are none, or beyond {MOST_WEIGHT:g}")
        if not 0 < perhaps <= likely < 1:
            raise ValueError(f"lines of {perhaps} and {likely}")
        return cls(one, two, split, likely, perhaps)


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """Describers that say the same, the likeliest first."""

    members: tuple[Describer, ...]
    chances: tuple[float, ...]
    """Of each member, as the first model has it."""

    @property
    def lead(self) -> Describer:
        return self.members[0]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(one.text for one in self.members[:LEADING])


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The describers of a cluster that are ranked, with their features."""

    describers: tuple[Describer, ...]
    features: F64
    """(D, F)"""
    wider: tuple[Describer, ...] = ()
    """All whose AUROC was found but columns that luck may have given: by these parts of the cluster are described."""


def rank(describers: Sequence[Describer], members: Bool) -> Ranked:
    """What may describe the members, apart from the other rows, with the features by which it is judged.

    Args:
        members: (m,) of the rows that the describers score.
    """
    n = len(members)
    n_in = int(members.sum())
    phrases, others = _foremost(describers, members)
    chosen = [*phrases, *others]
    if not chosen:
        return Ranked((), np.zeros((0, N_OF_ONE)))
    scores = np.stack([one.scores for one in chosen], 1)
    areas = aurocs(scores, members)
    order = np.argsort(-areas[: len(phrases)], kind="stable")
    told = _no_luck(others, scores[:, len(phrases) :], areas[len(phrases) :], members)
    seen = told & (areas[len(phrases) :] >= SEEN)
    kept = np.r_[order[:LOOKED_AT], len(phrases) + np.flatnonzero(seen)].astype(np.int64)
    is_phrase = kept < len(phrases)
    own = scores[:, kept]
    area = areas[kept]
    wider = (*phrases, *(one for one, is_told in zip(others, told) if is_told))
    chosen = [chosen[i] for i in kept]
    error = _error(members)
    inside = own[members]
    outside = own[~members]
    apart = np.clip((inside.mean(0) - outside.mean(0)) / (outside.std(0) + 1e-6), -2, 8)
    beyond = (inside > np.quantile(outside, 0.9, axis=0)).mean(0)
    agree = (standardised(own).T @ standardised(scores[:, order[:AGREE]]) / n).mean(1) if len(order) else 0.0
    sure = np.sqrt(np.clip((area - 0.5) / error, 0, MOST_SURE))
    one = np.ones(len(kept))
    said = np.log1p([USUALLY_SAID if np.isnan(d.said) else d.said for d in chosen])
    known = np.array([d.known for d in chosen])
    of_property, of_column = (np.array([d.kind == kind for d in chosen], float) for kind in ("property", "condition"))
    lift = np.log((inside.clip(0, 1).mean(0) + 1 / n) / (outside.clip(0, 1).mean(0) + 1 / n))  # of a column's value
    features = (
        area - 0.5,
        sure,
        area - area.max(initial=0.5),
        known,
        np.where(is_phrase, said, 4.0),
        beyond,
        np.where(is_phrase, agree, 0.0),
        np.log(n_in) * one,
        n_in / n * one,
        (np.sqrt(np.clip((areas[order[0]] - 0.5) / error, 0, MOST_SURE)) if phrases else USUALLY_SURE) * one,
        _places(area, is_phrase) / 10,
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
    """The phrases whose means differ most, and all that is no phrase."""
    phrases = [one for one in describers if one.kind == "phrase"]
    others = [one for one in describers if one.kind != "phrase"]
    if len(phrases) > MEANT:
        scores = np.stack([one.scores for one in phrases], 1)
        apart = (scores[members].mean(0) - scores[~members].mean(0)) / (scores.std(0) + 1e-9)
        phrases = [phrases[i] for i in np.argsort(-apart, kind="stable")[:MEANT]]
    return phrases, others


def _error(members: Bool) -> float:
    """Standard error of the AUROC of scores that tell nothing, none of them alike."""
    n = len(members)
    n_in = int(members.sum())
    return float(np.sqrt((n + 1) / (12 * n_in * (n - n_in))))


def _no_luck(others: Sequence[Describer], scores: F64, areas: F64, members: Bool) -> Bool:
    """(D,) which describers the members have more than as many random rows would, all conditions taken together; what
    is measured always."""
    from scipy.stats import hypergeom, norm  # not needed to start the page

    of_column = np.array([one.kind == "condition" for one in others], bool)
    is_value = ((scores == 0) | (scores == 1)).all(0)
    tail = np.where(
        is_value,
        hypergeom.sf(scores[members].sum(0) - 1, len(members), scores.sum(0), members.sum()),
        norm.sf((areas - 0.5) / _error(members)),
    )
    return ~of_column | (tail * of_column.sum() <= LUCK)


def _places(areas: F64, is_phrase: Bool) -> F64:
    """Place of each by its AUROC among those of its own sort, from 0."""
    from scipy.stats import rankdata

    places = np.empty(len(areas))
    for sort in (is_phrase, ~is_phrase):
        places[sort] = rankdata(-areas[sort]) - 1
    return places


N_OF_ONE = 20
N_OF_THEME = 10
N_OF_SPLIT = 7
USUALLY_SAID = 20.0
"""Mentions in 1,000 captions that are taken of a phrase whose own are not known."""


def chances(model: TitleModel, ranked: Ranked) -> F64:
    """(D,) with which each describer alone is right."""
    return logistic(model.one, ranked.features)


def themes(ranked: Ranked, chance: F64) -> list[Theme]:
    """The describers joined to themes, the likeliest first."""
    if not ranked.describers:
        return []
    d = max((len(x.direction) for x in ranked.describers if x.direction is not None), default=1)
    directions = np.stack([np.zeros(d) if x.direction is None else x.direction for x in ranked.describers])
    z = standardised(np.stack([one.scores for one in ranked.describers], 1))
    same = (directions @ directions.T >= ALIKE) | (z.T @ z / len(z) >= TOGETHER)
    left = np.argsort(-chance, kind="stable").tolist()
    made = list[Theme]()
    while left:
        own = [j for j in left if j == left[0] or same[left[0], j]]
        made.append(Theme(tuple(ranked.describers[j] for j in own), tuple(float(chance[j]) for j in own)))
        left = [j for j in left if j not in own]
    return made


def theme_features(ranked: Ranked, found: Sequence[Theme]) -> F64:
    """(G,) of the leading theme, beside the next."""
    own = ranked.features[ranked.describers.index(found[0].lead)]
    first = (*found[0].chances[:LEADING], 0.0, 0.0)
    following = _logit(found[1].chances[0]) if len(found) > 1 else USUALLY_NEXT
    return np.array(
        [
            _logit(first[0]),
            first[1],
            first[2],
            following,
            own[1],
            own[7],
            own[8],
            own[9],
            own[13],
            float(len(found[0].members) > LEADING),
        ]
    )


def theme_chance(model: TitleModel, ranked: Ranked, found: Sequence[Theme]) -> float:
    """With which a reader who sees the samples agrees with the leading theme; 0 where there is none."""
    return float(logistic(model.two, theme_features(ranked, found)[None])[0]) if found else 0.0


def titled(model: TitleModel, ranked: Ranked) -> tuple[list[Theme], float]:
    """The themes of ranked describers, and the chance of the leading one."""
    found = themes(ranked, chances(model, ranked))
    return found, theme_chance(model, ranked, found)


def _logit(chance: float) -> float:
    return float(np.log(max(chance, 1e-3) / max(1 - chance, 1e-3)))


def logistic(model: F64, features: F64) -> F64:
    """(n,) chances of the (n, F) features by a (3, F + 1) model."""
    mean, deviation, weights = model
    x = (features - mean[:-1]) / deviation[:-1]
    return expit(x @ weights[:-1] + weights[-1])


def standardised(scores: F64) -> F64:
    """(m, D) each column with mean 0 and deviation 1; one of equal values is all 0."""
    return (scores - scores.mean(0)) / (scores.std(0) + 1e-9)


def aurocs(scores: F64, members: Bool) -> F64:
    """(D,) with which each column of the (m, D) scores tells the (m,) members from the rest."""
    from scipy.stats import rankdata

    return aurocs_of_ranks(rankdata(scores, axis=0) if scores.size else scores, members)


@cache
def _shipped(name: str) -> TitleModel:
    return TitleModel.read(read_json(ASSETS / "competence" / f"{name}.json")["titles"])


def model_of(words: Words | None, modality: str) -> TitleModel:
    """The model that was fitted for the run's encoder; where there is none, the one that ships: of texts, or of
    images for all else."""
    if words is not None and words.titles is not None:
        return TitleModel.read(words.titles)
    return _shipped("minilm" if modality == "text" else "embedded")
