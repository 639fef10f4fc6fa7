"""The rows of a table: which image or text each shows, and by what id it is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from core.data.images.archives import FileImages
from core.data.images.matching import match_files
from core.data.modality import modality_by_name
from core.data.tables.cells import texts_of
from core.data.tables.paths import image_hint
from core.data.tables.read import Table
from core.data.tables.recognise import RecognizedColumns, recognise
from core.data.texts.columns import TextItems, text_items
from core.errors import InvalidInput, quoted
from core.records import I64, Bool, ItemStore, Progress, no_progress
from core.records.ledger import Ledger


def pictures_of(
    read: Table,
    found: RecognizedColumns,
    store: FileImages | None,
    ledger: Ledger,
    progress: Progress = no_progress,
    noun: str = "image",
) -> tuple[ItemStore | None, I64]:
    """The store that holds the rows' images, or clips, and each row's place in it, -1 for none.

    Args:
        noun: what a message calls one.
    """
    n = len(read.frame)
    column = found.roles.image
    rows = np.arange(n, dtype=np.int64)
    if store is None:
        own = read.images.get(column or "")
        return (None, np.full(n, -1, dtype=np.int64)) if own is None else (own, rows)
    if column in read.images:
        if "image" not in found.recognized:
            return read.images[column or ""], rows
        usual = recognise(read.frame, replace(found.roles, image=None)).roles.image
        column = usual or found.roles.id
    column = column or found.roles.id
    if column is None:
        hint = image_hint(read.frame) or f"Add a column 'file' with each {noun}'s path below the root of the files."
        raise InvalidInput(f"No column says which {noun} belongs to which row. {hint}")
    written = texts_of(read.frame[column])
    every = found.roles.masks is None
    hint = image_hint(read.frame.drop(columns=column))
    return store, match_files(
        written, store, ledger, column=column, noun=noun, count_unused=every, hint=hint, progress=progress
    )


def _kinds(names: Iterable[str]) -> dict[str, str]:
    """The first name of each modality among files."""
    first = dict[str, str]()
    for name in names:
        if (kind := modality_by_name(name)) is not None:
            first.setdefault(kind, name)
    return first


def _kind_of_files(store: FileImages, positions: I64) -> str:
    """The modality of the files that the rows name.

    Raises:
        InvalidInput: they are of several.
    """
    kinds = _kinds(store.name(int(place)) for place in positions if place >= 0)
    if len(kinds) > 1:
        raise InvalidInput(
            f"Samples are of one modality: the rows name {' and '.join(f'{k}s ({n[:60]})' for k, n in kinds.items())}. "
            "Say which they are with the modality, or split the table."
        )
    return next(iter(kinds), "image")


def items_of(
    read: Table, found: RecognizedColumns, store: FileImages | None, ledger: Ledger, progress: Progress = no_progress
) -> tuple[ItemStore | None, I64, str]:
    """What the rows show, each row's place in that store (-1 for none), and its modality: the images or clips, or
    else the texts.

    Raises:
        InvalidInput: files of several modalities, or files and texts, were brought.
    """
    texts = found.roles.texts
    if store is None and (odd := [name for name in texts if name in read.images]):
        raise InvalidInput(
            f"The column {quoted(*odd)} was named as texts and holds bytes that are no text in UTF-8. "
            "Write its texts in UTF-8 or, if they are images, name it as the image column."
        )
    if texts and "texts" not in found.recognized and (store is not None or found.roles.image in read.images):
        raise InvalidInput(
            f"Samples are images or texts, not both: images were brought and {quoted(*texts)} was named as text. "
            "Leave one out; a column of texts beside images can be a condition."
        )
    if texts and store is None:
        rows = np.arange(len(read.frame), dtype=np.int64)
        return text_items(read.frame, texts, ledger), rows, "text"
    if store is None:
        return *pictures_of(read, found, store, ledger, progress), "image"
    named = found.roles.modality
    kinds = [named] if named else list(_kinds(store.names)) or ["image"]
    noun = kinds[0] if len(kinds) == 1 else "file"
    items, positions = pictures_of(read, found, store, ledger, progress, noun)
    return items, positions, named or (_kind_of_files(store, positions) if items is store else "image")


DIFFERS = "differs in other columns"
"""How the account of left out rows ends for one that repeats an id and says something else."""


def ids_of(
    read: Table, found: RecognizedColumns, pictures: ItemStore | None, positions: I64, ledger: Ledger
) -> list[str]:
    """(n,) the id column, else the image's name, else the row number. Rows that repeat an id, and those without one,
    are dropped.

    Raises:
        InvalidInput: more than half of the rows repeat an id.
    """
    ids = _names(read, found, pictures, positions, ledger)
    _drop_repeated(ids, read.frame, found, ledger)
    return ids


def _names(
    read: Table, found: RecognizedColumns, pictures: ItemStore | None, positions: I64, ledger: Ledger
) -> list[str]:
    n = len(read.frame)
    if found.roles.id is not None:
        texts = texts_of(read.frame[found.roles.id])
        ledger.drop(np.array([text is None for text in texts]), f"the id {found.roles.id!r} is missing")
        return [str(row) if text is None else text for row, text in enumerate(texts)]
    if isinstance(pictures, TextItems):
        return list(pictures.names)
    if pictures is not None and not isinstance(pictures, FileImages):
        # an image column's paths are often bare file names, which may repeat; then they name no row
        names = [pictures.name(row) for row in range(n)]
        if len(set(names)) == n:
            return names
        ledger.note(
            "The paths in the image column repeat, so row numbers are the ids. Add a column 'id' to have your own."
        )
        return [str(row) for row in range(n)]
    if pictures is not None:
        return [pictures.name(int(p)) if p >= 0 else _written(read, found, row) for row, p in enumerate(positions)]
    if found.roles.image is not None and found.roles.image in read.frame:
        return [_written(read, found, row) for row in range(n)]
    return [str(row) for row in range(n)]


def _written(read: Table, found: RecognizedColumns, row: int) -> str:
    """The path that the table gives for an image, for rows whose image is not there."""
    column = found.roles.image
    value = read.frame[column].iloc[row] if column is not None and column in read.frame else None
    return value if isinstance(value, str) else str(row)


def _drop_repeated(ids: Sequence[str], frame: pd.DataFrame, found: RecognizedColumns, ledger: Ledger) -> None:
    """Keep the first row of each id."""
    repeated = pd.Series(ids).duplicated().to_numpy() & ledger.standing()
    if not repeated.any():
        return
    column = found.roles.id or found.roles.image
    if repeated.sum() > 0.5 * len(ids):
        raise InvalidInput(
            f"Ids must differ from row to row: {column!r} has only {len(set(ids)):,} values in {len(ids):,} rows. "
            "Name or add a column 'id'."
        )
    first: dict[str, int] = {}
    rows = ledger.kept_rows()
    earlier = np.array([first.setdefault(ids[row], row) for row in map(int, rows)], np.int64)
    later = rows != earlier
    same = np.zeros(len(rows), np.bool_)
    same[later] = _same_cells(frame, rows[later], earlier[later])
    reasons = [""] * len(ids)
    for row, before, alike in zip(rows.tolist(), earlier.tolist(), same.tolist(), strict=True):
        how = "is an exact duplicate" if alike else DIFFERS
        reasons[row] = f"the id occurs before: row {before} {how}"
    ledger.drop(repeated, reasons)
    examples = list(dict.fromkeys(ids[row] for row in np.flatnonzero(repeated).tolist()))[:5]
    ledger.note(
        f"{int(repeated.sum()):,} rows repeat an id ({', '.join(examples)}): the first of each was kept. "
        "Give every row its own id to keep all."
    )


def _same_cells(frame: pd.DataFrame, rows: I64, others: I64) -> Bool:
    """(k,) whether each of `rows` reads as its counterpart does, a column at a time: row by row takes a thousand times
    as long."""
    same = np.ones(len(rows), np.bool_)
    for name in frame.columns:
        one, other = (frame[name].iloc[at].astype(str).reset_index(drop=True) for at in (rows, others))
        same &= ((one == other) | (one.isna() & other.isna())).to_numpy(np.bool_)
    return same
