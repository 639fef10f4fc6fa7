"""Conditions on columns: what they say is what their masks hold."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.data.images.properties import PROPERTIES
from core.discovery.conditions import (
    MAX_CATEGORIES,
    MIN_PAIR_ROWS,
    UNTESTED_PROPERTIES,
    Condition,
    build_conditions,
    columns_to_test,
    meets,
)
from core.records import Column


def number(name: str, values: Sequence[float] | np.ndarray) -> Column:
    return Column(name, "number", np.asarray(values, float))


def category(name: str, values: Sequence[str | None]) -> Column:
    return Column(name, "category", np.array(values, dtype=object))


def build(*columns: Column, smallest: int = 1, most: int = 500) -> tuple[dict[str, Condition], tuple[str, ...]]:
    conditions, notes = build_conditions(columns, smallest=smallest, most=most)
    assert len({c.text for c in conditions}) == len(conditions)
    return {c.text: c for c in conditions}, notes


def test_a_number_is_cut_at_its_outer_tenths_and_quarters() -> None:
    values = np.random.default_rng(0).permutation(np.arange(101.0))
    found, notes = build(number("age", values))
    assert list(found) == ["age at most 10", "age at least 90", "age at most 25", "age at least 75"]
    np.testing.assert_array_equal(found["age at most 10"].mask, values <= 10)
    np.testing.assert_array_equal(found["age at least 75"].mask, values >= 75)
    assert [c.broad for c in found.values()] == [False, False, True, True]
    assert notes == ()


def test_a_number_of_few_values_is_read_as_categories() -> None:
    found, _ = build(number("doors", [2, 4, 2, 4, 5, 2]))
    assert list(found) == ["doors = 2", "doors = 4", "doors = 5"]
    np.testing.assert_array_equal(found["doors = 4"].mask, [False, True, False, True, False, False])


def test_what_is_counted_in_a_text_is_said_in_plain_words_and_a_column_of_that_name_is_not() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 3.0, 7.0, 9.0], 10)
    found, _ = build(replace(number("negations", values), measured=True))
    assert list(found) == ["no negation", "at least 9 negations", "at most one negation", "at least 7 negations"]
    np.testing.assert_array_equal(found["no negation"].mask, values == 0)
    assert found["no negation"].tests == (("negations", "<=", 0.0),)
    assert next(iter(build(number("negations", values))[0])) == "negations at most 0"
    few, _ = build(replace(number("capital share", [0, 0, 0.5, 1]), measured=True))
    assert list(few) == ["no capital letter", "capital share = 0.5", "capital letters alone"]


@pytest.mark.parametrize("values", [np.arange(40.0), np.arange(40) % 3], ids=["many values", "few values"])
def test_missing_numbers_meet_no_range_and_make_a_condition_of_their_own(values: np.ndarray) -> None:
    values = values.astype(float)
    values[:6] = np.nan
    found, _ = build(number("age", values))
    np.testing.assert_array_equal(found["age is missing"].mask, np.arange(40) < 6)
    assert not any(c.mask[:6].any() for text, c in found.items() if "missing" not in text)


def test_missing_categories_meet_no_category_not_even_one_called_none() -> None:
    found, _ = build(category("weather", ["fog", None, "None", "fog", None, "sun"]))
    np.testing.assert_array_equal(found["weather is missing"].mask, [False, True, False, False, True, False])
    np.testing.assert_array_equal(found["weather = None"].mask, [False, False, True, False, False, False])


def test_a_column_without_values_gives_no_condition() -> None:
    assert build(number("age", [np.nan] * 9), category("weather", [None] * 9))[0] == {}


def test_a_language_that_all_texts_have_of_which_it_is_told_is_no_condition() -> None:
    """It would be one of length; a column of the user's own keeps its values, missing ones too."""
    told = category("language", ["en"] * 60 + [None] * 20 + ["de"] * 9)
    assert build(replace(told, measured=True), smallest=10)[0] == {}
    assert list(build(told, smallest=10)[0]) == ["language = en", "language is missing"]
    found, _ = build(replace(told, measured=True), smallest=9)
    assert list(found) == ["language = en", "language = de", "language unknown"]


