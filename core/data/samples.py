"""What the user brings, checked: a table and pictures (or embeddings) in, samples and losses out, bad rows left out
with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.images.archives import FileImages, open_images
from core.data.images.limits import Limits
from core.data.images.matching import check_pictures, match_files
from core.data.tables.cells import holds_arrays, stack_arrays, texts_of
from core.data.tables.in_folder import find_table
from core.data.tables.masks import Mask, ReadMask, decode_mask, mask_losses, mask_of_cell
from core.data.tables.metadata import group_numbers, metadata_columns, split_names
from core.data.tables.outcomes import Measured, compute_losses
from core.data.tables.read import Table, read_table
from core.data.tables.recognise import RecognisedColumns, recognise
from core.data.tables.roles import Roles
from core.data.tables.vectors import align_vectors, read_vectors, unit_rows
from core.errors import InvalidInput
from core.records import F64, I64, Embeddings, ItemStore, Outcomes, Progress, SampleSet, Words, no_progress
from core.records.ledger import Ledger

__all__ = ["DataSet", "Limits", "Roles", "describe_columns", "read_data_set"]

MIN_ROWS = 20


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """The good rows of what was brought, and the account of the others."""

    samples: SampleSet
    outcomes: Outcomes
    embeddings: Embeddings | None
    excluded: pd.DataFrame
    """Columns id, row (from 0) and reason, one line for each row left out."""
    notes: tuple[str, ...]
    """Plain sentences on what was assumed, ignored or left out."""
    words: Words | None = None
    """The samples in a space shared with texts, once an encoder has seen them."""


def read_data_set(
    table: str | Path | pd.DataFrame | None,
    *,
    images: str | Path | None = None,
    embeddings: str | Path | npt.NDArray[Any] | None = None,
    roles: Roles = Roles(),
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> DataSet:
    """Read a table with its pictures or embeddings into samples and a loss for each.

    Args:
        table: CSV, TSV, JSON Lines, Parquet or a DataFrame. None takes the table inside `images` (metadata.csv,
            metadata.jsonl, *.parquet).
        images: a folder, zip or tar; None takes the table's own picture column, if it has one.
        embeddings: npy, npz, safetensors, Parquet or an (n, d) array; None takes the table's embedding column, if it
            has one.
        roles: which column plays which part; open ones are recognised by their usual names.
        limits: how much may be read.

    Returns:
        At least 20 rows in the table's order. Ids are the id column, else the picture's path below the images' root,
        else the row number.

    Raises:
        InvalidInput: what was brought breaks a rule that cannot be mended by leaving rows out.
    """
    progress("read table", 0, 1)
    store = None if images is None else open_images(images, limits)
    read = (
        find_table(Path(images or ""), store, limits)
        if table is None
        else read_table(table, as_text=_as_text(roles), limits=limits)
    )
    found = recognise(read.frame, roles, list(read.images))
    ledger = Ledger(len(read.frame))
    for note in (*read.notes, *(store.notes if store else ()), *found.notes, *_assumed(found)):
        ledger.note(note)
    pictures, positions = _pictures(read, found, store, ledger)
    ids = _ids(read, found, pictures, positions, ledger)
    _drop_repeated(ids, read.frame, found, ledger)
    if pictures is not None:
        check_pictures(pictures, positions, ledger, limits, progress)
    measured = compute_losses(
        read.frame, found, ledger, lambda kind, book: _mask_loss(kind, read, found, store, book, progress)
    )
    vectors = _vectors(embeddings, read.frame, found, ids, ledger, limits)
    progress("read table", 1, 1)
    return _assemble(read, found, measured, ids, pictures, positions, vectors, ledger)


def describe_columns(
    table: str | Path | pd.DataFrame, *, limits: Limits | None = None
) -> list[tuple[str, str, tuple[str, ...]]]:
    """(name, recognised role or "", up to three example values) of every column, before anything is run."""
    read = read_table(table, limits=limits or Limits())
    found = recognise(read.frame, Roles(), list(read.images))
    parts = {column: role for role, columns in found.roles.named().items() for column in columns}
    parts |= {
        column: role
        for column, role in ((found.errors, "error"), (found.class_names, "class names"))
        if column is not None
    }
    rows = [(name, parts.get(name, ""), _examples(read.frame[name])) for name in read.frame.columns]
    return rows + [
        (name, parts.get(name, ""), tuple(store.name(i) for i in range(min(3, len(store)))))
        for name, store in read.images.items()
    ]


def _examples(column: pd.Series[Any]) -> tuple[str, ...]:
    return tuple(str(value)[:60] for value in column.dropna().head(100).map(str).drop_duplicates().head(3))


def _as_text(roles: Roles) -> tuple[str, ...]:
    return tuple(column for column in (roles.id, roles.image, roles.group, *(roles.masks or ())) if column is not None)


def _assumed(found: RecognisedColumns) -> list[str]:
    """One sentence that says which columns were recognised, so that a wrong guess is seen."""
    parts = {role: columns for role, columns in found.roles.named().items() if role in found.recognised}
    said = [f"{role}: {', '.join(columns[:3])}{', ...' if len(columns) > 3 else ''}" for role, columns in parts.items()]
    notes = [f"Columns recognised by name - {'; '.join(said)}."] if said else []
    if found.class_names:
        notes.append(f"{found.class_names!r} spells out the classes of {found.roles.label!r}.")
    return notes


def _pictures(
    read: Table, found: RecognisedColumns, store: FileImages | None, ledger: Ledger
) -> tuple[ItemStore | None, I64]:
    """The store that holds the rows' pictures and each row's place in it, -1 for none."""
    n, column = len(read.frame), found.roles.image
    rows = np.arange(n, dtype=np.int64)
    if store is None:
        own = read.images.get(column or "")
        return (None, np.full(n, -1, dtype=np.int64)) if own is None else (own, rows)
    if column in read.images:
        if "image" not in found.recognised:
            return read.images[column or ""], rows
        usual = recognise(read.frame, replace(found.roles, image=None)).roles.image
        column = usual or found.roles.id
    column = column or found.roles.id
    if column is None:
        raise InvalidInput(
            "No column says which picture belongs to which row. "
            "Add a column 'file' with each picture's path below the images' root."
        )
    return store, match_files(
        texts_of(read.frame[column]), store, ledger, column=column, count_unused=found.roles.masks is None
    )


def _ids(
    read: Table, found: RecognisedColumns, pictures: ItemStore | None, positions: I64, ledger: Ledger
) -> list[str]:
    n = len(read.frame)
    if found.roles.id is not None:
        texts = texts_of(read.frame[found.roles.id])
        ledger.drop(np.array([text is None for text in texts]), f"the id {found.roles.id!r} is missing")
        return [str(row) if text is None else text for row, text in enumerate(texts)]
    if pictures is not None and not isinstance(pictures, FileImages):
        # a picture column's paths are often bare file names, which may repeat; then they name no row
        names = [pictures.name(row) for row in range(n)]
        if len(set(names)) == n:
            return names
        ledger.note(
            "The paths in the picture column repeat, so row numbers are the ids. Add a column 'id' to have your own."
        )
        return [str(row) for row in range(n)]
    if pictures is not None:
        return [pictures.name(int(p)) if p >= 0 else _written(read, found, row) for row, p in enumerate(positions)]
    if found.roles.image is not None and found.roles.image in read.frame:
        return [_written(read, found, row) for row in range(n)]
    return [str(row) for row in range(n)]


def _written(read: Table, found: RecognisedColumns, row: int) -> str:
    """The path that the table gives for a picture, for rows whose picture is not there."""
    column = found.roles.image
    value = read.frame[column].iloc[row] if column is not None and column in read.frame else None
    return value if isinstance(value, str) else str(row)


def _drop_repeated(ids: Sequence[str], frame: pd.DataFrame, found: RecognisedColumns, ledger: Ledger) -> None:
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
    reasons = [""] * len(ids)
    for row, name in enumerate(ids):
        if not ledger.reasons[row]:
            earlier = first.setdefault(name, row)
            same = earlier != row and frame.iloc[row].astype(str).equals(frame.iloc[earlier].astype(str))
            reasons[row] = (
                "the id occurs before: row "
                f"{earlier}{' is an exact duplicate' if same else ' differs in other columns'}"
            )
    ledger.drop(repeated, reasons)
    examples = list(dict.fromkeys(ids[row] for row in np.flatnonzero(repeated).tolist()))[:5]
    ledger.note(
        f"{int(repeated.sum()):,} rows repeat an id ({', '.join(examples)}): the first of each was kept. "
        "Give every row its own id to keep all."
    )


def _mask_loss(
    kind: str, read: Table, found: RecognisedColumns, store: FileImages | None, ledger: Ledger, progress: Progress
) -> F64:
    columns = found.roles.masks or ("", "")
    true, predicted = (mask_reader(column, read, store, ledger) for column in columns)
    return mask_losses(kind, true, predicted, ledger, progress)


def mask_reader(column: str, read: Table, store: FileImages | None, ledger: Ledger) -> ReadMask:
    """Reads the mask of a row: from the picture column, an array cell, or the file that the cell names."""
    if column in read.images:
        own = read.images[column]
        return lambda row: decode_mask(own.read(row))
    if read.frame[column].isna().all():
        raise InvalidInput(f"{column!r} was named as a mask but is empty. Name another column.")
    if holds_arrays(read.frame[column]) or not isinstance(read.frame[column].dropna().iloc[0], str):
        return lambda row: mask_of_cell(read.frame[column].iloc[row])
    if store is None:
        raise InvalidInput(f"{column!r} names mask files, but no images were given. Bring them in a zip or folder.")
    positions = match_files(texts_of(read.frame[column]), store, ledger, column=column, count_unused=False)

    def read_mask(row: int) -> Mask | str:
        try:
            return decode_mask(store.read(int(positions[row])))
        except InvalidInput as error:
            return str(error)

    return read_mask


def _vectors(
    given: str | Path | npt.NDArray[Any] | None,
    frame: pd.DataFrame,
    found: RecognisedColumns,
    ids: Sequence[str],
    ledger: Ledger,
    limits: Limits,
) -> F64 | None:
    """(n, d) unit rows, nan where dropped; None if there are no embeddings."""
    if given is not None:
        return align_vectors(*read_vectors(given, limits), ids, ledger)
    if found.roles.embedding is None:
        return None
    vectors, reasons = stack_arrays(frame[found.roles.embedding])
    ledger.drop(np.array([bool(reason) for reason in reasons]), reasons)
    if vectors.shape[1] < 2:
        raise InvalidInput(
            f"{found.roles.embedding!r} must hold an array of at least 2 numbers in each row. "
            "Name another column as embedding."
        )
    return unit_rows(vectors, ledger)


def _assemble(
    read: Table,
    found: RecognisedColumns,
    measured: Measured,
    ids: Sequence[str],
    pictures: ItemStore | None,
    positions: I64,
    vectors: F64 | None,
    ledger: Ledger,
) -> DataSet:
    """Put the rows that stand together, and say what was left out."""
    ledger.drop(~np.isfinite(measured.loss), "its loss could not be computed")
    rows = ledger.kept()
    excluded = [(ids[row], row, reason) for row, reason in enumerate(ledger.reasons) if reason]
    for sentence in ledger.summary():
        ledger.note(sentence)
    if len(rows) < MIN_ROWS:
        reasons = " ".join(ledger.summary()[:3])
        what = "No rows are left" if len(rows) == 0 else f"Only {len(rows)} rows are left"
        raise InvalidInput(
            f"{what} of {len(ids):,}; at least {MIN_ROWS} are needed to test anything. {reasons or 'Bring more rows.'}"
        )
    outcomes = measured.outcomes(rows)
    if np.ptp(outcomes.loss) == 0:
        ledger.note(f"All {len(rows):,} losses are {outcomes.loss[0]:g}, so there is nothing to tell apart.")
    metadata, model_outputs = metadata_columns(read.frame, found, ledger)
    groups = group_numbers(read.frame, found, rows, ledger)
    samples = SampleSet(
        ids=tuple(ids[int(row)] for row in rows),
        items=None if pictures is None else pictures.keep(positions[rows]),
        labels=None if measured.labels is None else measured.labels[rows],
        class_names=measured.class_names,
        metadata=tuple(column.keep(rows) for column in metadata),
        model_outputs=tuple(column.keep(rows) for column in model_outputs),
        groups=groups,
        group_name="" if groups is None else found.roles.group or "",
        splits=split_names(read.frame, found, rows, ledger),
        name=Path(read.name).stem,
    )
    given = None if vectors is None else Embeddings(vectors[rows].astype(np.float32), "given", "given")
    return DataSet(
        samples, outcomes, given, pd.DataFrame(excluded, columns=["id", "row", "reason"]), tuple(ledger.notes)
    )
