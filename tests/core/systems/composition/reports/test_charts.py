"""Charts of composition: lengths are shares, and nothing is drawn of what is not there."""

from __future__ import annotations

import re

import pytest

from core.records import Estimate
from core.systems.composition.reports.charts import bars, guessed_picks, picks_bar

NAN = float("nan")


def test_a_bar_is_as_long_as_its_value_and_chance_stands_where_it_is() -> None:
    chart = bars([(Estimate(0.5, 0.25, 0.75), "one"), (Estimate(1.0, 1.0, 1.0), "two")], 0.25)
    assert [float(w) for w in re.findall(r'width="([\d.]+)"', chart)] == [146.0, 292.0]
    assert 'd="M77.0 8.0H223.0"' in chart
    assert '<path class="chance" d="M77.0 0V32"/>' in chart


def test_what_is_undefined_is_not_drawn() -> None:
    chart = bars([(Estimate(NAN, NAN, NAN), "one")], None)
    assert "rect" not in chart
    assert "chance" not in chart
    assert "whisker" not in bars([(Estimate(0.5, NAN, NAN), "one")], NAN)


def test_four_shares_fill_the_bar_and_small_ones_have_no_room_for_words() -> None:
    chart = picks_bar(0.5, 0.25, 0.22, 0.03)
    assert sum(float(w) for w in re.findall(r'width="([\d.]+)"', chart)) == pytest.approx(600)
    assert [text.replace("\u00a0", " ") for text in re.findall(r">([^<>]+)</text>", chart)] == ["50%", "25%", "22%"]
    assert re.findall(r'rect class="(\w+)"', guessed_picks()) == ["right", "same", "crossed"]
