"""Words that an encoder hears poorly, counts and negations, and those that name what is counted in each text: sentences
that say so beside an answer by likeness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.language.grammar import is_plural
from core.records import Insight

NEGATION = re.compile(r"\b(not|no|without|never|neither|nor|cannot)\b|n't\b", re.IGNORECASE)
NUMBERS = tuple("two three four five six seven eight nine ten eleven twelve".split())
_COUNT = re.compile(
    rf"\b(?:(?:at least|at most|more than|fewer than|exactly)\s+one|\d{{1,3}}|{'|'.join(NUMBERS)})"
    r"((?:\s+[^\W\d_][\w'-]*){1,3})",
    re.IGNORECASE,
)
COUNTED = {
    name: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for name, words in {
        "capital share": "capitals|capital letters?|upper[- ]?case(?: letters?)?|all caps",
        "numbers": "numbers?|digits?|numerals?",
        "negations": "negations?",
        "question marks": "question marks?",
        "exclamation marks": "exclamation marks?",
        "quotation marks": "quotation marks?",
        "punctuation share": "punctuation(?: marks)?",
        "links": "links?|urls?|hashtags?|(?:web|e-?mail) address(?:es)?",
        "markup tags": "markup|html(?: tags?)?",
    }.items()
}
"""Properties of texts, and the words by which people ask for them."""
_WITH_A_COUNT = {"words": re.compile(r"\bwords?$"), "sentences": re.compile(r"\bsentences?$")}
_LISTED = 4


def hearing_notes(texts: Sequence[str], modality: str, insights: Sequence[Insight]) -> list[str]:
    """What is to be known of texts that are told by likeness alone: one sentence on negations, one on counts, and one
    on each property that is measured anyway.

    Args:
        texts: questions, or names of tags.
        modality: of the samples.
        insights: of the run; the words of a confirmed condition are left alone, since it answers for them.
    """
    confirmed = [i for i in insights if i.kind == "condition" and i.confirmed]
    rest = {text: _without(text, [i.text for i in confirmed]) for text in texts}
    notes: list[str] = []
    if negated := [text for text in texts if NEGATION.search(rest[text])]:
        what = "this" if len(texts) == 1 else _listed(negated)
        were = "were" if len(negated) > 1 else "was"
        notes.append(f'Text encoders hardly hear a "not": {what} {were} read much as the same words without it.')
    counts = {text: found for text in texts if (found := _count(rest[text]))}
    if counts:
        were = "were" if len(counts) > 1 else "was"
        who = "They hardly hear how many either" if negated else "Text encoders hardly hear how many"
        notes.append(f"{who}: {_listed(counts.values())} {were} read much as without the count.")
    if modality == "text":
        notes += _measured(texts, rest, counts, confirmed)
    return notes


def is_hardly_heard(text: str) -> bool:
    """Whether a text says "not", or how many, which a text encoder hardly hears."""
    return bool(NEGATION.search(text) or _count(text))


def _without(text: str, conditions: Sequence[str]) -> str:
    for said in sorted(conditions, key=len, reverse=True):
        text = re.sub(re.escape(said), " ", text, flags=re.IGNORECASE)
    return text


def _count(text: str) -> str:
    """Such as "three large numbers": a number, and behind it a plural or what follows "one"; "" where there is none."""
    for found in _COUNT.finditer(text):
        words = found[1].split()
        if found[0].casefold().removesuffix(found[1].casefold()).endswith("one"):
            return f"{found[0].removesuffix(found[1])} {words[0]}"
        for n in range(1, len(words) + 1):
            if is_plural(words[n - 1]):
                return f"{found[0].removesuffix(found[1])} {' '.join(words[:n])}"
    return ""


def _measured(
    texts: Sequence[str], rest: dict[str, str], counts: dict[str, str], confirmed: Sequence[Insight]
) -> list[str]:
    notes: list[str] = []
    for name, words in (*COUNTED.items(), *_WITH_A_COUNT.items()):
        where = counts if name in _WITH_A_COUNT else rest
        asking = [text for text in texts if words.search(where.get(text, ""))]
        known = [f'"{i.text}"' for i in confirmed if name in i.columns][:_LISTED]
        if asking:
            told = f"the run confirmed {', '.join(known)}" if known else "no condition on it was confirmed"
            of = "" if len(texts) == 1 else f" ({_listed(asking)})"
            notes.append(f'"{name}"{of} is measured in each text and tested as a condition: {told}.')
    return notes


def _listed(texts: Iterable[str]) -> str:
    names = list(texts)
    said = ", ".join(f'"{name}"' for name in names[:_LISTED])
    return said + (f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else "")
