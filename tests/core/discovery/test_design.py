"""Who is compared with whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.discovery.class_pools import MAX_SINGLE_CLASSES, needs_superclasses
from core.discovery.design import (
    MAX_LARGE_CLASSES,
    MIN_LARGE_CLASS_ROWS,
    check_within,
    make_design,
    measures,
    narrowed,
    searchable,
    superclasses_of,
)
from core.discovery.search.family import centre
from core.discovery.settings import Settings
from core.discovery.superclasses import Superclasses
from core.errors import InvalidInput
from core.records import I64, Column, Outcomes, SampleSet
from core.reports.tables.diagnosis import to_document
from core.statistics.groups import assign_folds
from research.arrays import diagnose_arrays


def made(labels: I64 | None, groups: I64 | None = None, n: int | None = None) -> SampleSet:
    count = len(labels) if labels is not None else int(n or 0)
    names = () if labels is None else tuple(f"class {c}" for c in range(int(labels.max()) + 1))
    return SampleSet(
        tuple(map(str, range(count))), labels=labels, class_names=names, groups=groups, group_name="patient"
    )


def labels_of(*counts: int) -> I64:
    return np.repeat(np.arange(len(counts)), counts)


def test_without_labels_there_is_one_block_and_one_scope() -> None:
    design = make_design(made(None, n=60))
    assert design.block_names == ("all samples",)
    assert [s.name for s in design.scopes] == ["all samples"]
    assert design.testable
    assert design.notes == ()


def test_small_classes_are_pooled_and_it_is_said() -> None:
    design = make_design(made(labels_of(60, 0, 12, 45, 15, 3)))
    assert design.block_names == ("class 0", "class 3", "3 small classes")
    assert design.class_of_label.tolist() == [0, -1, 2, 1, 2, 2]
    assert np.bincount(design.blocks).tolist() == [60, 45, 30]
    assert [s.name for s in design.scopes] == [
        "all samples",
        "class 0",
        "class 3",
    ]  # 30 rows are too few to search on their own
    assert design.notes[0].startswith("Pooled 3 classes: each has fewer than 20 rows. Tests shuffle 1 of them")


def test_a_pooled_class_still_has_its_own_mean_taken_out_if_it_has_five_rows() -> None:
    labels = labels_of(60, 12, 15, 3)
    design = make_design(made(labels))
    noise = np.random.default_rng(0).normal(0, 0.1, 90)
    centred = centre(np.array([1.0, 10.0, 100.0, 1000.0])[labels] + noise, design.centring_stratum)
    assert max(abs(centred[labels == c].mean()) for c in range(4)) < 1e-9


def test_too_few_small_rows_to_pool_stay_classes_of_their_own() -> None:
    design = make_design(made(labels_of(50, 7, 60)))
    assert design.block_names == ("class 0", "class 1", "class 2")
    assert design.notes == ()


def test_the_rows_of_a_scope_are_those_of_its_class() -> None:
    labels = np.random.default_rng(0).permutation(labels_of(50, 70))
    for scope in make_design(made(labels)).scopes[1:]:
        assert (labels[scope.rows] == int(scope.name.split()[1])).all()
        assert len(scope.rows) == (labels == int(scope.name.split()[1])).sum()


def in_fours(k: int) -> Superclasses:
    """Each four classes in a row are a superclass."""
    return Superclasses(np.arange(k) // 4, tuple(f"super {s}" for s in range(-(-k // 4))), f"{k} classes are grouped.")


def test_with_superclasses_the_search_looks_into_them_and_losses_stay_centred_by_class() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(80), 30))
    design = make_design(made(labels), in_fours(80))
    assert [s.name for s in design.scopes] == ["all samples", *(f"super {s}" for s in range(20))]
    np.testing.assert_array_equal(design.blocks, labels)
    np.testing.assert_array_equal(design.head_group, labels // 4)
    for number, scope in enumerate(design.scopes[1:]):
        np.testing.assert_array_equal(scope.rows, np.flatnonzero(labels // 4 == number))
    centred = centre(labels * 10.0 + np.random.default_rng(1).normal(size=2400), design.centring_stratum)
    assert max(abs(centred[labels == c].mean()) for c in range(80)) < 1e-9
    assert "80 classes are grouped." in design.notes


def test_small_classes_are_pooled_within_their_superclass() -> None:
    design = make_design(made(labels_of(50, 50, 7, 3, 60, 60, 60, 10)), in_fours(8))
    assert design.block_names[5:] == ("2 small classes of super 0", "1 small classes of super 1")
    assert design.class_of_label.tolist() == [0, 1, 5, 5, 2, 3, 4, 6]
    assert all(
        len(np.unique(design.head_group[design.blocks == b])) == 1 for b in range(7)
    )  # a head takes whole blocks
    assert (
        "Pooled 3 classes within their superclass: each has fewer than 20 rows. Tests shuffle 1 of them"
        in design.notes[0]
    )


def test_beside_superclasses_only_the_largest_of_the_large_classes_are_searched_alone() -> None:
    counts = [40] * 40 + [MIN_LARGE_CLASS_ROWS + c for c in range(60)]
    labels = np.random.default_rng(0).permutation(labels_of(*counts))
    design = make_design(made(labels), in_fours(100))
    alone = [s for s in design.scopes if s.block is not None]
    assert all(set(labels[s.rows]) == {int(s.name.split()[1])} for s in alone)
    assert len(alone) == MAX_LARGE_CLASSES
    assert min(len(s.rows) for s in alone) == MIN_LARGE_CLASS_ROWS + 60 - MAX_LARGE_CLASSES
    assert len(design.scopes) == 1 + 25 + MAX_LARGE_CLASSES


def test_a_superclass_of_one_class_is_searched_once() -> None:
    one = Superclasses(np.array([0, 0, 1]), ("a and b", "class 2"), "")
    assert [s.name for s in make_design(made(labels_of(60, 60, 400)), one).scopes] == [
        "all samples",
        "a and b",
        "class 2",
    ]


@pytest.mark.parametrize(("k", "needed"), [(MAX_SINGLE_CLASSES, False), (MAX_SINGLE_CLASSES + 1, True)])
def test_superclasses_are_needed_from_sixty_one_classes_with_rows(k: int, needed: bool) -> None:
    assert needs_superclasses(made(np.arange(k) * 2)) == needed
    assert not needs_superclasses(made(None, n=400))


def test_one_class_alone_is_searched_once_and_groups_of_one_row_each_are_not_mentioned() -> None:
    alone = make_design(made(labels_of(60), np.arange(60)))
    assert [s.name for s in alone.scopes] == ["all samples"]
    assert alone.notes == ()


def test_a_class_that_cannot_be_searched_is_named_in_a_short_message() -> None:
    with pytest.raises(InvalidInput, match="Cannot search inside 'xxx") as caught:
        narrowed(make_design(made(labels_of(60, 60))), ("x" * 5000,))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(("n_groups", "testable"), [(19, False), (20, True)])
def test_twenty_groups_are_the_least_that_is_tested(n_groups: int, testable: bool) -> None:
    design = make_design(made(labels_of(120), np.arange(120) % n_groups))
    assert design.testable == testable
    assert (
        any(
            f"the rows form {n_groups} independent units (patient), and a test needs 20" in note
            for note in design.notes
        )
        != testable
    )


def every_p(document: object) -> list[object]:
    """Every value under a key "p", anywhere in a JSON tree."""
    if isinstance(document, dict):
        here = [value for key, value in document.items() if key == "p"]
        return here + [p for value in document.values() for p in every_p(value)]
    return [p for value in document for p in every_p(value)] if isinstance(document, list) else []


def test_with_too_few_groups_no_p_is_given_and_nothing_is_confirmed() -> None:
    rng = np.random.default_rng(0)
    n = 240
    groups, labels = np.arange(n) % 12, np.arange(n) // 120
    vectors = rng.normal(size=(n, 6)).astype(np.float32)
    errors = vectors[:, 0] > 0.8
    losses = errors * 2.0 + labels + rng.random(n)
    bright = Column("bright", "number", vectors[:, 0].astype(float))
    settings = Settings(map=False, n_members=2, n_permutations=100)
    found = diagnose_arrays(
        vectors, losses, labels=labels, errors=errors, groups=groups, columns=(bright,), settings=settings
    )
    ps = every_p(to_document(found))
    assert len(ps) > 3
    assert set(ps) == {None}
    assert found.clusters == ()
    assert found.candidates  # what stands out is still shown
    assert found.detectable == ()
    assert not any(x.confirmed for x in (*found.classes, *found.insights, *found.candidates))
    assert any("Read every finding as a description" in note for note in found.notes)
    assert not any("false-positive budget" in note for note in found.notes)


def test_what_is_tested_are_class_centred_errors_and_losses_each_on_its_own() -> None:
    rng = np.random.default_rng(1)
    labels = labels_of(60, 80)
    loss, errors = rng.gamma(1, 1, 140) + labels, rng.random(140) < 0.3
    design = make_design(made(labels))
    outcomes = Outcomes(loss, "loss", "loss", "given", errors=errors)

    def centred(values: np.ndarray) -> np.ndarray:
        out = values.astype(float).copy()
        for c in range(2):
            out[labels == c] -= out[labels == c].mean()
        return out / out.std()

    both = measures(outcomes, design)
    assert both.names == ("error rate", "mean loss")
    np.testing.assert_allclose(both.standardised_residuals, np.stack([centred(errors), centred(loss)], 1))
    for alone in (replace(outcomes, errors=None), replace(outcomes, errors=np.zeros(140, bool))):
        assert measures(alone, design).names == ("mean loss",)
        np.testing.assert_allclose(measures(alone, design).standardised_residuals[:, 0], centred(loss))
    clipped = measures(replace(outcomes, clip=1.5, errors=None), design)
    np.testing.assert_allclose(clipped.standardised_residuals[:, 0], centred(np.minimum(loss, 1.5)))


def test_only_classes_that_are_named_are_searched_inside() -> None:
    samples = made(labels_of(60, 80, 50))
    design = make_design(samples)
    whole = {scope.block for scope in design.scopes}
    names = [scope.name for scope in design.scopes]
    one = narrowed(design, (names[2],))
    assert [scope.name for scope in one.scopes] == ["all samples", names[2]]
    assert f"inside {names[2]} only" in one.notes[-1]
    assert narrowed(design, ()) is design
    assert whole == {None, 0, 1, 2}
    with pytest.raises(InvalidInput, match=r"inside 'horse'.*at least 40 rows.*Use one of"):
        narrowed(design, ("horse",))


def test_a_loss_that_is_the_error_is_tested_once() -> None:
    design, errors = make_design(made(labels_of(60, 80))), np.arange(140) % 3 == 0
    same = Outcomes(errors.astype(float), "0/1 error", "error", "made", errors=errors)
    assert measures(same, design).names == ("error rate",)
    other = replace(same, errors=np.arange(140) % 5 == 0)
    assert measures(other, design).names == ("error rate", "mean loss")


def test_many_classes_are_grouped_by_their_names_or_else_by_their_embeddings_and_few_are_not() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(1400) % 70
    vectors = (rng.normal(size=(7, 8))[labels % 7] + 0.1 * rng.normal(size=(1400, 8))).astype(np.float32)
    by_image = superclasses_of(made(labels), vectors, None)
    assert by_image is not None
    assert all(len(np.unique(np.flatnonzero(by_image.of_class == s) % 7)) == 1 for s in range(len(by_image)))
    texts = (rng.normal(size=(10, 8))[np.arange(70) // 7] + 0.1 * rng.normal(size=(70, 8))).astype(np.float32)
    by_name = superclasses_of(made(labels), vectors, texts)
    assert by_name is not None
    assert all(len(np.unique(np.flatnonzero(by_name.of_class == s) // 7)) == 1 for s in range(len(by_name)))
    assert superclasses_of(made(labels % 60), vectors, texts) is None
    assert superclasses_of(made(None, n=1400), vectors, None) is None


def test_folds_never_split_a_group_and_spread_classes_evenly() -> None:
    rng = np.random.default_rng(4)
    groups = rng.integers(0, 50, 300) * 7 - 20
    blocks = rng.integers(0, 3, 300)
    folds = assign_folds(300, blocks, groups, 5, rng)
    assert set(folds) == set(range(5))
    assert all(len(np.unique(folds[groups == g])) == 1 for g in np.unique(groups))
    plain = assign_folds(300, blocks, None, 5, rng)
    table = np.array([[((blocks == b) & (plain == f)).sum() for f in range(5)] for b in range(3)])
    assert (table.max(1) - table.min(1) <= 1).all()


def test_fewer_groups_than_folds_is_refused_with_a_next_step() -> None:
    with pytest.raises(InvalidInput, match=r"at least 5 groups: got 3\. Leave the group column out"):
        assign_folds(30, np.zeros(30, np.int64), np.arange(30) % 3, 5, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match=r"at least 2 groups: got 1\."):
        make_design(made(labels_of(60), np.zeros(60, np.int64)), rng=np.random.default_rng(0))


def test_a_design_knows_its_groups_its_folds_and_what_may_be_exchanged() -> None:
    samples = made(labels_of(30, 30), np.arange(60) // 2)
    design = make_design(samples, rng=np.random.default_rng(0))
    assert len(np.unique(design.folds)) == 5
    assert design.groups is not None
    assert all(len(np.unique(design.folds[design.groups == g])) == 1 for g in range(30))
    assert design.permuter(np.zeros((60, 1))).grouped
    alone = make_design(made(labels_of(30, 30), np.arange(60)))
    assert alone.groups is None
    assert set(alone.folds) == {0}


def test_the_classes_that_can_be_named_are_those_that_are_searched() -> None:
    few = made(labels_of(60, 0, 12, 45, 15, 3))
    assert few.labels is not None
    sizes = dict(zip(few.class_names, np.bincount(few.labels, minlength=6).tolist()))
    assert searchable(sizes) == [s.name for s in make_design(few).scopes[1:]]
    many = {f"class {i}": MIN_LARGE_CLASS_ROWS + i % 3 for i in range(MAX_LARGE_CLASSES + 30)}
    many["small"] = MIN_LARGE_CLASS_ROWS - 1
    assert len(searchable(many)) == MAX_LARGE_CLASSES
    assert "small" not in searchable(many)


def test_a_class_that_cannot_be_searched_is_refused_before_anything_is_embedded() -> None:
    samples = made(labels_of(60, 20))
    check_within(samples, ())
    check_within(samples, ("class 0",))
    with pytest.raises(InvalidInput, match="inside 'class 1': only a class of at least 40 rows"):
        check_within(samples, ("class 1",))
