"""How well a text encoder separates the texts that a phrase is true of from others, phrase by phrase.

Which texts a phrase is true of is known in two ways. Labels: a column of the table with the phrase's name. Words: the
text contains the words or signs that show it ("?", "not", a number, its subject). A text about football that never
names it counts as one that is not, so figures by words are low rather than high.
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
"""Phrase -> (n,) 1 if it is true of a text, 0 if not, nan if unknown."""
_SIGNS: dict[str, Callable[[dict[str, Any], str], float]] = {
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
"""Rules that decide from measures and text whether a phrase is true of a text: if above 0."""


def measure_text_competence(
    encoder: Encoder,
    texts: ItemStore,
    marks: Marks | None = None,
    vocabulary: Vocabulary | None = None,
    *,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> CompetenceTable:
    """Measure an encoder's competence phrase by phrase; phrases that neither labels nor words decide are left out.

    Args:
        texts: n texts that no fit of the encoder saw.
        marks: what is known of them from labels.
        vocabulary: the phrases; None takes the shipped ones for texts.
    """
    if encoder.modality != "text":
        raise InvalidInput(
            f"{encoder.name!r} is an encoder of {encoder.modality}s, not of texts. "
            "Measure it with --captions and --images."
        )
    phrases = vocabulary or read_vocabulary(None, "text")
    reading = read_images(texts, encoder, modality="text", cache=cache, progress=progress)
    marks = {phrase: values[reading.kept] for phrase, values in (marks or {}).items()}
    contents = [texts.read(row).decode() for row in reading.kept.tolist()]
    known = known_of_texts(contents, phrases, marks)
    directions = phrase_directions(phrases, encoder, cache=cache, progress=progress)
    measured_phrases: dict[str, PhraseCompetence] = {}
    for phrase, direction in zip(phrases.phrases, directions):
        values = known.get(phrase.text)
        if values is None:
            continue
        scores = (reading.joint.vectors @ direction).astype(np.float64)
        ground = "labels" if phrase.text in marks else "words"
        competence = measured(scores[values > 0], scores[values == 0], ground)
        if competence is not None:
            measured_phrases[phrase.text] = competence
    known = {text: known[text] for text in measured_phrases}
    shown = {text: values > 0 for text, values in known.items()}
    what = f"{len(reading.kept):,} texts that no fit saw"
    line = support_line(encoder, measured_phrases, reading.joint.vectors, shown, len(reading.kept), cache)
    every = np.ones(len(reading.kept), bool)
    asked = [(text, None, every, mask) for text, mask in shown.items()]
    chance = chance_of_questions(encoder, reading.joint.vectors, asked, cache)
    words = [phrase.text for phrase in phrases.phrases], directions, measured_phrases
    titles = model_of_pool(text_pool(reading, known, words))
    return CompetenceTable(encoder.name, encoder.fingerprint, what, measured_phrases, line, chance, titles)


def known_of_texts(texts: Sequence[str], phrases: Vocabulary, marks: Marks | None = None) -> dict[str, F64]:
    """(n,) for each phrase, above 0 if it is true of a text, 0 if not, nan if unknown; only phrases that labels or
    words decide.

    Args:
        marks: what is known of these n texts from labels, which take precedence over words.
    """
    measures = [measure_text(text) for text in texts]
    stemmed = [frozenset(stems(" ".join(words_of(t)))) for t in texts]
    known: dict[str, F64] = {}
    for phrase in phrases.phrases:
        text = phrase.text
        if marks and text in marks:
            known[text] = marks[text]
        elif text in _SIGNS:
            sign = _SIGNS[text]
            known[text] = np.array([float(sign(m, content) > 0) for m, content in zip(measures, texts)])
        elif text.startswith("about "):
            wanted = frozenset(stems(text.removeprefix("about ")))
            known[text] = np.array([float(bool(wanted & words)) for words in stemmed])
    return known
