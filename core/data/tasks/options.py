"""What is to be read, as the command line names it. Imports nothing heavy, so that options can be built from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """The files of one task: a table with images or vectors, or a detector's predictions with the truth."""

    table: Path | None = None
    images: Path | None = None
    embeddings: Path | None = None
    issues: Path | None = None
    """Of cleanlab, for the rows of the table."""
    detections: Path | None = None
    """COCO results, or a folder of YOLO files."""
    truth: Path | None = None
    """COCO instances, or a YOLO data set's folder."""
    rows: str = "objects"
    """"objects" or "predictions": what each row is."""
    iou: float | None = None
    """Overlap from which a prediction is at an object's place; 0.5 if it is not given."""
    score: float | None = None
    """Predictions below it are not used; 0.25 if it is not given."""
    labels: tuple[str, ...] = ()
    """Columns of several classes an image."""
    per_class: bool = False
    """With masks: one row for each class in an image."""
