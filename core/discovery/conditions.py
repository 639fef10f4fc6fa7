"""Conditions on the table's columns and the measured properties: a category, a numeric range, two of them together.

Built without looking at the loss, so that each is one fixed member of the tested family.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.texts.properties import spoken_limit
from core.records import F64, I64, Bool, Column
from core.statistics.packed import PackedMasks

Test = tuple[str, str, str | float | None]

MAX_CATEGORIES = 40
QUANTILES = (0.1, 0.25)
MIN_PAIR_ROWS = 20
"""Two conditions together must be met by so many rows: there are many pairs, and on a handful of rows one always stands
out."""


NO_CAUSE = frozenset({"file size", "entropy"})
"""Measured properties that no one can change but by changing something else that is measured as well: shown, never
tested. See docs/decisions/conditions.md."""


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """text: such as "brightness at most 0.31" or "no capital letter"; mask: (n,) rows that meet it."""

    text: str
    columns: tuple[str, ...]
    mask: Bool
    broad: bool
    """A category, or an outer quarter: these are the ones that are paired."""
    halves: tuple[str, ...] = ()
    """Of a pair, the texts of the two conditions that it joins."""
    tests: tuple[Test, ...] = ()
    """Each part as (column, "=", "<=", ">=" or "missing", value): what `meets` asks of other samples."""


def columns_to_test(columns: Sequence[Column]) -> list[Column]:
    """Without the measured ones that can be no cause; a column of the user's own table stays, whatever its name."""
    return [column for column in columns if not (column.measured and column.name in NO_CAUSE)]


