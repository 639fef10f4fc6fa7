"""Read what a detector did to each object, or how right each of its predictions was, as rows to diagnose. The image is
the group.

Two kinds of rows, never mixed. rows="objects": one row for each true object; was it found? rows="predictions": one row
for each prediction above the score threshold; was it right? A false positive has no successful counterpart among the
objects, so predictions are only compared with other predictions.

| loss_kind    | of an object                                    | of a prediction                                     |
|--------------|-------------------------------------------------|-----------------------------------------------------|
| miss         | 1 where no prediction of its class is at its    | 1 where it matches no object: background, a         |
| (default)    | place (IoU at least `iou`), else 0              | duplicate, poorly placed or of another class        |
| localization | 1 - IoU with the prediction that belongs to it, | 1 - IoU with the object that it belongs to          |
|              | of any class; 1 without a prediction            |                                                     |
| class        | 1 where the prediction at its place names       | 1 where the object at its place is of another class;|
|              | another class; objects not located are left out | predictions without an object are left out          |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data.images.crops import DrawnBoxes, crop_images
from core.data.samples import DataSet
from core.data.tables.roles import is_model_output
from core.data.tasks.detection.boxes import Boxes
from core.data.tasks.detection.matching import match
from core.data.tasks.detection.read import Detections, read_detections
from core.data.tasks.detection.rows import Side, class_of_nothing, object_rows, prediction_rows
from core.errors import InvalidInput
from core.limits import MIN_SAMPLES, Limits
from core.numbers import count
from core.records import Outcomes, Progress, SampleSet, no_progress

ROW_KINDS = ("objects", "predictions")
LOSS_KINDS = ("miss", "localisation", "class")
DEFAULT_IOU = 0.5
"""The threshold of PASCAL VOC and of COCO's AP50."""
DEFAULT_SCORE = 0.25
"""The default of Ultralytics' predict. Use the threshold at which the detector is deployed."""


