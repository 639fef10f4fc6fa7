"""Conditions on the table's columns and the measured properties: a category, a numeric range, or two of them together.

They are built without the losses, so that each is one fixed member of the tested family: a cut-off that is moved until
the difference looks large would find something in any data (docs/decisions/conditions.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.data.texts.properties import spoken_limit
from core.numbers import count, short_limit, value_text
from core.records import I64, MEASURED, Bool, Column
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
    """The text of no other condition of the same table."""
    columns: tuple[str, ...]
    mask: Bool
    broad: bool
    """True for a category or an outer quarter, which are paired."""
    halves: tuple[Condition, ...] = ()
    """The two conditions of a pair."""
    tests: tuple[Test, ...] = ()
    """Each part as (column, "=", "<=", ">=" or "missing", value), for `meets`."""


def columns_to_test(columns: Sequence[Column]) -> list[Column]:
    """The columns without UNTESTED_PROPERTIES; a column of the user's table stays, whatever its name."""
    tested: list[Column] = []
    for column in columns:
        if not column.measured or column.name.removesuffix(MEASURED) not in UNTESTED_PROPERTIES:
            tested.append(column)
    return tested


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
    return with_pairs(singles, pairs), notes


def with_pairs(singles: Sequence[Condition], pairs: Sequence[tuple[int, int]]) -> tuple[Condition, ...]:
    """The single conditions, then those that two of them are met."""
    texts = {single.text for single in singles}
    conditions = list(singles)
    for i, j in pairs:
        a = singles[i]
        b = singles[j]
        text = _untaken(f"{a.text} and {b.text}", texts)
        conditions.append(Condition(text, a.columns + b.columns, a.mask & b.mask, False, (a, b), a.tests + b.tests))
    return tuple(conditions)


def _untaken(text: str, taken: set[str]) -> str:
    """The text, with a number if another condition has it, which is added to those taken: column "a" may have the value
    "b = c" beside a column "a = b" with the value "c"."""
    numbered = text
    number = 1
    while numbered in taken:
        number += 1
        numbered = f"{text} ({number})"
    taken.add(numbered)
    return numbered


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
    texts = set[str]()
    singles = [replace(single, text=_untaken(single.text, texts)) for single in _distinct(singles)]
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
        conditions = [_single(column, "=", value, values == value, broad=True) for value in distinct.tolist()]
        return [*conditions, *_missing(column, ~known)]
    conditions: list[Condition] = []
    for share in TAIL_SHARES:
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = np.quantile(values[known], [share, 1 - share]).tolist()
        lowest = values <= np.quantile(values[known], share, method="lower")
        highest = values >= np.quantile(values[known], 1 - share, method="higher")
        for sign, quantile, mask in (("<=", low, lowest), (">=", high, highest)):
            limit = short_limit(values[mask], values[known & ~mask], quantile, column.form)
            conditions.append(_single(column, sign, limit, mask, broad=share == max(TAIL_SHARES)))
    return [*conditions, *_missing(column, ~known)]


def _categories(column: Column, notes: list[str]) -> list[Condition]:
    names, codes = _coded(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    frequent = np.argsort(-counts, kind="stable")[:MAX_CATEGORIES].tolist()
    if len(names) > MAX_CATEGORIES:
        notes.append(
            f"Column {column.name!r} has {len(names):,} values. Errata tests the {MAX_CATEGORIES} most frequent."
        )
    conditions = [_single(column, "=", names[k], codes == k, broad=True) for k in frequent]
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


def _single(column: Column, sign: str, value: float | str, mask: Bool, *, broad: bool) -> Condition:
    test = (column.name, sign, value)
    return Condition(text_of(test, column), (column.name,), mask, broad, tests=(test,))


def _missing(column: Column, mask: Bool) -> list[Condition]:
    if not mask.any():
        return []
    test = (column.name, "missing", None)
    return [Condition(text_of(test, column), (column.name,), mask, False, tests=(test,))]


_WORDS = {
    "=": ("=", "=", "="),
    "<=": ("at most", "on or before", "at or before"),
    ">=": ("at least", "on or after", "at or after"),
}
"""Words before the limit of a number, a date and a time."""


def text_of(test: Test, column: Column) -> str:
    """A test of a column in words, such as "brightness at most 0.31", "taken on or after 2022-11-12", "weather = fog",
    or for a property of texts "at least one negation". Its limit has every digit."""
    name, sign, value = test
    if column.measured and not isinstance(value, str):
        spoken = spoken_limit(name, sign, value or 0.0)
        if spoken is not None:
            return spoken
    if value is None:
        return f"{name} is missing"
    if isinstance(value, float):
        which = {"date": 1, "time": 2}.get(column.form, 0)
        sign = _WORDS[sign][which]
        value = f"{value_text(value, column.form, exact=True)} {column.unit}".rstrip()
    return f"{name} {sign} {value}"


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
