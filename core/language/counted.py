"""Texts that state what a run knows of each sample: "no capital letters", "three numbers", "dark", "weather = snow".
The samples that have it are known from their columns, so no encoder has to guess them."""

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
StatedCondition = tuple[str, _Tests, Bool | None]
"""Text of a condition, its parts as in `Insight.tests`, and the (n,) rows that meet it, if it was tested."""
_FILLER = frozenset(
    "a an the with in of has have having is are that where s this text sample image picture photo".split()
)
"""Words beside a condition that ask for nothing more."""
_ASIDE = _FILLER - {"with", "in", "of", "has", "have", "having"}
"""The same beside the usual name of a property: "with numbers" is a property, "numbers" may be a topic."""
_AT_LEAST_ONE: list[StatedCondition] = []
"""Meaning of "with links" and similar texts, tested or not."""
for _name, _reading in READINGS.items():
    if _reading.least == 1:
        _text = spoken_limit(_name, ">=", 1.0) or f"{_name} at least 1"
        _AT_LEAST_ONE.append((_text, ((_name, ">=", 1.0),), None))
_AT_ALL = {"capital share": "capital share", "punctuation share": "punctuation share", "numbers": "number share"}
"""Shares of which only "none" can be stated in words; and the property that "no digits" is about."""
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
    """For example "no capital letter" or "3 numbers"."""
    tests: _Tests
    """The values of columns that define it, as in `Insight.tests`."""
    confirmed: Insight | None
    """The run's own finding of exactly that condition."""
    mask: Bool | None
    """(n,) the rows that meet it, if the run tested it."""
    columns: tuple[Column, ...]
    """The columns that `tests` refer to: a user's column may have the name of a measured one."""


def counted(
    text: str, diagnosis: Diagnosis, class_name: str | None = None, tested: Sequence[StatedCondition] = ()
) -> Counted | None:
    """Read the condition that a text states, if it states nothing else; None for every other text.

    Args:
        class_name: the class that the text names, if any: its words ask for nothing more.
        tested: conditions that the run tested, outermost limits first; confirmed ones come before them.
    """
    samples = diagnosis.samples
    confirmed = [i for i in diagnosis.insights if i.kind == "condition" and i.confirmed]
    known = _known(confirmed, tested)
    stated = _find_stated(text, known, class_name) or _find_by_name(text, known, diagnosis)
    condition, tests, mask = stated or ("", (), None)
    if stated is None and samples.modality == "text":
        condition, tests = _read_count(text)
        if not tests and class_name is not None:
            names = {singular(word) for word in words_in(class_name)}
            others = [word for word in text.split() if not {*map(singular, words_in(word))} & names]
            condition, tests = _read_count(" ".join(others))
    is_confirmed = stated is not None and any((i.text, i.tests) == stated[:2] for i in confirmed)
    columns = tuple(column for column in samples.metadata if column.measured or mask is not None or is_confirmed)
    if not {name for name, _, _ in tests} <= {column.name for column in columns} or not tests:
        return None
    users = {column.name for column in samples.metadata if not column.measured}
    same: list[Insight] = []
    for i in confirmed:
        ambiguous = i.text != condition and users & {name for name, *_ in tests}
        if set(i.tests) == set(tests) and not ambiguous and (mask is None or not (i.mask & ~mask).any()):
            same.append(i)
    if not same:
        return Counted(condition, tests, None, mask, columns)
    best = min(same, key=lambda i: i.scope != class_name)
    return Counted(best.text, tests, best, mask, columns)


def beside_condition(text: str, tested: Sequence[StatedCondition]) -> str | None:
    """What the text says beside the longest condition that it states word for word; None if it states none. A class in
    the words of a condition ("predicted = cat") is not the class that is asked about."""
    longest = -1
    beside: str | None = None
    for condition, *_ in tested:
        length = len(_pieces(condition))
        for words in _words_beside(text, condition):
            if length > longest:
                longest = length
                beside = " ".join(words)
    return beside


def _known(confirmed: Sequence[Insight], tested: Sequence[StatedCondition]) -> list[StatedCondition]:
    """The confirmed conditions, then the others that were tested. Two conditions with the same words and values belong
    to two columns with one name, and words alone identify neither."""
    known: dict[tuple[str, _Tests], Bool | None] = {}
    for i in confirmed:
        rows = None
        for text, tests, mask in tested:
            if (text, tests) == (i.text, i.tests) and mask is not None and not (i.mask & ~mask).any():
                rows = mask
                break
        known.setdefault((i.text, i.tests), rows)
    often = Counter((text, tests) for text, tests, _ in tested)
    for text, tests, mask in tested:
        if often[text, tests] == 1:
            known.setdefault((text, tests), mask)
    return [(text, tests, mask) for (text, tests), mask in known.items()]


def _find_stated(text: str, known: Sequence[StatedCondition], class_name: str | None) -> StatedCondition | None:
    """The condition that the text states word for word and sign for sign, ignoring the class's name and a property's
    usual name before the limit ("dark (brightness at most 0.31)"). If two may be meant, the one stated exactly as
    written; otherwise None."""
    name = class_name or ""
    ignored = _FILLER | {singular(word) for word in (*words_in(name), *_pieces(name))}
    meant: list[StatedCondition] = []
    for condition, tests, mask in known:
        known_words = ignored | _ends(tests)
        if any(_asks_nothing(beside, known_words) for beside in _words_beside(text, condition)):
            meant.append((condition, tests, mask))
    written = " ".join(text.split())
    exact = [stated for stated in meant if stated[0] == written] or [stated for stated in meant if stated[0] in written]
    exact = exact or meant
    if len({condition for condition, *_ in exact}) != 1:
        return None
    return exact[0]


