"""Filters by columns, and how an address writes them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Column
from tests.support.diagnoses import CLASSES, make_diagnosis
from webapp.state.filters import MAX_FILTERS, Filter, describe_filter, read_filters, rows_kept, written
from webapp.state.session import MAX_UNDO_STEPS, Session, selected_rows

DIAGNOSIS = make_diagnosis()


def kept(*filters: Filter) -> list[int]:
    return np.flatnonzero(rows_kept(DIAGNOSIS, filters)).tolist()


def test_a_range_holds_its_lower_end_and_not_its_upper_one() -> None:
    loss = DIAGNOSIS.outcomes.loss
    low, high = np.sort(loss)[[10, 30]].tolist()
    assert kept(Filter("loss", low, high)) == np.flatnonzero((loss >= low) & (loss < high)).tolist()
    assert len(kept(Filter("loss", low, high))) == 20
    assert kept(Filter("loss")) == list(range(60))


def test_values_and_missing_ones_are_kept_together() -> None:
    weather = next(c for c in DIAGNOSIS.samples.metadata if c.name == "weather").values
    assert kept(Filter("meta:weather", values=("fog", None))) == [
        i for i, w in enumerate(weather) if w in ("fog", None)
    ]
    assert kept(Filter("property:brightness", values=(None,))) == [5]


def test_filters_are_all_to_be_passed_and_an_unknown_value_keeps_none() -> None:
    one, other = Filter("class", values=(CLASSES[0],)), Filter("loss", low=float(np.median(DIAGNOSIS.outcomes.loss)))
    assert set(kept(one, other)) == set(kept(one)) & set(kept(other)) != set()
    assert kept(Filter("class", values=("no such class",))) == []


def test_a_search_finds_ids_and_categories_in_small_and_capital_letters() -> None:
    name = DIAGNOSIS.samples.ids[7]
    assert 7 in kept(Filter("text", values=(name.upper(),)))
    assert set(kept(Filter("text", values=("FOG",)))) >= set(kept(Filter("meta:weather", values=("fog",))))
    assert kept(Filter("text", values=("nowhere to be found",))) == []


def test_what_is_written_is_read_again() -> None:
    filters = (
        Filter("loss", 0.25, math.inf),
        Filter("loss", -math.inf, 1.5),
        Filter("class", values=(CLASSES[1], None)),
        Filter("property:brightness", values=(None,)),
        Filter("text", values=('"a" & b',)),
    )
    assert read_filters(written(filters), DIAGNOSIS) == filters


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[" * 5000,
        "{}",
        '["loss"]',
        '[["loss"]]',
        '[["loss", "a", 1]]',
        '[["loss", true, 1]]',
        '[["loss", 1e999, 1]]',
        '[["loss", "a"]]',
        '[["class", 3]]',
        '[["class", ["a"]]]',
        '[["__class__", "x"]]',
        '[["text", ""]]',
        '[["text", "a", "b"]]',
        json.dumps([["text", "x" * 201]]),
        json.dumps([["class", "x" * 201]]),
        json.dumps([["loss", 0, 1]] * (MAX_FILTERS + 1)),
        json.dumps([["class", *("x" * 61)]]),
    ],
)
def test_what_nobody_of_ours_wrote_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_filters(text, DIAGNOSIS)


def test_filters_are_said_in_words() -> None:
    assert describe_filter(DIAGNOSIS, Filter("loss", 0.5, 1.25)) == "loss from 0.50 to below 1.25"
    assert describe_filter(DIAGNOSIS, Filter("loss", low=2)) == "loss from 2.00"
    assert describe_filter(DIAGNOSIS, Filter("loss", high=2)) == "loss below 2.00"
    assert describe_filter(DIAGNOSIS, Filter("meta:weather", values=("fog", None))) == "weather is fog or missing"
    assert describe_filter(DIAGNOSIS, Filter("class", values=tuple("abcd"))) == "class is one of 4 values"


def test_an_end_of_a_filter_reads_as_what_it_keeps() -> None:
    n = len(DIAGNOSIS.samples)
    close = Column("quality", "number", np.where(np.arange(n) % 2, 0.9999, 0.9991))
    taken = Column("taken", "number", 19_000.0 + np.arange(n), form="date")
    year = Column("year", "number", 1900.0 + np.arange(n) % 100, form="year")
    made = replace(DIAGNOSIS, samples=replace(DIAGNOSIS.samples, metadata=(close, taken, year)))
    assert describe_filter(made, Filter("meta:quality", low=0.9995)) == "quality from 0.9995"
    assert describe_filter(made, Filter("meta:taken", low=19_003.4)) == "taken from 2022-01-12"
    assert describe_filter(made, Filter("meta:year", 1905, 1910.5)) == "year from 1905 to below 1911"


def test_filters_keep_a_part_of_what_is_picked() -> None:
    members = selected_rows(Session(cluster=0), DIAGNOSIS)
    loud = Filter("loss", low=float(np.median(DIAGNOSIS.outcomes.loss[members])))
    both = selected_rows(Session(cluster=0, filters=(loud,)), DIAGNOSIS)
    assert 0 < len(both) < len(members)
    assert set(both) == set(members) & set(kept(loud))


def test_what_was_picked_can_be_undone_step_by_step_and_not_without_end() -> None:
    first = Session("run", colour="spread").only(cluster=1)
    second = first.filtered((Filter("loss", 0, 1),))
    third = second.only(row=4)
    assert third.undone().filters == second.filters
    assert third.undone().cluster == 1
    assert not third.undone().undone().filters
    back = third.undone().undone().undone()
    assert not back.picked
    assert back.undone() is back
    assert back.colour == "spread"
    many = first
    for row in range(100):
        many = many.only(row=row)
    assert len(many.past) == MAX_UNDO_STEPS
    assert not any(one.past for one in many.past)
