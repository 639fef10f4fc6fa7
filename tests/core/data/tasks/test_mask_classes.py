"""Masks become one row for each image and class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.data.tables.roles import Roles
from core.data.tasks.mask_classes import read_mask_classes
from core.errors import InvalidInput
from tests.support.tables import said

N = 30


@pytest.fixture
def masks():
    """Class 1 fills the upper half and is found whole; class 2 fills a quarter, of which half is found; class 3 is only
    predicted."""
    true, predicted = np.zeros((8, 8), int), np.zeros((8, 8), int)
    true[:4], predicted[:4] = 1, 1
    true[4:, :4], predicted[4:, :2] = 2, 2
    predicted[4:6, 6:] = 3
    frame = pd.DataFrame(
        {"id": [f"s{i}" for i in range(N)], "mask": [true.tolist()] * N, "pred_mask": [predicted.tolist()] * N}
    )
    return frame, np.random.default_rng(0).normal(size=(N, 4))


def rows(masks, **options):
    frame, vectors = masks
    audit = read_mask_classes(frame, embeddings=vectors, **options)
    return audit, {name: loss for name, loss in zip(audit.samples.ids, audit.outcomes.loss)}


def test_each_class_of_the_truth_has_its_own_loss(masks):
    audit, loss = rows(masks)
    assert len(audit.samples) == 2 * N
    assert loss["s0#class 1"] == 0
    assert loss["s0#class 2"] == pytest.approx(1 - 2 * 8 / 24)
    assert audit.samples.class_names == ("class 1", "class 2")
    np.testing.assert_array_equal(audit.samples.groups, np.arange(N).repeat(2))
    share = {column.name: column.values for column in audit.samples.metadata}["share of the image"]
    np.testing.assert_allclose(share[:2], [0.5, 0.25])
    assert said(audit, "Skipped 30 classes that only the predicted mask of an image holds")
    assert audit.outcomes.errors[:2].tolist() == [False, False]  # an IoU of one half is no error


def test_iou_is_taken_where_asked_for(masks):
    assert rows(masks, roles=Roles(loss_kind="1 - IoU"))[1]["s0#class 2"] == pytest.approx(0.5)


def test_classes_of_the_prediction_are_an_audit_of_their_own(masks):
    audit, loss = rows(masks, rows="predictions")
    assert len(audit.samples) == 3 * N
    assert loss["s0#class 3"] == 1
    assert "share of the image" not in {column.name for column in audit.samples.metadata}


def test_classes_may_be_named(masks):
    audit, _ = rows(masks, roles=Roles(class_names=("sky", "road", "car")))
    assert audit.samples.class_names == ("sky", "road")
    with pytest.raises(InvalidInput, match="values 1 to 2, but class_names names 1 to 1"):
        rows(masks, roles=Roles(class_names=("sky",)))


def test_masks_that_cannot_be_read_are_left_out(masks):
    frame, vectors = masks
    frame.at[4, "pred_mask"] = [[0, 1], [1]]
    audit, _ = rows((frame, vectors))
    assert len(audit.samples) == 2 * (N - 1)
    assert [name for name, _ in audit.excluded] == ["s4"]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"rows": "both"}, "rows of masks"), ({"roles": Roles(loss_kind="brier")}, "must be one of 1 - Dice, 1 - IoU")],
)
def test_options_that_do_not_fit_are_one_message(masks, options, message):
    with pytest.raises(InvalidInput, match=message):
        rows(masks, **options)


def test_masks_of_background_alone_are_one_message(masks):
    frame, vectors = masks
    frame["mask"] = [[[0, 0], [0, 0]]] * N
    frame["pred_mask"] = [[[0, 0], [0, 0]]] * N
    with pytest.raises(InvalidInput, match="nothing but background"):
        rows((frame, vectors))
