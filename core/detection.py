"""What a detector did to each object, or how right each of its predictions was, as rows to diagnose. The image is the group.

Two audits, never mixed. rows="objects": one row for each true object; was it found? rows="predictions": one row for each prediction above the score
threshold; was it right? A false positive has no counterpart that goes well among the objects, so it is only compared with other predictions.

| loss_kind    | of an object                                     | of a prediction                                     |
|--------------|--------------------------------------------------|-----------------------------------------------------|
| miss         | 1 where no prediction of its class is at its     | 1 where it is no object's match: background, a      |
| (default)    | place (IoU at least `iou`), else 0               | duplicate, poorly placed or of another class        |
| localisation | 1 - IoU with the prediction that belongs to it,  | 1 - IoU with the object that it belongs to          |
|              | whatever its class; 1 where there is none        |                                                     |
| class        | 1 where the prediction at its place names        | 1 where the object at its place is of another class;|
|              | another class; objects not located are no rows   | predictions without an object are no rows           |
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from core.archives import open_images
from core.crops import crop_images
from core.detection_coco import read_coco
from core.detection_matching import Matches, match, nearest_overlap
from core.detection_records import Boxes, Raw, check_boxes, geometry, in_pixels
from core.detection_yolo import read_yolo
from core.errors import InvalidInput
from core.ledger import Ledger
from core.pictures import check_pictures, match_files
from core.records import F64, I64, Bool, Column, ImageStore, Outcomes, Progress, SampleSet, no_progress
from core.roles import Limits, is_model_output
from core.samples import MIN_ROWS, Audit
from core.values import as_column

ROWS, LOSSES = ("objects", "predictions"), ("miss", "localisation", "class")
IOU = 0.5
"""Default of `iou`: the threshold of PASCAL VOC and of COCO's AP50."""
SCORE = 0.25
"""Default of `score`: what Ultralytics' predict shows unless told otherwise. Use the threshold at which the detector is deployed."""
NOT_LOCATED = "not located"
"""The class that stands for "no prediction at its place"."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The good boxes of both sides, sorted by image, and the account of the others."""

    name: str
    class_names: tuple[str, ...]
    store: ImageStore
    sizes: F64
    """(m, 2) width and height of each picture of `store`, in pixels."""
    truth: Boxes
    predictions: Boxes
    image_columns: tuple[Column, ...]
    """(m,) what the truth says of each image."""
    object_columns: tuple[Column, ...]
    """(n,) what the truth says of each object."""
    excluded: tuple[tuple[str, int, str], ...]
    """(id, place in its file, reason)."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The rows of one audit."""

    boxes: Boxes
    loss: F64
    errors: Bool
    predictions: I64 | None
    metadata: tuple[Column, ...]
    model_outputs: tuple[Column, ...]
    outside: tuple[tuple[Bool, str], ...]
    """Rows that this loss says nothing about, and why."""


def audit_detections(
    truth: str | Path,
    predictions: str | Path,
    *,
    images: str | Path,
    rows: str = "objects",
    loss_kind: str = "miss",
    iou: float = IOU,
    score: float = SCORE,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Progress = no_progress,
) -> Audit:
    """Read a detector's predictions and the truth into rows with a loss for each; see the table above.

    Args:
        truth: COCO instances (JSON), or folder, zip or tar of a YOLO data set.
        predictions: COCO results (JSON list), or folder, zip or tar of YOLO prediction files.
        images: folder, zip or tar of the pictures.
        rows: "objects" or "predictions".
        loss_kind: "miss", "localisation" or "class".
        iou: least intersection over union of a match, in (0, 1].
        score: predictions below it are not used, in [0, 1].

    Raises:
        InvalidInput: a file breaks a rule that cannot be mended by leaving boxes out, or fewer than 20 rows are left.
    """
    for value, known, what in ((rows, ROWS, "rows"), (loss_kind, LOSSES, "loss_kind")):
        if value not in known:
            raise InvalidInput(f"{what} of detections must be one of {', '.join(known)}: got {value!r}.")
    if not 0 < iou <= 1 or not 0 <= score <= 1:
        raise InvalidInput(f"iou must lie above 0 and up to 1, and score between 0 and 1: got {iou:g} and {score:g}.")
    read = read_detections(truth, predictions, images=images, limits=limits, progress=progress)
    used = read.predictions.keep(np.flatnonzero(read.predictions.score >= score))
    notes = [*read.notes, *_threshold_notes(read.predictions, used, score)]
    progress("match detections", 0, 1)
    matches = match(read.truth, used, n_images=len(read.store), n_classes=len(read.class_names), iou=iou)
    progress("match detections", 1, 1)
    notes.append(_tally(matches, iou))
    if rows == "predictions":
        notes.append("The boxes are the model's: conditions on their size and place say which predictions go wrong, not where the world is hard.")
    side = (_objects if rows == "objects" else _predictions)(read, used, matches, loss_kind, iou)
    return _assemble(read, side, rows, loss_kind, f"IoU at least {iou:g}, score at least {score:g}", notes)


