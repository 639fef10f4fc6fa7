"""Matching: COCO's own where COCO speaks, and a kind for every object and prediction."""

from __future__ import annotations

import contextlib
import io
import tracemalloc

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.data.tasks.detection import matching
from core.data.tasks.detection.boxes import Boxes, boxes_from
from core.data.tasks.detection.matching import match, nearest_overlap
from core.errors import InvalidInput


def boxes(rows, crowd=None):
    """Boxes from (image, class, left, top, width, height[, score]) rows."""
    crowds = crowd or [False] * len(rows)
    scores = [r[6] if len(r) > 6 else 1.0 for r in rows]
    return boxes_from(
        [(str(i), r[0], r[1], tuple(map(float, r[2:6])), scores[i], crowds[i]) for i, r in enumerate(rows)]
    )


def matched(truth, predictions, iou=0.5, crowd=None):
    return match(boxes(truth, crowd), boxes(predictions), n_images=3, n_classes=3, iou=iou)


def test_each_object_and_each_prediction_has_its_kind():
    truth = [(0, 0, 0, 0, 10, 10), (0, 1, 50, 0, 10, 10), (0, 0, 100, 0, 10, 10), (1, 2, 0, 0, 10, 10)]
    predictions = [
        (0, 0, 0, 0, 10, 10, 0.9),  # right
        (0, 0, 1, 0, 10, 10, 0.8),  # the same object again
        (0, 2, 50, 0, 10, 10, 0.7),  # another class at its place
        (0, 0, 106, 0, 10, 10, 0.6),  # overlaps a quarter
        (0, 1, 200, 0, 10, 10, 0.5),  # nothing there
        (2, 1, 0, 0, 10, 10, 0.5),  # nothing in that image
    ]
    found = matched(truth, predictions)
    assert found.object_kind == ("found", "wrong class", "poorly placed", "missed")
    assert found.prediction_kind == ("right", "duplicate", "wrong class", "poorly placed", "background", "background")
    assert found.prediction_of.tolist() == [0, -1, -1, -1]
    assert found.located_by.tolist() == [0, 2, -1, -1]
    np.testing.assert_allclose(found.overlap, [1, 1, 0.25, 0])
    assert found.object_of.tolist() == [0, 0, 1, 2, -1, -1]
    np.testing.assert_allclose(found.reach, [1, 9 / 11, 1, 0.25, 0, 0], rtol=1e-6)


def test_the_higher_score_takes_the_object_and_the_other_is_a_duplicate():
    found = matched([(0, 0, 0, 0, 10, 10)], [(0, 0, 1, 0, 10, 10, 0.5), (0, 0, 2, 0, 10, 10, 0.9)])
    assert found.prediction_of.tolist() == [1]
    assert found.prediction_kind == ("duplicate", "right")


def test_a_second_prediction_on_a_found_object_does_not_stand_for_its_missed_neighbour():
    truth = [(0, 0, 0, 0, 10, 10), (0, 0, 7, 0, 10, 10)]
    found = matched(truth, [(0, 0, 0, 0, 10, 10, 0.9), (0, 0, 1, 0, 10, 10, 0.8)])
    assert found.object_kind == ("found", "missed")
    assert found.overlap[1] == 0


def test_the_overlap_that_is_asked_for_decides():
    truth, predictions = [(0, 0, 0, 0, 10, 10)], [(0, 0, 2, 0, 10, 10, 0.9)]  # IoU 2/3
    assert matched(truth, predictions, 0.66).object_kind == ("found",)
    assert matched(truth, predictions, 0.67).object_kind == ("poorly placed",)


def test_a_crowd_region_is_no_object_and_what_lies_in_it_no_mistake():
    truth = [(0, 0, 0, 0, 10, 10), (0, 0, 20, 0, 50, 50)]
    found = matched(
        truth, [(0, 0, 25, 5, 10, 10, 0.9), (0, 0, 35, 5, 10, 10, 0.8), (0, 1, 25, 5, 10, 10, 0.9)], crowd=[False, True]
    )
    assert found.object_kind == ("missed",)
    assert found.prediction_kind == ("crowd", "crowd", "background")  # a crowd of one class absorbs that class


