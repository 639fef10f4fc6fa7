"""Read segmentations by class: one row for each image and class in its mask.

Two kinds of rows, as for detections. rows="objects": the classes of the true mask, and how well each was covered.
rows="predictions": those of the predicted mask, and how much of each is right. The two are not mixed, since a class in
only one of the masks always has the loss 1: a condition on the share of the image that a class fills would then find
only that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.images.archives import open_images
from core.data.images.outlines import ClassMasks
from core.data.samples import DataSet, read_with_ledger
from core.data.tables.in_folder import open_table
from core.data.tables.masks import ReadMask, mask_reader
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.data.tasks.per_class import by_class
from core.errors import InvalidInput
from core.limits import Limits
from core.numbers import count
from core.records import I64, Bool, Column, ItemView, Outcomes, Progress, no_progress
from core.records.ledger import Ledger

LOSS_KINDS = ("1 - Dice", "1 - IoU")
MIN_IOU = 0.5
"""A row of lower IoU is an error: a convention, the same as for detections."""


@dataclass(frozen=True, slots=True)
class _ClassMask:
    """One class in the mask of one image."""

    value: int
    loss: float
    iou: float
    share: float
    """Share of the mask that the class fills."""


def read_mask_classes(
    table: str | Path | pd.DataFrame | None,
    *,
    rows: str = "objects",
    images: str | Path | None = None,
    embeddings: str | Path | npt.NDArray[Any] | None = None,
    roles: Roles = Roles(),
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> DataSet:
    """Read pairs of masks into rows (image, class).

    The loss of a class in an image is 1 - Dice (default) or 1 - IoU of its own pixels; 0 is background, not a class. A
    row is an error if its IoU is below 0.5.

    Args:
        rows: "objects" for the classes of the true mask, "predictions" for those of the predicted one.
        roles: `masks` names the two columns if their names are unusual; `class_names` names the pixel values 1, 2, ...
            in order.

    Returns:
        The class is the label. Objects have a column "share of the image", the share that the class fills in the true
        mask.

    Raises:
        InvalidInput: the table has no pairs of masks; see also `core.data.samples.read_data_set`.
    """
    if rows not in ("objects", "predictions"):
        raise InvalidInput(f"The rows of masks must be one of objects, predictions: got {rows!r}.")
    kind = roles.loss_kind or LOSS_KINDS[0]
    if kind not in LOSS_KINDS:
        raise InvalidInput(f"The loss of a class's mask must be one of {', '.join(LOSS_KINDS)}: got {kind!r}.")
    named = replace(roles, loss=None, loss_kind=kind, class_names=())
    data, ledger = read_with_ledger(table, images, embeddings, named, limits, progress)
    store = None
    if images is not None:
        store = open_images(images, limits, progress)
    read = open_table(table, images, store, limits, named.masks or (), progress)
    masks = recognise(read.frame, named, list(read.images)).roles.masks or ("", "")
    mask_ledger = Ledger(len(read.frame))
    true, predicted = (mask_reader(column, read, store, mask_ledger, progress) for column in masks)
    image_rows = ledger.kept_rows()
    if rows == "objects":
        image_of, class_masks, n_skipped = _compare(true, predicted, image_rows, kind, progress)
        skipped_side = "predicted"
        next_step = "Use --rows predictions to include them."
    else:
        image_of, class_masks, n_skipped = _compare(predicted, true, image_rows, kind, progress)
        skipped_side = "true"
        next_step = "Use --rows objects to include them."
    names, class_of = _classes(np.array([mask.value for mask in class_masks]), roles.class_names)
    loss = np.array([mask.loss for mask in class_masks])
    errors = np.array([mask.iou for mask in class_masks]) < MIN_IOU
    outcomes = Outcomes(loss, kind, "share", f"masks {masks[0]!r} x {masks[1]!r}, each class apart", errors=errors)
    columns = list[Column]()
    if rows == "objects":
        columns.append(Column("share of the image", "number", np.array([mask.share for mask in class_masks])))
    notes = list[str]()
    if n_skipped:
        notes.append(
            f"Skipped {count(n_skipped, 'class')} that only the {skipped_side} mask of an image holds. {next_step}"
        )
    # notes of `core.data.tables.masks` on the loss of whole images, which is not used here
    of_images = ("the loss is the mean over", "both masks are empty")
    data = replace(data, notes=tuple(note for note in data.notes if not any(part in note for part in of_images)))
    suffixes = [names[c] for c in class_of.tolist()]
    data = by_class(data, image_of, class_of, names, outcomes, suffixes=suffixes, columns=columns, notes=notes)
    items = data.samples.items
    if isinstance(items, ItemView):
        values = np.array([mask.value for mask in class_masks])
        data = replace(data, samples=replace(data.samples, items=ClassMasks(items.base, items.rows, True, values)))
    return data


def _compare(
    reference: ReadMask, counterpart: ReadMask, image_rows: I64, kind: str, progress: Progress
) -> tuple[I64, list[_ClassMask], int]:
    """Compare each image's masks class by class, for the classes of the reference.

    Returns:
        (N,) image of each class; the N classes; and the number of classes that only the counterpart holds.

    Raises:
        InvalidInput: the reference masks hold no class.
    """
    image_of = list[int]()
    class_masks = list[_ClassMask]()
    n_skipped = 0
    for i, row in enumerate(image_rows.tolist()):
        if i % 100 == 0:
            progress("compare masks by class", i, len(image_rows))
        second = counterpart(row)
        first = reference(row)
        if isinstance(second, str):  # the reason why it cannot be read
            continue
        values = [0]
        if not isinstance(first, str):
            values = np.unique(first).tolist()
            for value in values:
                if value != 0:
                    image_of.append(i)
                    class_masks.append(_compare_class(first == value, second == value, int(value), kind))
        n_skipped += len(np.setdiff1d(second, [0, *values]))
    if not class_masks:
        raise InvalidInput("The masks hold nothing but background (0). Check the mask columns.")
    return np.array(image_of), class_masks, n_skipped


def _compare_class(inside: Bool, counterpart: Bool, value: int, kind: str) -> _ClassMask:
    overlap = int((inside & counterpart).sum())
    both = int(inside.sum() + counterpart.sum())
    iou = overlap / (both - overlap)
    loss = 1 - 2 * overlap / both
    if kind == "1 - IoU":
        loss = 1 - iou
    return _ClassMask(value, loss, iou, float(inside.mean()))


def _classes(values: I64, class_names: tuple[str, ...]) -> tuple[tuple[str, ...], I64]:
    """Names of the classes, and each row's index into them.

    Raises:
        InvalidInput: a value has no name.
    """
    distinct, class_of = np.unique(values, return_inverse=True)
    if not class_names:
        return tuple(f"class {value}" for value in distinct.tolist()), class_of.astype(np.int64)
    n = len(class_names)
    if distinct[0] < 1 or distinct[-1] > n:
        raise InvalidInput(
            f"The masks hold the values {distinct[0]} to {distinct[-1]}, but class_names names 1 to {n}. "
            "Add a name for each."
        )
    return tuple(class_names[value - 1] for value in distinct.tolist()), class_of.astype(np.int64)
