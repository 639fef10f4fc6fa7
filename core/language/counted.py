"""Texts that say what a run knows of each sample itself, such as "no capital letters", "three numbers", "dark" or
"weather = snow": the samples that have it are told by their columns, and no encoder has to guess them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.data.images.tint import HUES
from core.data.texts.properties import SPOKEN, spoken_limit
from core.language.grammar import right_articles, singular, words_in
from core.language.hard_words import COUNTED, NUMBERS
from core.language.readings import READINGS, Reading
from core.records import Bool, Column, Diagnosis, Insight

_Tests = tuple[tuple[str, str, str | float | None], ...]
SaidCondition = tuple[str, _Tests, Bool | None]
"""What is said of a condition, its parts as of `Insight.tests`, and the (n,) rows that meet it, if it was tested."""
_FILLER = frozenset(
    "a an the with in of has have having is are that where s this text sample image picture photo".split()
)
"""Words beside a condition's own that ask for nothing more."""
_ASIDE = _FILLER - {"with", "in", "of", "has", "have", "having"}
"""And beside what a property is called: "with numbers" is that, "numbers" may be a topic."""
_AT_LEAST_ONE: tuple[SaidCondition, ...] = tuple(
    (spoken_limit(name, ">=", 1.0) or f"{name} at least 1", ((name, ">=", 1.0),), None)
    for name, reading in READINGS.items()
    if reading.least == 1
)
"""What "with links" and the like mean, tested or not."""
_AT_ALL = {"capital share": "capital share", "punctuation share": "punctuation share", "numbers": "number share"}
"""Shares of which only "none" can be said in words; and what "no digits" is of."""
_LIGHT = ".,;:!?()'\"\u2018\u2019\u201c\u201d"
"""Marks around words beside a condition. Its own words keep theirs: "C" is not "C++", nor is "good" "good!"."""
_IN_BRACKETS = re.compile(r"([^()\"\u201c]*)[(\"\u201c](.*)[)\"\u201d]")
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
    mask: Bool | None
    """(n,) the rows that meet it, where the run tested it."""
    columns: tuple[Column, ...]
    """Those that `tests` speak of: a column of the user's own may be called like a measured one."""


def counted(
    text: str, diagnosis: Diagnosis, class_name: str | None = None, tested: Sequence[SaidCondition] = ()
) -> Counted | None:
    """What the text says that is counted, where it says nothing else; None for every other text.

    Args:
        class_name: the class that the text names, if any: its words ask for nothing more.
        tested: conditions that the run tested, the outermost limits first; those that it confirmed come before them.
    """
    samples = diagnosis.samples
    confirmed = [i for i in diagnosis.insights if i.kind == "condition" and i.confirmed]
    known = _known(confirmed, tested)
    own = _said_in(text, known, class_name) or _called(text, known, diagnosis)
    said, tests, mask = own or ("", (), None)
    if own is None and samples.modality == "text":
        said, tests = _spoken(text)
        if not tests and class_name is not None:
            names = {singular(word) for word in words_in(class_name)}
            said, tests = _spoken(" ".join(w for w in text.split() if not {*map(singular, words_in(w))} & names))
    is_own = own is not None and any((i.text, i.tests) == own[:2] for i in confirmed)
    columns = tuple(column for column in samples.metadata if column.measured or mask is not None or is_own)
    if not {name for name, _, _ in tests} <= {column.name for column in columns} or not tests:
        return None
    others = {column.name for column in samples.metadata if not column.measured}
    same = [
        i
        for i in confirmed
        if set(i.tests) == set(tests)
        and (i.text == said or not others & {name for name, *_ in tests})
        and (mask is None or not (i.mask & ~mask).any())
    ]
    best = sorted(same, key=lambda i: i.scope != class_name)[0] if same else None
    return Counted(said if best is None else best.text, tests, best, mask, columns)


def beside_condition(text: str, tested: Sequence[SaidCondition]) -> str | None:
    """What the text says beside the longest condition that it says word for word; None where it says none. A class in
    the words of a condition ("predicted = cat") is not the one that is asked about."""
    said = [(len(_pieces(own)), beside) for own, *_ in tested for beside in _beside(text, own)]
    return " ".join(max(said, key=lambda one: one[0])[1]) if said else None


def _known(confirmed: Sequence[Insight], tested: Sequence[SaidCondition]) -> list[SaidCondition]:
    """The confirmed conditions, then the others that were tested. Two of the same words and values are of two columns
    of one name, and neither is known by its words alone."""
    known: dict[tuple[str, _Tests], Bool | None] = {}
    for i in confirmed:
        own = (mask for said, tests, mask in tested if (said, tests) == (i.text, i.tests))
        known.setdefault((i.text, i.tests), next((m for m in own if m is not None and not (i.mask & ~m).any()), None))
    often = Counter((said, tests) for said, tests, _ in tested)
    for said, tests, mask in tested:
        if often[said, tests] == 1:
            known.setdefault((said, tests), mask)
    return [(said, tests, mask) for (said, tests), mask in known.items()]


