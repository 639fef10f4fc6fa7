"""Charts of composition: lengths are shares, and nothing is drawn of what is not there."""

from __future__ import annotations

import re

import pytest

from core.probes.epochs import Epoch
from core.records import Estimate
from core.reports.html.composition_charts import bars, guessed_picks, picks_bar, training_curve

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
    assert [text.replace("\u202f", " ") for text in re.findall(r">([^<>]+)</text>", chart)] == ["50 %", "25 %", "22 %"]
    assert re.findall(r'rect class="(\w+)"', guessed_picks()) == ["right", "same", "crossed"]


PASSES = [Epoch(0, None, 1.0, 0.0), Epoch(1, 2.0, 0.5, 0.5), Epoch(2, 1.0, 0.8, 1.0)]


def test_the_curve_marks_the_epoch_that_was_kept() -> None:
    curve = training_curve(PASSES, 1, losses=True)
    assert curve.dots == (("0.0", "98.0", False), ("50.0", "50.0", True), ("100.0", "2.0", False))
    lines = {name: points.split() for name, points in curve.lines}
    assert lines["curve"] == ["0.0,98.0", "50.0,50.0", "100.0,2.0"]
    assert lines["training"] == ["50.0,2.0", "100.0,50.0"]  # the highest loss of both is the top
    assert lines["loss"][0] == "0.0,50.0"
    assert "50\u202f% after epoch 1" in curve.said
    assert curve.epochs == 2


def test_without_a_kept_epoch_the_most_accurate_one_is_marked() -> None:
    assert [best for _, _, best in training_curve(PASSES).dots] == [False, False, True]
    assert [best for _, _, best in training_curve(PASSES[:1]).dots] == [True]
    assert training_curve([Epoch(0, None, 1.0, NAN), *PASSES[1:]], 2).dots[0] == ("50.0", "50.0", False)