def read_detections(
    truth: str | Path,
    predictions: str | Path,
    *,
    images: str | Path,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Progress = no_progress,
) -> Detections:
    """Read both sides, as COCO where they are files and as YOLO where they are folders or archives, and match them with the pictures.

    Raises:
        InvalidInput: see `audit_detections`.
    """
    truth, predictions = Path(truth), Path(predictions)
    progress("read detections", 0, 1)
    store = open_images(images, limits)
    yolo = _holds_files(truth), _holds_files(predictions)
    if any(yolo) and not all(yolo):
        raise InvalidInput(f"{truth.name} and {predictions.name} are of two forms: give two JSON files (COCO), or two folders or zips (YOLO).")
    raw = read_yolo(truth, predictions, store) if all(yolo) else read_coco(truth, predictions)
    book = Ledger(len(raw.image_names))
    names = np.array(raw.image_names, dtype=object)
    positions = match_files(names, store, book, column="file_name", count_unused=not raw.relative)
    check_pictures(store, positions, book, limits, progress)
    sizes = _fill_sizes(raw.sizes, store, positions, book)
    kept = book.kept()
    place = np.full(len(names) + 1, -1, np.int64)  # the last entry, for -1, stays -1
    place[kept] = np.arange(len(kept))
    sides: list[Boxes] = []
    for boxes, ledger, what in ((raw.truth, raw.truth_ledger, "truth"), (raw.predictions, raw.predictions_ledger, "predictions")):
        lost = (boxes.image >= 0) & (place[boxes.image] < 0)
        ledger.drop(lost, [book.reasons[i] if i >= 0 else "" for i in boxes.image])
        moved = replace(boxes, image=place[boxes.image])
        sides.append(check_boxes(in_pixels(moved, sizes[kept]) if raw.relative else moved, sizes[kept], ledger, what))
    true, predicted = (_in_order(boxes, ledger) for boxes, ledger in zip(sides, (raw.truth_ledger, raw.predictions_ledger)))
    excluded, notes = _account(raw, book)
    progress("read detections", 1, 1)
    return Detections(
        truth.stem,
        raw.class_names,
        store.keep(positions[kept]),
        sizes[kept],
        sides[0].keep(true),
        sides[1].keep(predicted),
        tuple(column.keep(kept) for column in _columns(raw.image_frame, notes)),
        tuple(column.keep(true) for column in _columns(raw.truth_frame, notes)),
        tuple(excluded),
        (*store.notes, *raw.notes, *notes),
    )


def _holds_files(path: Path) -> bool:
    """Whether it is a folder or an archive, as YOLO's labels are."""
    return path.is_dir() or (path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path)))


