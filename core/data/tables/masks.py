"""Compute 1 - Dice and 1 - IoU of mask pairs, from image files or array columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.images.archives import FileImages
from core.data.images.decoding import open_picture
from core.data.images.matching import match_files
from core.data.modality import Unreadable
from core.data.scans.volume import is_volume, read_scan
from core.data.tables.cells import array_of, holds_arrays, texts_of
from core.data.tables.read import Table
from core.errors import InvalidInput
from core.records import F64, Progress, no_progress
from core.records.ledger import Ledger

MAX_CLASSES = 64
"""Different values of a mask: more are gray levels, not classes; a convention."""
_MAX_CLASS = 2**31 - 1
"""The largest class value, that of int32."""

Mask = npt.NDArray[Any]
ReadMask = Callable[[int], Mask | str]
"""Called with a row: the (h, w) mask, or the reason for its absence."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Pixel counts by class value in one pair: (overlap, in the truth, in the prediction)."""

    by_class: dict[int, tuple[int, int, int]]
    foreground: tuple[int, int, int]


def mask_losses(
    kind: str, true: ReadMask, predicted: ReadMask, ledger: Ledger, progress: Progress = no_progress
) -> F64:
    """(n,) 1 - Dice or 1 - IoU of each row's pair, in [0, 1]; nan for rows that were dropped.

    0 is background. If all true masks together, and all predicted ones, have one other value each (1 or 255, say), the
    masks are binary and every value but 0 is foreground. Otherwise values are classes, and the loss is the mean over
    the classes that either mask of the row holds. Where both are empty, nothing was missed and nothing invented: the
    loss is 0.
    """
    n = len(ledger)
    counts: dict[int, _Counts] = {}
    for row in range(n):
        if not ledger.reasons[row]:
            pair = _pair(true(row), predicted(row))
            if isinstance(pair, str):
                ledger.drop(np.arange(n) == row, pair)
            else:
                counts[row] = _count(*pair)
        if row % 100 == 0:
            progress("compare masks", row, n)
    true_values = set[int]()
    predicted_values = set[int]()
    for pair_counts in counts.values():
        for value, (_, in_truth, in_prediction) in pair_counts.by_class.items():
            if in_truth:
                true_values.add(value)
            if in_prediction:
                predicted_values.add(value)
    binary = len(true_values) <= 1 and len(predicted_values) <= 1
    empty = sum(c.foreground[1] + c.foreground[2] == 0 for c in counts.values())
    if empty:
        ledger.note(f"In {empty:,} rows both masks are empty: the loss is 0.")
    if not binary:
        ledger.note(
            f"The masks hold {len(true_values | predicted_values)} classes besides 0, the background: "
            "the loss is the mean over the classes in either mask."
        )
    losses = np.full(n, np.nan)
    for row, pair_counts in counts.items():
        losses[row] = _loss(kind, [pair_counts.foreground] if binary else list(pair_counts.by_class.values()))
    return losses


def mask_reader(
    column: str, read: Table, store: FileImages | None, ledger: Ledger, progress: Progress = no_progress
) -> ReadMask:
    """Make a reader of the mask of a row: from the image column, an array cell, or the file that the cell names.

    Raises:
        InvalidInput: the column is empty, or names files without images; see also `match_files`.
        Cancelled: from `progress`.
    """
    if column in read.images:
        column_images = read.images[column]
        return lambda row: decode_mask(column_images.read(row))
    if read.frame[column].isna().all():
        raise InvalidInput(f"The mask column {column!r} is empty. Name another column.")
    if holds_arrays(read.frame[column]) or not isinstance(read.frame[column].dropna().iloc[0], str):
        return lambda row: mask_of_cell(read.frame[column].iloc[row])
    if store is None:
        raise InvalidInput(f"{column!r} names mask files, but no images were added. Add them as a zip or folder.")
    written = texts_of(read.frame[column])
    positions = match_files(written, store, ledger, column=column, count_unused=False, progress=progress)

    def read_mask(row: int) -> Mask | str:
        try:
            return decode_mask(store.read(int(positions[row])))
        except InvalidInput as error:
            return str(error)

    return read_mask