def test_without_objects_every_prediction_is_background():
    assert matched([], [(0, 0, 0, 0, 10, 10, 0.9)]).prediction_kind == ("background",)


def drawn(seed, n_images=3, n=60):
    rng = np.random.default_rng(seed)
    size = rng.uniform(8, 30, (n, 2))
    truth = [(int(rng.integers(n_images)), int(rng.integers(3)), *rng.uniform(0, 100, 2), *s) for s in size]
    moved = [
        (i, int(rng.integers(3)) if rng.random() < 0.3 else c, x + rng.normal(0, 3), y, w, h, float(rng.random()))
        for i, c, x, y, w, h in truth
    ]
    return truth, [*moved, *[(i, c, x + 2, y, w, h, float(rng.random())) for i, c, x, y, w, h in truth[::4]]]


@pytest.mark.parametrize("seed", range(5))
def test_true_and_false_positives_are_those_of_cocos_own_evaluation(seed):
    truth, predictions = drawn(seed)
    found = matched(truth, predictions)
    with contextlib.redirect_stdout(io.StringIO()):
        sides = []
        for rows in (truth, predictions):
            side = COCO()
            side.dataset = {
                "images": [{"id": i} for i in range(3)],
                "categories": [{"id": i} for i in range(3)],
                "annotations": [
                    {
                        "id": i + 1,
                        "image_id": r[0],
                        "category_id": r[1],
                        "bbox": list(r[2:6]),
                        "area": 1.0,
                        "iscrowd": 0,
                        "score": r[-1],
                    }
                    for i, r in enumerate(rows)
                ],
            }
            side.createIndex()
            sides.append(side)
        evaluation = COCOeval(sides[0], sides[1], "bbox")
        evaluation.evaluate()
    first = [e for e in evaluation.evalImgs if e is not None and e["aRng"] == [0, 1e10]]
    right = sorted(name - 1 for e in first for name, m in zip(e["dtIds"], e["dtMatches"][0]) if m > 0)
    assert right == [i for i, kind in enumerate(found.prediction_kind) if kind == "right"]
    assert len(right) == sum(kind == "found" for kind in found.object_kind)


@pytest.mark.parametrize("seed", range(5))
def test_no_prediction_serves_two_objects_and_kinds_agree_with_overlaps(seed):
    truth, predictions = drawn(seed)
    found = matched(truth, predictions)
    located = found.located_by[found.located_by >= 0]
    assert len(np.unique(located)) == len(located)
    kinds = np.array(found.object_kind)
    assert (found.overlap[np.isin(kinds, ["found", "wrong class"])] >= 0.5).all()
    assert (found.overlap[kinds == "poorly placed"] < 0.5).all()
    assert (found.overlap[kinds == "missed"] == 0).all()
    assert (kinds == "wrong class").sum() == sum(kind == "wrong class" for kind in found.prediction_kind)


def test_overlaps_are_those_of_the_definition():
    pair: Boxes = boxes([(0, 0, 0, 0, 10, 10), (0, 0, 5, 5, 10, 10), (1, 0, 0, 0, 10, 10)])
    np.testing.assert_allclose(nearest_overlap(pair), [25 / 175, 25 / 175, 0])


def test_many_boxes_on_one_image_are_matched_in_little_memory_and_too_many_refused(monkeypatch):
    rng = np.random.default_rng(0)
    rows = [(0, 0, x, y, 10.0, 10.0, s) for x, y, s in rng.uniform(0, 1000, (4000, 3))]
    tracemalloc.start()
    found = matched(rows, rows)
    assert tracemalloc.get_traced_memory()[1] < 100e6  # a matrix of 4,000 by 4,000 has 128 MB
    tracemalloc.stop()
    assert set(found.object_kind) == {"found"}
    monkeypatch.setattr(matching, "BLOCK_IOUS", 7)
    assert matched(rows[:60], rows[30:90]).prediction_kind == ("right",) * 30 + ("background",) * 30
    monkeypatch.setattr(matching, "MAX_PAIRS", 4000)
    with pytest.raises(InvalidInput, match=r"has 90 objects and 10 predictions\. At most 4,000 pairs"):
        matched(rows[:90], rows[:10])
