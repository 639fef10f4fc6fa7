"""Which prediction goes with which object, and what became of both.

Three steps. (1) COCO's matching, by pycocotools: within a class, predictions in order of score take the free object of
highest IoU, at least `iou`; crowd regions absorb predictions. (2) The same on what is left, whatever the class: the
object was located and called by another name. (3) What is still left belongs to the object that it overlaps most: from
`iou` on it is a duplicate, from `FAINT` on poorly placed, below that background. The kinds are those of TIDE (Bolya,
Foley, Hays and Hoffman 2020, arXiv 2008.08115), which also takes 0.1 for `FAINT`; the order of steps is ours.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from core.data.tasks.detection.boxes import Boxes
from core.errors import MissingDependency
from core.program import install_line
from core.records import F64, I64, Bool

FAINT = 0.1
"""IoU below which a prediction has nothing to do with an object."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Objects: n without crowd regions. Predictions: m."""

    prediction_of: I64
    """(n,) the prediction of each object's class and place; -1 where it has none, so the object was missed."""
    located_by: I64
    """(n,) the prediction at the object's place, whatever its class; -1 where there is none."""
    overlap: F64
    """(n,) IoU with `located_by`, else with the nearest prediction that belongs to the object, else 0."""
    object_kind: tuple[str, ...]
    """"found", "wrong class", "poorly placed" or "missed"."""
    object_of: I64
    """(m,) the object that the prediction goes with or overlaps most; -1 for none."""
    reach: F64
    """(m,) IoU with `object_of`, 0 for none."""
    prediction_kind: tuple[str, ...]
    """"right", "wrong class", "duplicate", "poorly placed", "background", or "crowd" where it lies in a crowd
    region."""


def match(truth: Boxes, predictions: Boxes, *, n_images: int, n_classes: int, iou: float) -> Matches:
    """Match predictions with objects; the boxes are in pixels and inside their images.

    Args:
        truth: objects and crowd regions; the arrays of the result are over the objects, in their order.
        iou: the least intersection over union of a match, in (0, 1].
    """
    objects = np.flatnonzero(~truth.crowd)
    pairs, in_crowd = _greedy(truth, predictions, n_images, n_classes, iou, by_class=True)
    prediction_of, object_of = np.full(len(truth), -1, np.int64), np.full(len(predictions), -1, np.int64)
    prediction_of[pairs[:, 0]], object_of[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    free = np.flatnonzero(~truth.crowd & (prediction_of < 0))
    left = np.flatnonzero((object_of < 0) & ~in_crowd)
    more, _ = _greedy(truth.keep(free), predictions.keep(left), n_images, n_classes, iou, by_class=False)
    located_by = prediction_of.copy()
    located_by[free[more[:, 0]]], object_of[left[more[:, 1]]] = left[more[:, 1]], free[more[:, 0]]
    reach, nearest = _nearest(truth, predictions, object_of, n_images)
    overlap, matched = np.zeros(len(truth)), located_by >= 0
    overlap[matched] = reach[located_by[matched]]
    for p in np.flatnonzero((object_of < 0) & ~in_crowd & (nearest >= 0)).tolist():
        if not matched[nearest[p]]:
            overlap[nearest[p]] = max(overlap[nearest[p]], reach[p])
    kinds = np.select([prediction_of >= 0, matched, overlap > 0], ["found", "wrong class", "poorly placed"], "missed")
    right = np.zeros(len(predictions), np.bool_)
    right[prediction_of[prediction_of >= 0]] = True
    cases = [right, in_crowd, object_of >= 0, reach >= iou, nearest >= 0]
    names = ["right", "crowd", "wrong class", "duplicate", "poorly placed"]
    kinds_of_predictions = np.select(cases, names, "background")
    number = np.full(len(truth) + 1, -1, np.int64)  # the last entry, for -1, stays -1
    number[objects] = np.arange(len(objects))
    return Matches(
        prediction_of[objects],
        located_by[objects],
        overlap[objects],
        tuple(map(str, kinds[objects])),
        number[nearest],
        reach,
        tuple(map(str, kinds_of_predictions)),
    )


def _nearest(truth: Boxes, predictions: Boxes, object_of: I64, n_images: int) -> tuple[F64, I64]:
    """Of each of m predictions the IoU with its object, else with the one that it overlaps most, and that object; -1
    below `FAINT`."""
    reach, nearest = np.zeros(len(predictions)), np.full(len(predictions), -1, np.int64)
    objects = _by_image(np.where(truth.crowd, -1, truth.image), n_images)
    for rows, seen in zip(objects, _by_image(predictions.image, n_images)):
        if len(rows) and len(seen):
            ious = box_iou(predictions.xywh[seen], truth.xywh[rows])  # (seen, rows)
            goes_with = np.where(object_of[seen] >= 0, object_of[seen], rows[ious.argmax(axis=1)])
            reach[seen] = ious[np.arange(len(seen)), np.searchsorted(rows, goes_with)]
            nearest[seen] = np.where(reach[seen] >= FAINT, goes_with, -1)
    return reach, nearest


def box_iou(a: F64, b: F64) -> F64:
    """(len(a), len(b)) intersection over union of boxes (left, top, width, height)."""
    tools, _, _ = _pycocotools()
    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)))
    return np.asarray(tools.iou(np.ascontiguousarray(a), np.ascontiguousarray(b), [0] * len(b)), np.float64)


