"""The samples on which a title model is fitted, with their known content: captioned photographs and edited copies of
some, or texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.checks.title_fit import COUNTS, TitlePool, fit_titles, judge, plants
from core.embeddings.embed import EmbeddedImages
from core.language.competence import PhraseCompetence
from core.language.title_model import TitleModel
from core.records import F32, F64, I64, Bool, Column

MIN_SAMPLES = 200
"""Samples needed to fit a title model. A convention: fewer give hardly any cluster of 12 rows with a common cause."""
PARTS = (1, 3, 9, 18)
"""Texts have no classes: clusters are cut from random parts of these fractions, since real classes are large and
small."""


def model_of_pool(pool: TitlePool) -> TitleModel | None:
    """The model fitted on clusters cut from the pool; None if the pool is too small."""
    if pool.n < MIN_SAMPLES:
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
    """Pool of captioned photographs and edited copies.

    Args:
        copies: (e,) for each copy its photograph, and what was done to it.
        edits_of: the edits that show a phrase.
        mentioned: (n,) for each phrase, how many captions of a photograph mention it; two are enough.
        scopes: (n,) photographs of each class.
        words: phrases, their (P, d) directions, and the encoder's competence by phrase.
    """
    phrases, directions, competence = words
    origin, edit = copies
    shown = np.full((len(photographs.kept), len(phrases)), np.nan, np.float32)
    for j, text in enumerate(phrases):
        if text in mentioned:
            shown[:, j] = np.minimum(mentioned[text] / 2, 1)
    known, spoken = _figures(phrases, competence)
    columns: list[Column] = []
    for plain, edited in zip(photographs.properties, changed.properties):
        columns.append(Column(plain.name, plain.kind, np.concatenate([plain.values, edited.values]), measured=True))
    return TitlePool(
        joint=np.concatenate([photographs.joint.vectors, changed.joint.vectors]),
        found_in=np.concatenate([photographs.embeddings.vectors, changed.embeddings.vectors]),
        columns=tuple(columns),
        phrases=tuple(phrases),
        directions=directions,
        known=known,
        spoken=spoken,
        shown=np.concatenate([shown, shown[origin]]),
        scopes={"": np.ones(len(shown), bool), **scopes},
        origin=origin,
        edit=edit,
        edits_of=edits_of,
    )


def text_pool(
    reading: EmbeddedImages, shown: Mapping[str, F64], words: tuple[Sequence[str], F32, Mapping[str, PhraseCompetence]]
) -> TitlePool:
    """Pool of texts of which some phrases are known to be true or not.

    Args:
        shown: (n,) for a phrase, 1 or more if it is true of a text, 0 if not, nan if unknown.
        words: as for `photograph_pool`.
    """
    phrases, directions, competence = words
    table = np.full((len(reading.kept), len(phrases)), np.nan, np.float32)
    for j, text in enumerate(phrases):
        if text in shown:
            table[:, j] = np.minimum(shown[text], 1)
    known, spoken = _figures(phrases, competence)
    return TitlePool(
        joint=reading.joint.vectors,
        found_in=reading.embeddings.vectors,
        columns=reading.properties,
        phrases=tuple(phrases),
        directions=directions,
        known=known,
        spoken=spoken,
        shown=table,
        scopes={f"1 in {k}": np.random.default_rng(k).permutation(len(table)) % k == 0 for k in PARTS},
        origin=np.zeros(0, np.int64),
    )


def _figures(phrases: Sequence[str], competence: Mapping[str, PhraseCompetence]) -> tuple[F64, F64]:
    """(P,) AUROC of each phrase and (P,) its mentions in 1,000 captions; nan if unknown."""
    known = np.full(len(phrases), np.nan)
    spoken = np.full(len(phrases), np.nan)
    for i, text in enumerate(phrases):
        if text in competence:
            known[i] = competence[text].auroc.value
            spoken[i] = competence[text].spoken
    return known, spoken
