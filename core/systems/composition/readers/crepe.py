"""CREPE's tables: a part of a picture, its caption, and many hard negatives."""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import InvalidInput
from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import box_of, few, header
from core.systems.composition.readers.recognise import files_of, is_negatives_column
from core.systems.composition.readers.tables import cell_of, literal_list, read_rows
from core.systems.composition.records import Benchmark

_BOX = ("x", "y", "width", "height")
_PREFERRED = ("hard_negs", "valid_hard_negs_combined", "valid_hard_negs_comp", "valid_hard_negs_atom")
_SYSTEMATICITY = re.compile(r"(seen|unseen)_compounds?_in_([a-z0-9]+)")
_PRODUCTIVITY = re.compile(r"(atom|swap|negate)_complexity_(\d+)")


def read_crepe(path: Path, *, negatives: str = "") -> Benchmark:
    """One file of systematicity or productivity, or those of a folder, cropped to their boxes. Tags come from the
    files' names.

    Args:
        negatives: the column of hard negatives; "" takes hard_negs, or else valid_hard_negs_combined, _comp or _atom,
            the first that is there.

    Raises:
        InvalidInput: a file lacks a column, or a cell is no list of texts.

    Source: Ma et al. 2023 (CREPE). `image_id` 12 is Visual Genome's 12.jpg.
    """
    files, notes = files_of(path, "crepe")
    book = Builder(
        "crepe",
        "CREPE",
        "choice",
        "r@1",
        "Ma et al. 2023 (CREPE), arXiv 2212.07796",
        "Its pictures are those of Visual Genome, in files such as 2390970.jpg.",
        notes=list(notes),
    )
    for file in files:
        column = _column(file, negatives)
        rows, more = read_rows(file, ("image_id", "caption", *_BOX, column))
        for note in more:
            book.note(note)
        book.note(f"Hard negatives of {file.name}: its column {column}.")
        for i, (where, row) in enumerate(rows):
            foils = literal_list(cell_of(row, column), f"{where}: {column!r}")
            picture = _file_name(cell_of(row, "image_id"))
            captions = (cell_of(row, "caption"), *foils)
            box = box_of(row, _BOX, where)
            book.add_choice(f"{file.stem}/{i}", where, picture, captions, _tags(file.stem), box)
    return book.build()


def _column(file: Path, asked: str) -> str:
    there = [name for name in header(file) if is_negatives_column(name)]
    if asked and asked not in there:
        raise InvalidInput(f"{file.name} has no column of hard negatives {asked[:60]!r}. It has {few(there)}.")
    known = [name for name in _PREFERRED if name in there]
    if not there:
        raise InvalidInput(
            f"{file.name} has no column of hard negatives, such as hard_negs. It has {few(header(file))}."
        )
    return asked or (known or there)[0]


def _file_name(image_id: str) -> str:
    """Visual Genome's file of an id; a name that has an ending stays."""
    id = image_id.strip().removesuffix(".0")
    return f"{id}.jpg" if id.isdigit() else id


def _tags(stem: str) -> dict[str, str]:
    if found := _SYSTEMATICITY.search(stem):
        return {"compounds": found[1], "corpus": found[2]}
    if found := _PRODUCTIVITY.search(stem):
        return {"foils": found[1], "complexity": found[2]}
    return {}
