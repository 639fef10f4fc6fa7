"""The columns that the map, the charts and the table share."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np

from core.checks.second_model import with_outcomes
from core.records import Column, Diagnosis, Outcomes
from core.reports.tables.columns import MAX_KEY, ShownColumn, coded, column_of, columns_of
from tests.support.diagnoses import CLASSES, make_diagnosis


def test_what_was_found_stands_before_the_table_and_that_before_what_was_measured() -> None:
    made = make_diagnosis()
    keys = [column.key for column in columns_of(made)]
    found = ["loss", "predicted", "residual", "spread", "cluster", "class", "prediction", "confused"]
    assert keys == [*found, "meta:weather", "meta:pred", "property:brightness"]
    assert {len(column.values) for column in columns_of(made)} == {60}


def test_a_prediction_of_the_table_that_the_run_shows_is_listed_once() -> None:
    made = make_diagnosis()
    shown = column_of(made, "prediction")
    assert shown is not None

    def with_column(values: Any) -> Diagnosis:
        table = (Column("prediction", "category", values),)
        return replace(made, samples=replace(made.samples, model_outputs=table))

    def keys(values: Any) -> list[str]:
        return [column.key for column in columns_of(with_column(values)) if column.title == "prediction"]

    missing = shown.values.copy()
    missing[4] = None
    assert keys(shown.values.copy()) == ["prediction"]
    assert keys(missing) == ["prediction", "meta:prediction"]
    of_before = column_of(with_column(shown.values.copy()), "meta:prediction")  # as links of before say
    assert of_before is not None
    assert of_before.key == "prediction"
    assert column_of(made, "meta:prediction") is None


def test_values_are_those_of_the_run() -> None:
    made = make_diagnosis()
    values = {column.key: column.values for column in columns_of(made)}
    np.testing.assert_array_equal(values["residual"], made.outcomes.loss - made.estimate.predicted)
    assert values["class"].tolist() == [CLASSES[i % 3] for i in range(60)]
    rows, _ = made.cluster_of()
    assert values["cluster"].tolist() == [None if c < 0 else str(c + 1) for c in rows]
    assert values["meta:weather"][3] is None
    assert np.isnan(values["property:brightness"][5])


def test_a_confused_pair_is_named_where_the_model_is_wrong_alone() -> None:
    made = make_diagnosis()
    pairs = column_of(made, "confused")
    labels, predictions = made.samples.labels, made.outcomes.predictions
    assert pairs is not None
    assert labels is not None
    assert predictions is not None
    wanted = [f"{CLASSES[a]} → {CLASSES[b]}" if a != b else None for a, b in zip(labels, predictions, strict=True)]
    assert pairs.values.tolist() == wanted
    assert set(wanted) != {None}


def test_another_model_is_a_column_of_what_it_fixed_and_broke() -> None:
    made = make_diagnosis()
    first = made.outcomes.errors
    assert first is not None
    rows, wrong = np.arange(0, 60, 2), np.arange(30) % 3 == 0
    outcomes = Outcomes(wrong.astype(float), "0/1 error", "error", "given", errors=wrong)
    column = column_of(with_outcomes(made, "new", "given", outcomes, rows, "Read."), "beside:new")
    assert column is not None
    words = {(False, False): "both right", (True, False): "fixed", (False, True): "broken", (True, True): "both wrong"}
    assert column.values[::2].tolist() == [words[bool(a), bool(b)] for a, b in zip(first[rows], wrong, strict=True)]
    assert set(column.values[1::2]) == {None}


def test_the_values_of_a_category_stand_by_their_number() -> None:
    column = ShownColumn("meta:x", "x", "category", np.array(["b", None, "a", "a", "b", "a"], object))
    names, codes = coded(column)
    assert names == ("a", "b")
    assert codes.tolist() == [1, -1, 0, 0, 1, 0]


def test_a_run_without_clusters_classes_or_errors_lacks_their_columns() -> None:
    made = make_diagnosis(n_clusters=0, with_errors=False)
    made = replace(made, samples=replace(made.samples, labels=None))
    assert not {"cluster", "class", "prediction", "confused"} & {column.key for column in columns_of(made)}


def test_one_name_in_the_table_and_among_the_measured_is_two_columns_and_free_text_is_none() -> None:
    made = make_diagnosis()
    texts = np.array(["a"] * 60, object)
    more = (Column("brightness", "number", np.arange(60.0)), Column("note", "text", texts))
    long = Column("x" * (MAX_KEY + 1), "category", texts)
    made = replace(made, samples=replace(made.samples, metadata=(*made.samples.metadata, *more, long)))
    keys = [column.key for column in columns_of(made)]
    assert {"meta:brightness", "property:brightness"} <= set(keys)
    assert not any("note" in key or "xxx" in key for key in keys)


def test_a_key_from_anybody_is_only_looked_up() -> None:
    made = make_diagnosis()
    assert column_of(made, "loss") is columns_of(made)[0]
    assert column_of(made, "__class__") is None


def test_columns_are_made_once_and_go_with_their_run() -> None:
    made = make_diagnosis()
    assert columns_of(made) is columns_of(made)
    gone = weakref.ref(made)
    del made
    gc.collect()
    assert gone() is None
