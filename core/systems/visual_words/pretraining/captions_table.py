"""A table of images and captions: a column of image files, and one or more columns of captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.caption_cells import captions_in
from core.data.images.archives import open_images
from core.data.images.matching import match_files
from core.data.tables.read import read_table
from core.errors import InvalidInput, quoted
from core.limits import Limits
from core.records import ItemStore, Progress, no_progress
from core.records.ledger import Ledger


@dataclass(frozen=True, slots=True, eq=False)
class CaptionTable:
    """Distinct images, each with its captions from all of its rows."""

    name: str
    images: ItemStore
    captions: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def read_captions(
    table: Path, images: Path, *, image: str, captions: Sequence[str], progress: Progress = no_progress
) -> CaptionTable:
    """The images of a table in the order of their first row.

    Args:
        image: column of files.
        captions: columns of captions, a text or a list of texts per cell; a note counts empty cells.

    Raises:
        InvalidInput: a column is missing, or no image or no caption is present.
    """
    read = read_table(table, as_text=(image, *captions), progress=progress)
    columns = [str(column) for column in read.frame.columns]
    for column in (image, *captions):
        if column not in columns:
            raise InvalidInput(f"{read.name} has no column {column!r}. Use one of {quoted(*columns[:12])}.")
    store = open_images(images, Limits(), progress)
    paths = [" ".join(cell.split()) if isinstance(cell, str) else "" for cell in read.frame[image]]
    ledger = Ledger(len(paths))
    indexes = match_files(
        np.array([path or None for path in paths], object), store, ledger, column=image, progress=progress
    )
    captions_of_image = dict[int, list[str]]()
    n_empty = 0
    cells = [[captions_in(cell) for cell in read.frame[column]] for column in captions]
    for row in ledger.kept_rows().tolist():
        texts = captions_of_image.setdefault(int(indexes[row]), [])
        for column in cells:
            texts.extend(column[row])
            n_empty += not column[row]
    if not any(captions_of_image.values()):
        raise InvalidInput(f"{read.name} has no caption in {quoted(*captions)}. Name the columns with --caption.")
    notes = [*ledger.summary(), *ledger.notes]
    if n_empty:
        notes.append(f"Skipped {n_empty:,} empty cells of captions.")
    return CaptionTable(
        read.name,
        store.keep(np.array(list(captions_of_image), np.int64)),
        tuple(tuple(dict.fromkeys(texts)) for texts in captions_of_image.values()),
        tuple(notes),
    )
