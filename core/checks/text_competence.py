"""How well an encoder of texts tells those that a phrase is true of from others, phrase by phrase.

Which texts a phrase is true of is known in two ways. Labels: a column of the table that bears the phrase's name says
so. Words: the text has the words or signs by which people would tell ("?", "not", a number, the thing that it is
about). A text about football that never says so counts as one that is not, so figures by words are low rather than
high.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.checks.competence import chance_of_questions, measured, support_line
from core.checks.title_pools import model_of_pool, text_pool
from core.data.texts.properties import measure_text, words_of
from core.embeddings.embed import read_images
from core.encoders import Encoder
from core.errors import InvalidInput
from core.language.competence import CompetenceTable, PhraseCompetence
from core.language.grammar import stems
from core.language.phrases import phrase_directions
from core.language.vocabulary import Vocabulary, read_vocabulary
from core.records import F64, ItemStore, Progress, no_progress

Marks = Mapping[str, F64]
"""Phrase -> (n,) 1 where it is true of a text, 0 where it is not, nan where nobody knows."""
_TOLD: dict[str, Callable[[dict[str, Any], str], float]] = {
    "asking a question": lambda m, _: m["question marks"],
    "with a negation": lambda m, _: m["negations"],
    "hedged": lambda m, _: m["hedges"],
    "saying one thing but also the opposite": lambda m, _: m["contrasts"],
    "with numbers": lambda m, _: m["numbers"],
    "in the first person": lambda m, _: m["first-person words"],
    "quoting what somebody said": lambda m, _: m["quotation marks"] // 2,
    "with code or markup": lambda m, _: m["markup tags"],
    "in capitals": lambda m, _: float(m["capital share"] > 0.5),
    "short and bare": lambda m, _: float(m["words"] is not None and m["words"] <= 5),
    "listing several things": lambda _, text: float(len(re.findall(r"\w, \w+,", text)) >= 1),
    "speaking to the reader": lambda _, text: len(re.findall(r"\b(?:you|your|yours|yourself)\b", text, re.I)),
    "comparing two things": lambda _, text: len(re.findall(r"\b(?:than|as \w+ as)\b", text, re.I)),
    "telling of the future": lambda _, text: len(re.findall(r"\b(?:will|going to|plans? to|next year)\b", text, re.I)),
    "in a language other than English": lambda m, _: float(m["language"] not in ("en", None)),
}
"""How it is told from the measures and the text that a phrase is true of it: a number above 0."""


def measure_text_competence(
    encoder: Encoder,
    texts: ItemStore,
    marks: Marks | None = None,
    vocabulary: Vocabulary | None = None,
    *,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> CompetenceTable:
    """The table of an encoder's competence; a phrase that neither labels nor words tell is not in it.

    Args:
        texts: n texts that no fit of the encoder saw.
        marks: what is known of them by label.
        vocabulary: the phrases; None takes those that ship for texts.
    """
    if encoder.modality != "text":
        raise InvalidInput(
            f"Texts tell how well an encoder of texts knows its words: {encoder.name!r} sees {encoder.modality}s. "
            "Measure it with --captions and --images."
        )
    phrases = vocabulary or read_vocabulary(None, "text")
    reading = read_images(texts, encoder, modality="text", cache=cache, progress=progress)
    told_of = known_of_texts(
        [texts.read(row).decode() for row in reading.kept.tolist()],
        phrases,
        {k: v[reading.kept] for k, v in (marks or {}).items()},
    )
    directions = phrase_directions(phrases, encoder, cache=cache, progress=progress)
    found: dict[str, PhraseCompetence] = {}
    for text, direction in zip((one.text for one in phrases.phrases), directions):
        if text not in told_of:
            continue
        scores = (reading.joint.vectors @ direction).astype(np.float64)
        values = told_of[text]
        one = measured(scores[values > 0], scores[values == 0], "labels" if text in (marks or {}) else "words")
        if one is not None:
            found[text] = one
    told_of = {text: told_of[text] for text in found}
    shown = {text: values > 0 for text, values in told_of.items()}
    what = f"{len(reading.kept):,} texts that no fit saw"
    line = support_line(encoder, found, reading.joint.vectors, shown, len(reading.kept), cache)
    every = np.ones(len(reading.kept), bool)
    asked = [(text, None, every, mask) for text, mask in shown.items()]
    chance = chance_of_questions(encoder, reading.joint.vectors, asked, cache)
    titles = model_of_pool(text_pool(reading, told_of, ([p.text for p in phrases.phrases], directions, found)))
    return CompetenceTable(encoder.name, encoder.fingerprint, what, found, line, chance, titles)


def known_of_texts(texts: Sequence[str], phrases: Vocabulary, marks: Marks | None = None) -> dict[str, F64]:
    """(n,) of each phrase, above 0 where it is true of a text, 0 where it is not, nan where nobody knows; only phrases
    that labels or words tell.

    Args:
        marks: what is known of these n texts by label, which comes before words.
    """
    measures = [measure_text(text) for text in texts]
    stemmed = [frozenset(stems(" ".join(words_of(t)))) for t in texts]
    known: dict[str, F64] = {}
    for one in phrases.phrases:
        if one.text in (marks or {}):
            known[one.text] = (marks or {})[one.text]
        elif one.text in _TOLD:
            tell = _TOLD[one.text]
            known[one.text] = np.array([float(tell(m, text) > 0) for m, text in zip(measures, texts)])
        elif one.text.startswith("about "):
            wanted = frozenset(stems(one.text.removeprefix("about ")))
            known[one.text] = np.array([float(bool(wanted & own)) for own in stemmed])
    return known
