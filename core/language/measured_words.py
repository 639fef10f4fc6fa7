"""Texts that name a confirmed condition by the usual name of its property, without its limit: beside the class, "a dark
horse" states only the low end of "brightness"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from core.data.images.tint import HUES
from core.language.counted import StatedCondition, bare_words, calls_of
from core.language.grammar import alternatives, singular, words_in
from core.language.readings import READINGS
from core.records import Column, Diagnosis, Insight

_Test = tuple[str, str, str | float | None]
_LEADING = frozenset("with in of has have having".split())
_AROUND = frozenset("that which very too perhaps picture image photo".split())
MIN_VALUE = 3
"""Letters of a value of a user's column that is recognized alone: "snow", but not "A" or "no"."""
_OF_NO_ONE = frozenset("true false yes not none nor without with all any other unknown".split())
"""Values that any column may have: "a false alarm" is not "indoor = False"."""


def named_condition(text: str, diagnosis: Diagnosis, class_name: str, scope: str) -> tuple[Insight, str] | None:
    """The condition confirmed in the scope that the text names, and what the text names: the condition's text, or that
    of an equivalent one that the run lists.

    Args:
        class_name: the class that the text names, whose words ask for nothing more.
        scope: the scope of the answer: for a class that was searched, what is confirmed in all samples does not count.

    Returns:
        None unless the text states only one end of one property (or one value of one column) and the class.
    """
    asked = set(_asked(text, class_name))
    measured = _of_one_name(diagnosis.samples.metadata)

    def says(test: _Test) -> bool:
        return _says(asked, test, measured)

    known = [i for i in diagnosis.insights if i.kind == "condition" and i.confirmed and i.scope == scope]
    named = [(i, i.text) for i in known if len(i.tests) == 1 and says(i.tests[0])]
    columns = {i.tests[0][0] for i, _ in named}
    if len(columns) > 1 and not all(measured[name] for name in columns):  # "a high horse": wind or quality may be high
        return None
    if not named:
        for i in known:
            named += [(i, condition) for condition in i.proxies if says(_test_of(condition))]
    return min(named, key=lambda pair: (pair[0].p, pair[1]), default=None)


def named_property(
    text: str, class_name: str, tested: Sequence[StatedCondition], columns: Sequence[Column]
) -> StatedCondition | None:
    """The first tested condition, confirmed or not, that names the same end of a property (or value of a column) as the
    text does beside the class; None if the text says more, or what it says is the name of two columns.

    Args:
        class_name: the class that the text names, or "".
        tested: outermost limits first.
    """
    asked = set(_asked(text, class_name))
    measured = _of_one_name(columns)
    named = [condition for condition in tested if len(condition[1]) == 1 and _says(asked, condition[1][0], measured)]
    if len({tests[0][0] for _, tests, _ in named}) != 1:
        return None
    return named[0]


def _of_one_name(columns: Sequence[Column]) -> dict[str, bool]:
    """Whether each column is measured; without columns that share their name."""
    names = Counter(column.name for column in columns)
    return {column.name: column.measured for column in columns if names[column.name] == 1}


def _says(asked: set[tuple[str, ...]], test: _Test, measured: Mapping[str, bool]) -> bool:
    return test[0] in measured and not asked.isdisjoint(_names_of_test(test, measured[test[0]]))


def says_title(text: str, class_name: str, words: Sequence[str], columns: Sequence[Column]) -> bool:
    """Whether a text says, beside the class, only one of the words that title a cluster, or another name for the same
    end of that property (or value of that column).

    Args:
        words: for example "dark", "light = dark" or "in the dark".
    """
    measured = _of_one_name(columns)
    names = set[tuple[str, ...]]()
    for word in words:
        names.update(_heard(_folded(word)))
        for test in (*_ends_called(word), *_values_said(word, columns)):
            if test[0] in measured:
                names |= _names_of_test(test, measured[test[0]])
    return not names.isdisjoint(_asked(text, class_name))


def says_the_same(words: Sequence[str], finding: Insight) -> bool:
    """Whether one of the words that title a cluster is the finding's own, or a name for the end of the property that it
    requires."""
    if finding.text in words:
        return True
    ends = [test[:2] for word in words for test in _ends_called(word)]
    return len(finding.tests) == 1 and finding.tests[0][:2] in ends


def _ends_called(word: str) -> list[_Test]:
    """The ends of measured properties that have this title."""
    ends: list[_Test] = []
    for name, reading in READINGS.items():
        ends += [(name, sign, 0.0) for sign in ("<=", ">=") if word in reading.all_of(sign)[:1]]
    ends += [("tint", "=", hue) for hue in HUES if READINGS["tint"].high.format(hue) == word]
    if READINGS["grey"].high == word:
        ends.append(("grey", "=", "grey"))
    return ends


def _values_said(word: str, columns: Sequence[Column]) -> list[_Test]:
    """The value of a user's column that the word states, for example "light = dark"."""
    heads = ((column.name, f"{column.name} = ") for column in columns if not column.measured)
    return [(name, "=", word.removeprefix(head)) for name, head in heads if word.startswith(head)]


def _asked(text: str, class_name: str) -> Iterator[tuple[str, ...]]:
    """The words of a text beside the class, with and without a leading preposition."""
    words = _folded(text)
    for name in (class_name, *alternatives(class_name)):
        parts = tuple(singular(word) for word in words_in(name))
        at = next((i for i in range(len(words)) if parts and words[i : i + len(parts)] == parts), None)
        if at is not None:
            words = words[:at] + words[at + len(parts) :]
            break
    words = tuple(word for word in words if word not in _AROUND)
    if words[-1:] == ("of",):
        words = words[:-1]
    yield from _heard(words)


def _heard(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if words:
        yield words
    if words[1:] and words[0] in _LEADING:
        yield words[1:]


def _folded(text: str) -> tuple[str, ...]:
    return bare_words(re.sub(r"\b([Cc])olor", r"\1olour", text))


def _names_of_test(test: _Test, is_measured: bool) -> set[tuple[str, ...]]:
    """All names of one test of a column."""
    name, sign, value = test
    names: list[str] = []
    if is_measured and name == "grey":
        if value == "grey":
            names += READINGS[name].all_of(sign)
    elif is_measured:
        names += calls_of(name, sign, value, is_measured)
        reading = READINGS.get(name)
        if reading is not None:
            names += reading.also_low if sign == "<=" else reading.also_high
        if name == "tint" and value in HUES:
            names += [f"{value} tint", f"tinted {value}"]
    elif sign == "=":
        if isinstance(value, str) and _tells(value):
            names.append(value)
    else:
        names += calls_of(name, sign, value, is_measured)
    return {words for words in map(_folded, names) if words}


def _tells(value: str) -> bool:
    return value.isalpha() and len(value) >= MIN_VALUE and value.casefold() not in _OF_NO_ONE


def _test_of(condition: str) -> _Test:
    """The test stated by the text of a condition on one property's limit; for any other text a test of no column."""
    match = re.fullmatch(r"(.+) at (most|least) [\d.,e+-]+", condition)
    if match is None:
        return "", "", None
    sign = "<=" if match[2] == "most" else ">="
    return match[1], sign, 0.0
