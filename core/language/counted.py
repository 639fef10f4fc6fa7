"""Texts that say what a run counts or measures of each sample itself, such as "no capital letters" or "three numbers":
the samples that have it are told by their columns, and no encoder has to guess them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.data.texts.properties import SPOKEN, spoken_limit
from core.language.grammar import singular, words_in
from core.language.hard_words import COUNTED, NUMBERS
from core.records import Diagnosis, Insight

_Tests = tuple[tuple[str, str, str | float | None], ...]
_FILLER = frozenset("a an the with in of has have having is are that s this text sample image picture photo".split())
"""Words beside a condition's own that ask for nothing more."""
_AT_ALL = {"capital share": "capital share", "punctuation share": "punctuation share", "numbers": "number share"}
"""Shares of which only "none" can be said in words; and what "no digits" is of."""
_HOW_MANY = re.compile(
    rf"(?:with\s+)?(?P<sign>no|without(?:\s+an?y?)?|at least|at most|more than|fewer than|exactly|)\s*"
    rf"(?P<n>\b\d{{1,3}}|\b(?:one|{'|'.join(NUMBERS)})|)\s*\b(?P<noun>[a-z][a-z -]*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What a text asks for that is counted or measured."""

    text: str
    """Such as "no capital letter" or "3 numbers"."""
    tests: _Tests
    """The columns' values that say so, as of `Insight.tests`."""
    confirmed: Insight | None
    """The run's own finding of that very condition."""


def counted(text: str, diagnosis: Diagnosis, class_name: str | None = None) -> Counted | None:
    """What the text says that is counted, where it says nothing else; None for every other text.

    Args:
        class_name: the class that the text names, if any: its words ask for nothing more.
    """
    samples = diagnosis.samples
    own = _said_in(text, diagnosis.insights, class_name)
    said, tests = ("", ()) if own is None else (own.text, own.tests)
    if own is None and samples.modality == "text":
        said, tests = _spoken(text)
        if not tests and class_name is not None:
            names = {singular(word) for word in words_in(class_name)}
            said, tests = _spoken(" ".join(w for w in text.split() if not {*map(singular, words_in(w))} & names))
    columns = [column for column in samples.metadata if column.measured or own is not None]
    if not {name for name, _, _ in tests} <= {column.name for column in columns} or not tests:
        return None
    same = [i for i in diagnosis.insights if i.kind == "condition" and i.confirmed and set(i.tests) == set(tests)]
    best = sorted(same, key=lambda i: i.scope != class_name)[0] if same else None
    return Counted(said if best is None else best.text, tests, best)


def _said_in(text: str, insights: Sequence[Insight], class_name: str | None) -> Insight | None:
    """The confirmed condition that the text says word for word, plurals and the class's name aside."""
    rest = _FILLER | {singular(w) for w in words_in(class_name or "")}
    asked = [singular(w) for w in words_in(text)]
    for insight in insights:
        own = [singular(w) for w in words_in(insight.text)]
        if insight.kind != "condition" or not insight.confirmed or not own:
            continue
        for at in range(len(asked) - len(own) + 1):
            if asked[at : at + len(own)] == own and set(asked[:at] + asked[at + len(own) :]) <= rest:
                return insight
    return None


def _spoken(text: str) -> tuple[str, _Tests]:
    """A number of something that is counted in each text, as words and as a test; ("", ()) for any other text."""
    found = _HOW_MANY.fullmatch(" ".join(text.split()).strip(" .?!"))
    name = "" if found is None else _property(found["noun"])
    if found is None or not name:
        return "", ()
    sign, said = " ".join(found["sign"].casefold().split()), found["n"].casefold()
    none = sign in ("no", "without", "without a", "without an", "without any")
    if none == bool(said) or (not none and name not in SPOKEN):
        return "", ()
    if none:
        name = _AT_ALL.get(name, name) if name not in SPOKEN or "digit" in found["noun"] else name
        sign, limit = "<=", 0.0
    else:
        n = float(said) if said.isdigit() else float(("one", *NUMBERS).index(said) + 1)
        limit = {"more than": n + 1, "fewer than": n - 1}.get(sign, n)
        sign = {"at least": ">=", "more than": ">=", "at most": "<=", "fewer than": "<="}.get(sign, "=")
    spoken = spoken_limit(name, sign, limit)
    return ("", ()) if spoken is None else (spoken, ((name, sign, limit),))


def _property(noun: str) -> str:
    """The property of texts that the noun names; "" where it names none."""
    folded = noun.casefold().strip()
    for name, spoken in SPOKEN.items():
        if folded in spoken:
            return name
    return next((name for name, words in COUNTED.items() if words.fullmatch(folded)), "")
