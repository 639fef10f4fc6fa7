"""The images of a run, from the run or from the user."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.embeddings.rows import share_pictures
from core.errors import InvalidInput
from core.records import Diagnosis, ItemStore, Progress, no_progress
from core.records.ledger import Ledger


def pictures_of(
    diagnosis: Diagnosis,
    images: Path | None = None,
    progress: Progress = no_progress,
    *,
    why: str = "Visual words are parts of images",
) -> ItemStore:
    """The run's images by row: those in the run, or the files of the same names below `images`.

    Args:
        why: reason for messages.

    Raises:
        InvalidInput: the run does not have images, or some are missing.
    """
    samples = diagnosis.samples
    stored = samples.items
    if samples.modality != "image":
        raise InvalidInput(f"{why}, and this run has none. Diagnose images.")
    if images is None and stored is not None:
        return stored
    if images is None:
        raise InvalidInput(
            f"{why}, and this run has none. Add --images with the diagnosed images (a zip, tar or folder), or diagnose "
            "again with --images."
        )
    from core.data.images.archives import open_images
    from core.data.images.matching import match_files
    from core.limits import Limits

    if stored is not None and share_pictures(stored):
        raise InvalidInput("This run's samples are parts of images, or share them. Remove --images.")
    files = open_images(images, Limits(), progress)
    names = list(samples.ids)
    if stored is not None:
        names = [stored.name(row) for row in range(len(stored))]
    array = np.array(names, object)
    rows = match_files(array, files, Ledger(len(names)), column="pictures", count_unused=False, progress=progress)
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        first = names[int(missing[0])]
        raise InvalidInput(
            f"{len(missing):,} of the run's {len(names):,} images are not in {images.name}, for example "
            f"{first!r}. Use the diagnosed images, or remove --images."
        )
    return files.keep(rows)
