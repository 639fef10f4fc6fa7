"""Match predictions with objects, and name the kind of each.

Three steps. (1) COCO's matching, with the IoU of pycocotools: within a class, predictions in order of score take the
free object of highest IoU, at least `iou`; crowd regions absorb predictions. (2) The same for the remaining ones of any
class: the object was located, under the name of another class. (3) A prediction without a match belongs to the object
that it overlaps most: from `iou` on it is a duplicate, from `MIN_OVERLAP` on poorly placed, below that background. The
kinds are those of TIDE (Bolya, Foley, Hays and Hoffman 2020, arXiv 2008.08115), which also uses 0.1 for `MIN_OVERLAP`;
the order of steps is ours.
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

MIN_OVERLAP = 0.1
"""IoU below which a prediction is unrelated to an object."""
BLOCK_IOUS = 2**22
"""IoUs in memory at a time: 32 MiB."""
MAX_PAIRS = 250_000_000
"""Of one image: objects times predictions, or times objects if these are more. A pair takes 44 ns, so 11 s."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Matches of n objects (crowd regions are not objects) and m predictions."""

    prediction_of: I64
    """(n,) the matched prediction of the object's class; -1 for a missed object."""
    located_by: I64
    """(n,) the matched prediction of any class; -1 for none."""
    overlap: F64
    """(n,) IoU with `located_by`, else with the nearest prediction that belongs to the object, else 0."""
    object_kind: tuple[str, ...]
    """"found", "wrong class", "poorly placed" or "missed"."""
    object_of: I64
    """(m,) the matched object, else the one that the prediction overlaps most; -1 for none."""
    reach: F64
    """(m,) IoU with `object_of`, 0 for none."""
    prediction_kind: tuple[str, ...]
    """"right", "wrong class", "duplicate", "poorly placed", "background", or "crowd" in a crowd region."""


def match(truth: Boxes, predictions: Boxes, *, n_images: int, n_classes: int, iou: float) -> Matches:
    """Match predictions with objects; the boxes are in pixels and inside their images.

    Args:
        truth: objects and crowd regions; the results are for the objects, in their order.
        iou: least intersection over union of a match, in (0, 1].

    Raises:
        InvalidInput: an image has more than `MAX_PAIRS` pairs of boxes.
    """
    objects = np.flatnonzero(~truth.crowd)
    _check_pairs(truth, predictions, n_images)
    pairs, in_crowd = _greedy(truth, predictions, n_classes, iou)
    prediction_of = np.full(len(truth), -1, np.int64)
    object_of = np.full(len(predictions), -1, np.int64)
    prediction_of[pairs[:, 0]] = pairs[:, 1]
    object_of[pairs[:, 1]] = pairs[:, 0]
    free = _by_class(truth, ~truth.crowd & (prediction_of < 0))
    unmatched = _by_class(predictions, (object_of < 0) & ~in_crowd)
    more, _ = _greedy(_classless(truth.keep(free)), _classless(predictions.keep(unmatched)), 1, iou)
    located_by = prediction_of.copy()
    located_by[free[more[:, 0]]] = unmatched[more[:, 1]]
    object_of[unmatched[more[:, 1]]] = free[more[:, 0]]
    reach, nearest = _nearest(truth, predictions, object_of)
    overlap = np.zeros(len(truth))
    matched = located_by >= 0
    overlap[matched] = reach[located_by[matched]]
    for prediction in np.flatnonzero((object_of < 0) & ~in_crowd & (nearest >= 0)).tolist():
        row = nearest[prediction]
        if not matched[row]:
            overlap[row] = max(overlap[row], reach[prediction])
    object_kinds = np.select(
        [prediction_of >= 0, matched, overlap > 0], ["found", "wrong class", "poorly placed"], "missed"
    )
    right = np.zeros(len(predictions), np.bool_)
    right[prediction_of[prediction_of >= 0]] = True
    prediction_kinds = np.select(
        [right, in_crowd, object_of >= 0, reach >= iou, nearest >= 0],
        ["right", "crowd", "wrong class", "duplicate", "poorly placed"],
        "background",
    )
    number = np.full(len(truth) + 1, -1, np.int64)  # the last entry, for -1, stays -1
    number[objects] = np.arange(len(objects))
    return Matches(
        prediction_of[objects],
        located_by[objects],
        overlap[objects],
        tuple(map(str, object_kinds[objects])),
        number[nearest],
        reach,
        tuple(map(str, prediction_kinds)),
    )


def _classless(boxes: Boxes) -> Boxes:
    """The boxes, all of one class."""
    return replace(boxes, category=np.zeros_like(boxes.category))


def _by_class(boxes: Boxes, which: Bool) -> I64:
    """The rows where `which`, class by class: COCO's order of boxes when classes are ignored."""
    rows = np.flatnonzero(which)
    return rows[np.argsort(boxes.category[rows], kind="stable")]


