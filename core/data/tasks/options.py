"""What is to be read, as the command line names it. Imports nothing heavy, so that options can be built from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """The files of one task: a table with pictures or vectors, or a detector's predictions with the truth."""

    table: Path | None = None
    images: Path | None = None
    embeddings: Path | None = None
    detections: Path | None = None
    """COCO results, or a folder of YOLO files."""
    truth: Path | None = None
    """COCO instances, or a YOLO data set's folder."""
    rows: str = "objects"
    """"objects" or "predictions": what each row is."""
    iou: float = 0.5
    """Overlap from which a prediction is at an object's place."""
    score: float = 0.25
    """Predictions below it are not used."""
    labels: tuple[str, ...] = ()
    """Columns of several classes a picture."""
    per_class: bool = False
    """With masks: one row for each class in a picture."""
