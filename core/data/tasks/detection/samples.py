"""What a detector did to each object, or how right each of its predictions was, as rows to diagnose. The image is the
group.

Two audits, never mixed. rows="objects": one row for each true object; was it found? rows="predictions": one row for
each prediction above the score threshold; was it right? A false positive has no counterpart that goes well among the
objects, so it is only compared with other predictions.

| loss_kind    | of an object                                    | of a prediction                                     |
|--------------|-------------------------------------------------|-----------------------------------------------------|
| miss         | 1 where no prediction of its class is at its    | 1 where it is no object's match: background, a      |
| (default)    | place (IoU at least `iou`), else 0              | duplicate, poorly placed or of another class        |
| localization | 1 - IoU with the prediction that belongs to it, | 1 - IoU with the object that it belongs to          |
|              | whatever its class; 1 where there is none       |                                                     |
| class        | 1 where the prediction at its place names       | 1 where the object at its place is of another class;|
|              | another class; objects not located are no rows  | predictions without an object are no rows           |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data.images.crops import crop_images
from core.data.samples import DataSet
from core.data.tables.roles import is_model_output
from core.data.tasks.detection.boxes import Boxes
from core.data.tasks.detection.matching import Matches, match
from core.data.tasks.detection.read import Detections, read_detections
from core.data.tasks.detection.rows import Side, class_of_nothing, object_rows, prediction_rows
from core.errors import InvalidInput
from core.limits import MIN_SAMPLES, WHY_SO_MANY, Limits
from core.records import Outcomes, Progress, SampleSet, no_progress

ROWS = ("objects", "predictions")
LOSSES = ("miss", "localisation", "class")
IOU = 0.5
"""Default of `iou`: the threshold of PASCAL VOC and of COCO's AP50."""
SCORE = 0.25
"""Default of `score`: what Ultralytics' predict shows unless told otherwise. Use the threshold at which the detector is
deployed."""


