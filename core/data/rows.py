"""Find the image or text of each row of a table, and the row's id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from core.data.images.archives import FileImages
from core.data.images.matching import match_files
from core.data.modality import modality_by_name, modality_of
from core.data.tables.cells import texts_of
from core.data.tables.paths import image_hint
from core.data.tables.read import Table
from core.data.tables.recognise import RecognizedColumns, recognise
from core.data.texts.columns import TextItems, text_items
from core.errors import InvalidInput, quoted
from core.records import I64, Bool, ItemStore, Progress, no_progress
from core.records.ledger import Ledger


def image_items(
    read: Table,
    recognized: RecognizedColumns,
    store: FileImages | None,
    ledger: Ledger,
    progress: Progress = no_progress,
    noun: str = "image",
) -> tuple[ItemStore | None, I64]:
    """The store of the rows' images, or clips, and each row's index in it, -1 for none.

    Args:
        noun: for an item, in messages.
    """
    n = len(read.frame)
    column = recognized.roles.image
    rows = np.arange(n, dtype=np.int64)
    if store is None:
        column_images = read.images.get(column or "")
        if column_images is None:
            return None, np.full(n, -1, dtype=np.int64)
        return column_images, rows
    if column in read.images:
        if "image" not in recognized.guessed:
            return read.images[column or ""], rows
        usual = recognise(read.frame, replace(recognized.roles, image=None)).roles.image
        column = usual or recognized.roles.id
    column = column or recognized.roles.id
    if column is None:
        hint = image_hint(read.frame) or f"Add a column 'file' with each {noun}'s path below the root of the files."
        raise InvalidInput(f"No column names the {noun} of each row. {hint}")
    written = texts_of(read.frame[column])
    every = recognized.roles.masks is None
    hint = image_hint(read.frame.drop(columns=column))
    return store, match_files(
        written, store, ledger, column=column, noun=noun, count_unused=every, hint=hint, progress=progress
    )


def _kinds(names: Iterable[str]) -> dict[str, str]:
    """The first file name of each modality."""
    first = dict[str, str]()
    for name in names:
        kind = modality_by_name(name)
        if kind is not None:
            first.setdefault(kind, name)
    return first


def _kind_of_files(store: FileImages, positions: I64) -> str:
    """The modality of the files that the rows name.

    Raises:
        InvalidInput: the files have several modalities.
    """
    kinds = _kinds(store.name(int(position)) for position in positions if position >= 0)
    if len(kinds) > 1:
        examples = " and ".join(f"{kind}s ({name[:60]})" for kind, name in kinds.items())
        raise InvalidInput(
            f"All rows must have one modality: these name {examples}. Name the modality, or split the table."
        )
    return next(iter(kinds), "image")


def items_of(
    read: Table,
    recognized: RecognizedColumns,
    store: FileImages | None,
    ledger: Ledger,
    progress: Progress = no_progress,
) -> tuple[ItemStore | None, I64, str]:
    """The store of the rows' images or clips, or else texts; each row's index in it (-1 for none); and the modality.

    Raises:
        InvalidInput: files of several modalities, both files and texts, or an unknown modality is named.
    """
    if recognized.roles.modality is not None:
        modality_of(recognized.roles.modality)
    texts = recognized.roles.texts
    not_texts = [name for name in texts if name in read.images]
    if store is None and not_texts:
        raise InvalidInput(
            f"The texts {quoted(*not_texts)} are not valid UTF-8. "
            "Re-save them as UTF-8 or, if they are images, name the column as image."
        )
    if texts and "texts" not in recognized.guessed and (store is not None or recognized.roles.image in read.images):
        raise InvalidInput(
            f"Samples are images or texts, not both: you added images and named {quoted(*texts)} as texts. "
            "Remove one. Next to images, a column of texts can be a condition."
        )
    if texts and store is None:
        rows = np.arange(len(read.frame), dtype=np.int64)
        return text_items(read.frame, texts, ledger), rows, "text"
    if store is None:
        return *image_items(read, recognized, store, ledger, progress), "image"
    named = recognized.roles.modality
    kinds = [named] if named else list(_kinds(store.names)) or ["image"]
    noun = kinds[0] if len(kinds) == 1 else "file"
    items, positions = image_items(read, recognized, store, ledger, progress, noun)
    if named:
        return items, positions, named
    if items is store:
        return items, positions, _kind_of_files(store, positions)
    return items, positions, "image"


DIFFERS = "differs in other columns"
"""End of the reason for leaving out a row that repeats an id with other values."""


def ids_of(
    read: Table, recognized: RecognizedColumns, items: ItemStore | None, positions: I64, ledger: Ledger
) -> list[str]:
    """(n,) the id column, else the image's name, else the row number. Rows that repeat an id, and those without one,
    are dropped.

    Raises:
        InvalidInput: more than half of the rows repeat an id.
    """
    ids = _names(read, recognized, items, positions, ledger)
    _drop_repeated(ids, read.frame, recognized, ledger)
    return ids


def _names(
    read: Table, recognized: RecognizedColumns, items: ItemStore | None, positions: I64, ledger: Ledger
) -> list[str]:
    n = len(read.frame)
    if recognized.roles.id is not None:
        texts = texts_of(read.frame[recognized.roles.id])
        ledger.drop(np.array([text is None for text in texts]), f"the id {recognized.roles.id!r} is missing")
        return [str(row) if text is None else text for row, text in enumerate(texts)]
    if isinstance(items, TextItems):
        return list(items.names)
    if items is not None and not isinstance(items, FileImages):
        # an image column's paths are often bare file names, which may repeat and then identify no row
        names = [items.name(row) for row in range(n)]
        if len(set(names)) == n:
            return names
        ledger.note("The paths in the image column repeat, so row numbers are the ids. Add a column 'id' to change it.")
        return [str(row) for row in range(n)]
    names = [str(row) for row in range(n)]
    column = recognized.roles.image
    if column is not None and column in read.frame:  # the written path, for rows whose image is missing
        for row, value in enumerate(read.frame[column]):
            if isinstance(value, str):
                names[row] = value
    if items is not None:
        for row, position in enumerate(positions.tolist()):
            if position >= 0:
                names[row] = items.name(position)
    return names


def _drop_repeated(ids: Sequence[str], frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger) -> None:
    """Drop all but the first row of each id."""
    repeated = pd.Series(ids).duplicated().to_numpy() & ledger.standing()
    if not repeated.any():
        return
    column = recognized.roles.id or recognized.roles.image
    if repeated.sum() > 0.5 * len(ids):
        raise InvalidInput(
            f"Ids must be unique: {column!r} has {len(set(ids)):,} values in {len(ids):,} rows. Add a column 'id'."
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
        f"Left out {int(repeated.sum()):,} rows that repeat an id ({', '.join(examples)}). "
        "To keep all, use a unique id per row."
    )


def _same_cells(frame: pd.DataFrame, rows: I64, others: I64) -> Bool:
    """(k,) whether each of `rows` reads the same as its counterpart, compared by column: by row takes a thousand times
    as long."""
    same = np.ones(len(rows), np.bool_)
    for name in frame.columns:
        later = frame[name].iloc[rows].astype(str).reset_index(drop=True)
        earlier = frame[name].iloc[others].astype(str).reset_index(drop=True)
        same &= ((later == earlier) | (later.isna() & earlier.isna())).to_numpy(np.bool_)
    return same
