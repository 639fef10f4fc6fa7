"""What may be asked: a text, the class that it names, and why it cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.discovery.conditions import meets
from core.errors import InvalidInput
from core.language.counted import Counted, StatedCondition, beside_condition
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
    """The text on one line, with the class that it names. Refused if it is empty, too long, or only the name of a
    class, of a column of numbers or of a measured property."""
    printable = [c if c.isprintable() else " " for c in text]
    cleaned = " ".join("".join(printable).split())
    if not cleaned or not any(c.isalnum() for c in cleaned):
        return AskedText(
            cleaned,
            refused="The text is empty; a question needs words. Ask for something that samples may show or say: "
            '"a dog in snow".',
        )
    if len(cleaned) > MAX_QUESTION_LENGTH:
        return AskedText(
            f"{cleaned[:40]} …",
            refused=f"The question has {len(cleaned):,} characters; {MAX_QUESTION_LENGTH} are allowed. "
            "Ask for one thing at a time.",
        )
    for column in columns:
        name = column.name.replace("_", " ")
        if cleaned.casefold() == name.casefold() and (column.measured or column.kind == "number"):
            if column.kind == "number":
                values = f'"high {name}" or "low {name}"'
            else:
                values = f'one of its values, as "{name} = ..."'
            return AskedText(
                cleaned, refused=f'Every sample has a value of "{cleaned}". Ask for {values}, or color the map by it.'
            )
    label = class_in(cleaned, class_names)
    if label is not None and is_bare_name(cleaned, class_names[label]):
        return AskedText(cleaned, label, f'See class {class_names[label]}, or add a detail: "{cleaned} in the dark".')
    return AskedText(cleaned, label)


_FAILS = frozenset("wrong error errors fail fails failing failed mistake mistakes misclassified worst hardest".split())
_ABOUT_RUN = _FAILS | frozenset(
    "how which what many much often is are was were the a an of in all do does did my model it make makes get gets "
    "have has there most class classes label labels rate share percentage number total overall accuracy image images "
    "picture pictures sample samples text texts clip clips scan scans".split()
)


def about_run(text: str, diagnosis: Diagnosis) -> str:
    """The run's own figures, if that is all a text asks for: "how many images are wrong?", "which class is worst?".
    "" for every other text."""
    samples = diagnosis.samples
    errors = diagnosis.outcomes.errors
    words = words_in(text.casefold())
    names = [*map(str.casefold, samples.class_names)]
    others = {*words} - _ABOUT_RUN
    asks = words[:1] and words[0] in ("how", "which", "what") and {*words} & {*_FAILS, "accuracy"}
    if errors is None or not asks or not others <= {*names}:
        return ""
    share = percent(float(errors.mean()))
    sentences = [f"{int(errors.sum()):,} of {count(len(errors), samples.modality)} are wrong ({share})."]
    if samples.labels is not None:
        n = np.bincount(samples.labels)
        wrong = np.bincount(samples.labels[errors], minlength=len(names))
        rate = [w / max(rows, 1) for w, rows in zip(wrong.tolist(), n.tolist())]
        known = [c for c in range(len(rate)) if n[c] and (not others or names[c] in others)]
        known.sort(key=lambda c: -rate[c])
        rates = [f"{samples.class_names[c]} {wrong[c]:,} of {n[c]:,} ({percent(rate[c])})" for c in known]
        sentences.append(f"By class: {listed(rates)}.")
    sentences.append("Ask for what they show to see whether that matters, for example “in the dark”.")
    return " ".join(sentences)


def scoped(asked: AskedText, class_names: Sequence[str], tested: Sequence[StatedCondition]) -> AskedText:
    """The text with the class named beside the tested condition that it states, if it states one."""
    beside = beside_condition(asked.text, tested)
    if beside is None:
        return asked
    return replace(asked, label=class_in(beside, class_names))


def rows_counted(counted: Counted, n: int) -> Bool:
    """(n,) the rows that have the counted property that a text states."""
    if counted.mask is not None:
        return counted.mask
    return meets(counted.tests, counted.columns, n)


def require_words(diagnosis: Diagnosis, what: str) -> Words:
    """The words of a run.

    Args:
        what: the action that needs them, for the message.

    Raises:
        InvalidInput: the run has none.
    """
    if diagnosis.words is not None:
        return diagnosis.words
    if diagnosis.samples.modality == "scan":
        why = "the scan encoder was trained without text. Its clusters are named by conditions"
    else:
        why = "no encoder with a text tower embedded its samples. Diagnose again with --images or --texts"
    raise InvalidInput(f"This run cannot {what}: {why}.")


def same_question(text: str) -> str:
    """The text as questions are counted: case and spaces do not matter."""
    return " ".join(text.split()).casefold()
