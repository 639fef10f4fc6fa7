"""What may be asked: a text, the class that it names, why it cannot be asked, and its direction among the samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.discovery.conditions import meets
from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.language.counted import Counted, SaidCondition, beside_condition
from core.language.grammar import alternatives, singular, words_in
from core.language.likeness import question_prompts
from core.language.prompts import class_in, is_bare_name
from core.records import F32, Bool, Column, Diagnosis, Words

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

MAX_QUESTION_LENGTH = 300
"""Characters of a question."""
ARTICLES = ("a", "an", "the")


@dataclass(frozen=True, slots=True)
class AskedText:
    """A text as it is asked, the class that it names, and why it cannot be asked ("" if it can)."""

    text: str
    label: int | None = None
    refused: str = ""


def read_text(text: str, class_names: Sequence[str], columns: Sequence[Column] = ()) -> AskedText:
    """The text in one line, with the class that it names; refused where it is empty, too long or only such a name, or
    that of a column of numbers or a measured property."""
    cleaned = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not cleaned or not any(c.isalnum() for c in cleaned):
        return AskedText(
            cleaned,
            refused="A question needs words: got an empty text. Ask for something that samples may show or say, "
            'such as "a dog in snow".',
        )
    if len(cleaned) > MAX_QUESTION_LENGTH:
        return AskedText(
            f"{cleaned[:40]} …",
            refused=f"A question has at most {MAX_QUESTION_LENGTH} characters: got {len(cleaned):,}. "
            "Ask for one thing at a time.",
        )
    for column in columns:
        name = column.name.replace("_", " ")
        if cleaned.casefold() == name.casefold() and (column.measured or column.kind == "number"):
            ends = (
                f'"high {name}" or "low {name}"' if column.kind == "number" else f'one of its values, as "{name} = ..."'
            )
            return AskedText(
                cleaned,
                refused=f'"{cleaned}" is known of every sample, and says nothing by itself. Ask for {ends}, or colour '
                "the map by it.",
            )
    label = class_in(cleaned, class_names)
    if label is not None and is_bare_name(cleaned, class_names[label]):
        return AskedText(
            cleaned,
            label,
            f'"{cleaned}" says no more than the class "{class_names[label]}", whose loss stands in the table of '
            f'classes. Add what may be special, such as "{cleaned} in the dark".',
        )
    return AskedText(cleaned, label)


def phrase_said(text: str, phrases: Sequence[str], class_name: str | None = None) -> int | None:
    """The phrase that a text says word for word, or None.

    Case, an article in front and the name of the class that the text speaks of do not count.

    Example:
        >>> phrase_said("A dog far away", ["in the dark", "far away"], "dog"), phrase_said("afar", ["far away"])
        (1, None)
    """
    words = words_in(text)
    said = {_without_article(words)}
    for name in () if class_name is None else (class_name, *alternatives(class_name)):
        parts = tuple(singular(w) for w in words_in(name))
        for at in range(len(words) - len(parts) + 1):
            if parts and tuple(singular(w) for w in words[at : at + len(parts)]) == parts:
                before = words[: at - 1] if at and words[at - 1] in ARTICLES else words[:at]
                said.add(_without_article((*before, *words[at + len(parts) :])))
    return next((n for n, phrase in enumerate(phrases) if _without_article(words_in(phrase)) in said - {()}), None)


def _without_article(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[1:] if words[:1] and words[0] in ARTICLES else words


def scoped(asked: AskedText, class_names: Sequence[str], tested: Sequence[SaidCondition]) -> AskedText:
    """The text with the class that it names beside the condition that it says, if it says one that was tested."""
    beside = beside_condition(asked.text, tested)
    return asked if beside is None else replace(asked, label=class_in(beside, class_names))


def rows_counted(found: Counted, n: int) -> Bool:
    """(n,) the rows that have what a text says, in the order of the columns."""
    return meets(found.tests, found.columns, n) if found.mask is None else found.mask


def require_words(diagnosis: Diagnosis, what: str) -> Words:
    """The words of a run.

    Args:
        what: that needs them.

    Raises:
        InvalidInput: it has none.
    """
    if diagnosis.words is not None:
        return diagnosis.words
    if diagnosis.samples.modality == "scan":
        why = "the encoder of scans was taught no words. Its clusters are named by conditions"
    else:
        why = "no encoder with a text tower saw its samples. Diagnose again with --images or --texts"
    raise InvalidInput(f"This run cannot {what}: {why}.")


def directions_of(
    encoder: TextTower, texts: Sequence[str], names: Sequence[str | None], cache: Path | None
) -> tuple[F32, F32]:
    """(texts, d) unit directions, each text minus what it says of its class `names` alone; and (texts, d) the texts
    themselves."""
    from core.embeddings.texts import encode_texts  # brings the vocabulary

    prompts = [prompt for text, name in zip(texts, names) for prompt in _prompts(text, name, encoder.modality)]
    vectors = encode_texts(encoder, prompts, cache).reshape(
        len(texts), 2, 2, -1
    )  # (texts, with and without, prompts, d)
    return unit((vectors[:, 0] - vectors[:, 1]).mean(1)), unit(vectors[:, 0].mean(1))


def _prompts(text: str, name: str | None, modality: str) -> list[str]:
    """The text as two prompts, then the same prompts without what it adds to its class."""
    plain = "something" if name is None else f"a {name.replace('_', ' ')}"
    return [*question_prompts(text, modality), *question_prompts(plain, modality)]
