"""Figures as people read them."""

from __future__ import annotations

import numpy as np
import pytest

from core.numbers import (
    bracketed,
    count,
    digits_for,
    interval,
    listed,
    number,
    p_value,
    percent,
    points,
    signed,
    with_interval,
)
from core.records import Estimate

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0234, "1.02"),
        (-0.4, "−0.40"),
        (0.0123, "0.012"),
        (12345.6, "12,346"),
        (0, "0.00"),
        (-0.0, "0.00"),
        (float("inf"), "–"),
        (NAN, "–"),
        (None, "–"),
    ],
)
def test_numbers_keep_about_three_figures(value: float | None, text: str) -> None:
    assert number(value) == text


def test_nouns_are_counted() -> None:
    assert (count(1, "class"), count(1204, "class"), count(2, "sample")) == ("1 class", "1,204 classes", "2 samples")
    assert (count(2, "query"), count(2, "day")) == ("2 queries", "2 days")
    assert (count(1, "query"), count(2, "query")) == ("1 query", "2 queries")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4567, "46%"), (0.0456, "4.6%"), (0.0, "0%"), (1.0, "100%"), (-0.05, "−5.0%"), (NAN, "–"), (None, "–")],
)
def test_percentages(value: float | None, text: str) -> None:
    assert percent(value) == text


def test_decimals_of_a_percentage_can_be_asked_for() -> None:
    found = Estimate(0.4567, 0.4, 0.5)
    assert (percent(0.4567, 1), points(-0.4567, digits=1)) == ("45.7%", "−45.7 points")
    assert interval(found, share=True, digits=1) == "40.0 to 50.0%"


def test_a_value_stands_before_its_interval_and_alone_without_one() -> None:
    assert with_interval(Estimate(0.43, 0.4, 0.46), share=True) == "43% (40 to 46%)"
    assert with_interval(Estimate(1.5, NAN, NAN)) == "1.50"
    assert with_interval(None) == "–"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (None, "not tested"),
        (NAN, "not tested"),
        (0.0002, "p < 0.001"),
        (0.0416, "p = 0.042"),
        (0.5, "p = 0.50"),
        (1.0, "p = 1.00"),
    ],
)
def test_p_values(p: float | None, text: str) -> None:
    assert p_value(p) == text
    assert p_value(p, bare=True) == text.removeprefix("p ").removeprefix("= ").replace("not tested", "–")


def test_numbers_and_intervals() -> None:
    assert (number(-1234.5, 2), number(-0.001, 2), number(12.0, 0)) == ("−1,234.50", "0.00", "12")
    assert [signed(v, 2) for v in (0.001, 0.5, -0.5, -0.001)] == ["0.00", "+0.50", "−0.50", "0.00"]
    assert (points(0.45), points(0.04), points(-0.01), points(float("nan"))) == (
        "45 points",
        "4.0 points",
        "−1.0 points",
        "–",
    )
    assert (points(0.45, sign=True), points(-0.05, sign=True), points(0.0, sign=True)) == (
        "+45 points",
        "−5.0 points",
        "0 points",
    )
    assert listed(["a", "b", "c"], 2) == "a; b; and 1 more"
    assert interval(Estimate(0.4, 0.3, 0.5)) == "0.30 to 0.50"
    assert interval(Estimate(-0.1, -0.15, -0.037)) == "−0.15 to −0.04"
    assert interval(Estimate(0.0, -0.05, 0.0123)) == "−0.050 to 0.012"
    assert interval(Estimate(0.5, 0.003, 1.2), digits=2) == "0.003 to 1.20"  # no "0.00", which it is not
    assert interval(Estimate(0.5, -0.0041, 1.2)) == "−0.004 to 1.20"
    assert interval(Estimate(0.5, 1e-17, 1.2)) == interval(Estimate(0.5, 0.0, 1.2)) == "0.00 to 1.20"
    assert interval(Estimate(90.0, 80.0, 1200.0)) == "80 to 1,200"
    assert interval(Estimate(0.4, 0.3, 0.5), share=True) == "30 to 50%"
    assert interval(Estimate(0.4, -0.044, 0.168), points=True) == "−4.4 to +17"
    assert interval(Estimate(NAN, NAN, NAN)) == interval(None) == "no interval"
    assert bracketed(Estimate(0.31, 0.24, 0.38), share=True) == "(24 to 38%)"
    assert bracketed(Estimate(0.3, NAN, 1.0)) == bracketed(None) == ""


@pytest.mark.parametrize(("scale", "digits"), [(1.0, 2), (50.0, 1), (5000.0, 0), (0.05, 3), (0.0005, 5), (0.0, 2)])
def test_the_decimals_follow_the_spread_of_the_loss(scale: float, digits: int) -> None:
    assert digits_for(scale * np.array([0.0, 2.0])) == digits  # a standard deviation of `scale`