def build_conditions(
    columns: Sequence[Column], *, smallest: int, most: int
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The conditions that at least `smallest` rows meet and as many do not, and notes on what was left out.

    Args:
        columns: metadata and measured properties; text columns are passed over.
        smallest: fewest rows on either side.
        most: at most so many conditions; singles first, then pairs by support.
    """
    singles, pairs, notes = chosen_conditions(columns, smallest=smallest, most=most)
    return (*singles, *(joined(singles[i], singles[j]) for i, j in pairs)), notes


def chosen_conditions(
    columns: Sequence[Column], *, smallest: int, most: int
) -> tuple[list[Condition], list[tuple[int, int]], tuple[str, ...]]:
    """The single conditions of `build_conditions`, the places of those that make its pairs, and its notes."""
    singles: list[Condition] = []
    notes: list[str] = []
    for column in columns:
        if _says_only_where_it_is_told(column, smallest):
            continue
        made = _numeric(column) if column.kind == "number" else []
        if column.kind == "category":
            made = _categories(column, notes)
        singles += [c for c in made if smallest <= c.mask.sum() <= len(c.mask) - smallest]
    singles = _distinct(singles)
    if len(singles) > most:
        notes.append(f"{len(singles) - most:,} conditions of least support were left out: {most:,} are tested at most.")
        singles = sorted(singles, key=lambda c: -int(min(c.mask.sum(), (~c.mask).sum())))[:most]
    pairs = _pairs(singles, max(smallest, MIN_PAIR_ROWS))
    room = most - len(singles)
    if len(pairs) > room:
        notes.append(
            f"{len(pairs) - room:,} of {len(pairs):,} pairs of conditions (those of least support) were left out: "
            f"{most:,} are tested at most."
        )
        pairs = sorted(pairs, key=lambda pair: -pair[2])[:room]
    return singles, [(i, j) for i, j, _ in pairs], tuple(notes)


def _says_only_where_it_is_told(column: Column, smallest: int) -> bool:
    """Whether a measured category is the same wherever it is told, but for fewer than `smallest` rows: the language of
    texts that are all English says which of them are long enough to tell it, and their length is measured itself."""
    if not column.measured or column.kind != "category":
        return False
    _, codes = _coded(column)
    counts = np.bincount(codes[codes >= 0], minlength=1)
    return int(counts.sum() - counts.max()) < smallest


def _numeric(column: Column) -> list[Condition]:
    values = column.values.astype(np.float64)
    known = np.isfinite(values)
    distinct = np.unique(values[known])
    if len(distinct) < 5:
        return [
            *(_equals(column, v, _said(column, "=", v, "="), values == v) for v in distinct.tolist()),
            *_missing(column, ~known),
        ]
    made: list[Condition] = []
    for share in QUANTILES:
        low, high = np.quantile(values[known], [share, 1 - share])
        for word, sign, quantile, mask in (
            ("at most", "<=", low, values <= low),
            ("at least", ">=", high, values >= high),
        ):
            inside = values[known & mask]
            outside = values[known & ~mask]
            limit = _short(float(quantile), inside, outside) if len(inside) and len(outside) else float(quantile)
            text = _said(column, sign, limit, word)
            tests = ((column.name, sign, limit),)
            made.append(Condition(text, (column.name,), known & mask, share == 0.25, tests=tests))
    return [*made, *_missing(column, ~known)]


def _categories(column: Column, notes: list[str]) -> list[Condition]:
    names, codes = _coded(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.argsort(-counts, kind="stable")[:MAX_CATEGORIES].tolist()
    if len(names) > MAX_CATEGORIES:
        notes.append(
            f"Column {column.name!r} has {len(names):,} values; the {MAX_CATEGORIES} most frequent are looked at."
        )
    return [
        *(_equals(column, names[k], f"{column.name} = {names[k]}", codes == k) for k in kept),
        *_missing(column, codes < 0),
    ]


def _coded(column: Column) -> tuple[list[str], I64]:
    """The values as texts, by the alphabet, and (n,) the place of each row's, -1 where it is missing."""
    texts = [None if value is None else str(value) for value in column.values.tolist()]
    names = sorted({text for text in texts if text is not None})
    code = {name: place for place, name in enumerate(names)}
    return names, np.fromiter((-1 if text is None else code[text] for text in texts), np.int64, len(texts))


def _texts(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(n,) object array of str: one of numpy's own would take the longest value's room in every row."""
    return np.array([str(value) for value in values.tolist()], dtype=object)


def _equals(column: Column, value: float | str, spoken: str, mask: Bool) -> Condition:
    return Condition(spoken, (column.name,), mask, True, tests=((column.name, "=", value),))


def _said(column: Column, sign: str, limit: float, word: str) -> str:
    """Such as "brightness at most 0.31", or what is measured of a text in plain words: "at least one negation"."""
    plain = spoken_limit(column.name, sign, limit) if column.measured else None
    return plain or f"{column.name} {word} {np.format_float_positional(limit, trim='-')}"


def _missing(column: Column, mask: Bool) -> list[Condition]:
    tests = ((column.name, "missing", None),)
    said = (spoken_limit(column.name, "missing", 0) if column.measured else None) or f"{column.name} is missing"
    return [Condition(said, (column.name,), mask, False, tests=tests)] if mask.any() else []


def meets(tests: Sequence[Test], columns: Sequence[Column], n: int) -> Bool:
    """(n,) the rows of `columns` that meet every test. Of two columns of one name, one of numbers is asked for a limit
    and one of categories for a category.

    Raises:
        KeyError: a column of the tests is not among `columns`.
    """
    by_name = {(c.name, asked): c for c in columns for asked in (None, c.kind)}
    inside = np.ones(n, dtype=bool)
    for name, sign, value in tests:
        kind = None if value is None else "category" if isinstance(value, str) else "number"
        column = by_name.get((name, kind)) or by_name[name, None]
        if column.kind == "number":
            values = column.values.astype(np.float64)
            known = np.isfinite(values)
            limit = float(value) if isinstance(value, float | int) else np.nan
            met = {"=": values == limit, "<=": values <= limit, ">=": values >= limit, "missing": ~known}[sign]
            inside &= met if sign == "missing" else known & met
        else:
            missing = np.array([v is None for v in column.values], dtype=bool)
            inside &= missing if sign == "missing" else ~missing & (_texts(column.values) == str(value))
    return inside


def _distinct(conditions: Sequence[Condition]) -> list[Condition]:
    """Without those that describe the very rows of an earlier one."""
    seen: dict[bytes, Condition] = {}
    for condition in conditions:
        seen.setdefault(np.packbits(condition.mask).tobytes(), condition)
    return list(seen.values())


def _pairs(singles: Sequence[Condition], smallest: int) -> list[tuple[int, int, int]]:
    """(one, other, rows that meet both) for each two conditions that are looked at together, by their places."""
    broad = [place for place, condition in enumerate(singles) if condition.broad]
    masks = PackedMasks.of((singles[place].mask for place in broad), len(singles[0].mask) if singles else 0)
    sizes = masks.sizes()
    made = list[tuple[int, int, int]]()
    for i, place in enumerate(broad):
        together = masks.sizes(singles[place].mask)
        for j in range(i + 1, len(broad)):
            both = int(together[j])
            other = broad[j]
            if set(singles[place].columns) & set(singles[other].columns):
                continue  # one column twice
            if smallest <= both <= 0.9 * min(sizes[i], sizes[j]):  # more differ hardly from one of the two alone
                made.append((place, other, both))
    return made


def joined(a: Condition, b: Condition) -> Condition:
    """Both of them together."""
    halves = (a.text, b.text)
    return Condition(" and ".join(halves), a.columns + b.columns, a.mask & b.mask, False, halves, a.tests + b.tests)


def _short(limit: float, inside: F64, outside: F64) -> float:
    """The limit in as few digits, from three and those of whole numbers on, as tell the values inside from those
    outside, so that what is said of a condition is what it asks."""
    if not limit:
        return limit
    power = math.floor(math.log10(abs(limit)))
    for last in range(min(0, power - 2), power - 17, -1):
        for rounded in (round, math.ceil, math.floor):
            said = float(f"{rounded(limit / 10.0**last)}e{last}")
            if inside.max() <= said < outside.min() or outside.max() < said <= inside.min():
                return said
    return limit
