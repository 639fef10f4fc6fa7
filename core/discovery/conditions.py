"""Conditions on the table's columns and the measured properties: a category, a numeric range, or two of them together.

They are built without the losses, so that each is one fixed member of the tested family: a cut-off that is moved until
the difference looks large would find something in any data (docs/decisions/conditions.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.data.texts.properties import spoken_limit
from core.numbers import count
from core.records import F64, I64, Bool, Column
from core.statistics.packed import PackedMasks

Test = tuple[str, str, str | float | None]

MAX_CATEGORIES = 40
"""Values of a column that are tested, the most frequent first, which bounds the family; a convention."""
TAIL_SHARES = (0.1, 0.25)
"""Outer shares of a numeric column that are tested on either side. Fixed before the losses are read; which shares is a
convention."""
MIN_DISTINCT_NUMBERS = 5
"""A numeric column with fewer distinct values is tested value by value, like a category; a convention."""
MIN_PAIR_ROWS = 20
"""Rows that must meet a pair of conditions: with many pairs, one always stands out on a handful of rows."""
MAX_PAIR_SHARE = 0.9
"""A pair that holds more of the smaller condition's rows hardly differs from it and is not tested; a convention."""


UNTESTED_PROPERTIES = frozenset({"file size", "entropy"})
"""Measured properties that change only with other measured properties: shown, never tested. On photographs of clothes a
condition on the file size was confirmed in 8 of 10 halves, true and useless (docs/decisions/conditions.md)."""


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A condition that rows meet. text: for example "brightness at most 0.31" or "no capital letter". mask: (n,)."""

    text: str
    columns: tuple[str, ...]
    mask: Bool
    broad: bool
    """True for a category or an outer quarter, which are paired."""
    halves: tuple[str, ...] = ()
    """Texts of the two conditions of a pair."""
    tests: tuple[Test, ...] = ()
    """Each part as (column, "=", "<=", ">=" or "missing", value), for `meets`."""


def columns_to_test(columns: Sequence[Column]) -> list[Column]:
    """The columns without UNTESTED_PROPERTIES; a column of the user's table stays, whatever its name."""
    return [column for column in columns if not (column.measured and column.name in UNTESTED_PROPERTIES)]


