"""One's own benchmark: a table with an image, its caption and foils, or with two images and two captions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import (
    Record,
    as_list,
    as_object,
    as_text,
    few,
    kind_of,
    label_of,
    load_json,
    load_lines,
)
from core.systems.composition.readers.recognise import KNOWN, OWN_CHOICE, OWN_PAIRS, is_foil_column, one_file_of
from core.systems.composition.readers.tables import read_rows
from core.systems.composition.records import Benchmark

MAX_VALUES = 50
"""Different values of a column that becomes a tag; a column with more is not one."""
_PAIR = ("image_1", "caption_1", "image_2", "caption_2")


def read_own(path: Path) -> Benchmark:
    """A CSV, TSV, JSON Lines file or JSON list with one item a row.

    Columns image, caption and foil (also foil_1, foil_2, ...; in JSON a list under foil or foils) make choices;
    image_1, caption_1, image_2 and caption_2 make pairs, caption i belonging to image i. An `id` names the row; other
    columns with at most 50 values become tags.

    Raises:
        InvalidInput: the columns are others, or a cell is of the wrong type.
    """
    file, notes = one_file_of(path, "own")
    rows, more = _rows(file)
    columns = {name: None for _, row in rows for name in row}
    pairs = columns.keys() >= OWN_PAIRS
    foils = [name for name in columns if is_foil_column(name)]
    if not pairs and not (columns.keys() >= OWN_CHOICE and foils):
        raise InvalidInput(
            f"{file.name} lacks columns. {KNOWN['own'].capitalize()}. It has {few(list(columns))}. Rename them."
        )
    used = {"id", *(_PAIR if pairs else ("image", "caption", *foils))}
    tags = _tag_columns(rows, [name for name in columns if name not in used])
    several = not pairs and any(len(_foils(row, foils, where)) > 1 for where, row in rows)
    kind, headline = ("pairs", "group") if pairs else ("choice", "r@1" if several else "pairwise")
    source = f"your file {file.name}"
    book = Builder("own", file.stem, kind, headline, source, notes=[*notes, *more])
    for i, (where, row) in enumerate(rows):
        _add(book, label_of(row, "id") or str(i), where, row, foils, {name: label_of(row, name) for name in tags})
    if left := [name for name in columns if name not in used and name not in tags]:
        book.note(
            f"Columns with more than {MAX_VALUES} values, or with other than text and numbers, did not become "
            f"tags: {few(left)}."
        )
    return book.build()


def _add(book: Builder, id: str, where: str, row: Record, foils: list[str], tags: dict[str, str]) -> None:
    """Enter a row as the form of the benchmark asks, or leave it out where it names no image."""
    if book.kind == "pairs":
        first, caption, second, second_caption = (_text(row, key, where) for key in _PAIR)
        captions = (caption, second_caption)
        names = (first, second)
    else:
        captions = (_text(row, "caption", where), *_foils(row, foils, where))
        names = (_text(row, "image", where),)
    if not all(name.strip() for name in names):
        book.exclude(id, "it names no image")
    elif len(names) == 2:
        book.add_pair(id, where, names, captions, tags)
    else:
        book.add_choice(id, where, names[0], captions, tags)


def _rows(file: Path) -> tuple[list[tuple[str, Record]], tuple[str, ...]]:
    """("file, row n", record) of every row, column names in lower case; and notes."""
    notes: tuple[str, ...] = ()
    read: Iterable[tuple[str, Any]]
    if file.suffix.lower() in (".csv", ".tsv"):
        read, notes = read_rows(file, ())
    elif file.suffix.lower() == ".json":
        read = [
            (f"{file.name}, record {i}", row) for i, row in enumerate(as_list(load_json(file), file.name, "records"))
        ]
    else:
        read = load_lines(file)
    return [
        (where, {key.strip().lower(): value for key, value in as_object(row, where, "named values").items()})
        for where, row in read
    ], notes


def _text(row: Record, key: str, where: str) -> str:
    """The text of a cell; "" for an empty one."""
    value = row.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is None:
        return ""
    return as_text(value, f"{where}: {key!r}")


def _foils(row: Record, columns: list[str], where: str) -> list[str]:
    """The foils of a row, from one or several columns or a list; empty cells do not count."""
    foils: list[str] = []
    for column in columns:
        value = row.get(column)
        if isinstance(value, list):
            foils += [as_text(one, f"{where}: {column!r}, entry {i}") for i, one in enumerate(value)]
        elif value is not None and not isinstance(value, str):
            raise InvalidInput(f"{where}: {column!r} must be text or a list of texts: it is {kind_of(value)}. Fix it.")
        elif value:
            foils.append(value)
    return [foil for foil in foils if foil.strip()]


def _tag_columns(rows: list[tuple[str, Record]], columns: list[str]) -> list[str]:
    """Columns of text or numbers that hold between 1 and 50 different values."""
    fitting: list[str] = []
    for column in columns:
        values = {label_of(row, column) for _, row in rows}
        plain = all(row.get(column) is None or label_of(row, column) for _, row in rows)
        if plain and values != {""} and len(values) <= MAX_VALUES:
            fitting.append(column)
    return fitting
