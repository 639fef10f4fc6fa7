"""What may be asked: a text, the class that it names, and why it cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.discovery.conditions import meets
from core.errors import InvalidInput
from core.language.counted import Counted, SaidCondition, beside_condition
from core.language.grammar import words_in
from core.language.prompts import class_in, is_bare_name
from core.numbers import count, listed, percent
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
                refused=f'"{cleaned}" is known of every sample, and says nothing by itself. Ask for {ends}, or color '
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


_FAILS = frozenset("wrong error errors fail fails failing failed mistake mistakes misclassified worst hardest".split())
_ABOUT_RUN = _FAILS | frozenset(
    "how which what many much often is are was were the a an of in all do does did my model it make makes get gets "
    "have has there most class classes label labels rate share percentage number total overall accuracy image images "
    "picture pictures sample samples text texts clip clips scan scans".split()
)


def about_run(text: str, diagnosis: Diagnosis) -> str:
    """What the run's own figures say where a text asks for nothing else, such as "how many images are wrong?" or "which
    class is worst?"; "" for every other text."""
    samples = diagnosis.samples
    errors = diagnosis.outcomes.errors
    words = words_in(text.casefold())
    names = [*map(str.casefold, samples.class_names)]
    others = {*words} - _ABOUT_RUN
    asks = words[:1] and words[0] in ("how", "which", "what") and {*words} & {*_FAILS, "accuracy"}
    if errors is None or not asks or not others <= {*names}:
        return ""
    said = [
        f"{int(errors.sum()):,} of {count(len(errors), samples.modality)} are wrong ({percent(float(errors.mean()))})."
    ]
    if samples.labels is not None:
        n = np.bincount(samples.labels)
        wrong = np.bincount(samples.labels[errors], minlength=len(names))
        rate = [w / max(rows, 1) for w, rows in zip(wrong.tolist(), n.tolist())]
        known = [c for c in range(len(rate)) if n[c] and (not others or names[c] in others)]
        known.sort(key=lambda c: -rate[c])
        rates = [f"{samples.class_names[c]} {wrong[c]:,} of {n[c]:,} ({percent(rate[c])})" for c in known]
        said += [f"By class: {listed(rates)}."]
    return " ".join([*said, "Ask for what they show to see whether that matters, such as “in the dark”."])


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