def _pieces(text: str) -> tuple[str, ...]:
    """The words of a text with all their signs, without regard to case, underscores and spaces."""
    folded = unicodedata.normalize("NFC", text).casefold().replace("_", " ").replace("\u2212", "-")
    return tuple(folded.replace("=", " = ").split())


def _words_beside(text: str, condition: str) -> Iterator[tuple[str, ...]]:
    """The words beside a condition, for each position at which the text states it."""
    stated = _pieces(condition)
    asked = _pieces(text)
    within = _IN_BRACKETS.fullmatch(text.strip())
    if within is not None and _pieces(within[2]) == stated:
        yield _pieces(within[1])
    if "is" in asked and "is" not in stated:  # "the weather is snow"
        asked = tuple("=" if word == "is" else word for word in asked)
    if not stated:
        return
    for at in range(len(asked) - len(stated) + 1):
        end = at + len(stated)
        if asked[at:end] == stated and (stated[-1] != "=" or end == len(asked)):  # an empty value ends the text
            yield asked[:at] + asked[end:]


def _asks_nothing(words: Sequence[str], known: frozenset[str]) -> bool:
    """Whether none of the words beside a condition asks for anything more."""
    for word in words:
        bare = word.strip(_LIGHT)
        if not bare or singular(bare) in known:
            continue
        plain = re.fullmatch(r"\w[\w'\u2019-]*", bare)
        if not plain or not {singular(w) for w in words_in(bare)} <= known:
            return False
    return True


def _ends(tests: _Tests) -> frozenset[str]:
    """The words for the end of each property at which the condition lies."""
    words = set[str]()
    for name, sign, value in tests:
        reading = READINGS.get(name, Reading())
        title = {"<=": reading.low, ">=": reading.high}.get(sign, "")
        for end in (title, *calls_of(name, sign, value, name in READINGS)):
            words |= {singular(word) for word in words_in(end)}
    return frozenset(words)


def _find_by_name(text: str, known: Sequence[StatedCondition], diagnosis: Diagnosis) -> StatedCondition | None:
    """The condition on one column whose usual name the text is ("dark", "with links"); None if a phrase of the
    vocabulary has that name. Of several limits the first known one: losses play no part in the choice."""
    columns = diagnosis.samples.metadata
    asked = bare_words(text)
    measured = {column.name for column in columns if column.measured}
    numbers = Counter(column.name for column in columns if column.kind == "number")
    phrases: tuple[str, ...] = ()
    if diagnosis.words is not None:
        phrases = diagnosis.words.phrases
    if not asked or any(bare_words(phrase) == asked for phrase in phrases):
        return None
    of_two = {name for name, n in numbers.items() if n > 1}  # a user's number column may share a measured one's name
    alone = [stated for stated in known if len(stated[1]) == 1 and stated[1][0][0] not in of_two]
    meant: list[StatedCondition] = []
    for stated in (*alone, *_AT_LEAST_ONE):
        test = stated[1][0]
        if any(bare_words(name) == asked for name in calls_of(*test, test[0] in measured)):
            meant.append(stated)
    if len({stated[1][0][0] for stated in meant}) != 1:
        return None
    return meant[0]


def calls_of(name: str, sign: str, value: str | float | None, is_measured: bool) -> Iterator[str]:
    """Usual names of a condition on one column, beside its own words."""
    reading = Reading()
    if is_measured:
        reading = READINGS.get(name, reading)
    is_value = value in HUES if "{}" in reading.high else value == name
    if sign == "=" and is_value:
        yield right_articles(reading.high.format(value))
    if sign == "<=":
        yield from (reading.low, f"low {name}", f"{name} low")
    if sign == ">=":
        limit = float(value or 0)
        least = max(reading.least, 0.0)
        if limit == least or (limit > least and least < 1):  # "with links" means one or more, not several
            yield reading.high
        yield from (f"high {name}", f"{name} high")


def bare_words(text: str) -> tuple[str, ...]:
    """The words of a text in the singular, without signs, articles and words for a sample."""
    words = (word.strip(_LIGHT) for word in _pieces(re.sub(r"(?<=\w)-(?=\w)", " ", text)))
    return tuple(singular(word) for word in words if word and word not in _ASIDE)


def _read_count(text: str) -> tuple[str, _Tests]:
    """A number of something counted in each text, as words and as a test; ("", ()) for any other text."""
    match = _HOW_MANY.fullmatch(" ".join(text.split()).strip(" .?!"))
    if match is None:
        return "", ()
    name = _property_named(match["noun"])
    if not name:
        return "", ()
    sign = " ".join(match["sign"].casefold().split())
    number = match["n"].casefold()
    none = sign in ("no", "without", "without a", "without an", "without any")
    if none == bool(number) or (not none and name not in SPOKEN):
        return "", ()
    if none:
        if name not in SPOKEN or "digit" in match["noun"]:
            name = _AT_ALL.get(name, name)
        sign = "<="
        limit = 0.0
    else:
        n = float(number) if number.isdigit() else float(("one", *NUMBERS).index(number) + 1)
        limit = {"more than": n + 1, "fewer than": n - 1}.get(sign, n)
        sign = {"at least": ">=", "more than": ">=", "at most": "<=", "fewer than": "<="}.get(sign, "=")
    spoken = spoken_limit(name, sign, limit)
    if spoken is None:
        return "", ()
    return spoken, ((name, sign, limit),)


def _property_named(noun: str) -> str:
    """The property of texts that the noun names; "" if it names none."""
    folded = noun.casefold().strip()
    for name, spoken in SPOKEN.items():
        if folded in spoken:
            return name
    return next((name for name, words in COUNTED.items() if words.fullmatch(folded)), "")
