"""Recognize the task of a visitor's files. Reads only the start of a file, so its size does not matter."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import InvalidInput
from core.numbers import count
from core.received import open_plain

ROWS, LABELS, MASKS, DETECTIONS = TASKS = ("rows", "labels", "masks", "detections")
"""One row per sample; one per image and label; one per image and class of its mask; one per true object."""
TRUTH, PREDICTIONS = "truth", "predictions"
_HEAD_BYTES = 2**16
_TRUTH = re.compile(r'\s*\{.*"(images|annotations|categories)"\s*:\s*\[', re.DOTALL)
_RESULTS = re.compile(r"\s*\[\s*\{")
_RESULT_KEYS = (r'"image_id"\s*:', r'"category_id"\s*:', r'"(bbox|segmentation)"\s*:')


def side_of_detections(path: Path | None) -> str:
    """Return "truth" for a file that starts like COCO instances, "predictions" for COCO results, else ""."""
    if path is None or path.suffix.lower() != ".json":
        return ""
    try:
        with open_plain(path, sys.maxsize) as file:  # of any size: only its head is read
            head = file.read(_HEAD_BYTES).decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        return ""
    if _TRUTH.match(head):
        return TRUTH
    if _RESULTS.match(head) and all(re.search(key, head) for key in _RESULT_KEYS):
        return PREDICTIONS
    return ""


def order_detections(first: Path | None, second: Path | None) -> tuple[Path, Path]:
    """Return (truth, predictions) of two JSON files in any order.

    Raises:
        InvalidInput: one is missing or is not COCO JSON, or both are of the same side.
    """
    by_side = {side_of_detections(path): path for path in (first, second) if path is not None}
    truth = by_side.get(TRUTH)
    predictions = by_side.get(PREDICTIONS)
    if truth is None:
        raise InvalidInput(
            "Detections need the true boxes: no file with images, annotations, and categories. Add the COCO instances."
        )
    if predictions is None:
        raise InvalidInput(
            "Detections need predictions: no JSON list with image_id, category_id, bbox, and score. "
            "Add the COCO results."
        )
    return truth, predictions


def recognise_task(first: Path | None, second: Path | None, roles: Mapping[str, str]) -> tuple[str, str]:
    """Return the task of the files and one or two sentences on what was recognized and what a run tests.

    Args:
        first: the table, or one JSON file of detections.
        second: the other JSON file of detections.
        roles: recognized role of each column of the table, {} without a table.
    """
    sides = {side_of_detections(path): path.name for path in (first, second) if path is not None}
    sides.pop("", None)
    if sides:
        return DETECTIONS, _say_detections(sides)
    if not roles:
        return ROWS, ""
    labels = [name for name, role in roles.items() if role == "labels"]
    if labels:
        return LABELS, f"Several labels per image, in {_listed(labels)}. The run tests each image and label."
    if {"true mask", "predicted mask"} <= set(roles.values()):
        return ROWS, (
            "True and predicted masks. The run tests each image, with the mean over its classes. "
            "Change the task to test each class."
        )
    return ROWS, "One row per sample. The run tests each row."


def _say_detections(sides: Mapping[str, str]) -> str:
    if TRUTH not in sides:
        return f"Detections: {sides[PREDICTIONS]} holds predicted boxes. Add the JSON of the true boxes and the images."
    if PREDICTIONS not in sides:
        return f"Detections: {sides[TRUTH]} holds true boxes. Add the JSON of the predictions and the images."
    return (
        f"Detections: true boxes in {sides[TRUTH]}, predicted boxes in {sides[PREDICTIONS]}. "
        "The run tests whether each true object was found."
    )


def _listed(names: Sequence[str]) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return f"{', '.join(names[:2])} and {count(len(names) - 2, 'more column')}"
