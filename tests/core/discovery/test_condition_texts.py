"""The text of a condition is its test: whoever applies what is printed to the table gets the same rows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.data.tables.cells import as_column
from core.discovery.conditions import Condition, build_conditions, meets
from core.records import Column

LIMIT = re.compile(
    r"(?P<name>\w+) (?P<words>at most|at least|on or before|on or after|at or before|at or after|=) (?P<limit>.+)"
)


def conditions_of(series: pd.Series) -> tuple[Column, tuple[Condition, ...]]:
    column, _ = as_column(series)
    assert column is not None
    return column, build_conditions([column], smallest=1, most=500)[0]


def rows_by_text(text: str, series: pd.Series) -> np.ndarray:
    """The rows that a reader finds in the table by the printed text alone."""
    match = LIMIT.fullmatch(text)
    assert match is not None, text
    limit: Any = match["limit"]
    values = series
    if pd.api.types.is_numeric_dtype(series):
        limit = float(limit)
    elif pd.api.types.is_datetime64_any_dtype(series):
        limit = pd.Timestamp(limit.removesuffix(" UTC"), tz="UTC" if limit.endswith(" UTC") else None)
    words = match["words"]
    if words == "=":
        return (values == limit).to_numpy()
    if words in ("at most", "on or before", "at or before"):
        return (values <= limit).to_numpy()
    return (values >= limit).to_numpy()


def drawn(kind: str, rng: np.random.Generator) -> pd.Series:
    n = int(rng.integers(20, 400))
    start = pd.Timestamp("1969-06-01") + pd.to_timedelta(int(rng.integers(0, 30_000)), "D")
    if kind == "any float":
        values: Any = rng.normal(size=n) * 10.0 ** rng.integers(-12, 12)
    elif kind == "close together":
        base = rng.normal() * 10.0 ** rng.integers(-3, 6)
        values = base * (1 + rng.integers(-30, 30, n) * np.finfo(float).eps * 4)
    elif kind == "share":
        values = 1 - rng.exponential(10.0 ** -rng.integers(1, 12), n)
    elif kind == "huge and tiny":
        values = rng.choice([-1.0, 1.0], n) * 10.0 ** rng.uniform(-320, 308, n)
    elif kind == "all huge":
        values = rng.uniform(-1.7, 1.7, n) * 1e308
    elif kind == "single precision":
        values = rng.normal(size=n).astype(np.float32)
    elif kind == "ties":
        values = np.round(rng.normal(size=n), int(rng.integers(0, 3)))
    elif kind == "whole":
        values = rng.integers(-(10 ** int(rng.integers(1, 15))), 10 ** int(rng.integers(1, 15)), n)
    elif kind == "year":
        values = rng.integers(1950, 2030, n)
    elif kind == "date":
        values = start + pd.to_timedelta(rng.integers(0, 3000, n), "D")
    elif kind == "zone":
        values = (start + pd.to_timedelta(rng.integers(0, 10**9, n), "s")).tz_localize("UTC")
    else:
        steps = {"time": 1_000_000, "moment": 1}[kind] * rng.integers(0, 10 ** int(rng.integers(3, 10)), n)
        values = start + pd.to_timedelta(steps, "us")
    series = pd.Series(values, name="x")
    if rng.random() < 0.3:
        series = series.mask(rng.random(n) < 0.2)
    return series


KINDS = (
    "any float",
    "close together",
    "share",
    "huge and tiny",
    "all huge",
    "single precision",
    "ties",
    "whole",
    "year",
    "date",
    "time",
    "zone",
    "moment",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_printed_limit_selects_exactly_the_rows_of_its_condition(kind: str) -> None:
    n_checked = 0
    for seed in range(60):
        series = drawn(kind, np.random.default_rng(seed))
        column, conditions = conditions_of(series)
        if column.kind != "number":
            continue  # a few whole numbers are codes
        texts = [condition.text for condition in conditions]
        assert len(set(texts)) == len(texts)
        for condition in conditions:
            np.testing.assert_array_equal(meets(condition.tests, [column], len(series)), condition.mask)
            if condition.text != "x is missing":
                np.testing.assert_array_equal(rows_by_text(condition.text, series), condition.mask, condition.text)
                n_checked += 1
    assert n_checked > 100


def test_a_date_is_read_as_a_date_a_time_as_a_time_and_a_year_without_a_comma() -> None:
    days = pd.Timestamp("2022-01-01") + pd.to_timedelta(np.arange(400), "D")
    times = pd.Timestamp("2022-01-01 08:30") + pd.to_timedelta(np.arange(400), "h")
    texts = {c.text for c in conditions_of(pd.Series(days, name="taken"))[1]}
    assert {"taken on or before 2022-02-09", "taken on or after 2022-10-28"} <= texts
    texts = {c.text for c in conditions_of(pd.Series(times, name="taken"))[1]}
    assert "taken at or after 2022-01-13 20:00" in texts
    texts = {c.text for c in conditions_of(pd.Series(times.tz_localize("UTC").astype(str), name="taken"))[1]}
    assert "taken at or after 2022-01-13 20:00 UTC" in texts
    texts = {c.text for c in conditions_of(pd.Series(np.arange(1900, 2025), name="year"))[1]}
    assert "year at least 2012" in texts


def test_close_limits_of_a_share_read_apart_and_none_reads_as_one() -> None:
    quality = 1 - np.random.default_rng(0).exponential(0.0004, 600)
    texts = [c.text for c in conditions_of(pd.Series(quality, name="quality"))[1]]
    assert len(set(texts)) == 4
    assert not {"quality at least 1", "quality at most 0.999"} & set(texts)


def test_conditions_that_would_read_alike_have_different_texts() -> None:
    columns = [
        Column("a", "category", np.array(["b = c", "x"] * 40, object)),
        Column("a = b", "category", np.array(["c", "d", "d", "c"] * 20, object)),
        Column("size", "number", np.arange(80.0)),
        Column("size", "number", np.roll(np.arange(80.0), 40), measured=True),
    ]
    conditions, _ = build_conditions(columns, smallest=5, most=500)
    texts = [c.text for c in conditions]
    assert {"a = b = c", "a = b = c (2)", "size at most 7.9", "size at most 7.9 (2)"} <= set(texts)
    assert len(set(texts)) == len(texts)
