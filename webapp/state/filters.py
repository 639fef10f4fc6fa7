"""Filters: what a visitor keeps of a run by the values of its columns, and how they are written in an address."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.inline import text_of
from core.errors import InvalidInput, quoted
from core.numbers import either, number
from core.records import Bool, Diagnosis
from core.reports.tables.columns import ShownColumn, coded, column_of, columns_of

TEXT = "text"
"""Key of the filter that keeps the samples in which a text stands."""
MAX_FILTERS = 12
MAX_VALUES = 60
MAX_LETTERS = 200
"""Filters at once, values of one, and letters of a value."""
MISSING = "missing"
"""What is said of a value that is not there."""
ABSENT = {"cluster": "in no cluster", "confused": "not confused", "yours": "in none of your sets"}
"""What it means in these columns."""
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps the samples whose column has a value in [low, high), or one of `values`; never both."""

    key: str
    """Of the column, or TEXT."""
    low: float = -math.inf
    high: float = math.inf
    values: tuple[str | None, ...] = ()
    """Of a category; None stands for a missing value, of numbers too; the text where the key is TEXT."""

    def to_json(self) -> list[Any]:
        """[key, low, high] with None for an open end, or [key, *values]."""
        if self.values:
            return [self.key, *self.values]
        return [self.key, *(end if math.isfinite(end) else None for end in (self.low, self.high))]


def written(filters: Sequence[Filter]) -> str:
    """As `read_filters` reads them."""
    return json.dumps([one.to_json() for one in filters], ensure_ascii=False, separators=(",", ":"))


def read_filters(said: str, diagnosis: Diagnosis) -> tuple[Filter, ...]:
    """The filters of a text that comes from a browser: nothing about it is trusted.

    Raises:
        InvalidInput: it is no list of filters, or the run has no such column or no such value.
    """
    parts = parsed(said[: MAX_FILTERS * MAX_VALUES * MAX_LETTERS])
    if not isinstance(parts, list) or len(parts) > MAX_FILTERS:
        raise InvalidInput("The filters are not written as Errata writes them. Set them again below the map.")
    return tuple(read_filter(part, diagnosis) for part in parts)


def parsed(said: str) -> Any:
    """The JSON of a text from a browser; raises InvalidInput where it is none, or nested too deeply."""
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise InvalidInput("That is no filter. Press a bar of a chart below the map.") from None


def read_filter(part: Any, diagnosis: Diagnosis) -> Filter:
    """One filter as `Filter.to_json` gives it; raises InvalidInput as `read_filters` does."""
    wrong = InvalidInput("A filter must be a column with its values or with two ends. Set it again below the map.")
    if not isinstance(part, list) or not 2 <= len(part) <= MAX_VALUES + 1 or not isinstance(part[0], str):
        raise wrong
    key, *values = part
    if key == TEXT:
        if len(values) != 1 or not _is_text(values[0]) or not values[0].strip():
            raise InvalidInput(f"A search must have 1 to {MAX_LETTERS} letters.")
        return Filter(TEXT, values=(values[0].strip(),))
    numbers = shown_column(diagnosis, key).kind == "number"
    if numbers and len(values) == 2:
        ends = [_end(value, other) for value, other in zip(values, (-math.inf, math.inf), strict=True)]
        if None not in ends:
            return Filter(key, *ends)  # type: ignore[arg-type]
    elif (not numbers or values == [None]) and all(map(_is_value, values)):
        return Filter(key, values=tuple(dict.fromkeys(values)))
    raise wrong


def _is_value(value: Any) -> bool:
    return value is None or _is_text(value)


def _is_text(value: Any) -> bool:
    """Half a pair of UTF-16 is none: a page that holds one cannot be sent."""
    return isinstance(value, str) and len(value) <= MAX_LETTERS and not _HALF.search(value)


def shown_column(diagnosis: Diagnosis, key: str) -> ShownColumn:
    """The column of that key; raises InvalidInput where the run has none."""
    if (column := column_of(diagnosis, key)) is None:
        raise InvalidInput(f"This run has no column {quoted(key)}. Choose one of those that stand below the map.")
    return column


def _end(value: Any, is_open: float) -> float | None:
    """An end of a range, or None where it is no number."""
    if value is None:
        return is_open
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= sys.float_info.max else None


def rows_kept(diagnosis: Diagnosis, filters: Sequence[Filter]) -> Bool:
    """(n,) whether a sample passes every one."""
    kept = np.ones(len(diagnosis.samples), bool)
    for one in filters:
        if one.key == TEXT:
            kept &= _having(diagnosis, (one.values[0] or "").casefold())
        else:
            kept &= _passes(shown_column(diagnosis, one.key), one)
    return kept


def _passes(column: ShownColumn, one: Filter) -> Bool:
    if column.kind == "number":
        values = column.values
        return np.isnan(values) if one.values else (values >= one.low) & (values < one.high)
    names, codes = coded(column)
    wanted = [place for place, name in enumerate(names) if name in one.values]
    return np.isin(codes, [*wanted, *([-1] if None in one.values else [])])


def _having(diagnosis: Diagnosis, wanted: str) -> Bool:
    """(n,) whether the text, in small letters, stands in a sample's id, its own text or one of its categories."""
    samples = diagnosis.samples
    having = np.fromiter((wanted in name.casefold() for name in samples.ids), bool, len(samples))
    for column in columns_of(diagnosis):
        if column.kind == "category" and column.key != "cluster":
            names, codes = coded(column)
            having |= np.isin(codes, [place for place, name in enumerate(names) if wanted in name.casefold()])
    if samples.modality == "text":
        shown = (text_of(samples, row) for row in range(len(samples)))
        having |= np.fromiter((wanted in said.casefold() for said in shown), bool, len(samples))
    return having


def said(diagnosis: Diagnosis, one: Filter) -> str:
    """A filter in words, such as "loss from 0.5 to 1.2" or "class is cat or dog"."""
    if one.key == TEXT:
        return f"contains {quoted(one.values[0] or '')}"
    title = shown_column(diagnosis, one.key).short
    if one.values == (None,) and one.key in ABSENT:
        return ABSENT[one.key]
    if one.values:
        names = [MISSING if value is None else value for value in one.values]
        return f"{title} is {either(names)}" if len(names) <= 3 else f"{title} is one of {len(names)} values"
    low = number(one.low)
    high = number(one.high)
    if math.isinf(one.low):
        return title if math.isinf(one.high) else f"{title} below {high}"
    return f"{title} from {low}" if math.isinf(one.high) else f"{title} from {low} to below {high}"