def _nearest(truth: Boxes, predictions: Boxes, object_of: I64) -> tuple[F64, I64]:
    """(m,) IoU of each prediction with its object, else with the one that it overlaps most, and (m,) that object; -1
    below `MIN_OVERLAP`."""
    reach = np.zeros(len(predictions))
    nearest = np.full(len(predictions), -1, np.int64)
    for rows, of_image in _together(np.where(truth.crowd, -1, truth.image), predictions.image):
        for block, ious in _blocks(predictions, of_image, truth, rows):
            partner = np.where(object_of[block] >= 0, object_of[block], rows[ious.argmax(axis=1)])
            reach[block] = ious[np.arange(len(block)), np.searchsorted(rows, partner)]
            nearest[block] = np.where(reach[block] >= MIN_OVERLAP, partner, -1)
    return reach, nearest


def _blocks(a: Boxes, a_rows: I64, b: Boxes, b_rows: I64) -> Iterator[tuple[I64, F64]]:
    """Blocks of rows of `a`, each with its IoUs with all of `b_rows`, at most `BLOCK_IOUS`; with a crowd region of `b`
    it is the share of the box inside, as in COCO."""
    if not len(b_rows):
        return
    try:
        from pycocotools import mask
    except ImportError as error:
        raise MissingDependency(
            f"Matching detections needs pycocotools. Run `{install_line('pycocotools')}`."
        ) from error
    tools: Any = mask
    step = max(1, BLOCK_IOUS // len(b_rows))
    b_boxes = np.ascontiguousarray(b.xywh[b_rows])
    crowd = b.crowd[b_rows].tolist()
    for start in range(0, len(a_rows), step):
        rows = a_rows[start : start + step]
        yield rows, np.asarray(tools.iou(np.ascontiguousarray(a.xywh[rows]), b_boxes, crowd), np.float64)


def nearest_overlap(boxes: Boxes) -> F64:
    """(n,) highest IoU of each box with another box of its image, 0 for the only box."""
    highest = np.zeros(len(boxes))
    boxes = replace(boxes, crowd=np.zeros(len(boxes), np.bool_))
    for of_image, _ in _together(boxes.image, boxes.image):
        for rows, ious in _blocks(boxes, of_image, boxes, of_image):
            ious[np.arange(len(rows)), np.searchsorted(of_image, rows)] = 0
            highest[rows] = ious.max(axis=1)
    return highest


def _together(a: I64, b: I64) -> Iterator[tuple[I64, I64]]:
    """The rows of `a` and of `b` with each shared key from 0, ascending."""
    a_order = np.argsort(a, kind="stable")
    b_order = np.argsort(b, kind="stable")
    shared = np.intersect1d(a[a >= 0], b)
    a_starts, a_ends = np.searchsorted(a[a_order], [shared, shared + 1])
    b_starts, b_ends = np.searchsorted(b[b_order], [shared, shared + 1])
    for i in range(len(shared)):
        yield a_order[a_starts[i] : a_ends[i]], b_order[b_starts[i] : b_ends[i]]


def _greedy(truth: Boxes, predictions: Boxes, n_classes: int, iou: float) -> tuple[I64, Bool]:
    """COCO's matching: (pairs, 2) rows of truth and of predictions, and (m,) True for predictions in a crowd region.

    Equal to `COCOeval.evaluateImg` of pycocotools without bounds of area or number: of objects of equal IoU the last
    is matched. `evaluateImg` holds the IoUs of a whole image: 3 GB for 20,000 objects and 20,000 predictions.
    """
    pairs = list[tuple[int, int]]()
    in_crowd = np.zeros(len(predictions), np.bool_)
    min_iou = min(iou, 1 - 1e-10)  # as in COCOeval
    truth_keys = truth.image * n_classes + truth.category
    prediction_keys = predictions.image * n_classes + predictions.category
    for objects, candidates in _together(truth_keys, prediction_keys):
        rows = objects[np.argsort(truth.crowd[objects], kind="stable")]  # crowd regions last
        n_free = int(len(rows) - truth.crowd[rows].sum())
        free = np.ones(n_free, np.bool_)
        by_score = candidates[np.argsort(-predictions.score[candidates], kind="stable")]
        for block, ious in _blocks(predictions, by_score, truth, rows):
            enough = ious >= min_iou
            for i in np.flatnonzero(enough.any(axis=1)).tolist():
                best = -1
                if n_free:
                    last_first = np.where(free & enough[i, :n_free], ious[i, :n_free], -1.0)[::-1]
                    best = n_free - 1 - int(last_first.argmax())
                if best >= 0 and free[best] and enough[i, best]:
                    free[best] = False
                    pairs.append((int(rows[best]), int(block[i])))
                else:
                    in_crowd[block[i]] = enough[i, n_free:].any()
    return np.array(pairs, np.int64).reshape(len(pairs), 2), in_crowd


def _check_pairs(truth: Boxes, predictions: Boxes, n_images: int) -> None:
    """Refuse an image with too many boxes to compare.

    Raises:
        InvalidInput: it has more than `MAX_PAIRS` pairs.
    """
    objects = np.bincount(truth.image, minlength=n_images)
    predicted = np.bincount(predictions.image, minlength=n_images)
    pairs = np.maximum(objects, predicted) * objects
    if len(pairs) and pairs.max() > MAX_PAIRS:
        image = int(pairs.argmax())
        raise InvalidInput(
            f"Image {image} (from 0) has {int(objects[image]):,} objects and {int(predicted[image]):,} predictions. "
            f"At most {MAX_PAIRS:,} pairs of an image are compared. Cut it into tiles, or remove predictions of low "
            "score."
        )
