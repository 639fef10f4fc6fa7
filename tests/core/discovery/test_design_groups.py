"""Which rows stay together: groups across classes, and classes of a few rows."""

from __future__ import annotations

import numpy as np

from core.discovery.design import make_design
from tests.core.discovery.test_design import labels_of, made


def test_groups_across_classes_keep_each_class_its_own_losses_and_it_is_said() -> None:
    labels = labels_of(60, 60)
    losses = np.random.default_rng(0).normal(size=(120, 1)) * np.where(labels == 1, 5.0, 1.0)[:, None]
    inside, across = (make_design(made(labels, groups)) for groups in (np.arange(120) // 3, np.arange(120) % 40))
    for design in (inside, across):
        drawn = design.permuter(losses).draw(5, np.random.default_rng(0))
        assert (labels[drawn] == labels[:, None]).all()
    assert any("span several classes, so each p is the larger of two tests" in note for note in across.notes)
    assert not any("span several classes" in note for note in inside.notes)


def test_rows_of_a_pooled_class_are_exchanged_among_themselves_and_those_of_a_tiny_one_stay_together() -> None:
    labels = np.r_[labels_of(60, 8, 8), 3 + np.repeat(np.arange(25), 3), 28 + np.arange(25)]
    design = make_design(made(labels))
    assert design.groups is not None
    assert design.given_groups is None
    assert [len(np.unique(design.groups[labels == c])) for c in (0, 1, 3, 28)] == [60, 8, 1, 1]
    drawn = design.permuter(np.zeros((len(labels), 1))).draw(50, np.random.default_rng(0))
    own = labels[drawn]
    assert (own[labels < 3] == labels[labels < 3, None]).all()
    tiny = (labels >= 3) & (labels < 28)
    assert (own[tiny].reshape(25, 3, 50) == own[tiny].reshape(25, 3, 50)[:, :1]).all()
    assert (own[tiny] != labels[tiny, None]).any()
    assert "rows, as a whole" in design.notes[0]
    assert design.testable


def test_a_few_tiny_classes_alone_are_too_few_to_permute() -> None:
    design = make_design(made(np.repeat(np.arange(15), 4)))
    assert not design.testable
    assert any("the rows form 15 independent units (small class), and a test needs 20" in note for note in design.notes)


def test_tiny_classes_that_would_join_all_groups_are_compared_with_themselves_and_it_is_said() -> None:
    labels = np.r_[np.repeat(np.arange(40), 4), np.full(40, 40)]
    crossing = make_design(made(labels, np.tile(np.arange(40), 5)))
    assert crossing.groups is not None
    assert len(np.unique(crossing.groups)) == 40
    assert any("Related rows span several of the 40 classes with fewer than 5 rows" in n for n in crossing.notes)
    drawn = crossing.permuter(np.random.default_rng(0).random((200, 1))).draw(5, np.random.default_rng(0))
    assert (labels[drawn] == labels[:, None]).all()
    labels = labels[:160]
    inside = make_design(made(labels, np.arange(160) // 2))
    assert inside.groups is not None
    assert inside.given_groups is not None
    assert (len(np.unique(inside.groups)), len(np.unique(inside.given_groups))) == (40, 80)
