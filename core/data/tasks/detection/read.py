"""Read both sides of a detection task from COCO or YOLO, and find their images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.images.archives import FileImages, is_archive, open_images
from core.data.images.decoding import upright_size
from core.data.images.matching import check_pictures, match_files
from core.data.modality import Unreadable
from core.data.tables.cells import as_column
from core.data.tasks.detection.boxes import Boxes, Raw, check_boxes, in_pixels
from core.data.tasks.detection.coco import read_coco
from core.data.tasks.detection.desk import check_detections
from core.data.tasks.detection.yolo import read_yolo
from core.errors import InvalidInput
from core.limits import Limits
from core.records import F64, I64, Column, ItemStore, Progress, Reporter, no_progress
from core.records.ledger import Ledger


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The good boxes of both sides, sorted by image, and the reasons for the others."""

    name: str
    class_names: tuple[str, ...]
    store: ItemStore
    sizes: F64
    """(m, 2) width and height of each image of `store`, in pixels."""
    truth: Boxes
    predictions: Boxes
    image_columns: tuple[Column, ...]
    """(m,) further values of each image in the truth."""
    object_columns: tuple[Column, ...]
    """(n,) further values of each object in the truth."""
    excluded: tuple[tuple[str, str], ...]
    """(id, reason)."""
    notes: tuple[str, ...]


def read_detections(
    truth: str | Path,
    predictions: str | Path,
    *,
    images: str | Path,
    as_is: bool = False,
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> Detections:
    """Read both sides, as COCO from files or as YOLO from folders or archives, and find their images.

    Args:
        as_is: a likely mistake (`core.data.tasks.detection.desk`) is noted instead of refused.

    Raises:
        InvalidInput: see `read_detection_samples`.
    """
    truth = Path(truth)
    predictions = Path(predictions)
    progress("read detections", 0, 1)
    store = open_images(images, limits, progress)
    raw = _raw(truth, predictions, store, progress)
    ledger = Ledger(len(raw.image_names), as_is=as_is)
    names = np.array(raw.image_names, dtype=object)
    positions = match_files(names, store, ledger, column="file_name", count_unused=not raw.relative, progress=progress)
    check_pictures(store, positions, ledger, limits, progress)
    sizes = raw.sizes.copy()  # those missing in the truth are read from the images, upright
    reasons = [""] * len(positions)
    report = Reporter(progress, "read sizes", len(positions))
    for row in np.flatnonzero(~np.isfinite(sizes).all(axis=1) & ledger.standing()).tolist():
        report(row)
        try:
            sizes[row] = upright_size(store.read(int(positions[row])))
        except (InvalidInput, Unreadable) as error:
            reasons[row] = f"its image cannot be read: {str(error)[:80]}"
    ledger.drop(np.array([bool(reason) for reason in reasons], np.bool_), reasons)
    usable = ledger.kept_rows()
    new_index = np.full(len(names) + 1, -1, np.int64)  # the last entry, for -1, stays -1
    new_index[usable] = np.arange(len(usable))
    sizes = sizes[usable]
    true = _usable_boxes(raw, "truth", ledger, new_index, sizes)
    true_order = _in_order(true, raw.truth_ledger)
    check_detections(raw, true.keep(true_order), new_index, sizes, ledger)
    predicted = _usable_boxes(raw, "predictions", ledger, new_index, sizes)
    excluded, notes = _account(raw, ledger)
    progress("read detections", 1, 1)
    return Detections(
        truth.stem,
        raw.class_names,
        store.keep(positions[usable]),
        sizes,
        true.keep(true_order),
        predicted.keep(_in_order(predicted, raw.predictions_ledger)),
        tuple(column.keep(usable) for column in _columns(raw.image_frame, notes)),
        tuple(column.keep(true_order) for column in _columns(raw.truth_frame, notes)),
        tuple(excluded),
        (*store.notes, *raw.notes, *notes),
    )


def _raw(truth: Path, predictions: Path, store: FileImages, progress: Progress) -> Raw:
    """Both sides as written."""
    # YOLO's labels are a folder or an archive of files, COCO's one file
    yolo = [path.is_dir() or is_archive(path) for path in (truth, predictions)]
    if all(yolo):
        return read_yolo(truth, predictions, store, progress=progress)
    if any(yolo):
        raise InvalidInput(
            f"{truth.name} and {predictions.name} are of two forms. "
            "Use two JSON files (COCO), or two folders or zips (YOLO)."
        )
    return read_coco(truth, predictions)


def _usable_boxes(raw: Raw, what: str, image_ledger: Ledger, new_index: I64, sizes: F64) -> Boxes:
    """The boxes of one side in pixels of the usable images; bad ones are dropped in the side's ledger.

    Args:
        what: "truth" or "predictions".
        image_ledger: why images are not usable.
        new_index: (m + 1,) index of each image among the usable ones; -1 for none.
        sizes: of the usable images.
    """
    boxes = raw.predictions
    ledger = raw.predictions_ledger
    if what == "truth":
        boxes = raw.truth
        ledger = raw.truth_ledger
    lost = (boxes.image >= 0) & (new_index[boxes.image] < 0)
    ledger.drop(lost, [image_ledger.reasons[i] if i >= 0 else "" for i in boxes.image])
    boxes = replace(boxes, image=new_index[boxes.image])
    if raw.relative:
        boxes = in_pixels(boxes, sizes)
    return check_boxes(boxes, sizes, ledger, what)


def _in_order(boxes: Boxes, ledger: Ledger) -> I64:
    """The remaining rows, sorted by image, so that each image is decoded once."""
    rows = ledger.kept_rows()
    return rows[np.argsort(boxes.image[rows], kind="stable")]


def _account(raw: Raw, image_ledger: Ledger) -> tuple[list[tuple[str, str]], list[str]]:
    """(id, reason) of every dropped box, and the notes."""
    excluded: list[tuple[str, str]] = []
    notes = list(image_ledger.notes)
    for boxes, ledger, what in (
        (raw.truth, raw.truth_ledger, "true objects"),
        (raw.predictions, raw.predictions_ledger, "predictions"),
    ):
        excluded += ledger.account(boxes.ids)
        counts = Counter(reason.split(": ")[0] for reason in ledger.reasons if reason)
        for reason, n in counts.most_common():
            notes.append(f"Skipped {n:,} of {len(boxes):,} {what}: {reason}.")
        notes += ledger.notes
    n_lost = len(image_ledger) - len(image_ledger.kept_rows())
    if n_lost:
        notes.append(f"{n_lost:,} of {len(image_ledger):,} images of the truth have no usable image file.")
    return excluded, notes


def _columns(frame: pd.DataFrame, notes: list[str]) -> list[Column]:
    """The frame's columns that can be conditions; `notes` gains why others cannot."""
    columns = list[Column]()
    for name in frame.columns:
        column, note = as_column(frame[name])
        if note:
            notes.append(note)
        if column is not None:
            columns.append(column)
    return columns
