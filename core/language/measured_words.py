"""Texts that name a confirmed condition by what its property is called and not by its limit: beside the class, "a dark
horse" says nothing but the low end of "brightness"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from core.data.images.tint import HUES
from core.language.counted import SaidCondition, bare_words, calls_of
from core.language.grammar import alternatives, singular, words_in
from core.language.readings import READINGS
from core.records import Column, Diagnosis, Insight

_Test = tuple[str, str, str | float | None]
_LEADING = frozenset("with in of has have having".split())
_AROUND = frozenset("that which very too perhaps picture image photo".split())
MIN_VALUE = 3
"""Letters of a value of a column of the user's own that is known by itself: "snow", and not "A" or "no"."""
_OF_NO_ONE = frozenset("true false yes not none nor without with all any other unknown".split())
"""Values that are of any column: "a false alarm" is not "indoor = False"."""


def named_condition(text: str, diagnosis: Diagnosis, class_name: str, scope: str) -> tuple[Insight, str] | None:
    """The condition confirmed in the scope that the text names, and what the text names: its own text, or that of one
    which the run lists as saying the same.

    Args:
        class_name: the class that the text names, whose words ask for nothing more.
        scope: where the text is answered: of a class that was searched, what is confirmed in all samples says nothing.

    Returns:
        None unless the text says nothing beside one end of one property (or one value of one column) and the class.
    """
    asked = set(_asked(text, class_name))
    measured = _of_one_name(diagnosis.samples.metadata)

    def says(test: _Test) -> bool:
        return _says(asked, test, measured)

    known = [i for i in diagnosis.insights if i.kind == "condition" and i.confirmed and i.scope == scope]
    named = [(i, i.text) for i in known if len(i.tests) == 1 and says(i.tests[0])]
    own = {i.tests[0][0] for i, _ in named}
    if len(own) > 1 and not all(measured[name] for name in own):  # "a high horse" where wind and quality may be high
        return None
    named = named or [(i, said) for i in known for said in i.proxies if says(_test_of(said))]
    return min(named, key=lambda one: (one[0].p, one[1]), default=None)


def named_property(
    text: str, class_name: str, tested: Sequence[SaidCondition], columns: Sequence[Column]
) -> SaidCondition | None:
    """The first of the conditions that were tested, confirmed or not, that names the same end of a property (or value
    of a column) as the text does beside the class; None where the text says more, or what two columns are called.

    Args:
        class_name: the class that the text names, or "".
        tested: the outermost limits first.
    """
    asked = set(_asked(text, class_name))
    measured = _of_one_name(columns)
    named = [one for one in tested if len(one[1]) == 1 and _says(asked, one[1][0], measured)]
    return named[0] if len({tests[0][0] for _, tests, _ in named}) == 1 else None


def _of_one_name(columns: Sequence[Column]) -> dict[str, bool]:
    """Whether it is measured, of each column whose name is no other's too."""
    names = Counter(column.name for column in columns)
    return {column.name: column.measured for column in columns if names[column.name] == 1}


def _says(asked: set[tuple[str, ...]], test: _Test, measured: Mapping[str, bool]) -> bool:
    return test[0] in measured and not asked.isdisjoint(_said_of(test, measured[test[0]]))


def says_title(text: str, class_name: str, words: Sequence[str], columns: Sequence[Column]) -> bool:
    """Whether a text says nothing beside the class but one of the words that title a cluster, or what else the same end
    of that property (or value of that column) is called.

    Args:
        words: such as "dark", "light = dark" or "in the dark".
    """
    measured = _of_one_name(columns)
    tests = [
        test for word in words for test in (*_ends_called(word), *_values_said(word, columns)) if test[0] in measured
    ]
    said = {heard for word in words for heard in _heard(_folded(word))}
    return not said.union(*(_said_of(test, measured[test[0]]) for test in tests)).isdisjoint(_asked(text, class_name))


def says_the_same(words: Sequence[str], finding: Insight) -> bool:
    """Whether one of the words that title a cluster is the finding's own, or calls the end of the property that it
    asks for."""
    ends = {test[:2] for word in words for test in _ends_called(word)}
    return finding.text in words or (len(finding.tests) == 1 and finding.tests[0][:2] in ends)


def _ends_called(word: str) -> list[_Test]:
    """The ends of measured properties that a title calls so."""
    ends = [(name, sign, 0.0) for name, r in READINGS.items() for sign in ("<=", ">=") if word in r.all_of(sign)[:1]]
    tints = [("tint", "=", hue) for hue in HUES if READINGS["tint"].high.format(hue) == word]
    return [*ends, *tints, *([("grey", "=", "grey")] if READINGS["grey"].high == word else [])]


def _values_said(word: str, columns: Sequence[Column]) -> list[_Test]:
    """The value of a column of the user's own that the word says, as "light = dark"."""
    heads = ((column.name, f"{column.name} = ") for column in columns if not column.measured)
    return [(name, "=", word.removeprefix(head)) for name, head in heads if word.startswith(head)]


def _asked(text: str, class_name: str) -> Iterator[tuple[str, ...]]:
    """The words of a text beside the class, with and without a preposition in front."""
    words = _folded(text)
    for name in (class_name, *alternatives(class_name)):
        parts = tuple(singular(word) for word in words_in(name))
        at = next((i for i in range(len(words)) if parts and words[i : i + len(parts)] == parts), None)
        if at is not None:
            words = words[:at] + words[at + len(parts) :]
            break
    words = tuple(word for word in words if word not in _AROUND)
    yield from _heard(words[:-1] if words[-1:] == ("of",) else words)


def _heard(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if words:
        yield words
    if words[1:] and words[0] in _LEADING:
        yield words[1:]


def _folded(text: str) -> tuple[str, ...]:
    return bare_words(re.sub(r"\b([Cc])olor", r"\1olour", text))


def _said_of(test: _Test, is_measured: bool) -> set[tuple[str, ...]]:
    """All that one test of a column is called."""
    name, sign, value = test
    if is_measured and name == "grey":
        said = READINGS[name].all_of(sign) if value == "grey" else ()
    elif is_measured:
        reading = READINGS.get(name)
        also = () if reading is None else reading.also_low if sign == "<=" else reading.also_high
        said = (*calls_of(name, sign, value, is_measured), *also)
        said += (f"{value} tint", f"tinted {value}") if name == "tint" and value in HUES else ()
    elif sign == "=":
        said = (value,) if isinstance(value, str) and _tells(value) else ()
    else:
        said = tuple(calls_of(name, sign, value, is_measured))
    return {words for words in map(_folded, said) if words}


def _tells(value: str) -> bool:
    return value.isalpha() and len(value) >= MIN_VALUE and value.casefold() not in _OF_NO_ONE


def _test_of(said: str) -> _Test:
    """The test that the text of a condition on one property's limit says; of any other text one that asks nothing."""
    found = re.fullmatch(r"(.+) at (most|least) [\d.,e+-]+", said)
    return ("", "", None) if found is None else (found[1], "<=" if found[2] == "most" else ">=", 0.0)
