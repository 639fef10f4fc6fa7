"""The images of a run, kept or brought."""

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
    """The run's images row by row: those that it keeps, or the files of the same names below `images`.

    Args:
        why: they are needed, for messages.

    Raises:
        InvalidInput: the run has no images, or some are not there.
    """
    samples = diagnosis.samples
    kept = diagnosis.samples.items
    if samples.modality != "image":
        raise InvalidInput(f"{why}, and this run has none. Diagnose images.")
    if images is None and kept is not None:
        return kept
    if images is None:
        raise InvalidInput(
            f"{why}, and this run has none. Add --images with the diagnosed images (a zip, tar or folder), or diagnose "
            "again with --images."
        )
    from core.data.images.archives import open_images
    from core.data.images.matching import match_files
    from core.limits import Limits

    if kept is not None and share_pictures(kept):
        raise InvalidInput("This run's samples are parts of images, or share them. Remove --images.")
    files = open_images(images, Limits(), progress)
    names = list(samples.ids) if kept is None else [kept.name(row) for row in range(len(kept))]
    told = Ledger(len(names))
    places = match_files(np.array(names, object), files, told, column="pictures", count_unused=False, progress=progress)
    if (places < 0).any():
        first = names[int(np.flatnonzero(places < 0)[0])]
        raise InvalidInput(
            f"{int((places < 0).sum()):,} of the run's {len(names):,} images are not in {images.name}, for example "
            f"{first!r}. Use the diagnosed images, or remove --images."
        )
    return files.keep(places)
