"""What images show, for a grid, from files: a table with columns or captions, or rendered scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.data.images.archives import FileImages, open_images
from core.data.images.matching import match_files
from core.data.tables.read import Table, read_table
from core.data.tables.roles import snake_case
from core.errors import InvalidInput
from core.language.grammar import spoken
from core.records import ItemStore, Progress, no_progress
from core.records.ledger import Ledger
from core.systems.composition.grid.questions import Mode, PictureContents, shown_from_captions, shown_from_truth
from core.systems.composition.readers.fields import as_object, load_scenes
from core.systems.composition.readers.recognise import shape_of

USUAL = "image file file_name filename path image_path image_file image_name filepath file_path img".split()
Things = tuple[tuple[str | None, str | None], tuple[str | None, str | None]]
"""(attribute, object) columns of the first and of the second thing."""


@dataclass(frozen=True, slots=True, eq=False)
class GridData:
    """Images, what each shows, and which of the two grids that gives."""

    pictures: ItemStore
    shown: tuple[PictureContents, ...]
    mode: Mode
    notes: tuple[str, ...]


def read_grid(
    table: Path,
    *,
    images: Path | None = None,
    image: str | None = None,
    things: Things = ((None, None), (None, None)),
    caption: str | None = None,
    family: str = "",
    one: bool = False,
    progress: Progress = no_progress,
) -> GridData:
    """Read what a grid is made of.

    Args:
        table: CSV, TSV, JSON Lines or Parquet with one row an image; or JSON with CLEVR's scenes.
        images: where the images are; None looks beside the table, or takes the table's own image column.
        image: column of their paths; None takes one of the usual names.
        things: columns of attribute and object, of one thing or of two; of scenes the names of two properties (color
            and shape).
        caption: column of captions that say what is shown, in place of `things`.
        family: of attributes, with `caption`.
        one: of scenes and captions take the images of one thing, not of two.

    Raises:
        InvalidInput: a column is missing or none was named, or no image is there.
        Cancelled: from `progress`.
    """
    (attribute, thing), second = things
    if table.suffix.lower() == ".json" and table.is_file() and shape_of(table) == "clevr":
        if caption or any(second):
            raise InvalidInput("Scenes take --attribute and --object only. Leave out the second pair and --caption.")
        return _from_scenes(table, images, (attribute or "color", thing or "shape"), one, progress)
    _check_asked(things, caption, one)
    named = [column for column in (caption, attribute, thing, *second) if column]
    read = read_table(table.expanduser(), as_text=tuple(named), progress=progress)
    _check_columns(read, named)
    places, store, rows, notes = _pictures(read, table.expanduser(), images, image, progress)
    frame = read.frame.iloc[rows]
    pictures = store.keep(np.array(places, np.int64))
    if caption is not None:
        texts = ["" if pd.isna(value) else str(value) for value in frame[caption]]
        shown, used = shown_from_captions(texts, family)
        notes = (*notes, f"Read captions for attributes of the family {used!r}.")
        return GridData(pictures, shown, "one" if one else "two", notes)
    pairs = [(attribute, thing), second] if second[0] else [(attribute, thing)]
    columns = [[_values(frame, str(column)) for column in pair] for pair in pairs]
    shown = tuple(
        PictureContents(i, _things([(first[i], other[i]) for first, other in columns])) for i in range(len(frame))
    )
    return GridData(pictures, shown, "two" if second[0] else "one", notes)


def _check_asked(things: Things, caption: str | None, one: bool) -> None:
    """Whether what a table's images show is said in one way, and wholly."""
    (attribute, thing), second = things
    if caption is None and not (attribute and thing):
        raise InvalidInput(
            "A grid needs to know what images show. Name two columns with --attribute and --object, or captions "
            "with --caption."
        )
    if caption is not None and (attribute or thing or any(second)):
        raise InvalidInput(
            "--caption and columns both describe the images. Use --caption, or --attribute and --object."
        )
    if bool(second[0]) != bool(second[1]):
        raise InvalidInput(
            "A second object has an attribute and a name. Give both --attribute-2 and --object-2, or neither."
        )
    if one and caption is None:
        raise InvalidInput(
            "--one works with captions and scenes. With columns, one pair of columns is one object: leave it out."
        )


def _things(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The pairs of which both words are known."""
    return tuple((attribute, thing) for attribute, thing in pairs if attribute and thing)


def _values(frame: pd.DataFrame, column: str) -> list[str]:
    return ["" if pd.isna(value) else spoken(str(value)) for value in frame[column]]


def _check_columns(read: Table, named: Sequence[str]) -> None:
    for column in named:
        if column not in read.frame.columns:
            there = ", ".join(map(repr, list(read.frame.columns)[:12]))
            raise InvalidInput(f"{read.name} has no column {column!r}. It has {there}.")


def _pictures(
    read: Table, table: Path, images: Path | None, image: str | None, progress: Progress
) -> tuple[list[int], ItemStore, list[int], tuple[str, ...]]:
    """(places of the images in the store, store, rows of the table that have one, notes)."""
    if images is None and read.images:
        name = image if image is not None and image in read.images else next(iter(read.images))
        every = list(range(len(read.frame)))
        return every, read.images[name], every, read.notes
    column = image or next((str(c) for c in read.frame.columns if snake_case(str(c)) in USUAL), "")
    if column not in read.frame.columns:
        there = ", ".join(map(repr, list(read.frame.columns)[:12]))
        which = "no column is recognized as their paths"
        if column:
            which = f"it has no column {column!r}"
        raise InvalidInput(f"{read.name} names no images: {which}. It has {there}. Name a column with --image.")
    store = open_images((images or table.parent).expanduser(), progress=progress)
    ledger = Ledger(len(read.frame))
    written = np.array([None if pd.isna(value) else str(value) for value in read.frame[column]], dtype=object)
    positions = match_files(written, store, ledger, column=column, count_unused=False, progress=progress)
    rows = ledger.kept_rows().tolist()
    notes = (*read.notes, *store.notes, *ledger.notes, *ledger.summary())
    return [int(positions[row]) for row in rows], store, rows, notes


def _from_scenes(
    file: Path, images: Path | None, properties: tuple[str, str], one: bool, progress: Progress
) -> GridData:
    names: list[str] = []
    things: list[list[Any]] = []
    for where, name, objects in load_scenes(file):
        names.append(name)
        things.append([as_object(one, where, "named properties") for one in objects])
    store: FileImages = open_images((images or file.parent).expanduser(), progress=progress)
    ledger = Ledger(len(names))
    written = np.array(names, dtype=object)
    positions = match_files(written, store, ledger, column="image_filename", count_unused=False, progress=progress)
    rows = ledger.kept_rows().tolist()
    shown = shown_from_truth([things[row] for row in rows], *properties)
    pictures = store.keep([int(positions[row]) for row in rows])
    return GridData(pictures, shown, "one" if one else "two", (*store.notes, *ledger.summary()))