def build_conditions(
    columns: Sequence[Column], *, smallest: int, most: int
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The conditions that at least `smallest` rows meet and as many do not, and notes on those that were skipped.

    Args:
        columns: metadata and measured properties; text columns are ignored.
        smallest: fewest rows on either side.
        most: number of conditions at most; singles first, then pairs by support.
    """
    singles, pairs, notes = chosen_conditions(columns, smallest=smallest, most=most)
    return (*singles, *(joined(singles[i], singles[j]) for i, j in pairs)), notes


def chosen_conditions(
    columns: Sequence[Column], *, smallest: int, most: int
) -> tuple[list[Condition], list[tuple[int, int]], tuple[str, ...]]:
    """The single conditions of `build_conditions`, index pairs of those that form its pairs, and its notes."""
    singles: list[Condition] = []
    notes: list[str] = []
    for column in columns:
        if _is_nearly_constant(column, smallest):
            continue
        conditions: list[Condition] = []
        if column.kind == "number":
            conditions = _numeric(column)
        elif column.kind == "category":
            conditions = _categories(column, notes)
        singles += [c for c in conditions if smallest <= c.mask.sum() <= len(c.mask) - smallest]
    singles = _distinct(singles)
    if len(singles) > most:
        n_skipped = len(singles) - most
        notes.append(f"Skipped {count(n_skipped, 'condition')} of least support: Errata tests at most {most:,}.")
        singles = sorted(singles, key=lambda c: -int(min(c.mask.sum(), (~c.mask).sum())))[:most]
    pairs = _pairs(singles, max(smallest, MIN_PAIR_ROWS))
    room = most - len(singles)
    if len(pairs) > room:
        notes.append(
            f"Skipped {len(pairs) - room:,} of {len(pairs):,} pairs of conditions, those of least support: "
            f"Errata tests at most {most:,} conditions."
        )
        pairs = sorted(pairs, key=lambda pair: -pair[2])[:room]
    return singles, [(i, j) for i, j, _ in pairs], tuple(notes)


def _is_nearly_constant(column: Column, smallest: int) -> bool:
    """Whether a measured category has one value, apart from missing ones and fewer than `smallest` rows.

    Where all texts are English, their language only shows which of them are long enough to detect it, and their length
    is measured itself (of 871 sentences of SST-2 827 have a detected language, all English).
    """
    if not column.measured or column.kind != "category":
        return False
    _, codes = _coded(column)
    counts = np.bincount(codes[codes >= 0], minlength=1)
    return int(counts.sum() - counts.max()) < smallest


def _numeric(column: Column) -> list[Condition]:
    values = column.values.astype(np.float64)
    known = np.isfinite(values)
    distinct = np.unique(values[known])
    if len(distinct) < MIN_DISTINCT_NUMBERS:
        conditions = [_equals(column, v, _limit_text(column, "=", v, "="), values == v) for v in distinct.tolist()]
        return [*conditions, *_missing(column, ~known)]
    conditions: list[Condition] = []
    for share in TAIL_SHARES:
        low, high = np.quantile(values[known], [share, 1 - share])
        for word, sign, quantile, mask in (
            ("at most", "<=", low, values <= low),
            ("at least", ">=", high, values >= high),
        ):
            inside = values[known & mask]
            outside = values[known & ~mask]
            limit = float(quantile)
            if len(inside) and len(outside):
                limit = _short(limit, inside, outside)
            text = _limit_text(column, sign, limit, word)
            tests = ((column.name, sign, limit),)
            conditions.append(Condition(text, (column.name,), known & mask, share == max(TAIL_SHARES), tests=tests))
    return [*conditions, *_missing(column, ~known)]


def _categories(column: Column, notes: list[str]) -> list[Condition]:
    names, codes = _coded(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    frequent = np.argsort(-counts, kind="stable")[:MAX_CATEGORIES].tolist()
    if len(names) > MAX_CATEGORIES:
        notes.append(
            f"Column {column.name!r} has {len(names):,} values. Errata tests the {MAX_CATEGORIES} most frequent."
        )
    conditions = [_equals(column, names[k], f"{column.name} = {names[k]}", codes == k) for k in frequent]
    return [*conditions, *_missing(column, codes < 0)]


def _coded(column: Column) -> tuple[list[str], I64]:
    """The values as sorted texts, and (n,) the index of each row's value, -1 where it is missing."""
    values = column.values.tolist()
    names = sorted({str(value) for value in values if value is not None})
    code_of = {name: index for index, name in enumerate(names)}
    codes = np.full(len(values), -1, np.int64)
    for row, value in enumerate(values):
        if value is not None:
            codes[row] = code_of[str(value)]
    return names, codes


def _equals(column: Column, value: float | str, text: str, mask: Bool) -> Condition:
    return Condition(text, (column.name,), mask, True, tests=((column.name, "=", value),))


def _limit_text(column: Column, sign: str, limit: float, word: str) -> str:
    """For example "brightness at most 0.31", or a text property in plain words: "at least one negation"."""
    text = f"{column.name} {word} {np.format_float_positional(limit, trim='-')}"
    if column.measured:
        text = spoken_limit(column.name, sign, limit) or text
    return text


def _missing(column: Column, mask: Bool) -> list[Condition]:
    if not mask.any():
        return []
    text = f"{column.name} is missing"
    if column.measured:
        text = spoken_limit(column.name, "missing", 0) or text
    return [Condition(text, (column.name,), mask, False, tests=((column.name, "missing", None),))]


def meets(tests: Sequence[Test], columns: Sequence[Column], n: int) -> Bool:
    """(n,) the rows of `columns` that meet every test. Of two columns with the same name, limits are read from the
    numeric one and categories from the categorical one.

    Raises:
        KeyError: a column of the tests is not among `columns`.
    """
    by_name: dict[str, Column] = {}
    by_kind: dict[tuple[str, str], Column] = {}
    for column in columns:
        by_name[column.name] = column
        by_kind[column.name, column.kind] = column
    inside = np.ones(n, dtype=bool)
    for name, sign, value in tests:
        column = by_name[name]
        if isinstance(value, str):
            column = by_kind.get((name, "category"), column)
        elif value is not None:
            column = by_kind.get((name, "number"), column)
        if column.kind == "number":
            values = column.values.astype(np.float64)
            missing = ~np.isfinite(values)
            limit = float(value) if isinstance(value, float | int) else np.nan
            met = {"=": values == limit, "<=": values <= limit, ">=": values >= limit, "missing": missing}[sign]
        else:
            missing = np.array([v is None for v in column.values], dtype=bool)
            # an object array: numpy's own text arrays give every row the room of the longest value
            met = np.array([str(v) for v in column.values.tolist()], dtype=object) == str(value)
        if sign == "missing":
            inside &= missing
        else:
            inside &= ~missing & met
    return inside


def _distinct(conditions: Sequence[Condition]) -> list[Condition]:
    """The conditions without those that an earlier condition's rows meet exactly."""
    seen: dict[bytes, Condition] = {}
    for condition in conditions:
        seen.setdefault(np.packbits(condition.mask).tobytes(), condition)
    return list(seen.values())


def _pairs(singles: Sequence[Condition], smallest: int) -> list[tuple[int, int, int]]:
    """(first index, second index, rows that meet both) of each pair of conditions that is tested."""
    broad = [index for index, condition in enumerate(singles) if condition.broad]
    if not broad:
        return []
    masks = PackedMasks.of((singles[index].mask for index in broad), len(singles[0].mask))
    sizes = masks.sizes()
    pairs = list[tuple[int, int, int]]()
    for i, first in enumerate(broad):
        together = masks.sizes(singles[first].mask)
        for j in range(i + 1, len(broad)):
            n_both = int(together[j])
            second = broad[j]
            if set(singles[first].columns) & set(singles[second].columns):
                continue  # the same column twice
            if smallest <= n_both <= MAX_PAIR_SHARE * min(sizes[i], sizes[j]):
                pairs.append((first, second, n_both))
    return pairs


def joined(a: Condition, b: Condition) -> Condition:
    """The condition that both are met."""
    halves = (a.text, b.text)
    return Condition(" and ".join(halves), a.columns + b.columns, a.mask & b.mask, False, halves, a.tests + b.tests)


def _short(limit: float, inside: F64, outside: F64) -> float:
    """The limit in the fewest digits, at least three, that still separate the values inside from those outside, so that
    the text of a condition is exactly its test."""
    if not limit:
        return limit
    power = math.floor(math.log10(abs(limit)))
    for last in range(min(0, power - 2), power - 17, -1):
        for rounded in (round, math.ceil, math.floor):
            shown = float(f"{rounded(limit / 10.0**last)}e{last}")
            if inside.max() <= shown < outside.min() or outside.max() < shown <= inside.min():
                return shown
    return limit
