"""Options of the command line on what to read. Imports nothing heavy, so that the command line stays fast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MISSED_LABELS = "labels missed"
FALSE_LABELS = "labels falsely predicted"
"""Columns that name, for each row of a table with several labels, the wrong labels of its whole image."""


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """The files of one task: a table with images or vectors, or a detector's predictions with the truth."""

    table: Path | None = None
    images: Path | None = None
    embeddings: Path | None = None
    issues: Path | None = None
    """Cleanlab's table of issues."""
    detections: Path | None = None
    """COCO results, or a folder of YOLO files."""
    truth: Path | None = None
    """COCO instances, or a YOLO data set's folder."""
    rows: str = "objects"
    """Each row is one of the "objects" or one of the "predictions"."""
    iou: float | None = None
    """Least overlap (IoU) of a prediction with its object; None for 0.5."""
    score: float | None = None
    """Least score of a prediction that counts; None for 0.25."""
    labels: tuple[str, ...] = ()
    """Columns of several labels per image."""
    per_class: bool = False
    """With masks: one row for each class in an image."""
