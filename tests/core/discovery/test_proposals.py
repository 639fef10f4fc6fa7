"""The family is decided before any loss is looked at, and each member lies inside its scope."""

from __future__ import annotations

import numpy as np
import pytest

from core.discovery.design import make_design
from core.discovery.proposals import (
    KMeansPart,
    Proposals,
    enough_rows,
    fewest_rows,
    margin,
    phrase_sizes,
    propose,
    rows_within,
)
from core.discovery.ridge.features import Features
from core.discovery.search.family import MIN_CANDIDATE_ROWS, Scope
from core.discovery.superclasses import Superclasses
from core.records import I64, Column, SampleSet


def made(
    n: int = 300, labels: I64 | None = None, *, distinct: int | None = None, columns: tuple[Column, ...] = ()
) -> tuple[Proposals, Features]:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n, 6)).astype(np.float32)
    if distinct:
        vectors = vectors[rng.integers(0, distinct, n)]
    names = () if labels is None else tuple(f"class {c}" for c in range(int(labels.max()) + 1))
    design = make_design(SampleSet(tuple(map(str, range(n))), labels=labels, class_names=names), rng=rng)
    features = Features(vectors, design.blocks)
    return propose(design, features, columns, 0), features


@pytest.mark.parametrize("labels", [None, np.arange(300) % 3], ids=["one class", "three classes"])
def test_every_region_and_condition_lies_inside_its_scope_and_leaves_a_rest(labels: I64 | None) -> None:
    tint = Column("tint", "category", np.random.default_rng(1).choice(["red", "blue", "green"], 300).astype(object))
    family = made(labels=labels, columns=(tint,))[0].family
    assert {r.kind for r in family.regions} == {"region", "condition"}
    for region in family.regions:
        rows = np.zeros(300, bool)
        rows[family.scopes[region.scope].rows] = True
        assert not (region.mask(300) & ~rows).any()
        assert MIN_CANDIDATE_ROWS <= region.mask(300).sum() <= rows.sum() - MIN_CANDIDATE_ROWS


def test_a_region_is_what_its_part_says_of_new_rows() -> None:
    proposals, features = made(labels=np.arange(300) % 3)
    regions = [r for r in proposals.family.regions if r.kind == "region"]
    assert [r.tag for r in regions] == list(range(len(proposals.parts)))
    for region in regions:
        rows = proposals.family.scopes[region.scope].rows
        np.testing.assert_array_equal(
            margin(features.rows[rows], proposals.parts[region.tag]) > 0, region.mask(proposals.family.n)[rows]
        )


def test_a_condition_in_a_class_is_the_condition_met_by_rows_of_the_class() -> None:
    labels = np.arange(300) % 3
    values = np.random.default_rng(1).normal(size=300)
    proposals = made(labels=labels, columns=(Column("age", "number", values),))[0]
    for region in proposals.family.regions:
        if region.kind == "condition":
            whole = proposals.conditions[region.tag].mask
            block = proposals.family.scopes[region.scope].block
            np.testing.assert_array_equal(
                region.mask(proposals.family.n), whole if block is None else whole & (labels == block)
            )


@pytest.mark.parametrize(("n", "fewest"), [(40, 10), (1000, 10), (1600, 16), (3000, 30), (10**6, 30)])
def test_a_condition_is_met_by_a_hundredth_of_the_rows_from_ten_to_thirty_and_as_many_do_not(
    n: int, fewest: int
) -> None:
    assert fewest_rows(n) == fewest
    if n <= 3000:
        sizes = np.array([fewest - 1, fewest, n - fewest, n - fewest + 1])
        assert enough_rows(np.arange(n)[:, None] < sizes).tolist() == [False, True, True, False]


def test_within_a_scope_ten_rows_meet_it_and_ten_do_not() -> None:
    scope = Scope("class 1", np.arange(20, 60), 1)
    found = [rows_within(np.arange(60) < 20 + size, scope) for size in (9, 10, 30, 31)]
    assert [None if rows is None else rows.tolist() for rows in found] == [
        None, list(range(20, 30)), list(range(20, 50)), None
    ]  # fmt: skip


def test_phrases_are_tested_at_the_depths_that_can_be_paid_for_the_deepest_last_to_go() -> None:
    assert phrase_sizes(100, 1000, 1) == [(0.1, 10), (0.2, 20), (0.35, 35)]
    assert phrase_sizes(200, 1000, 2) == [(0.05, 10), (0.1, 20), (0.2, 40), (0.35, 70)]
    assert phrase_sizes(1000, 10**8, 1) == [(0.1, 100), (0.2, 200), (0.35, 350)]
    assert phrase_sizes(1000, 10**8, 2) == phrase_sizes(1000, 10**10, 1) == [(0.35, 350)]
    assert phrase_sizes(28, 1000, 1) == [(0.35, 10)]
    assert phrase_sizes(15, 1000, 1) == []


