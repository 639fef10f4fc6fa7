"""Read photographs with captions: a table of captions and its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.caption_cells import captions_in
from core.data.images.archives import open_images
from core.data.images.matching import index_files
from core.data.tables.read import read_table
from core.errors import InvalidInput
from core.numbers import listed
from core.records import ItemStore, Progress, no_progress

FILE_COLUMNS = ("file", "filename", "file_name", "image", "path", "image_path")
MIN_PHOTOGRAPHS = 100


@dataclass(frozen=True, slots=True, eq=False)
class CaptionedPhotographs:
    """Photographs with the captions of each."""

    pictures: ItemStore
    captions: tuple[tuple[str, ...], ...]


def read_captioned(
    table: Path, images: Path, splits: Sequence[str] = (), *, progress: Progress = no_progress
) -> CaptionedPhotographs:
    """Read a table with a column of files, and captions in the columns whose names begin with "caption": in several
    columns, several rows of one file, lists in a cell, or all of these.

    Args:
        splits: values of the column "split" whose rows are read; () reads all.
        progress: called while the table is read and the folder or archive is opened.

    Raises:
        InvalidInput: a column is missing, or fewer than 100 photographs are left.
    """
    frame = read_table(table, progress=progress).frame
    caption_columns = [name for name in frame.columns if str(name).casefold().startswith("caption")]
    named = next((name for name in frame.columns if str(name).casefold() in FILE_COLUMNS), None)
    if named is None or not caption_columns:
        raise InvalidInput(
            f"{table.name} needs a column of files ({listed(FILE_COLUMNS)}) and one that begins with 'caption': "
            f"got {listed([str(c) for c in frame.columns], 8)}. Rename them."
        )
    if splits:
        if "split" not in frame.columns:
            raise InvalidInput(f"{table.name} has no column 'split'. Remove --split.")
        frame = frame[frame["split"].isin(list(splits))]
    store = open_images(images, progress=progress)
    index = index_files(store)
    captions: dict[int, list[str]] = {}
    for row in frame[[named, *caption_columns]].itertuples(index=False):
        positions = index.find(str(row[0]))
        if len(positions) == 1:
            texts = captions.setdefault(positions[0], [])
            for cell in row[1:]:
                texts += captions_in(cell)
    if len(captions) < MIN_PHOTOGRAPHS:
        raise InvalidInput(
            f"{len(captions):,} photographs of {table.name} found in {images.name}, at least {MIN_PHOTOGRAPHS} needed. "
            f"Check the paths in column {named!r}, and --split."
        )
    rows = np.array(sorted(captions), np.int64)
    return CaptionedPhotographs(store.keep(rows), tuple(tuple(captions[row]) for row in rows.tolist()))
