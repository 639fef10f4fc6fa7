"""Texts that say what a run knows of each sample itself, such as "no capital letters", "three numbers", "dark" or
"weather = snow": the samples that have it are told by their columns, and no encoder has to guess them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.data.images.tint import HUES
from core.data.texts.properties import SPOKEN, spoken_limit
from core.language.grammar import right_articles, singular, words_in
from core.language.hard_words import COUNTED, NUMBERS
from core.language.naming import PLAIN, VISIBLE
from core.records import Diagnosis, Insight

_Tests = tuple[tuple[str, str, str | float | None], ...]
SaidCondition = tuple[str, _Tests]
"""What is said of a condition, and its parts as of `Insight.tests`."""
_FILLER = frozenset("a an the with in of has have having is are that s this text sample image picture photo".split())
"""Words beside a condition's own that ask for nothing more."""
_ASIDE = _FILLER - {"with", "in", "of", "has", "have", "having"}
"""And beside what a property is called: "with numbers" is that, "numbers" may be a topic."""
_AT_LEAST_ONE: tuple[SaidCondition, ...] = tuple(
    (spoken_limit(name, ">=", 1.0) or f"{name} at least 1", ((name, ">=", 1.0),))
    for name, n in VISIBLE.items()
    if n == 1
)
"""What "with links" and the like mean, tested or not."""
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


def counted(
    text: str, diagnosis: Diagnosis, class_name: str | None = None, tested: Sequence[SaidCondition] = ()
) -> Counted | None:
    """What the text says that is counted, where it says nothing else; None for every other text.

    Args:
        class_name: the class that the text names, if any: its words ask for nothing more.
        tested: conditions that the run tested, the outermost limits first; those that it confirmed come before them.
    """
    samples = diagnosis.samples
    known = [(i.text, i.tests) for i in diagnosis.insights if i.kind == "condition" and i.confirmed]
    known += tested
    own = _said_in(text, known, class_name) or _called(text, known, diagnosis)
    said, tests = own or ("", ())
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


def _said_in(text: str, known: Sequence[SaidCondition], class_name: str | None) -> SaidCondition | None:
    """The first condition that the text says word for word; plurals, the class's name, and what the page calls its
    property in front of the limit ("dark (brightness at most 0.31)") aside."""
    rest = _FILLER | {singular(w) for w in words_in(class_name or "")}
    read = [singular(w) for w in words_in(text)]
    for said, tests in known:
        own = [singular(w) for w in words_in(said)]
        asked = read if "is" in own else [w for w in read if w != "is"]  # "the weather is snow"
        called = {singular(w) for name, *_ in tests for end in PLAIN.get(name, ()) for w in words_in(end)}
        for at in range(len(asked) - len(own) + 1 if own else 0):
            if asked[at : at + len(own)] == own and set(asked[:at] + asked[at + len(own) :]) <= rest | called:
                return said, tests
    return None


def _called(text: str, known: Sequence[SaidCondition], diagnosis: Diagnosis) -> SaidCondition | None:
    """The condition on one column that the page calls what the text says, such as "dark" or "with links"; None where a
    phrase of the vocabulary says it. Of several limits the first that is known: none is chosen by the losses."""
    asked, measured = _bare(text), {column.name for column in diagnosis.samples.metadata if column.measured}
    phrases = () if diagnosis.words is None else diagnosis.words.phrases
    if not asked or any(_bare(phrase) == asked for phrase in phrases):
        return None
    alone = [(said, tests) for said, tests in (*known, *_AT_LEAST_ONE) if len(tests) == 1]
    calls = ((said, tests, call) for said, tests in alone for call in _calls(*tests[0], tests[0][0] in measured))
    return next(((said, tests) for said, tests, call in calls if _bare(call) == asked), None)


def _calls(name: str, sign: str, value: str | float | None, is_measured: bool) -> Iterator[str]:
    """What a condition on one column is called beside its own words."""
    low, high = PLAIN.get(name, ("", "")) if is_measured else ("", "")
    if sign == "=" and (value in HUES if "{}" in high else value == name):
        yield right_articles(high.format(value))
    if sign == "<=":
        yield from (low, f"low {name}", f"{name} low")
    if sign == ">=":
        limit, least = float(value or 0), VISIBLE.get(name, 0.0)
        if limit == least or (limit > least and least < 1):  # "with links" is one of them, not several
            yield high
        yield from (f"high {name}", f"{name} high")


def _bare(text: str) -> tuple[str, ...]:
    return tuple(singular(word) for word in words_in(text) if word not in _ASIDE)


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
