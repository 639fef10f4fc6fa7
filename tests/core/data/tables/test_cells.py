"""Cells of a column: numbers, categories, text, dates and arrays."""

import numpy as np
import pandas as pd
import pytest

from core.data.tables.cells import as_column, stack_arrays


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
    assert "days since 1970" in note
    codes, _ = as_column(pd.Series([1.0, np.nan] * 10, name="x"))
    assert codes is not None
    assert list(codes.values[:2]) == ["1", None]


def test_arrays_are_read_from_lists_numpy_and_text():
    stacked, reasons = stack_arrays(pd.Series([[1, 2], np.array([3, 4]), "[5, 6]", "[7. 8.]", [9], None], dtype=object))
    np.testing.assert_array_equal(stacked, [[1, 2], [3, 4], [5, 6], [7, 8], [np.nan] * 2, [np.nan] * 2])
    assert [bool(r) for r in reasons] == [False] * 4 + [True] * 2
