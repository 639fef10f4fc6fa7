"""What each object and each prediction says: its loss, its columns, and which rows a loss says nothing about."""

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
"""The class of an object with no prediction at its place, as confusion matrices of detectors have it."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The rows of one audit."""

    boxes: Boxes
    loss: F64
    errors: Bool
    predictions: I64 | None
    metadata: tuple[Column, ...]
    model_outputs: tuple[Column, ...]
    outside: tuple[tuple[Bool, str], ...]
    """Rows that this loss says nothing about, and why."""


def object_rows(read: Detections, used: Boxes, matches: Matches, loss_kind: str) -> Side:
    """One row for each true object that is no crowd region.

    Args:
        used: the predictions that were matched.
        loss_kind: "miss", "localisation" or "class"; see `core.data.tasks.detection.samples`.
    """
    real = np.flatnonzero(~read.truth.crowd)
    boxes = read.truth.keep(real)
    k = len(read.class_names)
    located = matches.located_by >= 0
    called = np.where(located, used.category[matches.located_by], k)
    missed = matches.prediction_of < 0
    wrong = located & (called != boxes.category)
    errors = {"miss": missed, "localisation": ~located, "class": wrong}[loss_kind]
    loss = 1 - matches.overlap if loss_kind == "localisation" else errors.astype(np.float64)
    scores = np.where(located, used.score[matches.located_by], np.nan)
    names = np.array([*read.class_names, class_of_nothing(read)], dtype=object)
    outputs = (
        _category("outcome", matches.object_kind),
        _category("predicted class", names[called]),
        Column("score", "number", scores),
        Column("IoU", "number", matches.overlap),
    )
    own = [column.keep(real) for column in read.object_columns]
    shape = geometry(boxes, read.sizes)
    shape["IoU with the nearest object"] = nearest_overlap(boxes)
    outside = ((~located, "the object was not located, so its class says nothing"),) if loss_kind == "class" else ()
    metadata = (*_shape_columns(shape), _crowding(read, boxes), *own)
    return Side(boxes, loss, errors, None if loss_kind == "localisation" else called, metadata, outputs, outside)


def class_of_nothing(read: Detections) -> str:
    """The name for "no prediction at its place" that no class of the data has."""
    return NOT_LOCATED if NOT_LOCATED not in read.class_names else "not located"


def prediction_rows(read: Detections, used: Boxes, matches: Matches, loss_kind: str, iou: float) -> Side:
    """One row for each prediction in use; the arguments are those of `object_rows`, and `iou` that of the matching."""
    kinds = np.array(matches.prediction_kind, dtype=object)
    right = kinds == "right"
    wrong = kinds == "wrong class"
    errors = {"miss": ~right, "localisation": matches.reach < iou, "class": wrong}[loss_kind]
    loss = 1 - matches.reach if loss_kind == "localisation" else errors.astype(np.float64)
    true = read.truth.keep(np.flatnonzero(~read.truth.crowd)).category
    names = np.array([*read.class_names, "none"], dtype=object)
    of = np.where(matches.object_of >= 0, np.r_[true, -1][matches.object_of], len(read.class_names))
    outputs = (
        _category("outcome", matches.prediction_kind),
        _category("class of its object", names[of]),
        Column("score", "number", used.score),
        Column("IoU", "number", matches.reach),
    )
    outside = [(kinds == "crowd", "the prediction lies in a crowd region")]
    if loss_kind == "class":
        outside.append((~right & ~wrong, "no object is matched with the prediction, so its class says nothing"))
    metadata = (*_shape_columns(geometry(used, read.sizes)), _crowding(read, used))
    return Side(used, loss, errors.astype(np.bool_), None, metadata, outputs, tuple(outside))


def _shape_columns(shape: dict[str, F64]) -> list[Column]:
    return [Column(name, "number", values) for name, values in shape.items()]


def _category(name: str, values: Iterable[Any]) -> Column:
    return Column(name, "category", np.array(list(values), dtype=object))


def _crowding(read: Detections, boxes: Boxes) -> Column:
    counts = np.bincount(read.truth.image[~read.truth.crowd], minlength=len(read.store))
    return Column("objects in the image", "number", counts[boxes.image].astype(np.float64))
