"""Photographs that people described: a table of captions beside its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.caption_cells import captions_in
from core.data.images.archives import open_images
from core.data.images.listing import FileImages
from core.data.images.matching import index_files
from core.data.tables.read import read_table
from core.errors import InvalidInput
from core.numbers import listed
from core.records import ItemStore, Progress, no_progress

FILES = ("file", "filename", "file_name", "image", "path", "image_path")
MIN_PHOTOGRAPHS = 100


@dataclass(frozen=True, slots=True, eq=False)
class CaptionedPhotographs:
    """Photographs and what people said of each."""

    pictures: ItemStore
    captions: tuple[tuple[str, ...], ...]
    """Of each image."""


def read_captioned(
    table: Path, images: Path, splits: Sequence[str] = (), *, progress: Progress = no_progress
) -> CaptionedPhotographs:
    """The photographs of a table with a column of files and captions in the columns whose names begin with "caption":
    several columns, several rows of one file, lists in a cell, or all of these.

    Args:
        splits: values of the column "split" whose rows are taken; none takes all.
        progress: called while the table is read and the folder or archive is opened.

    Raises:
        InvalidInput: a column is missing, no file is found, or fewer than 100 photographs are left.
    """
    frame = read_table(table, progress=progress).frame
    said = [name for name in frame.columns if str(name).casefold().startswith("caption")]
    named = next((name for name in frame.columns if str(name).casefold() in FILES), None)
    if named is None or not said:
        raise InvalidInput(
            f"{table.name} must have a column of files ({listed(FILES)}) and one or more that begin with 'caption': "
            f"got {listed([str(c) for c in frame.columns], 8)}. Rename them."
        )
    if splits:
        if "split" not in frame.columns:
            raise InvalidInput(f"{table.name} has no column 'split'. Leave out --split.")
        frame = frame[frame["split"].isin(list(splits))]
    store = open_images(images, progress=progress)
    return _joined(frame[[named, *said]], table, store, images.name)


def _joined(frame: pd.DataFrame, table: Path, store: FileImages, where: str) -> CaptionedPhotographs:
    """Of a frame whose first column names files and whose others hold captions."""
    index = index_files(store)
    captions: dict[int, list[str]] = {}
    for row in frame.itertuples(index=False):
        places = index.find(str(row[0]))
        if len(places) == 1:
            captions.setdefault(places[0], []).extend(text for cell in row[1:] for text in captions_in(cell))
    if len(captions) < MIN_PHOTOGRAPHS:
        raise InvalidInput(
            f"{len(captions):,} photographs of {table.name} were found in {where}, and at least "
            f"{MIN_PHOTOGRAPHS} are needed. Check the paths in column {frame.columns[0]!r}, and --split."
        )
    rows = np.array(sorted(captions), np.int64)
    return CaptionedPhotographs(store.keep(rows), tuple(tuple(captions[row]) for row in rows.tolist()))
