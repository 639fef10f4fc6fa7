"""Which prediction goes with which object, and what became of both.

Three steps. (1) COCO's matching, with the IoU of pycocotools: within a class, predictions in order of score take the
free object of highest IoU, at least `iou`; crowd regions absorb predictions. (2) The same on what is left, whatever the
class: the object was located and called by another name. (3) What is still left belongs to the object that it overlaps
most: from `iou` on it is a duplicate, from `FAINT` on poorly placed, below that background. The kinds are those of TIDE
(Bolya, Foley, Hays and Hoffman 2020, arXiv 2008.08115), which also takes 0.1 for `FAINT`; the order of steps is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.data.tasks.detection.boxes import Boxes
from core.errors import InvalidInput, MissingDependency
from core.program import install_line
from core.records import F64, I64, Bool

FAINT = 0.1
"""IoU below which a prediction has nothing to do with an object."""
BLOCK = 2**22
"""IoUs that are kept at a time: 32 MiB."""
MAX_PAIRS = 250_000_000
"""Objects times predictions, or times themselves, of one image: 44 ns each."""


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

    Raises:
        InvalidInput: an image has more than `MAX_PAIRS` of boxes.
    """
    objects = np.flatnonzero(~truth.crowd)
    _check_pairs(truth, predictions, n_images)
    pairs, in_crowd = _greedy(truth, predictions, n_classes, iou)
    prediction_of = np.full(len(truth), -1, np.int64)
    object_of = np.full(len(predictions), -1, np.int64)
    prediction_of[pairs[:, 0]], object_of[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    free = _by_class(truth, ~truth.crowd & (prediction_of < 0))
    left = _by_class(predictions, (object_of < 0) & ~in_crowd)
    rest, unmatched = (replace(one, category=one.category * 0) for one in (truth.keep(free), predictions.keep(left)))
    more, _ = _greedy(rest, unmatched, 1, iou)
    located_by = prediction_of.copy()
    located_by[free[more[:, 0]]], object_of[left[more[:, 1]]] = left[more[:, 1]], free[more[:, 0]]
    reach, nearest = _nearest(truth, predictions, object_of)
    overlap = np.zeros(len(truth))
    matched = located_by >= 0
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


def _by_class(boxes: Boxes, which: Bool) -> I64:
    """The rows that are `which`, class by class: the order in which COCO takes boxes whatever their class."""
    rows = np.flatnonzero(which)
    return rows[np.argsort(boxes.category[rows], kind="stable")]


def _nearest(truth: Boxes, predictions: Boxes, object_of: I64) -> tuple[F64, I64]:
    """Of each of m predictions the IoU with its object, else with the one that it overlaps most, and that object; -1
    below `FAINT`."""
    reach = np.zeros(len(predictions))
    nearest = np.full(len(predictions), -1, np.int64)
    for rows, all_seen in _together(np.where(truth.crowd, -1, truth.image), predictions.image):
        for seen, ious in _blocks(predictions, all_seen, truth, rows):
            goes_with = np.where(object_of[seen] >= 0, object_of[seen], rows[ious.argmax(axis=1)])
            reach[seen] = ious[np.arange(len(seen)), np.searchsorted(rows, goes_with)]
            nearest[seen] = np.where(reach[seen] >= FAINT, goes_with, -1)
    return reach, nearest


def _blocks(a: Boxes, a_rows: I64, b: Boxes, b_rows: I64) -> Iterator[tuple[I64, F64]]:
    """Some of the rows of `a`, and their IoU with all of those of `b`, so that no matrix is larger than `BLOCK`; for a
    crowd region of `b` the share of the box that lies in it, as COCO has it."""
    tools = _pycocotools()
    step = max(1, BLOCK // max(len(b_rows), 1))
    others = np.ascontiguousarray(b.xywh[b_rows])
    crowd = b.crowd[b_rows].tolist()
    for start in range(0, len(a_rows) if len(b_rows) else 0, step):
        rows = a_rows[start : start + step]
        yield rows, np.asarray(tools.iou(np.ascontiguousarray(a.xywh[rows]), others, crowd), np.float64)


def nearest_overlap(boxes: Boxes) -> F64:
    """(n,) highest IoU of each box with another one of its image, 0 where it is alone."""
    highest = np.zeros(len(boxes))
    alike = replace(boxes, crowd=np.zeros(len(boxes), np.bool_))
    for of_image, _ in _together(boxes.image, boxes.image):
        for rows, ious in _blocks(alike, of_image, alike, of_image):
            ious[np.arange(len(rows)), np.searchsorted(of_image, rows)] = 0
            highest[rows] = ious.max(axis=1)
    return highest


def _together(a: I64, b: I64) -> Iterator[tuple[I64, I64]]:
    """The rows of each key from 0 that both have, ascending."""
    orders = [np.argsort(keys, kind="stable") for keys in (a, b)]
    shared = np.intersect1d(a[a >= 0], b)
    cuts = [np.searchsorted(keys[order], [shared, shared + 1]) for keys, order in zip((a, b), orders)]
    for i in range(len(shared)):
        of_a, of_b = (order[cut[0, i] : cut[1, i]] for order, cut in zip(orders, cuts))
        yield of_a, of_b


def _greedy(truth: Boxes, predictions: Boxes, n_classes: int, iou: float) -> tuple[I64, Bool]:
    """COCO's matching: (pairs, 2) rows of truth and of predictions, and (m,) True for predictions that lie in a crowd
    region.

    As `COCOeval.evaluateImg` of pycocotools without bounds of area or number: of objects of equal IoU the last is
    taken. That one keeps the IoU of a whole image: 3 GB for 20,000 objects and 20,000 predictions.
    """
    pairs = list[tuple[int, int]]()
    in_crowd = np.zeros(len(predictions), np.bool_)
    least = min(iou, 1 - 1e-10)
    for of_image, seen in _together(*(boxes.image * n_classes + boxes.category for boxes in (truth, predictions))):
        rows = of_image[np.argsort(truth.crowd[of_image], kind="stable")]  # crowd regions last
        n_free = int(len(rows) - truth.crowd[rows].sum())
        free = np.ones(n_free, np.bool_)
        by_score = seen[np.argsort(-predictions.score[seen], kind="stable")]
        for some, ious in _blocks(predictions, by_score, truth, rows):
            enough = ious >= least
            for i in np.flatnonzero(enough.any(axis=1)).tolist():
                reach = np.where(free & enough[i, :n_free], ious[i, :n_free], -1.0)[::-1]
                best = n_free - 1 - int(reach.argmax()) if n_free else -1
                if best >= 0 and free[best] and enough[i, best]:
                    free[best] = False
                    pairs.append((int(rows[best]), int(some[i])))
                else:
                    in_crowd[some[i]] = enough[i, n_free:].any()
    return np.array(pairs, np.int64).reshape(len(pairs), 2), in_crowd


def _check_pairs(truth: Boxes, predictions: Boxes, n_images: int) -> None:
    """Refuse an image whose boxes would be compared for minutes.

    Raises:
        InvalidInput: it has more than `MAX_PAIRS`.
    """
    counts = [np.bincount(boxes.image, minlength=n_images) for boxes in (truth, predictions)]
    pairs = np.maximum(counts[0], counts[1]) * counts[0]
    if len(pairs) and pairs.max() > MAX_PAIRS:
        objects, found = (int(count[pairs.argmax()]) for count in counts)
        raise InvalidInput(
            f"Image {int(pairs.argmax())} (from 0) has {objects:,} objects and {found:,} predictions; at most "
            f"{MAX_PAIRS:,} pairs of an image are compared. Cut it into tiles, or drop the least sure predictions."
        )


def _pycocotools() -> Any:
    try:
        from pycocotools import mask
    except ImportError as error:
        raise MissingDependency(
            f"Matching detections needs pycocotools. Run `{install_line('pycocotools')}`."
        ) from error
    return mask
