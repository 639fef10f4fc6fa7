"""What may be asked: a text, the class that it names, and why it cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.discovery.conditions import meets
from core.errors import InvalidInput
from core.language.counted import Counted, SaidCondition, beside_condition
from core.language.prompts import class_in, is_bare_name
from core.records import Bool, Column, Diagnosis, Words

MAX_QUESTION_LENGTH = 300
"""Characters of a question."""


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
            f'See the class "{class_names[label]}" in the table of classes, or add a detail: "{cleaned} in the dark".',
        )
    return AskedText(cleaned, label)


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


def same_question(text: str) -> str:
    """The text as it is counted among the questions: case and spaces make no other one."""
    return " ".join(text.split()).casefold()
