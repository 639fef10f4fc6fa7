from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import SampleSet
from core.systems.probes.splits import Fold, Split, apart, by_column, draw, halves, score_every_row

LABELS = np.repeat(np.arange(4), 10)
NAMES = ("a", "b", "c", "d")


def columned(said):
    return SampleSet(tuple(str(i) for i in range(len(said))), splits=np.array(said, object))


def test_the_whole_scores_every_row_and_teaches_none():
    fold = score_every_row(5).folds[0]
    assert fold.test.tolist() == [0, 1, 2, 3, 4]
    assert not len(fold.train)


@pytest.mark.parametrize("seed", [0, 7])
def test_halves_score_every_row_once_and_never_teach_with_it(seed):
    split = halves(LABELS, None, seed)
    assert sorted(np.concatenate([f.test for f in split.folds]).tolist()) == list(range(40))
    for fold in split.folds:
        assert not set(fold.train) & set(fold.test)
        assert len(fold.train) + len(fold.test) == 40
        assert np.bincount(LABELS[fold.test]).tolist() == [5, 5, 5, 5]


def test_halves_keep_groups_whole_and_classes_balanced():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 30, 400)
    labels = rng.integers(0, 4, 400)
    for fold in halves(labels, groups, 3).folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        share = np.bincount(labels[fold.test]) / np.bincount(labels)
        assert (abs(share - 0.5) < 0.15).all()


def test_another_seed_makes_other_halves_and_the_same_seed_the_same():
    first, again, other = (halves(LABELS, None, s).folds[0].test.tolist() for s in (0, 0, 1))
    assert first == again != other


def test_rows_of_one_group_cannot_be_halved():
    with pytest.raises(InvalidInput, match="one group"):
        halves(LABELS, np.zeros(40, np.int64), 0)


def test_a_column_says_what_teaches_what_validates_and_what_is_scored():
    split = by_column(columned(["train", "test", "val", "train", "odd"]))
    (fold,) = split.folds
    assert (fold.train.tolist(), fold.test.tolist(), fold.validation.tolist()) == ([0, 3], [1], [2])
    assert dict(split.excluded).keys() == {0, 2, 3, 4}
    assert "'odd'" in dict(split.excluded)[4]


def test_a_column_may_be_written_in_any_case():
    (fold,) = by_column(columned(["Train", "TEST", "Val"])).folds
    assert (fold.train.tolist(), fold.test.tolist(), fold.validation.tolist()) == ([0], [1], [2])


def test_a_column_without_both_parts_is_refused():
    with pytest.raises(InvalidInput, match="it has test"):
        by_column(columned(["test", "test"]))
    with pytest.raises(InvalidInput, match="no split column"):
        by_column(SampleSet(("a", "b")))


def test_training_rows_of_a_scored_group_are_left_out_and_counted():
    fold = Fold(np.array([0, 1, 2, 3]), np.array([4, 5]), np.array([6, 7]))
    groups = np.array([0, 1, 2, 3, 3, 4, 4, 5])
    trimmed = apart(Split((fold,), "Said."), groups)
    assert trimmed.folds[0].train.tolist() == [0, 1, 2]
    assert trimmed.folds[0].validation.tolist() == [7]
    assert trimmed.sentence.startswith("Said. 2 samples")


def test_a_split_that_is_apart_already_stays_as_it_is():
    split = Split((Fold(np.array([0]), np.array([1])),), "Said.")
    assert apart(split, None) is split
    overlapping = replace(split, folds=(Fold(np.array([0, 1]), np.array([1])),))
    assert apart(overlapping, None).folds[0].train.tolist() == [0]


def test_a_draw_has_the_asked_number_of_each_class_without_overlap():
    shots, validation = draw(LABELS, np.arange(40), NAMES, 3, 2, 0)
    assert np.bincount(LABELS[shots]).tolist() == [3] * 4
    assert np.bincount(LABELS[validation]).tolist() == [2] * 4
    assert not set(shots) & set(validation)


def test_fewer_shots_of_a_seed_are_among_its_more_shots():
    few, many = (set(draw(LABELS, np.arange(40), NAMES, s, 2, 5)[0].tolist()) for s in (1, 4))
    assert few < many


def test_a_draw_stays_within_the_rows_it_is_given():
    rows = np.arange(1, 40, 2)
    drawn = np.concatenate(draw(LABELS, rows, NAMES, 2, 2, 0))
    assert set(drawn) <= set(rows)


def test_validation_rows_come_from_their_own_part_where_there_is_one():
    own = np.arange(0, 40, 5)
    shots, validation = draw(LABELS, np.setdiff1d(np.arange(40), own), NAMES, 8, 4, 0, checked=own)
    assert len(shots) == 32
    assert sorted(validation.tolist()) == own.tolist()


def test_too_few_of_a_class_are_refused_with_the_number_that_would_do():
    rows = np.r_[np.arange(10), np.arange(10, 12), np.arange(20, 40)]
    with pytest.raises(InvalidInput, match=r"1 of 4 classes.*'b' has 2. Lower shots to 2"):
        draw(LABELS, rows, NAMES, 4, 0, 0)
    shots, _ = draw(LABELS, rows, NAMES, 4, 0, 0, fewer=True)
    assert np.bincount(LABELS[shots]).tolist() == [4, 2, 4, 4]


def test_a_class_without_any_shot_has_its_own_advice_and_none_at_all_is_refused_always():
    with pytest.raises(InvalidInput, match="Remove these classes"):
        draw(LABELS, np.arange(30), NAMES, 1, 0, 0)
    with pytest.raises(InvalidInput, match="No class has a shot"):
        draw(LABELS, np.empty(0, np.int64), NAMES, 1, 0, 0, fewer=True)