def test_each_class_has_slices_of_its_own_and_all_samples_has_them_once() -> None:
    family = made(labels=np.arange(300) % 3)[0].family
    slices = [c for c in family.candidates if c.kind == "slice"]
    assert {c.scope for c in slices} == {0, 1, 2, 3}
    assert len({(c.scope, c.smoother, c.depth) for c in slices}) == len(slices)
    alone = made()[0].family
    assert {c.scope for c in alone.candidates} == {0}


def test_a_few_distinct_pictures_make_no_empty_regions_and_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    family = made(distinct=4)[0].family
    assert all(len(r.rows) >= MIN_CANDIDATE_ROWS for r in family.regions)
    assert not recwarn.list


def test_what_was_left_out_is_noted() -> None:
    many = tuple(
        Column(f"c{i}", "category", np.random.default_rng(i).choice(list("abc"), 300).astype(object)) for i in range(26)
    )
    proposals = made(columns=many)[0]
    assert len(proposals.conditions) == 1500
    assert "of least support: Errata tests at most 1,500" in proposals.notes[0]


def test_with_superclasses_slices_parts_and_conditions_lie_in_superclasses_and_heads_are_shared_there() -> None:
    labels = np.arange(1400) % 70
    samples = SampleSet(tuple(map(str, range(1400))), labels=labels, class_names=tuple(f"class {c}" for c in range(70)))
    grouped = Superclasses(np.arange(70) // 10, tuple(f"super {s}" for s in range(7)), "")
    design = make_design(samples, grouped, np.random.default_rng(2))
    features = Features(np.random.default_rng(0).normal(size=(1400, 6)).astype(np.float32), design.blocks)
    tint = Column("tint", "category", np.random.default_rng(1).choice(["red", "blue"], 1400).astype(object))
    proposals = propose(design, features, (tint,), 0)
    family = proposals.family
    assert {c.scope for c in family.candidates if c.kind == "slice"} == set(range(8))
    assert {c.scope for c in family.candidates if c.kind == "condition"} == set(range(8))
    for region in family.regions:
        assert np.isin(region.rows, family.scopes[region.scope].rows).all()
        if region.kind == "condition":
            mask = proposals.conditions[region.tag].mask
            np.testing.assert_array_equal(
                np.sort(region.rows),
                np.flatnonzero(mask if region.scope == 0 else mask & (labels // 10 == region.scope - 1)),
            )
    assert family.rows is not None
    assert len(family.rows.slices) == 7
    cuts = {(r.scope > 0, len(proposals.parts[r.tag].centres)) for r in family.regions if r.kind == "region"}
    assert cuts == {(False, 6), (False, 12), (False, 24), (True, 3), (True, 6)}


def test_the_margin_is_positive_for_the_rows_nearest_to_a_centre() -> None:
    rng = np.random.default_rng(0)
    rows, centres = rng.normal(size=(80, 5)), rng.normal(size=(4, 5)).astype(np.float32)
    nearest = np.linalg.norm(rows[:, None] - centres[None], axis=2).argmin(1)
    for which in range(4):
        np.testing.assert_array_equal(margin(rows, KMeansPart(centres, which)) > 0, nearest == which)


def test_the_size_of_a_file_is_no_condition_and_a_users_column_of_that_name_is() -> None:
    values = np.random.default_rng(1).normal(size=300)
    for measured, expected in ((True, 0), (False, 4)):
        proposals, _ = made(columns=(Column("file size", "number", values, measured),))
        assert len(proposals.conditions) == expected


def test_the_parts_of_many_rows_are_those_of_centres_found_among_some(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    middle = rng.normal(size=(6, 4)) * 20
    of_row = np.arange(1200) % 6  # every sixth row is of one kind
    vectors = (middle[of_row] + rng.normal(size=(1200, 4))).astype(np.float32)
    design = make_design(SampleSet(tuple(map(str, range(1200)))), rng=np.random.default_rng(0))
    monkeypatch.setattr("core.discovery.proposals.MAX_KMEANS_ROWS", 200)
    proposals = propose(design, Features(vectors, design.blocks), (), 0)
    first = [r for r in proposals.family.regions if len(proposals.parts[r.tag].centres) == 6]
    assert sorted(len(np.unique(of_row[r.rows])) for r in first) == [1] * 6
    assert sorted(len(r.rows) for r in first) == sorted(np.bincount(of_row).tolist())
