"""What the file of a run is called, and its members."""

from __future__ import annotations

import zipfile
from pathlib import Path

from core.errors import InvalidInput
from core.received import StoredZip, open_plain

FORMAT = 4
SUFFIX = ".errata"
STATE = "state.json"
ARRAYS = "arrays/"
MODEL = "model.json"
MODEL_ARRAYS = "model/"
THUMBNAILS = "thumbnails"
ORIGINALS = "images.zip"
"""Beside a run's file: read where the run has no thumbnails."""
WITHOUT_PICTURES = (
    f"The images of this run were not found: it keeps no {THUMBNAILS}, and {ORIGINALS} does not lie beside it."
)


def check_target(path: Path) -> None:
    """See that a run may be written there: the name ends in `.errata`, and nothing but a run lies there.

    Raises:
        InvalidInput: one of the two is not so.
    """
    if path.suffix != SUFFIX:
        raise InvalidInput(f"A run is one file whose name ends in {SUFFIX}: got {path.name!r}. Name another.")
    if path.is_dir() or (path.exists() and not _is_run(path)):
        raise InvalidInput(f"{path} is no run, and a run would take its place. Name another file.")


def _is_run(path: Path) -> bool:
    """Whether the file is a run, of this version of the format or another."""
    try:
        with open_plain(path) as file, StoredZip(file) as archive:
            return STATE in archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False