def _fill_sizes(sizes: F64, store: Any, positions: I64, book: Ledger) -> F64:
    """The sizes, with those that the truth does not give read from the pictures, upright."""
    sizes, reasons = sizes.copy(), [""] * len(positions)
    for row in np.flatnonzero(~np.isfinite(sizes).all(axis=1) & book.standing()).tolist():
        try:
            with Image.open(io.BytesIO(store.read(int(positions[row])))) as image:
                sizes[row] = ImageOps.exif_transpose(image).size if image.getexif().get(0x0112, 1) > 4 else image.size
        except Exception as error:  # Pillow's readers raise many kinds of error on bad bytes
            reasons[row] = f"its picture cannot be read: {str(error)[:80]}"
    book.drop(np.array([bool(reason) for reason in reasons], np.bool_), reasons)
    return sizes


def _in_order(boxes: Boxes, ledger: Ledger) -> I64:
    """The standing rows, those of one image after each other: their picture is then decoded once."""
    rows = ledger.kept()
    return rows[np.argsort(boxes.image[rows], kind="stable")]


def _account(raw: Raw, book: Ledger) -> tuple[list[tuple[str, int, str]], list[str]]:
    """Every box that was left out, and the sentences to say about it."""
    excluded: list[tuple[str, int, str]] = []
    notes = list(book.notes)
    for boxes, ledger, what in ((raw.truth, raw.truth_ledger, "true objects"), (raw.predictions, raw.predictions_ledger, "predictions")):
        excluded += [(boxes.ids[row], row, reason) for row, reason in enumerate(ledger.reasons) if reason]
        counts = Counter(reason.split(": ")[0] for reason in ledger.reasons if reason)
        notes += [f"{count:,} of {len(boxes):,} {what} left out: {reason}." for reason, count in counts.most_common()] + ledger.notes
    lost = len(book) - len(book.kept())
    return excluded, [*notes, f"{lost:,} of {len(book):,} images of the truth have no picture that can be used."] if lost else notes


def _columns(frame: pd.DataFrame, notes: list[str]) -> list[Column]:
    found = [as_column(frame[name]) for name in frame.columns]
    notes.extend(note for _, note in found if note)
    return [column for column, _ in found if column is not None]


def _threshold_notes(everything: Boxes, used: Boxes, score: float) -> list[str]:
    if not len(used):
        top = f"The highest is {everything.score.max():.3g}." if len(everything) else "None could be read."
        raise InvalidInput(f"None of the {len(everything):,} predictions has a score of at least {score:g}. {top} Lower the score threshold.")
    below = len(everything) - len(used)
    return [f"{below:,} of {len(everything):,} predictions have a score below {score:g} and are not used."] if below else []


def _tally(matches: Matches, iou: float) -> str:
    def counts(kinds: Sequence[str]) -> str:
        return ", ".join(f"{count:,} {kind}" for kind, count in Counter(kinds).most_common())

    return (
        f"At an IoU of {iou:g}: {len(matches.object_kind):,} objects ({counts(matches.object_kind)}); "
        f"{len(matches.prediction_kind):,} predictions ({counts(matches.prediction_kind)})."
    )


def _objects(read: Detections, used: Boxes, matches: Matches, loss_kind: str, iou: float) -> _Side:
    real = np.flatnonzero(~read.truth.crowd)
    boxes, k = read.truth.keep(real), len(read.class_names)
    located = matches.located_by >= 0
    called = np.where(located, used.category[matches.located_by], k)
    missed, wrong = matches.prediction_of < 0, located & (called != boxes.category)
    loss = {"miss": missed.astype(np.float64), "localisation": 1 - matches.overlap, "class": wrong.astype(np.float64)}[loss_kind]
    errors = {"miss": missed, "localisation": ~located, "class": wrong}[loss_kind]
    scores = np.where(located, used.score[matches.located_by], np.nan)
    names = np.array([*read.class_names, NOT_LOCATED], dtype=object)
    outputs = (
        _category("outcome", matches.object_kind),
        _category("predicted class", names[called]),
        Column("score", "number", scores),
        Column("IoU", "number", matches.overlap),
    )
    own = [column.keep(real) for column in read.object_columns]
    shape = geometry(boxes, read.sizes)
    shape["IoU with the nearest object"] = nearest_overlap(boxes, len(read.store))
    outside = ((~located, "the object was not located, so its class says nothing"),) if loss_kind == "class" else ()
    metadata = (*_shape_columns(shape), _crowding(read, boxes), *own)
    return _Side(boxes, loss, errors, None if loss_kind == "localisation" else called, metadata, outputs, outside)