def read_detection_samples(
    truth: str | Path,
    predictions: str | Path,
    *,
    images: str | Path,
    rows: str = "objects",
    loss_kind: str = "miss",
    iou: float = DEFAULT_IOU,
    score: float = DEFAULT_SCORE,
    as_is: bool = False,
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> DataSet:
    """Read a detector's predictions and the truth into rows with a loss each; see the table above.

    Args:
        truth: COCO instances (JSON), or folder, zip or tar of a YOLO data set.
        predictions: COCO results (JSON list), or folder, zip or tar of YOLO prediction files.
        images: folder, zip or tar of the images.
        rows: "objects" or "predictions".
        loss_kind: "miss", "localisation" or "class".
        iou: least intersection over union of a match, in (0, 1].
        score: predictions below it are not used, in [0, 1].
        as_is: a likely mistake (`core.data.tasks.detection.desk`) is noted instead of refused.

    Raises:
        InvalidInput: a file breaks a rule that leaving boxes out cannot fix, or fewer than 40 rows are left.
    """
    if rows not in ROW_KINDS:
        raise InvalidInput(f"The rows of detections must be one of {', '.join(ROW_KINDS)}: got {rows!r}.")
    if loss_kind not in LOSS_KINDS:
        raise InvalidInput(f"The loss of detections must be one of {', '.join(LOSS_KINDS)}: got {loss_kind!r}.")
    if not 0 < iou <= 1:
        raise InvalidInput(f"iou must lie above 0 and up to 1: got {iou:g}. Change it.")
    if not 0 <= score <= 1:
        raise InvalidInput(f"score must lie between 0 and 1: got {score:g}. Change it.")
    read = read_detections(truth, predictions, images=images, as_is=as_is, limits=limits, progress=progress)
    used = read.predictions.keep(np.flatnonzero(read.predictions.score >= score))
    n_unused = len(read.predictions) - len(used)
    notes = list(read.notes)
    if not len(used):
        highest = "None could be read."
        if len(read.predictions):
            highest = f"The highest is {read.predictions.score.max():.3g}."
        raise InvalidInput(
            f"None of the {len(read.predictions):,} predictions has a score of at least {score:g}. {highest} "
            "Lower the score threshold."
        )
    if n_unused:
        notes.append(f"Skipped {n_unused:,} of {len(read.predictions):,} predictions with a score below {score:g}.")
    progress("match detections", 0, 1)
    matches = match(read.truth, used, n_images=len(read.store), n_classes=len(read.class_names), iou=iou)
    progress("match detections", 1, 1)
    notes.append(
        f"At an IoU of {iou:g}: {len(matches.object_kind):,} objects ({_counts(matches.object_kind)}); "
        f"{len(matches.prediction_kind):,} predictions ({_counts(matches.prediction_kind)})."
    )
    if rows == "objects":
        side = object_rows(read, used, matches, loss_kind)
    else:
        side = prediction_rows(read, used, matches, loss_kind, iou)
        notes.append(
            "The boxes are the model's. Conditions on their size and location describe wrong predictions, not hard "
            "objects."
        )
    thresholds = f"IoU at least {iou:g}, score at least {score:g}"
    drawn = tuple(_drawn(boxes) for boxes in (read.truth, used))
    return _assemble(read, side, rows, loss_kind, thresholds, notes, drawn)


def _drawn(boxes: Boxes) -> DrawnBoxes:
    single = ~boxes.crowd
    return DrawnBoxes(boxes.image[single], boxes.xywh[single])


def _counts(kinds: Sequence[str]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in Counter(kinds).most_common())


def _assemble(
    read: Detections,
    side: Side,
    rows: str,
    loss_kind: str,
    thresholds: str,
    notes: list[str],
    drawn: tuple[DrawnBoxes, ...],
) -> DataSet:
    """The remaining rows as samples; every other box is in the list of excluded ones."""
    boxes = side.boxes
    what = "predictions"
    if rows == "objects":
        what = "true objects"
    remaining = np.ones(len(boxes), np.bool_)
    excluded = list(read.excluded)
    for outside, reason in side.outside:
        dropped = np.flatnonzero(outside & remaining).tolist()
        excluded += [(boxes.ids[row], reason) for row in dropped]
        if outside.any():
            notes.append(f"Skipped {len(dropped):,} {what}: {reason}.")
        remaining &= ~outside
    crowds = np.flatnonzero(read.truth.crowd).tolist()
    if crowds:
        notes.append(f"Skipped {count(len(crowds), 'crowd region')}: a crowd is neither an object nor a mistake.")
        excluded += [(read.truth.ids[row], "a crowd region, not a single object") for row in crowds]
    row_indices = np.flatnonzero(remaining)
    if len(row_indices) < MIN_SAMPLES:
        raise InvalidInput(
            f"{len(row_indices):,} of {len(boxes):,} {what} left, at least {MIN_SAMPLES} needed. {' '.join(notes[-3:])}"
        )
    boxes = boxes.keep(row_indices)
    columns = [column.keep(row_indices) for column in side.metadata]
    row_names = {column.name for column in columns}
    for column in read.image_columns:
        of_image = column.keep(boxes.image)
        if column.name in row_names:
            of_image = replace(of_image, name=f"{column.name} of the image")
        columns.append(of_image)
    outputs = (column.keep(row_indices) for column in side.model_outputs)
    class_names = read.class_names
    predictions = None
    if side.predictions is not None:
        class_names = (*class_names, class_of_nothing(read))
        predictions = side.predictions[row_indices]
    samples = SampleSet(
        ids=boxes.ids,
        items=crop_images(read.store, boxes.image, boxes.xywh, read.sizes, boxes.ids, drawn),
        labels=boxes.category,
        class_names=class_names,
        metadata=tuple(column for column in columns if not is_model_output(column.name)),
        model_outputs=(*outputs, *(column for column in columns if is_model_output(column.name))),
        groups=boxes.image,
        group_name="image",
        name=f"{read.name}, {rows}",
    )
    name, unit = {
        ("miss", "objects"): ("missed", "error"),
        ("miss", "predictions"): ("false positive", "error"),
        ("localisation", rows): ("1 - IoU", "share"),
        ("class", rows): ("wrong class", "error"),
    }[loss_kind, rows]
    outcomes = Outcomes(
        side.loss[row_indices],
        name,
        unit,
        f"{rows}: {thresholds}",
        errors=side.errors[row_indices],
        predictions=predictions,
    )
    return DataSet(samples, outcomes, None, tuple(excluded), tuple(dict.fromkeys(notes)))
