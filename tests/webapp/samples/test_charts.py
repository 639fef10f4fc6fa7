"""Charts of columns: their bars, what they say, and in which order they stand."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from core.records import I64, Column, Diagnosis
from core.reports.tables.columns import ShownColumn
from tests.support.diagnoses import make_diagnosis
from tests.support.showcase import make_showcase
from webapp.samples.charts import MAX_BARS, MAX_CHARTS, N_BINS, Chart, bins_of, chart_keys, charts
from webapp.state.filters import Filter, read_filter, rows_kept

DIAGNOSIS = make_diagnosis()


def number(values: object) -> ShownColumn:
    return ShownColumn("meta:x", "x", "number", np.asarray(values, np.float64))


def category(values: list[str | None]) -> ShownColumn:
    return ShownColumn("meta:x", "x", "category", np.array(values, object))


def drawn(diagnosis: Diagnosis, picked: I64 | None = None, *filters: Filter) -> dict[str, Chart]:
    return {chart.key: chart for chart in charts(diagnosis, lambda key: picked, filters)}


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=500),
        np.random.default_rng(0).exponential(size=500) ** 2,
        [0.0] * 400 + [5.0],
        [1.0, 2.0, 2.0, float("nan")],
        [float("nan")] * 3,
        [-1e300, 0.0, 1e300],
        list(range(N_BINS + 1)),
    ],
)
def test_every_row_lies_in_the_bar_whose_filter_keeps_it(values: object) -> None:
    column = number(values)
    bins = bins_of(column)
    assert bins.counts().sum() == len(column.values)
    assert len(bins.parts) == len(bins.labels) <= N_BINS + 1
    for row, value in enumerate(column.values):
        held = [np.isnan(value) if part.values else bool(part.low <= value < part.high) for part in bins.parts]
        assert held.index(True) == bins.places[row]
        assert sum(held) == 1


def test_bars_of_close_values_and_of_dates_read_apart() -> None:
    rng = np.random.default_rng(0)
    close = bins_of(number(1 - rng.exponential(1e-4, 400)))
    assert len(set(close.labels)) == len(close.labels)
    dates = bins_of(replace(number(rng.integers(19_000, 19_400, 400)), form="date"))
    assert re.fullmatch(r"2022-\d\d-\d\d to 2022-\d\d-\d\d", dates.labels[1])
    years = bins_of(replace(number(rng.integers(2000, 2010, 400)), form="year"))
    assert years.labels == tuple(map(str, range(2000, 2010)))


def test_losses_near_nothing_are_spread_over_more_than_one_bar() -> None:
    losses = np.random.default_rng(1).exponential(size=2000) ** 2
    assert bins_of(number(losses)).counts().max() < 0.3 * len(losses)


def test_the_most_frequent_values_have_bars_and_the_others_are_counted() -> None:
    values: list[str | None] = [*("abcdefghij" * 2), "j", "j", None]
    bins = bins_of(category(values))
    assert bins.labels[0] == "j"
    assert bins.labels[-1] == "missing"
    assert len(bins.labels) == MAX_BARS + 1
    assert bins.more == 3
    assert bins.counts()[0] == 4
    assert bins.counts()[-1] == 1


def test_a_bar_says_how_many_and_how_many_are_wrong() -> None:
    bar = drawn(DIAGNOSIS, np.arange(10))["class"].bars[0]
    part = read_filter(json.loads(bar.part), DIAGNOSIS)
    rows = rows_kept(DIAGNOSIS, [part])
    assert DIAGNOSIS.outcomes.errors is not None
    rate = round(100 * DIAGNOSIS.outcomes.errors[rows].mean())
    assert bar.text == f"{bar.label}: {rows.sum()} samples, {rows[:10].sum()} selected, {rate}% wrong"


def test_a_chart_shows_its_filter_and_leaves_its_own_selection_alone() -> None:
    chosen = Filter("class", values=(str(drawn(DIAGNOSIS)["class"].bars[1].label),))
    chart = drawn(DIAGNOSIS, None, chosen)["class"]
    assert [bar.is_kept for bar in chart.bars] == [False, True, False]
    assert chart.filtered
    assert not any(bar.picked_share for bar in chart.bars)


def test_the_columns_that_go_with_the_loss_come_first() -> None:
    loss, n = DIAGNOSIS.outcomes.loss, len(DIAGNOSIS.samples)
    rng = np.random.default_rng(2)
    told = Column("told", "number", loss + 0.1 * rng.normal(size=n))
    noise = [Column(f"noise{i}", "number", rng.normal(size=n)) for i in range(MAX_CHARTS)]
    made = replace(DIAGNOSIS, insights=(), samples=replace(DIAGNOSIS.samples, metadata=(*noise, told)))
    keys = chart_keys(made)
    assert keys[:4] == ("loss", "cluster", "confused", "class")
    assert keys[4] == "meta:told"
    assert len(keys) == MAX_CHARTS


def test_a_value_that_is_called_right_is_measured_like_any_other() -> None:
    made = make_showcase(80)
    sides = np.array(["left"] * 50 + ["right"] * 30, object)
    samples = replace(made.samples, metadata=(Column("side", "category", sides),))
    left, right = drawn(replace(made, samples=samples), np.arange(50, 80))["meta:side"].bars
    assert (left.picked_share, right.picked_share) == (0, 1)
    assert left.share == pytest.approx(0.625)
