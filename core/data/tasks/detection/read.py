"""Both sides of a detection task, read from COCO or YOLO and matched with their images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
    """The good boxes of both sides, sorted by image, and the account of the others."""

    name: str
    class_names: tuple[str, ...]
    store: ItemStore
    sizes: F64
    """(m, 2) width and height of each image of `store`, in pixels."""
    truth: Boxes
    predictions: Boxes
    image_columns: tuple[Column, ...]
    """(m,) what the truth says of each image."""
    object_columns: tuple[Column, ...]
    """(n,) what the truth says of each object."""
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
    """Read both sides, as COCO where they are files and as YOLO where they are folders or archives, and match them with
    the images.

    Args:
        as_is: what looks like a mistake (`core.data.tasks.detection.desk`) is noted, and does not stop the reading.

    Raises:
        InvalidInput: see `read_detection_samples`.
    """
    truth = Path(truth)
    predictions = Path(predictions)
    progress("read detections", 0, 1)
    store = open_images(images, limits, progress)
    raw = _raw(truth, predictions, store, progress)
    book = Ledger(len(raw.image_names), as_is=as_is)
    names = np.array(raw.image_names, dtype=object)
    positions = match_files(names, store, book, column="file_name", count_unused=not raw.relative, progress=progress)
    check_pictures(store, positions, book, limits, progress)
    sizes = _fill_sizes(raw.sizes, store, positions, book, progress)
    kept = book.kept_rows()
    place = np.full(len(names) + 1, -1, np.int64)  # the last entry, for -1, stays -1
    place[kept] = np.arange(len(kept))
    true = _placed(raw, "truth", book, place, sizes[kept])
    order = _in_order(true, raw.truth_ledger)
    check_detections(raw, true.keep(order), place, sizes[kept], book)
    predicted = _placed(raw, "predictions", book, place, sizes[kept])
    excluded, notes = _account(raw, book)
    progress("read detections", 1, 1)
    return Detections(
        truth.stem,
        raw.class_names,
        store.keep(positions[kept]),
        sizes[kept],
        true.keep(order),
        predicted.keep(_in_order(predicted, raw.predictions_ledger)),
        tuple(column.keep(kept) for column in _columns(raw.image_frame, notes)),
        tuple(column.keep(order) for column in _columns(raw.truth_frame, notes)),
        tuple(excluded),
        (*store.notes, *raw.notes, *notes),
    )


def _raw(truth: Path, predictions: Path, store: FileImages, progress: Progress) -> Raw:
    """Both sides as written."""
    yolo = _holds_files(truth), _holds_files(predictions)
    if any(yolo) and not all(yolo):
        raise InvalidInput(
            f"{truth.name} and {predictions.name} are of two forms: give two JSON files (COCO), "
            "or two folders or zips (YOLO)."
        )
    return read_yolo(truth, predictions, store, progress=progress) if all(yolo) else read_coco(truth, predictions)


def _placed(raw: Raw, what: str, book: Ledger, place: I64, sizes: F64) -> Boxes:
    """The boxes of one side in pixels of the images that are there; bad ones are dropped in its ledger.

    Args:
        what: "truth" or "predictions".
        book: which images have an image.
        place: (m + 1,) where each image's image lies among those; -1 for none.
        sizes: of those images.
    """
    true = what == "truth"
    boxes, ledger = (raw.truth, raw.truth_ledger) if true else (raw.predictions, raw.predictions_ledger)
    lost = (boxes.image >= 0) & (place[boxes.image] < 0)
    ledger.drop(lost, [book.reasons[i] if i >= 0 else "" for i in boxes.image])
    moved = replace(boxes, image=place[boxes.image])
    return check_boxes(in_pixels(moved, sizes) if raw.relative else moved, sizes, ledger, what)


def _holds_files(path: Path) -> bool:
    """Whether it is a folder or an archive, as YOLO's labels are."""
    return path.is_dir() or is_archive(path)


def _fill_sizes(sizes: F64, store: Any, positions: I64, book: Ledger, progress: Progress) -> F64:
    """The sizes, with those that the truth does not give read from the images, upright."""
    sizes = sizes.copy()
    reasons = [""] * len(positions)
    report = Reporter(progress, "read sizes", len(positions))
    for row in np.flatnonzero(~np.isfinite(sizes).all(axis=1) & book.standing()).tolist():
        report(row)
        try:
            sizes[row] = upright_size(store.read(int(positions[row])))
        except (InvalidInput, Unreadable) as error:
            reasons[row] = f"its image cannot be read: {str(error)[:80]}"
    book.drop(np.array([bool(reason) for reason in reasons], np.bool_), reasons)
    return sizes


def _in_order(boxes: Boxes, ledger: Ledger) -> I64:
    """The standing rows, those of one image after each other: their image is then decoded once."""
    rows = ledger.kept_rows()
    return rows[np.argsort(boxes.image[rows], kind="stable")]


def _account(raw: Raw, book: Ledger) -> tuple[list[tuple[str, str]], list[str]]:
    """Every box that was left out, and the sentences to say about it."""
    excluded: list[tuple[str, str]] = []
    notes = list(book.notes)
    for boxes, ledger, what in (
        (raw.truth, raw.truth_ledger, "true objects"),
        (raw.predictions, raw.predictions_ledger, "predictions"),
    ):
        excluded += ledger.account(boxes.ids)
        counts = Counter(reason.split(": ")[0] for reason in ledger.reasons if reason)
        notes += [f"{n:,} of {len(boxes):,} {what} left out: {reason}." for reason, n in counts.most_common()]
        notes += ledger.notes
    lost = len(book) - len(book.kept_rows())
    if lost:
        notes.append(f"{lost:,} of {len(book):,} images of the truth have no image that can be used.")
    return excluded, notes


def _columns(frame: pd.DataFrame, notes: list[str]) -> list[Column]:
    found = [as_column(frame[name]) for name in frame.columns]
    notes.extend(note for _, note in found if note)
    return [column for column, _ in found if column is not None]