def decode_mask(encoded: bytes) -> Mask | str:
    """Decode the (h, w) class values of an image file: palette indices, or gray values (color images only if their
    channels agree); of a volume (NIfTI, MGH, npz) all its voxels. A str is the reason why not."""
    if is_volume(encoded):
        try:
            return _whole_numbers(read_scan(encoded).values())
        except Unreadable as error:
            return f"a mask {error}"
    try:
        with open_picture(encoded) as image:
            if image.mode in ("P", "L", "1", "I", "I;16"):
                return np.asarray(image).astype(np.int64)
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Unreadable) as error:
        return f"a mask cannot be decoded: {str(error)[:80]}"
    if (pixels == pixels[..., :1]).all():
        return pixels[..., 0].astype(np.int64)
    return "a mask is in color: store one class value in each pixel, as gray or palette PNG"


def mask_of_cell(value: Any) -> Mask | str:
    """The mask in an array column's cell; fractions count as foreground from 0.5 on."""
    array = array_of(value)
    if array is None or array.ndim not in (1, 2) or not np.isfinite(array).all():
        return "a mask is not a rectangle of numbers"
    return _whole_numbers(np.atleast_2d(array))


def _whole_numbers(array: Mask) -> Mask | str:
    """Class values in as few bits as they came: a mask of a volume may have 2**28 of them."""
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype.kind in "ui":
        largest = max(int(array.max(initial=0)), -int(array.min(initial=0)))
        if largest > _MAX_CLASS:
            return _too_large(largest)
        return array
    if not np.isfinite(array).all():
        return "a mask holds NaN or infinity: use 0 for background"
    if not (array == np.round(array)).all():
        return (array >= 0.5).astype(np.uint8)
    if np.abs(array).max(initial=0) > _MAX_CLASS:
        return _too_large(np.abs(array).max())
    return array.astype(np.int32)


def _too_large(value: float) -> str:
    return f"a mask holds {value:g}, the limit is {_MAX_CLASS:,}: number the classes from 1"


def _pair(true: Mask | str, predicted: Mask | str) -> tuple[Mask, Mask] | str:
    if isinstance(true, str):
        return f"true mask: {true}"
    if isinstance(predicted, str):
        return f"predicted mask: {predicted}"
    if true.shape != predicted.shape:
        return f"the two masks differ in size: {true.shape} and {predicted.shape}"
    if max(len(np.unique(true)), len(np.unique(predicted))) > MAX_CLASSES:
        return (
            f"a mask has more than {MAX_CLASSES} values, like a gray image: save classes as PNG, since JPEG blurs them"
        )
    return true, predicted


def _count(true: Mask, predicted: Mask) -> _Counts:
    def overlap(in_truth: npt.NDArray[np.bool_], in_prediction: npt.NDArray[np.bool_]) -> tuple[int, int, int]:
        return int((in_truth & in_prediction).sum()), int(in_truth.sum()), int(in_prediction.sum())

    by_class: dict[int, tuple[int, int, int]] = {}
    for value in np.union1d(np.unique(true), np.unique(predicted)):
        if value != 0:
            by_class[int(value)] = overlap(true == value, predicted == value)
    return _Counts(by_class, overlap(true != 0, predicted != 0))


def _loss(kind: str, counts: list[tuple[int, int, int]]) -> float:
    """Mean over classes in either mask; 0 without any."""
    class_losses = list[float]()
    for overlap, in_truth, in_prediction in counts:
        both = in_truth + in_prediction
        if both > 0 and kind == "1 - Dice":
            class_losses.append(1 - 2 * overlap / both)
        elif both > 0:
            class_losses.append(1 - overlap / (both - overlap))
    if not class_losses:
        return 0.0
    return float(np.mean(class_losses))