def _said_in(text: str, known: Sequence[SaidCondition], class_name: str | None) -> SaidCondition | None:
    """The condition that the text says word for word and sign for sign; the class's name, and what its property is
    called in front of the limit ("dark (brightness at most 0.31)"), aside. Where it may be one of two, the one that is
    said as it is written; else none."""
    name = class_name or ""
    rest = _FILLER | {singular(word) for word in (*words_in(name), *_pieces(name))}
    meant = [
        (said, tests, mask)
        for said, tests, mask in known
        if any(_asks_nothing(beside, rest | _ends(tests)) for beside in _beside(text, said))
    ]
    written = " ".join(text.split())
    exact = [one for one in meant if one[0] == written] or [one for one in meant if one[0] in written] or meant
    return exact[0] if len({said for said, *_ in exact}) == 1 else None


def _pieces(text: str) -> tuple[str, ...]:
    """The words of a text with all their signs; case, underscores and spaces aside."""
    folded = unicodedata.normalize("NFC", text).casefold().replace("_", " ").replace("\u2212", "-")
    return tuple(folded.replace("=", " = ").split())


def _beside(text: str, said: str) -> Iterator[tuple[str, ...]]:
    """What stands beside a condition, for each place where the text says it."""
    own = _pieces(said)
    asked = _pieces(text)
    within = _IN_BRACKETS.fullmatch(text.strip())
    if within is not None and _pieces(within[2]) == own:
        yield _pieces(within[1])
    if "is" in asked and "is" not in own:  # "the weather is snow"
        asked = tuple("=" if word == "is" else word for word in asked)
    for at in range(len(asked) - len(own) + 1 if own else 0):
        end = at + len(own)
        if asked[at:end] == own and (own[-1] != "=" or end == len(asked)):  # an empty value is followed by nothing
            yield asked[:at] + asked[end:]


def _asks_nothing(words: Sequence[str], known: frozenset[str]) -> bool:
    """Whether the words beside a condition are all known to ask for nothing more."""
    bare = [word.strip(_LIGHT) for word in words]
    return all(
        not word
        or singular(word) in known
        or (re.fullmatch(r"\w[\w'\u2019-]*", word) and {singular(w) for w in words_in(word)} <= known)
        for word in bare
    )


def _ends(tests: _Tests) -> frozenset[str]:
    """The words for that end of each property at which the condition lies."""
    found = set[str]()
    for name, sign, value in tests:
        reading = READINGS.get(name, Reading())
        title = {"<=": reading.low, ">=": reading.high}.get(sign, "")
        for end in (title, *calls_of(name, sign, value, name in READINGS)):
            found |= {singular(word) for word in words_in(end)}
    return frozenset(found)


def _called(text: str, known: Sequence[SaidCondition], diagnosis: Diagnosis) -> SaidCondition | None:
    """The condition on one column that the page calls what the text says, such as "dark" or "with links"; None where a
    phrase of the vocabulary says it. Of several limits the first that is known: none is chosen by the losses."""
    columns = diagnosis.samples.metadata
    asked = bare_words(text)
    measured = {column.name for column in columns if column.measured}
    numbers = Counter(column.name for column in columns if column.kind == "number")
    phrases = () if diagnosis.words is None else diagnosis.words.phrases
    if not asked or any(bare_words(phrase) == asked for phrase in phrases):
        return None
    of_two = {name for name, n in numbers.items() if n > 1}  # a number of the user's own is called like a measured one
    alone = [one for one in known if len(one[1]) == 1 and one[1][0][0] not in of_two]
    calls = ((one, call) for one in (*alone, *_AT_LEAST_ONE) for call in calls_of(*one[1][0], one[1][0][0] in measured))
    meant = [one for one, call in calls if bare_words(call) == asked]
    return meant[0] if len({one[1][0][0] for one in meant}) == 1 else None


def calls_of(name: str, sign: str, value: str | float | None, is_measured: bool) -> Iterator[str]:
    """What a condition on one column is called beside its own words."""
    reading = READINGS.get(name, Reading()) if is_measured else Reading()
    if sign == "=" and (value in HUES if "{}" in reading.high else value == name):
        yield right_articles(reading.high.format(value))
    if sign == "<=":
        yield from (reading.low, f"low {name}", f"{name} low")
    if sign == ">=":
        limit = float(value or 0)
        least = max(reading.least, 0.0)
        if limit == least or (limit > least and least < 1):  # "with links" is one of them, not several
            yield reading.high
        yield from (f"high {name}", f"{name} high")


def bare_words(text: str) -> tuple[str, ...]:
    """The words of a text in the singular, without signs, articles and the word for a sample."""
    words = (word.strip(_LIGHT) for word in _pieces(re.sub(r"(?<=\w)-(?=\w)", " ", text)))
    return tuple(singular(word) for word in words if word and word not in _ASIDE)


def _spoken(text: str) -> tuple[str, _Tests]:
    """A number of something that is counted in each text, as words and as a test; ("", ()) for any other text."""
    found = _HOW_MANY.fullmatch(" ".join(text.split()).strip(" .?!"))
    name = "" if found is None else _property(found["noun"])
    if found is None or not name:
        return "", ()
    sign = " ".join(found["sign"].casefold().split())
    said = found["n"].casefold()
    none = sign in ("no", "without", "without a", "without an", "without any")
    if none == bool(said) or (not none and name not in SPOKEN):
        return "", ()
    if none:
        name = _AT_ALL.get(name, name) if name not in SPOKEN or "digit" in found["noun"] else name
        sign = "<="
        limit = 0.0
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
