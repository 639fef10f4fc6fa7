"""The samples on which a model of titles is fitted, with what is known of each: captioned photographs and edited copies
of some, or texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.checks.title_fit import COUNTS, TitlePool, fit_titles, judge, plants
from core.embeddings.embed import EmbeddedImages
from core.language.competence import PhraseCompetence
from core.language.title_model import TitleModel
from core.records import F32, F64, I64, Bool, Column, Embeddings

FEWEST = 200
"""Samples on which a model of titles is fitted."""
PARTS = (1, 3, 9, 18)
"""Texts have no classes of their own: clusters are cut from random parts, since those of real classes are large and
small."""


def model_of_pool(pool: TitlePool) -> TitleModel | None:
    """The model fitted on clusters cut from the pool; None where that is too small."""
    if pool.n < FEWEST:
        return None
    rng = np.random.default_rng(1)
    return fit_titles(pool, [judge(pool, plant, rng) for plant in plants(pool, COUNTS, 1)])[0]


def photograph_pool(
    photographs: EmbeddedImages,
    changed: EmbeddedImages,
    copies: tuple[I64, Sequence[str]],
    edits_of: Mapping[str, tuple[str, ...]],
    mentioned: Mapping[str, I64],
    scopes: Mapping[str, Bool],
    words: tuple[Sequence[str], F32, Mapping[str, PhraseCompetence]],
) -> TitlePool:
    """Captioned photographs, and edited copies.

    Args:
        copies: (e,) of each copy the photograph that it is of, and what was done to it.
        edits_of: the edits that show a phrase.
        mentioned: (n,) of each phrase, how many captions of a photograph mention it; two are enough.
        scopes: (n,) photographs of each class.
        words: phrases, their (P, d) directions and how well the encoder knows each.
    """
    phrases, directions, found = words
    origin, edit = copies
    shown = np.full((len(photographs.kept), len(phrases)), np.nan, np.float32)
    for j, text in enumerate(phrases):
        if text in mentioned:
            shown[:, j] = np.minimum(mentioned[text] / 2, 1)
    known, said = _figures(phrases, found)
    return TitlePool(
        joint=_both(photographs.joint, changed.joint),
        found_in=_both(photographs.embeddings, changed.embeddings),
        columns=tuple(
            Column(one.name, one.kind, np.concatenate([one.values, other.values]), measured=True)
            for one, other in zip(photographs.properties, changed.properties)
        ),
        phrases=tuple(phrases),
        directions=directions,
        known=known,
        said=said,
        shown=np.concatenate([shown, shown[origin]]),
        scopes={"": np.ones(len(shown), bool), **scopes},
        origin=origin,
        edit=edit,
        edits_of=edits_of,
    )


def text_pool(
    reading: EmbeddedImages, shown: Mapping[str, F64], words: tuple[Sequence[str], F32, Mapping[str, PhraseCompetence]]
) -> TitlePool:
    """Texts of which it is known what some phrases say of them.

    Args:
        shown: (n,) of a phrase, 1 and more where it is true of a text, 0 where it is not, nan where nobody knows.
        words: as of `photograph_pool`.
    """
    phrases, directions, found = words
    table = np.full((len(reading.kept), len(phrases)), np.nan, np.float32)
    for j, text in enumerate(phrases):
        if text in shown:
            table[:, j] = np.minimum(shown[text], 1)
    known, said = _figures(phrases, found)
    return TitlePool(
        joint=reading.joint.vectors,
        found_in=reading.embeddings.vectors,
        columns=reading.properties,
        phrases=tuple(phrases),
        directions=directions,
        known=known,
        said=said,
        shown=table,
        scopes={f"1 in {k}": np.random.default_rng(k).permutation(len(table)) % k == 0 for k in PARTS},
        origin=np.zeros(0, np.int64),
    )


def _figures(phrases: Sequence[str], found: Mapping[str, PhraseCompetence]) -> tuple[F64, F64]:
    known = np.array([found[text].auroc.value if text in found else np.nan for text in phrases])
    return known, np.array([found[text].said if text in found else np.nan for text in phrases])


def _both(one: Embeddings, other: Embeddings) -> F32:
    return np.concatenate([one.vectors, other.vectors])
