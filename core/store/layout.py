"""Names of a run's file and its members."""

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
"""Beside a run's file; read if the run has no thumbnails."""
WITHOUT_PICTURES = f"The images of this run were not found: it has no {THUMBNAILS}. Put {ORIGINALS} beside it."


def check_target(path: Path) -> None:
    """Check that a run can be written there.

    Raises:
        InvalidInput: the name does not end in `.errata`, or the path holds something other than a run.
    """
    if path.suffix != SUFFIX:
        raise InvalidInput(f"The name of a run ends in {SUFFIX}: got {path.name!r}. Use {path.stem}{SUFFIX}.")
    if path.is_dir() or (path.exists() and not _is_run(path)):
        raise InvalidInput(f"{path} is not a run and would be overwritten. Choose another name.")


def _is_run(path: Path) -> bool:
    """Whether the file is a run, in any version of the format."""
    try:
        with open_plain(path) as file, StoredZip(file) as archive:
            return STATE in archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False