def nearest_overlap(boxes: Boxes, n_images: int) -> F64:
    """(n,) highest IoU of each box with another one of its image, 0 where it is alone."""
    highest = np.zeros(len(boxes))
    for rows in _by_image(boxes.image, n_images):
        if len(rows) > 1:
            ious = box_iou(boxes.xywh[rows], boxes.xywh[rows])
            np.fill_diagonal(ious, 0)
            highest[rows] = ious.max(axis=1)
    return highest


def _by_image(image: I64, n_images: int) -> list[I64]:
    """The rows of each image, ascending."""
    order = np.argsort(image, kind="stable")
    cuts = np.searchsorted(image[order], np.arange(n_images + 1))
    return [order[start:stop] for start, stop in pairwise(cuts.tolist())]


def _greedy(
    truth: Boxes, predictions: Boxes, n_images: int, n_classes: int, iou: float, *, by_class: bool
) -> tuple[I64, Bool]:
    """COCO's matching: (pairs, 2) rows of truth and of predictions, and (m,) True for predictions that lie in a crowd
    region."""
    in_crowd = np.zeros(len(predictions), np.bool_)
    if not len(truth) or not len(predictions):
        return np.zeros((0, 2), np.int64), in_crowd
    _, coco_class, evaluation_class = _pycocotools()
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        sides = [_index(coco_class, boxes, n_images, n_classes) for boxes in (truth, predictions)]
        evaluation: Any = evaluation_class(*sides, "bbox")
        parameters = evaluation.params
        parameters.iouThrs, parameters.areaRng, parameters.areaRngLbl = np.array([iou]), [[0, float("inf")]], ["all"]
        parameters.maxDets, parameters.useCats = [len(predictions)], int(by_class)
        parameters.imgIds = np.intersect1d(truth.image, predictions.image).tolist()
        shared = np.intersect1d(truth.category, predictions.category).tolist()
        parameters.catIds = shared if by_class else list(range(n_classes))
        evaluation.evaluate()
    pairs: list[tuple[int, int]] = []
    for found in evaluation.evalImgs:
        if found is not None:
            for name, matched, ignored in zip(found["dtIds"], found["dtMatches"][0], found["dtIgnore"][0]):
                in_crowd[name - 1] |= bool(ignored)
                if matched > 0 and not ignored:
                    pairs.append((int(matched) - 1, name - 1))
    return np.array(pairs, np.int64).reshape(len(pairs), 2), in_crowd


def _index(coco_class: Any, boxes: Boxes, n_images: int, n_classes: int) -> Any:
    """pycocotools' index of the boxes. Its ids start at 1: a match with 0 would read as none."""
    index = coco_class()
    index.dataset = {
        "images": [{"id": i} for i in range(n_images)],
        "categories": [{"id": i} for i in range(n_classes)],
        "annotations": [
            {
                "id": i + 1,
                "image_id": int(boxes.image[i]),
                "category_id": int(boxes.category[i]),
                "bbox": boxes.xywh[i].tolist(),
                "area": float(boxes.xywh[i, 2:].prod()),
                "iscrowd": int(boxes.crowd[i]),
                "score": float(boxes.score[i]),
            }
            for i in range(len(boxes))
        ],
    }
    index.createIndex()
    return index


def _pycocotools() -> tuple[Any, Any, Any]:
    try:
        from pycocotools import mask
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise MissingDependency(
            f"Matching detections needs pycocotools. Run `{install_line('pycocotools')}`."
        ) from error
    return mask, COCO, COCOeval
