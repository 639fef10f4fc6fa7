"""Cells of a column: numbers, categories, text, dates and arrays."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.data.tables.cells import array_of, as_column, as_numbers, holds_arrays, stack_arrays


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1] * 20, "category"),
        ([True, False] * 20, "category"),
        ([1.0, 2.0, np.nan, 3.0] * 10, "category"),
        (list(range(40)), "number"),
        ([0.5, 1.5] * 20, "number"),
        (["a", "b"] * 20, "category"),
        ([f"name {i}" for i in range(40)], "text"),
        (["a", "b" * 1_001] * 20, "text"),
        (["2024-01-01", "2024-01-02"] * 20, "number"),
    ],
)
def test_columns_are_numbers_categories_or_text(values, kind):
    column, _ = as_column(pd.Series(values, name="x"))
    assert column is not None
    assert column.kind == kind


def test_dates_become_days_since_1970_and_codes_lose_their_point():
    dates, note = as_column(pd.Series(["1970-01-02", None, "1970-01-11T12:00:00"] * 5, name="day"))
    assert dates is not None
    np.testing.assert_allclose(dates.values[:3], [1, np.nan, 10.5])
    assert note == "Read 'day' as dates."
    assert (dates.form, dates.unit) == ("time", "")
    codes, _ = as_column(pd.Series([1.0, np.nan] * 10, name="x"))
    assert codes is not None
    assert list(codes.values[:2]) == ["1", None]


def test_arrays_are_read_from_lists_numpy_and_text():
    stacked, reasons = stack_arrays(pd.Series([[1, 2], np.array([3, 4]), "[5, 6]", "[7. 8.]", [9], None], dtype=object))
    np.testing.assert_array_equal(stacked, [[1, 2], [3, 4], [5, 6], [7, 8], [np.nan] * 2, [np.nan] * 2])
    assert [bool(r) for r in reasons] == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ([10**400, -(10**400), 1], [np.inf, -np.inf, 1]),
        (["9" * 4000, "2"], [np.inf, 2]),
        ([Decimal("1e500"), Decimal("2.5"), None], [np.inf, 2.5, np.nan]),
        ([pd.Interval(0, 1), 2, True], [np.nan, 2, 1]),
    ],
)
def test_cells_of_any_kind_are_a_number_or_none(cells: list[Any], numbers: list[float]) -> None:
    np.testing.assert_array_equal(as_numbers(pd.Series(cells, dtype=object)), np.array(numbers))


@pytest.mark.parametrize("text", ["[" * 5000 + "]" * 5000, f"[{'9' * 5000}, 1]", f"[{'9' * 400}]", "[1, [2"])
def test_a_cell_that_is_no_array_of_numbers_is_none(text: str) -> None:
    array = array_of(text)
    assert array is None or array.size == 0 or not np.isfinite(array).all()


def test_a_long_cell_of_digits_is_told_from_an_array_at_once() -> None:
    assert not holds_arrays(pd.Series(["[" + "1" * 2_000_000]))
    assert holds_arrays(pd.Series([" [0.1, 0.9]\n"]))
    assert not holds_arrays(pd.Series(["[cat 1]"]))