def read_detection_samples(
    truth: str | Path,
    predictions: str | Path,
    *,
    images: str | Path,
    rows: str = "objects",
    loss_kind: str = "miss",
    iou: float = IOU,
    score: float = SCORE,
    as_is: bool = False,
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> DataSet:
    """Read a detector's predictions and the truth into rows with a loss for each; see the table above.

    Args:
        truth: COCO instances (JSON), or folder, zip or tar of a YOLO data set.
        predictions: COCO results (JSON list), or folder, zip or tar of YOLO prediction files.
        images: folder, zip or tar of the images.
        rows: "objects" or "predictions".
        loss_kind: "miss", "localisation" or "class".
        iou: least intersection over union of a match, in (0, 1].
        score: predictions below it are not used, in [0, 1].
        as_is: what looks like a mistake is noted, and does not stop the reading.

    Raises:
        InvalidInput: a file breaks a rule that cannot be mended by leaving boxes out, or fewer than 40 rows are left.
    """
    for value, known, what in ((rows, ROWS, "rows"), (loss_kind, LOSSES, "loss_kind")):
        if value not in known:
            raise InvalidInput(f"{what} of detections must be one of {', '.join(known)}: got {value!r}.")
    if not 0 < iou <= 1 or not 0 <= score <= 1:
        raise InvalidInput(f"iou must lie above 0 and up to 1, and score between 0 and 1: got {iou:g} and {score:g}.")
    read = read_detections(truth, predictions, images=images, as_is=as_is, limits=limits, progress=progress)
    used = read.predictions.keep(np.flatnonzero(read.predictions.score >= score))
    notes = [*read.notes, *_threshold_notes(read.predictions, used, score)]
    progress("match detections", 0, 1)
    matches = match(read.truth, used, n_images=len(read.store), n_classes=len(read.class_names), iou=iou)
    progress("match detections", 1, 1)
    notes.append(_tally(matches, iou))
    if rows == "objects":
        side = object_rows(read, used, matches, loss_kind)
    else:
        side = prediction_rows(read, used, matches, loss_kind, iou)
        notes.append(
            "The boxes are the model's: conditions on their size and place say which predictions go wrong, "
            "not where the world is hard."
        )
    return _assemble(read, side, rows, loss_kind, f"IoU at least {iou:g}, score at least {score:g}", notes)


def _threshold_notes(everything: Boxes, used: Boxes, score: float) -> list[str]:
    if not len(used):
        top = f"The highest is {everything.score.max():.3g}." if len(everything) else "None could be read."
        raise InvalidInput(
            f"None of the {len(everything):,} predictions has a score of at least {score:g}. "
            f"{top} Lower the score threshold."
        )
    below = len(everything) - len(used)
    note = f"{below:,} of {len(everything):,} predictions have a score below {score:g} and are not used."
    return [note] if below else []


def _tally(matches: Matches, iou: float) -> str:
    def counts(kinds: Sequence[str]) -> str:
        return ", ".join(f"{count:,} {kind}" for kind, count in Counter(kinds).most_common())

    return (
        f"At an IoU of {iou:g}: {len(matches.object_kind):,} objects ({counts(matches.object_kind)}); "
        f"{len(matches.prediction_kind):,} predictions ({counts(matches.prediction_kind)})."
    )


def _assemble(read: Detections, side: Side, rows: str, loss_kind: str, thresholds: str, notes: list[str]) -> DataSet:
    """The rows that stand as an audit, every other box in the list of excluded ones."""
    boxes = side.boxes
    what = "true objects" if rows == "objects" else "predictions"
    stands = np.ones(len(boxes), np.bool_)
    excluded = list(read.excluded)
    for bad, reason in side.outside:
        excluded += [(boxes.ids[row], reason) for row in np.flatnonzero(bad & stands).tolist()]
        if bad.any():
            notes.append(f"{int((bad & stands).sum()):,} {what} left out: {reason}.")
        stands &= ~bad
    crowds = np.flatnonzero(read.truth.crowd).tolist()
    if crowds:
        notes.append(f"{len(crowds):,} crowd regions count neither as objects nor as mistakes.")
        excluded += [(read.truth.ids[row], "a crowd region, not a single object") for row in crowds]
    at = np.flatnonzero(stands)
    if len(at) < MIN_SAMPLES:
        left = f"{len(at)} {what} are" if len(at) != 1 else f"1 {what.removesuffix('s')} is"
        raise InvalidInput(f"Only {left} left; at least {MIN_SAMPLES} are needed {WHY_SO_MANY}. {' '.join(notes[-3:])}")
    boxes = boxes.keep(at)
    taken = {column.name for column in side.metadata}
    images = [c.keep(boxes.image) for c in read.image_columns]
    images = [replace(c, name=f"{c.name} of the image") if c.name in taken else c for c in images]
    own = (*(column.keep(at) for column in side.metadata), *images)
    outputs = (column.keep(at) for column in side.model_outputs)
    samples = SampleSet(
        ids=boxes.ids,
        items=crop_images(read.store, boxes.image, boxes.xywh, read.sizes, boxes.ids),
        labels=boxes.category,
        class_names=(*read.class_names, class_of_nothing(read)) if side.predictions is not None else read.class_names,
        metadata=tuple(column for column in own if not is_model_output(column.name)),
        model_outputs=(*outputs, *(column for column in own if is_model_output(column.name))),
        groups=boxes.image,
        group_name="image",
        name=f"{read.name}, {rows}",
    )
    missed = ("missed" if rows == "objects" else "false positive", "error")
    names = {"miss": missed, "localisation": ("1 - IoU", "share"), "class": ("wrong class", "error")}
    name, unit = names[loss_kind]
    source = f"{rows}: {thresholds}"
    called = None if side.predictions is None else side.predictions[at]
    outcomes = Outcomes(side.loss[at], name, unit, source, errors=side.errors[at], predictions=called)
    return DataSet(samples, outcomes, None, tuple(excluded), tuple(dict.fromkeys(notes)))
