"""A table of images and captions: each image's file, and a column or several of captions."""

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
    """Different images, each with its captions from all rows that name it."""

    name: str
    images: ItemStore
    captions: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def read_captions(
    table: Path, images: Path, *, image: str, captions: Sequence[str], progress: Progress = no_progress
) -> CaptionTable:
    """The images that the table names, in the order of their first row.

    Args:
        image: the column of files.
        captions: the columns of captions, a text or a list of them in a cell; empty cells are passed over and counted.

    Raises:
        InvalidInput: a column is not there, no image is, or no caption is.
    """
    found = read_table(table, as_text=(image, *captions), progress=progress)
    columns = [str(column) for column in found.frame.columns]
    for column in (image, *captions):
        if column not in columns:
            raise InvalidInput(f"{found.name} has no column {column!r}. It has {quoted(*columns[:12])}.")
    store = open_images(images, Limits(), progress)
    written = np.array([_text(cell) or None for cell in found.frame[image]], object)
    ledger = Ledger(len(written))
    places = match_files(written, store, ledger, column=image, progress=progress)
    own = dict[int, list[str]]()
    n_empty = 0
    cells = [[captions_in(cell) for cell in found.frame[column]] for column in captions]
    for row in ledger.kept_rows().tolist():
        own.setdefault(int(places[row]), []).extend(text for column in cells for text in column[row])
        n_empty += sum(not column[row] for column in cells)
    if not any(own.values()):
        raise InvalidInput(f"{found.name} holds no caption in {quoted(*captions)}. Name the columns of captions.")
    empty = (f"{n_empty:,} cells of captions are empty.",) if n_empty else ()
    kept = store.keep(np.array(list(own), np.int64))
    return CaptionTable(
        found.name,
        kept,
        tuple(tuple(dict.fromkeys(texts)) for texts in own.values()),
        (*ledger.summary(), *ledger.notes, *empty),
    )


def _text(cell: object) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""
