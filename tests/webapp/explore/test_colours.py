"""What colors the map: a byte for each row, a legend, and a key that may come from anybody."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Column, Diagnosis
from core.reports.tables.columns import columns_of
from tests.support.diagnoses import make_diagnosis
from webapp.explore.colours import MAX_HUES, MISSING, OTHER_BYTE, VALUE_STEPS, ZERO, colouring, on_scale


def bytes_of(sent: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(sent["values"]), np.uint8)


def with_column(made: Diagnosis, *columns: Column) -> Diagnosis:
    return replace(made, samples=replace(made.samples, metadata=columns))


def test_every_column_colours_every_row() -> None:
    made = make_diagnosis()
    for column in columns_of(made):
        sent = colouring(made, "run-7", column.key)
        assert (sent["run"], sent["key"], len(bytes_of(sent))) == ("run-7", column.key, 60)
        assert sent["missing"] == int((bytes_of(sent) == MISSING).sum())
        assert [c["key"] for c in sent["choices"]] == [c.key for c in columns_of(made)]


def test_the_ends_of_a_bar_are_percentiles_and_what_lies_beyond_has_their_colour() -> None:
    made = make_diagnosis()
    sent, loss = colouring(made, "", "loss"), made.outcomes.loss
    assert (sent["low"], sent["high"]) == tuple(np.percentile(loss, [2, 98]))
    back = sent["low"] + bytes_of(sent) / VALUE_STEPS * (sent["high"] - sent["low"])
    assert (
        np.abs(back - np.clip(loss, sent["low"], sent["high"])).max()
        <= (sent["high"] - sent["low"]) / VALUE_STEPS / 1.99
    )


def test_zero_stays_in_the_middle_of_a_diverging_scale() -> None:
    codes, low, high = on_scale(np.array([-1.0, 0.0, 0.0, 3.0]), diverging=True)
    assert low == -high
    assert codes[1] == ZERO
    assert codes[0] < ZERO < codes[3]


@pytest.mark.parametrize(
    "values", [[np.nan] * 4, [2.0] * 4, [np.inf, -np.inf, 0.0, 1.0], [-1.7e308, 1.7e308, 0.0, np.nan]]
)
def test_odd_numbers_give_bytes_and_finite_ends(values: list[float]) -> None:
    codes, low, high = on_scale(np.array(values))
    assert np.array_equal(codes == MISSING, ~np.isfinite(values))
    assert not np.isnan([low, high]).any()


def test_many_values_share_one_byte_and_counts_add_up() -> None:
    made = make_diagnosis()
    many = np.array([f"v{min(i % 20, i % 7)}" if i % 9 else None for i in range(60)], object)
    many[:13] = [f"rare {i}" for i in range(13)]
    sent = colouring(with_column(made, Column("many", "category", many)), "", "meta:many")
    codes, legend = bytes_of(sent), sent["legend"]
    assert len(legend) == MAX_HUES + 1
    assert legend[-1]["label"].endswith("other")
    assert [entry["count"] for entry in legend] == np.bincount(
        codes[codes != MISSING], minlength=OTHER_BYTE + 1
    ).tolist()
    assert sum(entry["count"] for entry in legend) + sent["missing"] == 60
    counts = [entry["count"] for entry in legend[:-1]]
    assert counts == sorted(counts, reverse=True)


def test_a_cluster_has_the_place_of_its_number_and_a_class_one_place_in_label_and_prediction() -> None:
    made = make_diagnosis(n_clusters=2)
    rows = made.cluster_of()[0]
    codes = bytes_of(colouring(made, "", "cluster"))
    np.testing.assert_array_equal(codes, np.where(rows < 0, MISSING, rows))
    labels, predictions = (
        [entry["label"] for entry in colouring(made, "", key)["legend"]] for key in ("class", "prediction")
    )
    assert labels == predictions


@pytest.mark.parametrize("key", ["", "meta:nothing", "__class__", "loss ", "x" * 9000])
def test_a_column_that_is_not_there_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="no column"):
        colouring(make_diagnosis(), "", key)
