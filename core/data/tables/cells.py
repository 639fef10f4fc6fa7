"""Read the cells of a column as numbers, categories, text, or an array in each row."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.numbers import MICROSECONDS_A_DAY
from core.records import F64, Bool, Column

_MAX_CODES = 12
"""Different whole numbers in a column that is still a category, a convention."""
MAX_CATEGORY_CHARACTERS = 1_000
"""Characters of a category's name; a longer one is a text."""
MAX_WHOLE = 2.0**53
"""From here on every float is whole."""
YEARS = (1500, 2100)
"""Whole numbers that all lie within are written without a comma, as years are; a convention."""
_ARRAY = re.compile(r"\s*\[[^\]A-Za-z]*\d")
_ZONE = re.compile(r":\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_UNBROKEN = re.compile(
    "[\u3005-\u3007\u3041-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]{4}"
    "|[\u0e01-\u0e4e\u0e81-\u0ecd\u1000-\u108f\u1780-\u17d3]{8}"
)
"""Several words in scripts without spaces: four characters of Chinese or Japanese, eight of Thai, Lao, Khmer or
Burmese."""


def as_numbers(column: pd.Series[Any]) -> F64:
    """(n,) float64; nan where the cell is missing or not a number, as dates and durations are not."""
    if column.dtype == object:
        column = column.infer_objects()
    is_moment = column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype)
    if is_moment or holds_arrays(column) or pd.api.types.is_complex_dtype(column):
        return np.full(len(column), np.nan)
    try:
        return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError, OverflowError):  # of many kinds: numbers past a float's range, ...
        return np.array([_as_number(value) for value in column], np.float64)


def _as_number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def is_binary(column: pd.Series[Any]) -> bool:
    """Whether every non-missing cell is 0 or 1, false or true."""
    values = as_numbers(column)
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all()) and not bool(np.isnan(values).all())


ARRAY_CELLS = 5
"""First cells that decide whether a column holds arrays, a convention."""


def holds_arrays(column: pd.Series[Any]) -> bool:
    """Whether the cells are lists or numpy arrays of numbers, or text such as "[0.1, 0.9]"."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return False
    cells: list[Any] = column.iloc[np.flatnonzero(column.notna().to_numpy())[:ARRAY_CELLS]].tolist()
    for cell in cells:
        written = isinstance(cell, str) and cell.rstrip().endswith("]") and _ARRAY.match(cell)
        if not written and not isinstance(cell, (list, tuple, np.ndarray)):
            return False
    return bool(cells)


def stack_arrays(column: pd.Series[Any]) -> tuple[F64, list[str]]:
    """Stack the cells of an array column.

    Returns:
        (n, k) float64, k being the commonest length, with rows of nan where the cell has another length or no numbers;
        and (n,) the reason for each of these rows, "" for the others.
    """
    rows = [array_of(value) for value in column]
    lengths = np.full(len(rows), -1)
    for i, row in enumerate(rows):
        if row is not None and row.ndim == 1:
            lengths[i] = len(row)
    usable = lengths[lengths > 0]
    k = 0
    if len(usable):
        k = int(np.bincount(usable).argmax())
    stacked = np.full((len(rows), k), np.nan)
    reasons = [""] * len(rows)
    for i, row in enumerate(rows):
        if row is not None and lengths[i] == k:
            stacked[i] = row
        elif lengths[i] < 0:
            reasons[i] = f"{column.name!r} must hold {k} numbers in each row: this one is not a list of numbers"
        else:
            reasons[i] = f"{column.name!r} must hold {k} numbers in each row: this one holds {lengths[i]} numbers"
    return stacked, reasons


def array_of(value: Any) -> npt.NDArray[Any] | None:
    """Read the array in one cell (list, nested list, numpy array or its text) as float64; None for anything else."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = json.loads(re.sub(r"\bnan\b", "NaN", text))
        except (ValueError, RecursionError):
            # how numpy prints; a "..." in it fails below, as it should
            value = text.strip("[]").replace(",", " ").split()
    if value is None or isinstance(value, float) or value is pd.NA:
        return None
    try:
        array = np.asarray(value)
        if array.dtype == object and array.ndim == 1 and len(array):
            array = np.stack(list(array))
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None


def text_of(value: Any) -> str | None:
    """A cell as a category's name: whole floats without their ".0", None where it is missing."""
    plain: Any = value
    if hasattr(value, "ndim"):  # a numpy scalar, or an array or a table among other cells
        plain = value.item() if value.ndim == 0 else str(value)
    if plain is None or plain is pd.NA or plain is pd.NaT or plain != plain:
        return None
    if isinstance(plain, float) and plain.is_integer():
        return str(int(plain))
    return str(plain)


def texts_of(column: pd.Series[Any]) -> npt.NDArray[Any]:
    """(n,) object array of str, None where missing."""
    values: list[Any] = column.astype(object).tolist()
    out = np.empty(len(values), dtype=object)
    out[:] = [text_of(value) for value in values]
    return out


