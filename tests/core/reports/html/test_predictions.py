"""Predictions as report and page show them."""

from __future__ import annotations

from dataclasses import replace

from core.records import Estimate, Prediction, PredictionRow
from core.reports.html.predictions import prediction_tables
from tests.support.diagnoses import make_diagnosis


def a_row(**changes: object) -> PredictionRow:
    whole = PredictionRow(
        "phrase",
        "in fog",
        "all samples",
        40,
        predicted=Estimate(0.5, 0.4, 0.6),
        expected=Estimate(0.5, 0.25, 0.75),
        observed=Estimate(1.0, 0.8, 1.0),
        rest=0.1,
        p=0.002,
        as_predicted=False,
        measure="error rate",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def a_prediction(*rows: PredictionRow, measure: str = "error rate") -> Prediction:
    return Prediction("ab" * 32, 200, measure, "fresh.csv", rows)  # type: ignore[arg-type]


def test_error_rates_are_percentages_and_losses_are_not() -> None:
    share = prediction_tables(make_diagnosis(), a_prediction(a_row()))[0]
    assert (share.low, share.high, share.lines[0].expected) == ("0%", "100%", "25 to 75%")
    loss = prediction_tables(make_diagnosis(), a_prediction(a_row(measure="mean loss")))[0]
    assert loss.lines[0].expected == "0.25 to 0.75"
    assert float(loss.low) < 0.25
    assert float(loss.high) > 1.0


def test_what_is_unknown_is_a_dash_and_its_interval_is_left_out() -> None:
    line = prediction_tables(make_diagnosis(), a_prediction(a_row(kind="your lasso", observed=None, rest=None)))[
        0
    ].lines[0]
    assert (line.observed, line.seen, line.rest) == ("–", "", "–")
    assert not line.is_finding
    assert line.verdict == ""


def test_the_two_measures_stand_in_tables_of_their_own() -> None:
    mixed = a_prediction(a_row(measure="mean loss", text="dark"), a_row(), a_row(kind="your lasso"))
    rates, losses = prediction_tables(make_diagnosis(), mixed)
    assert rates.measure == "error rate"
    assert losses.measure.startswith("mean cross-entropy, in nats")
    assert [line.kind for line in rates.lines] == ["phrase", "your lasso"]
    assert [line.name for line in losses.lines] == ['"dark"']
    assert "%" in rates.lines[0].predicted
    assert "%" not in losses.lines[0].predicted + losses.lines[0].expected + losses.lines[0].rest + losses.high
    assert losses.lines[0].verdict == "holds, by a different amount"
    assert losses.lines[0].state == "partly"