def test_text_columns_are_passed_over() -> None:
    assert build(Column("caption", "text", np.array(["a", "b", "c"] * 5, dtype=object)))[0] == {}


def test_a_condition_has_enough_rows_on_either_side() -> None:
    values = ["a"] * 30 + ["b"] * 6 + ["c"] * 4
    assert list(build(category("x", values), smallest=6)[0]) == ["x = a", "x = b"]
    assert list(build(category("x", values), smallest=11)[0]) == []


def test_conditions_that_hold_the_same_rows_are_one() -> None:
    values = np.arange(40) % 2
    found, _ = build(category("x", [str(v) for v in values]), number("copy", values))
    assert list(found) == ["x = 0", "x = 1"]
    zeros = np.r_[np.zeros(50), np.arange(1.0, 51)]
    assert [t for t in build(number("mostly zero", zeros))[0] if "most" in t.replace("mostly", "")] == [
        "mostly zero at most 0"
    ]


def test_pairs_are_of_two_columns_and_say_more_than_either() -> None:
    rng = np.random.default_rng(1)
    a = rng.choice(["p", "q"], 200)
    b = np.where(rng.random(200) < 0.5, "r", "s")
    twin = np.where((a == "p") & (np.arange(200) > 3), "near p", "other")
    found, _ = build(category("a", a.tolist()), category("b", b.tolist()), category("twin", twin.tolist()), smallest=5)
    pairs = {text: c for text, c in found.items() if len(c.columns) == 2}
    np.testing.assert_array_equal(pairs["a = p and b = r"].mask, (a == "p") & (b == "r"))
    assert "a = p and twin = near p" not in pairs  # hardly different from one of the two alone
    for text, pair in pairs.items():
        halves = [half.mask for half in pair.halves]
        assert text == " and ".join(half.text for half in pair.halves)
        np.testing.assert_array_equal(pair.mask, halves[0] & halves[1])
        assert len(set(pair.columns)) == 2
        assert pair.mask.sum() <= 0.9 * min(h.sum() for h in halves)


def test_pairs_are_those_of_a_plain_loop_in_its_order() -> None:
    rng = np.random.default_rng(5)
    columns = [
        *(Column(f"n{j}", "number", rng.normal(size=400)) for j in range(4)),
        *(Column(f"c{j}", "category", np.array(["a", "b", "c", None], object)[rng.integers(0, 4, 400)]) for j in "xy"),
    ]
    found, _ = build_conditions(columns, smallest=5, most=10_000)
    singles = [c for c in found if not c.halves]
    plain = [
        (a.text, b.text, (a.mask & b.mask).tobytes())
        for at, a in enumerate(singles)
        for b in singles[at + 1 :]
        if a.broad and b.broad and not set(a.columns) & set(b.columns)
        if MIN_PAIR_ROWS <= (a.mask & b.mask).sum() <= 0.9 * min(a.mask.sum(), b.mask.sum())
    ]
    assert len(plain) > 50
    assert MIN_PAIR_ROWS == 20
    assert any(mask.count(1) == 20 for *_, mask in plain)
    assert [(*(half.text for half in c.halves), c.mask.tobytes()) for c in found if c.halves] == plain


def test_pairs_of_least_support_are_left_out_and_it_is_said() -> None:
    rng = np.random.default_rng(2)
    columns = [category(f"c{i}", rng.choice(["x", "y", "z"], 300).tolist()) for i in range(4)]
    all_of_them, none = build(*columns)
    some, notes = build(*columns, most=20)
    assert none == ()
    assert len(some) == 20
    n_pairs = len(all_of_them) - 12
    assert notes == (
        f"Skipped {n_pairs - 8} of {n_pairs} pairs of conditions, those of least support: "
        + "Errata tests at most 20 conditions.",
    )
    kept = [c.mask.sum() for c in some.values() if len(c.columns) == 2]
    dropped = [c.mask.sum() for t, c in all_of_them.items() if t not in some]
    assert min(kept) >= max(dropped)


