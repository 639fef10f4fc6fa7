"""Filters on a run's columns, and their form in an address."""

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
from core.numbers import either, limit_text
from core.records import Bool, Diagnosis
from core.reports.tables.columns import ShownColumn, coded, column_of, columns_of

TEXT = "text"
"""Key of the filter for samples that contain a text."""
MAX_FILTERS = 12
MAX_VALUES = 60
MAX_LETTERS = 200
"""Filters at once, values of one, and letters of a value."""
MISSING = "missing"
"""Label of a missing value."""
ABSENT = {"cluster": "in no group", "confused": "not confused", "yours": "outside your sets"}
"""Its meaning in these columns."""
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps the samples whose column has a value in [low, high), or one of `values`; never both."""

    key: str
    """Of the column, or TEXT."""
    low: float = -math.inf
    high: float = math.inf
    values: tuple[str | None, ...] = ()
    """Values of a category, or the text for TEXT; None is a missing value, of numbers too."""

    def to_json(self) -> list[Any]:
        """Return [key, low, high] with None for an open end, or [key, *values]."""
        if self.values:
            return [self.key, *self.values]
        return [self.key, *(end if math.isfinite(end) else None for end in (self.low, self.high))]


def written(filters: Sequence[Filter]) -> str:
    """Encode filters for `read_filters`."""
    return json.dumps([part.to_json() for part in filters], ensure_ascii=False, separators=(",", ":"))


def read_filters(text: str, diagnosis: Diagnosis) -> tuple[Filter, ...]:
    """Read filters from a text, which comes from a browser and is not trusted.

    Raises:
        InvalidInput: not a list of filters, or an unknown column or value.
    """
    parts = parsed(text[: MAX_FILTERS * MAX_VALUES * MAX_LETTERS])
    if not isinstance(parts, list) or len(parts) > MAX_FILTERS:
        raise InvalidInput("The link's filters are invalid. Set them again in All samples.")
    return tuple(read_filter(part, diagnosis) for part in parts)


def parsed(text: str) -> Any:
    """Parse JSON from a browser; raises InvalidInput if it is invalid or too deeply nested."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("Invalid filter. Press a bar in All samples.") from None


def read_filter(part: Any, diagnosis: Diagnosis) -> Filter:
    """Read one filter written by `Filter.to_json`; raises InvalidInput as `read_filters` does."""
    wrong = InvalidInput("A filter needs a column with values or two ends. Set it again in All samples.")
    if not isinstance(part, list) or not 2 <= len(part) <= MAX_VALUES + 1 or not isinstance(part[0], str):
        raise wrong
    key, *values = part
    if key == TEXT:
        if len(values) != 1 or not _is_text(values[0]) or not values[0].strip():
            raise InvalidInput(f"A search needs 1 to {MAX_LETTERS} letters. Change the text.")
        return Filter(TEXT, values=(values[0].strip(),))
    numbers = shown_column(diagnosis, key).kind == "number"
    if numbers and len(values) == 2:
        ends = [_end(value, open_end) for value, open_end in zip(values, (-math.inf, math.inf), strict=True)]
        if None not in ends:
            return Filter(key, *ends)  # type: ignore[arg-type]
    elif (not numbers or values == [None]) and all(value is None or _is_text(value) for value in values):
        return Filter(key, values=tuple(dict.fromkeys(values)))
    raise wrong


def _is_text(value: Any) -> bool:
    """Whether the value is a text of valid length without half a UTF-16 pair, which a page cannot send."""
    return isinstance(value, str) and len(value) <= MAX_LETTERS and not _HALF.search(value)


def shown_column(diagnosis: Diagnosis, key: str) -> ShownColumn:
    """Return the column with that key; raises InvalidInput if the run has none."""
    column = column_of(diagnosis, key)
    if column is None:
        raise InvalidInput(f"This run has no column {quoted(key)}. Choose one from the list.")
    return column


def _end(value: Any, is_open: float) -> float | None:
    """Return an end of a range, or None if it is not a number."""
    if value is None:
        return is_open
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and abs(value) <= sys.float_info.max:
        return float(value)
    return None


def rows_kept(diagnosis: Diagnosis, filters: Sequence[Filter]) -> Bool:
    """Return (n,) whether each sample passes every filter."""
    passing = np.ones(len(diagnosis.samples), bool)
    for part in filters:
        if part.key == TEXT:
            passing &= _having(diagnosis, (part.values[0] or "").casefold())
        else:
            passing &= _passes(shown_column(diagnosis, part.key), part)
    return passing


def _passes(column: ShownColumn, part: Filter) -> Bool:
    if column.kind == "number":
        values = column.values
        if part.values:
            return np.isnan(values)
        return (values >= part.low) & (values < part.high)
    names, codes = coded(column)
    wanted = [index for index, name in enumerate(names) if name in part.values]
    if None in part.values:
        wanted.append(-1)
    return np.isin(codes, wanted)


def _having(diagnosis: Diagnosis, wanted: str) -> Bool:
    """Return (n,) whether a sample's id, text, or categories contain the lower-case text."""
    samples = diagnosis.samples
    having = np.fromiter((wanted in name.casefold() for name in samples.ids), bool, len(samples))
    for column in columns_of(diagnosis):
        if column.kind == "category" and column.key != "cluster":
            names, codes = coded(column)
            having |= np.isin(codes, [index for index, name in enumerate(names) if wanted in name.casefold()])
    if samples.modality == "text":
        shown = (text_of(samples, row) for row in range(len(samples)))
        having |= np.fromiter((wanted in text.casefold() for text in shown), bool, len(samples))
    return having


def describe_filter(diagnosis: Diagnosis, part: Filter) -> str:
    """Describe a filter, such as "loss from 0.5 to 1.2" or "class is cat or dog"."""
    if part.key == TEXT:
        return f"contains {quoted(part.values[0] or '')}"
    column = shown_column(diagnosis, part.key)
    title = column.short
    if part.values == (None,) and part.key in ABSENT:
        return ABSENT[part.key]
    if part.values:
        names = [MISSING if value is None else value for value in part.values]
        if len(names) <= 3:
            return f"{title} is {either(names)}"
        return f"{title} is one of {len(names)} values"
    low, high = (limit_text(column.values, end, column.form) for end in (part.low, part.high))
    if math.isinf(part.low):
        if math.isinf(part.high):
            return title
        return f"{title} below {high}"
    if math.isinf(part.high):
        return f"{title} from {low}"
    return f"{title} from {low} to below {high}"
