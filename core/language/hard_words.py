"""Words that text encoders nearly ignore, counts and negations, and words for what is counted in each text: notes on
them beside an answer by likeness."""

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
"""Properties of texts, and the words with which people ask for them."""
_WITH_A_COUNT = {"words": re.compile(r"\bwords?$"), "sentences": re.compile(r"\bsentences?$")}
_MAX_LISTED = 4


def hearing_notes(texts: Sequence[str], modality: str, insights: Sequence[Insight]) -> list[str]:
    """Notes on texts that are answered by likeness alone: a sentence on negations, a sentence on counts, and a sentence
    on each property that is measured anyway.

    Args:
        texts: questions, or names of tags.
        modality: of the samples.
        insights: of the run; words of a confirmed condition are ignored, since the condition answers for them.
    """
    confirmed = [i for i in insights if i.kind == "condition" and i.confirmed]
    rest = {text: _without(text, [i.text for i in confirmed]) for text in texts}
    notes: list[str] = []
    negated = [text for text in texts if NEGATION.search(rest[text])]
    if negated:
        what = "this" if len(texts) == 1 else _listed(negated)
        were = "were" if len(negated) > 1 else "was"
        notes.append(f'Text encoders nearly ignore "not": {what} {were} read almost as without it.')
    counts: dict[str, str] = {}
    for text in texts:
        number = _count(rest[text])
        if number:
            counts[text] = number
    if counts:
        were = "were" if len(counts) > 1 else "was"
        who = "They also nearly ignore counts" if negated else "Text encoders nearly ignore counts"
        notes.append(f"{who}: {_listed(counts.values())} {were} read almost as without the count.")
    if modality == "text":
        notes += _measured(texts, rest, counts, confirmed)
    return notes


def is_hardly_heard(text: str) -> bool:
    """Whether a text contains "not" or a count, which text encoders nearly ignore."""
    return bool(NEGATION.search(text) or _count(text))


def _without(text: str, conditions: Sequence[str]) -> str:
    for condition in sorted(conditions, key=len, reverse=True):
        text = re.sub(re.escape(condition), " ", text, flags=re.IGNORECASE)
    return text


def _count(text: str) -> str:
    """The count in a text: a number with a plural after it, or with what follows "one" ("three large numbers"); "" if
    it has none."""
    for match in _COUNT.finditer(text):
        words = match[1].split()
        number = match[0].removesuffix(match[1])
        if match[0].casefold().removesuffix(match[1].casefold()).endswith("one"):
            return f"{number} {words[0]}"
        for n in range(1, len(words) + 1):
            if is_plural(words[n - 1]):
                return f"{number} {' '.join(words[:n])}"
    return ""


def _measured(
    texts: Sequence[str], rest: dict[str, str], counts: dict[str, str], confirmed: Sequence[Insight]
) -> list[str]:
    notes: list[str] = []
    for name, words in (*COUNTED.items(), *_WITH_A_COUNT.items()):
        where = counts if name in _WITH_A_COUNT else rest
        asking = [text for text in texts if words.search(where.get(text, ""))]
        known = [f'"{i.text}"' for i in confirmed if name in i.columns][:_MAX_LISTED]
        if asking:
            result = "no condition on it was confirmed"
            if known:
                result = f"the run confirmed {', '.join(known)}"
            of = ""
            if len(texts) > 1:
                of = f" ({_listed(asking)})"
            notes.append(f'"{name}"{of} is measured in each text and tested as a condition: {result}.')
    return notes


def _listed(texts: Iterable[str]) -> str:
    names = list(texts)
    text = ", ".join(f'"{name}"' for name in names[:_MAX_LISTED])
    if len(names) > _MAX_LISTED:
        text += f" and {len(names) - _MAX_LISTED:,} more"
    return text