def test_too_many_single_conditions_are_capped_and_it_is_said() -> None:
    shares = ((1 - q, 0.6 * q, 0.4 * q) for q in (0.06, 0.2, 0.4, 0.6))
    drawn = [np.random.default_rng(0).choice(list("xyz"), 300, p=p) for p in shares]
    columns = [category(f"c{i}", values.tolist()) for i, values in enumerate(drawn)]
    some, notes = build(*columns, most=7)
    support = sorted(min(n, 300 - n) for values in drawn for n in np.unique(values, return_counts=True)[1])
    assert sorted(min(c.mask.sum(), (~c.mask).sum()) for c in some.values()) == support[5:]  # those that tell most
    assert notes[0] == "Skipped 5 conditions of least support: Errata tests at most 7."


def test_rare_values_of_a_long_column_are_left_out_and_it_is_said() -> None:
    values = [f"v{i}" for i in range(MAX_CATEGORIES + 5) for _ in range(3 if i < MAX_CATEGORIES else 2)]
    found, notes = build(category("city", values))
    assert len(found) == MAX_CATEGORIES
    assert notes == (
        f"Column 'city' has {MAX_CATEGORIES + 5} values. Errata tests the {MAX_CATEGORIES} most frequent.",
    )


def test_a_pair_knows_its_halves_even_where_a_value_holds_the_word_and() -> None:
    rng = np.random.default_rng(3)
    found, _ = build(
        category("who", rng.choice(["him and her", "them"], 90).tolist()),
        category("b", rng.choice(["x", "y"], 90).tolist()),
    )
    assert found["who = him and her and b = x"].halves == (found["who = him and her"], found["b = x"])


def test_one_long_value_does_not_take_its_room_in_every_row() -> None:
    values = ["x" * 1_000_000, *["a", "b"] * 60]
    tracemalloc.start()
    build(category("kind", values))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(values[0])  # an array of numpy's own texts has 4 bytes for each of 121 million characters


def test_what_can_be_no_cause_is_not_tested_unless_it_is_the_users_own_column() -> None:
    columns = [Column(name, "number", np.arange(40.0), True) for name in (*sorted(UNTESTED_PROPERTIES), "megapixels")]
    assert set(PROPERTIES) >= UNTESTED_PROPERTIES
    assert [c.name for c in columns_to_test(columns)] == ["megapixels"]
    assert [c.name for c in columns_to_test([number("file size", np.arange(40.0))])] == ["file size"]


def test_a_saved_condition_on_such_a_property_can_still_be_asked_of_samples() -> None:
    column = Column("file size", "number", np.arange(40.0), True)
    assert meets([("file size", "<=", 9.0)], [column], 40).sum() == 10


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.repeat([2015.0, 2016, 2017, 2018, 2019, 2020], 20), ["it at most 2015", "it at least 2020"]),
        (20240100.0 + np.repeat(np.arange(1, 29), 5), ["it at most 20240103", "it at least 20240126"]),
        (0.3 + np.arange(100) / 100_000, ["it at most 0.30009", "it at least 0.3009"]),
        (np.repeat([1234.25, 1234.5], 30), ["it = 1234.25", "it = 1234.5"]),
        (np.repeat([-19000.5, 12000.0], 30), ["it = -19000.5", "it = 12000"]),
        (np.repeat([0.12345, 0.12346], 30), ["it = 0.12345", "it = 0.12346"]),
        (np.r_[np.full(20, 0.3456), np.linspace(0.4, 0.9, 80)], ["it at most 0.346", "it at least 0.837"]),
        (np.repeat([1.0, 2, 3, 4, 5], 20), ["it at most 1", "it at least 5"]),  # four are said one by one
    ],
)
def test_years_dates_and_close_values_are_said_as_they_are(values: np.ndarray, said: list[str]) -> None:
    assert list(build(number("it", values))[0])[:2] == said