def words_of(column: pd.Series[Any]) -> tuple[npt.NDArray[Any], str]:
    """(n,) `texts_of` without spaces at either end, since a class is the same with them; and a note or ""."""
    texts = texts_of(column)
    words = texts.copy()
    words[:] = [None if text is None else text.strip() or text for text in texts]
    spaced = int((texts != words).sum())
    if not spaced:
        return words, ""
    return words, f"Removed spaces around the values of {column.name!r} in {spaced:,} rows."


def as_column(column: pd.Series[Any]) -> tuple[Column | None, str]:
    """Read the column as a possible condition, with a note or "".

    Numbers are numeric, but whole numbers with at most 12 different values (and five rows for each) are codes, hence
    categories, as booleans are. Dates (typed, or text in ISO 8601) are days since 1970-01-01. Text is "text"
    where most values differ, the values are sentences or one has more than `MAX_CATEGORY_CHARACTERS`, else a category.
    None for arrays, complex numbers and columns without any value.
    """
    name = str(column.name)
    if holds_arrays(column):
        return None, f"Ignored {name!r}: it holds an array in each row."
    if pd.api.types.is_complex_dtype(column):
        return None, f"Ignored {name!r}: it holds complex numbers."
    if column.isna().all():
        return None, f"Ignored {name!r}: it is empty."
    if pd.api.types.is_bool_dtype(column):
        return Column(name, "category", texts_of(column)), ""
    dates = _dates(column)
    if dates is not None:
        return dates, f"Read {name!r} as dates."
    if pd.api.types.is_numeric_dtype(column):
        numbers = as_numbers(column).copy()  # pandas hands out a view that must not be written to
        infinite = int(np.isinf(numbers).sum())
        numbers[np.isinf(numbers)] = np.nan
        if _are_codes(numbers):
            return Column(name, "category", texts_of(column)), ""
        note = ""
        if infinite:
            note = f"{name!r} is infinite in {infinite:,} rows: they count as missing."
        return Column(name, "number", numbers, form=_form(numbers)), note
    words, note = words_of(column)
    if _is_prose(words):
        return Column(name, "text", texts_of(column)), ""
    return Column(name, "category", words), note


def _are_codes(numbers: F64) -> bool:
    values = numbers[np.isfinite(numbers)]
    distinct = len(np.unique(values))
    return bool((values == np.round(values)).all()) and 0 < distinct <= max(2, min(_MAX_CODES, len(values) // 5))


def _form(numbers: F64) -> Literal["", "count", "year"]:
    values = numbers[np.isfinite(numbers)]
    if not len(values) or (values != np.round(values)).any() or np.abs(values).max() >= MAX_WHOLE:
        return ""
    if YEARS[0] <= values.min() and values.max() <= YEARS[1]:
        return "year"
    return "count"


def _is_prose(texts: npt.NDArray[Any]) -> bool:
    present = [text for text in texts if text is not None]
    distinct = set(present)
    if max(map(len, distinct), default=0) > MAX_CATEGORY_CHARACTERS:
        return True
    return len(distinct) > 0.5 * len(present) or (len(distinct) > 20 and sum(map(len, distinct)) / len(distinct) > 40)


def _dates(column: pd.Series[Any]) -> Column | None:
    if pd.api.types.is_numeric_dtype(column):
        return None
    moments = column
    unit = ""
    if getattr(column.dtype, "tz", None):
        unit = "UTC"
    if not pd.api.types.is_datetime64_any_dtype(column):
        present = column.dropna()
        if not all(isinstance(value, str) and _DATE.fullmatch(value) for value in present.head(50)) or present.empty:
            return None
        if any(_ZONE.search(value) for value in present.head(50)):
            unit = "UTC"
        moments = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
        if moments.isna().sum() > column.isna().sum():
            return None
    zone = None
    if getattr(moments.dtype, "tz", None):
        zone = "UTC"
    epoch = pd.Timestamp("1970-01-01", tz=zone)
    days: Any = (moments - epoch) / pd.Timedelta(days=1)
    # in whole microseconds, which a float holds to the year 2250, so that each value is exactly its text
    values = np.round(np.asarray(days, dtype=np.float64) * MICROSECONDS_A_DAY) / MICROSECONDS_A_DAY
    known = values[np.isfinite(values)]
    if (known == np.round(known)).all():
        return Column(str(column.name), "number", values, form="date")
    return Column(str(column.name), "number", values, form="time", unit=unit)


def finite_rows(array: F64) -> Bool:
    """(n,) True where every number of the row is finite."""
    return np.asarray(np.isfinite(array).all(axis=tuple(range(1, array.ndim))))


def has_words(text: str) -> bool:
    """Whether a text holds several words, as far as a check without a dictionary can see.

    Example:
        >>> has_words("dog"), has_words("a dog"), has_words("汽车"), has_words("这部电影很好看")
        (False, True, False, True)
    """
    return " " in text.strip() or _UNBROKEN.search(text) is not None
