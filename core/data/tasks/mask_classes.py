"""Segmentation by class: one row for each image and class that its mask holds.

Two audits, as for detections. rows="objects": the classes of the true mask; how well was each covered?
rows="predictions": those of the predicted mask; how much of each is right? A class that only one mask holds has the
loss 1 whatever else is so, which is why the two are not mixed: a condition on how much of the image a class fills
would then find nothing but that.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.images.archives import open_images
from core.data.samples import DataSet, read_with_ledger
from core.data.tables.in_folder import open_table
from core.data.tables.masks import Mask, ReadMask, mask_reader
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.data.tasks.per_class import by_class
from core.errors import InvalidInput
from core.limits import Limits
from core.records import I64, Column, Outcomes, Progress, no_progress
from core.records.ledger import Ledger

KINDS = ("1 - Dice", "1 - IoU")


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

    A class of an image has the loss 1 - Dice (default) or 1 - IoU of its own pixels; 0 is background and no class. A
    row is an error where its IoU is below 0.5.

    Args:
        rows: "objects" for the classes of the true mask, "predictions" for those of the predicted one.
        roles: `masks` names the two columns if their names are unusual; `class_names` names the pixel values 1, 2, ...
            in order.

    Returns:
        The class is the label. For objects "share of the image" says how much of it the class fills in the true mask.

    Raises:
        InvalidInput: there are no pairs of masks; see also `core.data.samples.read_data_set`.
    """
    if rows not in ("objects", "predictions"):
        raise InvalidInput(f"rows of masks must be one of objects, predictions: got {rows!r}.")
    kind = roles.loss_kind or KINDS[0]
    if kind not in KINDS:
        raise InvalidInput(f"The loss of a class's mask must be one of {', '.join(KINDS)}: got {kind!r}.")
    named = replace(roles, loss=None, loss_kind=kind, class_names=())
    audit, ledger = read_with_ledger(table, images, embeddings, named, limits, progress)
    masks, true, predicted = _mask_readers(table, images, named, limits, progress)
    of, other = (true, predicted) if rows == "objects" else (predicted, true)
    found, others = _compared(of, other, ledger.kept_rows(), kind, progress)
    picture_of, values, loss, iou, share = (np.array(column) for column in zip(*found))
    names, class_of = _names(values, roles.class_names)
    outcomes = Outcomes(loss, kind, "share", f"masks {masks[0]!r} x {masks[1]!r}, each class apart", errors=iou < 0.5)
    columns = [Column("share of the image", "number", share)] if rows == "objects" else []
    notes = list[str]()
    alone = "the prediction" if rows == "objects" else "the truth"
    if others:
        only = f"Classes of an image that only {alone} holds were skipped: {others:,}."
        notes.append(f"{only} Choose the other rows for them.")
    of_pairs = ("the loss is the mean over", "both masks are empty")
    audit = replace(audit, notes=tuple(note for note in audit.notes if not any(part in note for part in of_pairs)))
    suffixes = [names[c] for c in class_of.tolist()]
    return by_class(audit, picture_of, class_of, names, outcomes, suffixes=suffixes, columns=columns, notes=notes)


def _mask_readers(
    table: str | Path | pd.DataFrame | None, images: str | Path | None, roles: Roles, limits: Limits, progress: Progress
) -> tuple[tuple[str, str], ReadMask, ReadMask]:
    """The two columns of masks, and what reads the true and the predicted mask of a row."""
    store = None if images is None else open_images(images, limits, progress)
    read = open_table(table, images, store, limits, roles.masks or (), progress)
    masks = recognise(read.frame, roles, list(read.images)).roles.masks or ("", "")
    book = Ledger(len(read.frame))
    true, predicted = (mask_reader(column, read, store, book, progress) for column in masks)
    return masks, true, predicted


def _compared(
    of: ReadMask, other: ReadMask, kept: I64, kind: str, progress: Progress
) -> tuple[list[tuple[int, int, float, float, float]], int]:
    """(image, class value, loss, IoU, share of the mask) of every class of every image, and how many classes only
    the other mask holds.

    Raises:
        InvalidInput: there is no class at all.
    """
    found: list[tuple[int, int, float, float, float]] = []
    others = 0
    for i, row in enumerate(kept.tolist()):
        beside = other(row)
        here = _classes(of(row), beside, kind)
        found += [(i, *one) for one in here]
        others += 0 if isinstance(beside, str) else len(np.setdiff1d(beside, [0, *(one[0] for one in here)]))
        if i % 100 == 0:
            progress("compare masks by class", i, len(kept))
    if not found:
        raise InvalidInput(
            "The masks hold nothing but background (0), so there is no class to diagnose. Check the mask columns."
        )
    return found, others


def _classes(of: Mask | str, other: Mask | str, kind: str) -> list[tuple[int, float, float, float]]:
    """(class value, loss, IoU, share of the mask) of each class of the first mask but the background; nothing if one
    cannot be read."""
    if isinstance(of, str) or isinstance(other, str):
        return []
    rows: list[tuple[int, float, float, float]] = []
    for value in np.unique(of).tolist():
        if value != 0:
            a = of == value
            b = other == value
            overlap = int((a & b).sum())
            both = int(a.sum() + b.sum())
            iou = overlap / (both - overlap)
            rows.append((int(value), 1 - iou if kind == "1 - IoU" else 1 - 2 * overlap / both, iou, float(a.mean())))
    return rows


def _names(values: npt.NDArray[np.int64], given: tuple[str, ...]) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Names of the classes and each row's place among them."""
    distinct, class_of = np.unique(values, return_inverse=True)
    if given and (distinct[0] < 1 or distinct[-1] > len(given)):
        raise InvalidInput(
            f"The masks hold the values {distinct[0]} to {distinct[-1]}, but class_names names 1 to "
            f"{len(given)}. Give one for each."
        )
    names = tuple(given[value - 1] if given else f"class {value}" for value in distinct.tolist())
    return names, class_of.astype(np.int64)
