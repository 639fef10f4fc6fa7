"""Build the rows of objects or of predictions: loss, columns, and rows without a loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.tasks.detection.boxes import Boxes, geometry
from core.data.tasks.detection.matching import Matches, nearest_overlap
from core.data.tasks.detection.read import Detections
from core.records import F64, I64, Bool, Column

NOT_LOCATED = "background"
"""The predicted class of an object that no prediction located, as in confusion matrices of detectors."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The rows of one kind: objects or predictions."""

    boxes: Boxes
    loss: F64
    errors: Bool
    predictions: I64 | None
    metadata: tuple[Column, ...]
    model_outputs: tuple[Column, ...]
    outside: tuple[tuple[Bool, str], ...]
    """Rows without this loss, and the reason."""


def object_rows(read: Detections, used: Boxes, matches: Matches, loss_kind: str) -> Side:
    """One row for each true object; crowd regions are left out.

    Args:
        used: the matched predictions.
        loss_kind: "miss", "localisation" or "class"; see `core.data.tasks.detection.samples`.
    """
    rows = np.flatnonzero(~read.truth.crowd)
    boxes = read.truth.keep(rows)
    located = matches.located_by >= 0
    predicted = np.where(located, used.category[matches.located_by], len(read.class_names))
    missed = matches.prediction_of < 0
    wrong = located & (predicted != boxes.category)
    errors = {"miss": missed, "localisation": ~located, "class": wrong}[loss_kind]
    loss = errors.astype(np.float64)
    predictions = predicted
    outside: tuple[tuple[Bool, str], ...] = ()
    if loss_kind == "localisation":
        loss = 1 - matches.overlap
        predictions = None
    if loss_kind == "class":
        outside = ((~located, "the object was not located, so no class was predicted"),)
    names = np.array([*read.class_names, class_of_nothing(read)], dtype=object)
    outputs = (
        _category("outcome", matches.object_kind),
        _category("predicted class", names[predicted]),
        Column("score", "number", np.where(located, used.score[matches.located_by], np.nan)),
        Column("IoU", "number", matches.overlap),
    )
    shape = geometry(boxes, read.sizes)
    shape["IoU with the nearest object"] = nearest_overlap(boxes)
    object_columns = [column.keep(rows) for column in read.object_columns]
    metadata = (*_shape_columns(shape), _crowding(read, boxes), *object_columns)
    return Side(boxes, loss, errors, predictions, metadata, outputs, outside)


def class_of_nothing(read: Detections) -> str:
    """A name for the predicted class of an object that was not located, which no class of the data has."""
    if NOT_LOCATED in read.class_names:
        return "not located"
    return NOT_LOCATED


def prediction_rows(read: Detections, used: Boxes, matches: Matches, loss_kind: str, iou: float) -> Side:
    """One row for each used prediction. Arguments as for `object_rows`; `iou` as for the matching."""
    kinds = np.array(matches.prediction_kind, dtype=object)
    right = kinds == "right"
    wrong = kinds == "wrong class"
    errors = {"miss": ~right, "localisation": matches.reach < iou, "class": wrong}[loss_kind]
    loss = errors.astype(np.float64)
    if loss_kind == "localisation":
        loss = 1 - matches.reach
    true = read.truth.keep(np.flatnonzero(~read.truth.crowd)).category
    names = np.array([*read.class_names, "none"], dtype=object)
    true_class = np.where(matches.object_of >= 0, np.r_[true, -1][matches.object_of], len(read.class_names))
    outputs = (
        _category("outcome", matches.prediction_kind),
        _category("class of its object", names[true_class]),
        Column("score", "number", used.score),
        Column("IoU", "number", matches.reach),
    )
    outside = [(kinds == "crowd", "the prediction lies in a crowd region")]
    if loss_kind == "class":
        outside.append((~right & ~wrong, "no object matches the prediction, so its class is neither right nor wrong"))
    metadata = (*_shape_columns(geometry(used, read.sizes)), _crowding(read, used))
    return Side(used, loss, errors.astype(np.bool_), None, metadata, outputs, tuple(outside))


def _shape_columns(shape: dict[str, F64]) -> list[Column]:
    return [Column(name, "number", values) for name, values in shape.items()]


def _category(name: str, values: Iterable[Any]) -> Column:
    return Column(name, "category", np.array(list(values), dtype=object))


def _crowding(read: Detections, boxes: Boxes) -> Column:
    counts = np.bincount(read.truth.image[~read.truth.crowd], minlength=len(read.store))
    return Column("objects in the image", "number", counts[boxes.image].astype(np.float64))
