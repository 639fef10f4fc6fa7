"""How well the encoder knows a word, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.language.grammar import stems
from core.numbers import count, interval, listed, number
from core.records import Competence, Diagnosis, Words

if TYPE_CHECKING:
    from core.language.competence import CompetenceTable
    from core.language.vocabulary import Vocabulary


def competence_sentence(words: Words | None, phrase: int | None) -> str:
    """Such as "The encoder knows these words (AUROC 0.93, 95% CI 0.90 to 0.96; 61 samples with, 940 without)."; "" of a
    condition (None), and where nothing was measured of the encoder."""
    if phrase is None or words is None or words.competence is None:
        return ""
    known = words.competence
    if not known.is_known(phrase):
        return "It was not measured how well the encoder knows these words."
    text = known_words(known, phrase)
    return f"{text[:1].upper()}{text[1:]}."


def known_words(known: Competence, phrase: int) -> str:
    """Such as "the encoder knows these words (AUROC 0.93, 95% CI 0.90 to 0.96; 61 samples with, 940 without)", of a
    phrase that was measured."""
    knows = "hardly knows"
    if known.is_enough(phrase):
        knows = "knows"
    return (
        f"the encoder {knows} these words "
        f"(AUROC {number(known.auroc[phrase], 2)}, 95% CI {interval(known.of(phrase))}; "
        f"{known.n_with[phrase]:,} samples with, {known.n_without[phrase]:,} without)"
    )


def competence_in_brief(words: Words | None, phrase: int | None) -> str:
    """The same in a few words, such as "known to the encoder: 0.93"; "" where the sentence is."""
    if phrase is None or words is None or words.competence is None:
        return ""
    known = words.competence
    if not known.is_known(phrase):
        return "knowledge of the encoder not measured"
    text = f"known to the encoder: {number(known.auroc[phrase], 2)}"
    if known.is_enough(phrase):
        return text
    return f"hardly {text}"


def words_known(words: Words | None, text: str) -> str:
    """Of a text that no sample is near enough to, how well the encoder knows the shortest phrase with each of its
    words; that it was not measured where no phrase has any, and "" where nothing was measured of the encoder."""
    if words is None or words.competence is None:
        return ""
    of = {n: stems(phrase) for n, phrase in enumerate(words.phrases)}
    having = (min((n for n in of if stem in of[n]), key=lambda n: len(of[n]), default=None) for stem in stems(text))
    phrases = [n for n in dict.fromkeys(having) if n is not None]
    if not phrases:
        return "It was not measured how well the encoder knows these words."
    briefs = [f'"{words.phrases[n]}" ({competence_in_brief(words, n)})' for n in phrases]
    return f"Phrases with these words: {listed(briefs)}."


def words_sentence(diagnosis: Diagnosis) -> str:
    """How many phrases were tested, and by which encoder; "" without words."""
    words = diagnosis.words
    if words is None:
        return ""
    families = count(len(set(words.families)), "family")
    text = f"Errata tested {count(len(words.phrases), 'phrase')} in {families}"
    if not words.encoder:
        return f"{text}."
    text = f"{text} with the encoder {words.encoder.split(' ')[0]}."
    if words.encoder not in ("embedded", "clips"):
        return text
    return f"{text} It is small: in a blind test its words fitted composed scenes, not stylized images."


def competence_lines(table: CompetenceTable, vocabulary: Vocabulary) -> list[str]:
    """A line for each phrase that was measured, the best known first, and how many were not."""
    texts = [phrase.text for phrase in vocabulary.phrases]
    known = table.of(texts)
    order = sorted((i for i in range(len(texts)) if known.is_known(i)), key=lambda i: -known.auroc[i])
    width = max((len(texts[i]) for i in order), default=0)
    lines = list[str]()
    for i in order:
        auroc = f"{known.auroc[i]:.2f} [{known.low[i]:.2f}, {known.high[i]:.2f}]"
        line = f"{texts[i]:{width}}  {auroc}  {known.n_with[i]:,} with, {known.n_without[i]:,} without"
        if not known.is_enough(i):
            line = f"{line}  hardly known"
        lines.append(line)
    enough = sum(known.is_enough(i) for i in order)
    return [
        *lines,
        f"Measured on {table.pictures}: {count(len(order), 'phrase')} of {len(texts):,}, {enough:,} of which the "
        f"encoder knows (lower end of the interval at least {known.bar:g}). The others are unmeasured.",
    ]