def _predictions(read: Detections, used: Boxes, matches: Matches, loss_kind: str, iou: float) -> _Side:
    kinds = np.array(matches.prediction_kind, dtype=object)
    right, wrong = kinds == "right", kinds == "wrong class"
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
    return _Side(used, loss, errors.astype(np.bool_), None, metadata, outputs, tuple(outside))


def _shape_columns(shape: dict[str, F64]) -> list[Column]:
    return [Column(name, "number", values) for name, values in shape.items()]


def _category(name: str, values: Iterable[Any]) -> Column:
    return Column(name, "category", np.array(list(values), dtype=object))


def _crowding(read: Detections, boxes: Boxes) -> Column:
    counts = np.bincount(read.truth.image[~read.truth.crowd], minlength=len(read.store))
    return Column("objects in the image", "number", counts[boxes.image].astype(np.float64))


def _assemble(read: Detections, side: _Side, rows: str, loss_kind: str, thresholds: str, notes: list[str]) -> Audit:
    """The rows that stand as an audit, every other box in the list of excluded ones."""
    boxes, what = side.boxes, "true objects" if rows == "objects" else "predictions"
    stands, excluded = np.ones(len(boxes), np.bool_), list(read.excluded)
    for bad, reason in side.outside:
        excluded += [(boxes.ids[row], row, reason) for row in np.flatnonzero(bad & stands).tolist()]
        if bad.any():
            notes.append(f"{int((bad & stands).sum()):,} {what} left out: {reason}.")
        stands &= ~bad
    crowds = np.flatnonzero(read.truth.crowd).tolist()
    if crowds:
        notes.append(f"{len(crowds):,} crowd regions count neither as objects nor as mistakes.")
        excluded += [(read.truth.ids[row], row, "a crowd region, which is no single object") for row in crowds]
    at = np.flatnonzero(stands)
    if len(at) < MIN_ROWS:
        raise InvalidInput(f"Only {len(at)} {what} are left; at least {MIN_ROWS} are needed to test anything. {' '.join(notes[-3:])}")
    boxes = boxes.keep(at)
    images = tuple(column.keep(boxes.image) for column in read.image_columns)
    taken = {column.name for column in side.metadata}
    images = tuple(replace(column, name=f"{column.name} of the image") if column.name in taken else column for column in images)
    own = (*(column.keep(at) for column in side.metadata), *images)
    samples = SampleSet(
        ids=boxes.ids,
        images=crop_images(read.store, boxes.image, boxes.xywh, read.sizes, boxes.ids),
        labels=boxes.category,
        class_names=(*read.class_names, NOT_LOCATED) if side.predictions is not None else read.class_names,
        metadata=tuple(column for column in own if not is_model_output(column.name)),
        model_outputs=(*(column.keep(at) for column in side.model_outputs), *(column for column in own if is_model_output(column.name))),
        groups=boxes.image,
        group_name="image",
        name=f"{read.name}, {rows}",
    )
    name, unit = _NAMES[rows, loss_kind]
    source = f"{rows}: {thresholds}"
    called = None if side.predictions is None else side.predictions[at]
    outcomes = Outcomes(side.loss[at], name, unit, source, errors=side.errors[at], predictions=called)
    return Audit(samples, outcomes, None, pd.DataFrame(excluded, columns=["id", "row", "reason"]), tuple(dict.fromkeys(notes)))


_NAMES = {
    ("objects", "miss"): ("missed", "error"),
    ("objects", "localisation"): ("1 - IoU", "share"),
    ("objects", "class"): ("wrong class", "error"),
    ("predictions", "miss"): ("false positive", "error"),
    ("predictions", "localisation"): ("1 - IoU", "share"),
    ("predictions", "class"): ("wrong class", "error"),
}
