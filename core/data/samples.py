"""What the user brings, checked: a table and images, texts or embeddings in, samples and losses out, bad rows left
out with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.images.archives import FileImages, open_images
from core.data.images.matching import check_pictures
from core.data.map_style import PicturesLike, with_data_set
from core.data.rows import ids_of, items_of
from core.data.scans.outlines import MaskedScans
from core.data.tables.cells import stack_arrays, texts_of
from core.data.tables.frames import TableLike, as_frame
from core.data.tables.in_folder import open_table
from core.data.tables.issues import with_issues
from core.data.tables.masks import mask_losses, mask_reader
from core.data.tables.metadata import group_numbers, metadata_columns, split_names, without_repeats
from core.data.tables.outcomes import compute_losses, count_classes
from core.data.tables.read import Table, read_table
from core.data.tables.recognise import RecognizedColumns, key_columns, recognise
from core.data.tables.roles import Roles
from core.data.tables.vectors import align_vectors, read_vectors, unit_rows
from core.errors import InvalidInput
from core.limits import FEW_ROWS, MIN_SAMPLES, WHY_SO_MANY, Limits
from core.numbers import count
from core.records import (
    EVERYTHING,
    F32,
    F64,
    I64,
    Column,
    Embeddings,
    ItemStore,
    Outcomes,
    Progress,
    SampleSet,
    Words,
    no_progress,
)
from core.records.ledger import TAKEN_AS_IS, Ledger

__all__ = ["DataSet", "Limits", "Roles", "describe_table", "read_data_set"]


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """The good rows of what was brought, and the account of the others."""

    samples: SampleSet
    outcomes: Outcomes
    embeddings: Embeddings | None
    excluded: tuple[tuple[str, str], ...]
    """(id, reason) of each row left out."""
    notes: tuple[str, ...]
    """Plain sentences on what was assumed, ignored or left out."""
    words: Words | None = None
    """The samples in a space shared with texts, once an encoder has seen them."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By role, the columns that the user named."""
    read: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By role, the columns that were read, named or recognized."""

    def __post_init__(self) -> None:
        for name in self.samples.class_names:
            if name.strip().casefold() == EVERYTHING:
                raise InvalidInput(
                    f"No class can be called {name!r}: findings that are of no class alone are given under that name. "
                    "Rename the class."
                )


def read_data_set(
    table: TableLike | None,
    *,
    images: PicturesLike | None = None,
    embeddings: str | Path | npt.NDArray[Any] | None = None,
    issues: TableLike | None = None,
    roles: Roles = Roles(),
    least: int = FEW_ROWS,
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> DataSet:
    """Read a table with its images, texts or embeddings into samples and a loss for each.

    Args:
        table: CSV, TSV, JSON Lines, Parquet or what Python calls a table (`as_frame`). None takes the table inside
            `images` (metadata.csv, metadata.jsonl, *.parquet).
        images: a folder, zip or tar, or a map-style data set (`with_data_set`); None takes the table's own image
            column, if it has one.
        embeddings: npy, npz, safetensors, Parquet or an (n, d) array; None takes the table's embedding column, if it
            has one.
        issues: what cleanlab says of the rows; its columns may explain a failure (`with_issues`).
        roles: which column plays which part; open ones are recognized by their usual names.
        least: rows that must be left; `MIN_SAMPLES` for a diagnosis.
        limits: how much may be read.

    Returns:
        At least so many rows in the table's order. Ids are the id column, else the image's path below the root,
        else the row number.

    Raises:
        InvalidInput: what was brought breaks a rule that cannot be mended by leaving rows out.
    """
    return read_with_ledger(table, images, embeddings, roles, limits, progress, issues, least)[0]


def read_with_ledger(
    table: TableLike | None,
    images: PicturesLike | None,
    embeddings: str | Path | npt.NDArray[Any] | None,
    roles: Roles,
    limits: Limits,
    progress: Progress,
    issues: TableLike | None = None,
    least: int = FEW_ROWS,
) -> tuple[DataSet, Ledger]:
    """What `read_data_set` gives, and the account of the table's rows: which stay, and why others do not."""
    progress("read table", 0, 1)
    files = images if isinstance(images, (str, Path)) else None
    store = None if files is None else open_images(files, limits, progress)
    if table is None and images is not files:
        raise InvalidInput("A data set has images and no losses. Bring a table of them, one row for each sample.")
    as_text = tuple(c for c in (roles.id, roles.image, roles.group, *(roles.masks or ())) if c is not None)
    read = open_table(as_frame(table), files, store, limits, as_text, progress)
    read = read if images is files else with_data_set(read, images, roles, progress)
    read = read if issues is None else with_issues(read, issues, roles, limits)
    found = recognise(read.frame, roles, list(read.images), texts=store is None)
    ledger = Ledger(len(read.frame), as_is=roles.as_is)
    for note in (*read.notes, *(store.notes if store else ()), *found.notes, *_assumed(found)):
        ledger.note(note)
    items, positions, modality = items_of(read, found, store, ledger, progress)
    ids = ids_of(read, found, items, positions, ledger)
    if items is not None and modality == "image":
        n_none = check_pictures(items, positions, ledger, limits, progress)
        _refuse_other_bytes(read, found, n_none)
    measured = compute_losses(
        read.frame, found, ledger, lambda kind, book: _mask_loss(kind, read, found, store, book, progress)
    )
    from core.data.desk import check_table  # scipy.stats: not needed to start the page

    check_table(read.frame, found, measured, ledger)
    given = None if embeddings is None else read_vectors(embeddings, limits, progress)
    vectors = _vectors(given, read.frame, found, ids, ledger)
    progress("read table", 1, 1)
    ledger.drop(~np.isfinite(measured.loss), "its loss could not be computed")
    rows = _standing(ledger, least)
    outcomes = measured.outcomes(rows)
    if np.ptp(outcomes.loss) == 0:
        ledger.note(f"All {len(rows):,} losses are {outcomes.loss[0]:g}, so there is nothing to tell apart.")
    labels = None if measured.labels is None else measured.labels[rows]
    samples = _samples(read, found, ids, rows, ledger)
    metadata, repeats = _conditions(read, found, samples.metadata, outcomes, labels, ledger)
    samples = replace(
        samples,
        metadata=tuple(metadata),
        model_outputs=(*samples.model_outputs, *repeats),
        items=None if items is None else _with_masks(items.keep(positions[rows]), modality, read, found, store, rows),
        modality=modality,
        labels=labels,
        class_names=measured.class_names,
    )
    if vectors is not None and len(rows) < len(vectors):
        vectors = vectors[rows]
    given = None if vectors is None else Embeddings(vectors, "given", "given")
    named = roles.named()
    used = found.roles.named()
    return DataSet(samples, outcomes, given, ledger.account(ids), tuple(ledger.notes), named=named, read=used), ledger


@dataclass(frozen=True, slots=True)
class TableDescription:
    """What a table holds, before anything is run."""

    columns: list[tuple[str, str, tuple[str, ...]]]
    """(name, recognized role or "", up to three example values) of each."""
    classes: dict[str, int]
    """Rows of each class of the label; none where there is no label, or where it cannot be read as it stands."""
    read: tuple[SampleSet, Outcomes, Mapping[str, Sequence[str]]] | None
    """The rows with their loss and the columns of each role, as far as the table alone tells; None where it does
    not."""
    doubts: tuple[str, ...]
    """What will stop a run, but for files that are not looked at here."""
    notes: tuple[str, ...]
    """What the desk noted (`core.data.desk`)."""


def describe_table(
    table: str | Path | pd.DataFrame,
    *,
    roles: Roles = Roles(),
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> TableDescription:
    """The columns and the classes of a table."""
    read = read_table(table, limits=limits or Limits(), progress=progress)
    found = recognise(read.frame, roles, list(read.images))
    parts = {column: role for role, columns in found.roles.named().items() for column in columns}
    true, predicted = found.roles.masks or (None, None)
    for column, role in (
        (found.errors, "error"),
        (found.class_names, "class names"),
        (true, "true mask"),
        (predicted, "predicted mask"),
    ):
        if column is not None:
            parts[column] = role
    rows = [(name, parts.get(name, ""), _examples(read.frame[name])) for name in read.frame.columns]
    rows += [
        (name, parts.get(name, ""), tuple(store.name(i) for i in range(min(3, len(store)))))
        for name, store in read.images.items()
    ]
    ledger = Ledger(len(read.frame), as_is=True)
    counts = dict[str, int]()
    try:
        counts = count_classes(read.frame, found)
        if found.roles.masks is not None and found.roles.loss is None:
            return TableDescription(rows, counts, None, (), ())  # masks are files, which are not looked at
        measured = compute_losses(read.frame, found, ledger)
        ledger.drop(~np.isfinite(measured.loss), "its loss could not be computed")
        from core.data.desk import check_table  # scipy.stats

        check_table(read.frame, found, measured, ledger)
        if not len(ledger.kept_rows()):
            return TableDescription(rows, counts, None, (), tuple(ledger.summary()))
        outcomes = measured.outcomes(ledger.kept_rows())
    except InvalidInput as error:
        return TableDescription(rows, counts, None, (str(error),), ())
    ids = next((texts_of(read.frame[name]) for name in key_columns(read.frame, found.roles)), np.arange(len(ledger)))
    kept = ledger.kept_rows()
    labels = None if measured.labels is None else measured.labels[kept]
    samples = _samples(read, found, [*map(str, ids)], kept, Ledger(len(ledger)))
    _conditions(read, found, samples.metadata, outcomes, labels, ledger)
    samples = replace(samples, labels=labels, class_names=measured.class_names)
    notes = [note for note in (*ledger.summary(), *ledger.notes) if not note.startswith(TAKEN_AS_IS)]
    return TableDescription(rows, counts, (samples, outcomes, found.roles.named()), tuple(ledger.doubts), tuple(notes))


def _conditions(
    read: Table,
    found: RecognizedColumns,
    columns: Sequence[Column],
    outcomes: Outcomes,
    labels: I64 | None,
    ledger: Ledger,
) -> tuple[Sequence[Column], Sequence[Column]]:
    """The columns that may explain a failure, held against what is known, and those that only repeat what the model
    wrote."""
    from core.data.desk.columns import check_columns, check_leaks  # scipy.stats: not needed to start the page

    wanted = found.roles.conditions
    metadata, repeats = without_repeats(columns, outcomes, labels, wanted, ledger)
    check_columns(read.frame, [column for column in metadata if column.name != found.roles.target], ledger)
    check_leaks(metadata, outcomes, labels, wanted, ledger)
    return metadata, repeats


def _examples(column: pd.Series[Any]) -> tuple[str, ...]:
    distinct = dict.fromkeys(map(str, column.dropna().head(100).tolist()))
    return tuple(value[:60] for value in list(distinct)[:3])


def _refuse_other_bytes(read: Table, found: RecognizedColumns, n_none: int) -> None:
    """Refuse a table whose column of bytes was taken for images by nobody's word and holds none."""
    column = found.roles.image
    if column in read.images and "image" in found.recognized and n_none == len(read.frame):
        raise InvalidInput(
            f"Column {column!r} holds bytes, so it was taken for images, and none of them begins like an image. "
            "Leave the column out of the table. If another column holds the images, name it as image."
        )


def _assumed(found: RecognizedColumns) -> list[str]:
    """One sentence that says which columns were recognized, so that a wrong guess is seen."""
    parts = {role: columns for role, columns in found.roles.named().items() if role in found.recognized}
    said = [f"{role}: {', '.join(columns[:3])}{', ...' if len(columns) > 3 else ''}" for role, columns in parts.items()]
    notes = [f"Columns recognized by name - {'; '.join(said)}."] if said else []
    if found.class_names:
        notes.append(f"{found.class_names!r} spells out the classes of {found.roles.label!r}.")
    return notes


def _mask_loss(
    kind: str, read: Table, found: RecognizedColumns, store: FileImages | None, ledger: Ledger, progress: Progress
) -> F64:
    columns = found.roles.masks or ("", "")
    true, predicted = (mask_reader(column, read, store, ledger, progress) for column in columns)
    return mask_losses(kind, true, predicted, ledger, progress)


def _with_masks(
    items: ItemStore, modality: str, read: Table, found: RecognizedColumns, store: FileImages | None, rows: I64
) -> ItemStore:
    """Scans with their masks, if they have both; a loss may stand beside masks that nobody can read."""
    if modality != "scan" or found.roles.masks is None:
        return items
    ledger = Ledger(len(read.frame))
    try:
        true, predicted = (mask_reader(column, read, store, ledger) for column in found.roles.masks)
    except InvalidInput:
        return items
    return MaskedScans(items, (true, predicted), rows) if not any(ledger.reasons[row] for row in rows) else items


def _vectors(
    given: tuple[npt.NDArray[Any], list[str] | None] | None,
    frame: pd.DataFrame,
    found: RecognizedColumns,
    ids: Sequence[str],
    ledger: Ledger,
) -> F32 | None:
    """(n, d) unit rows, nan where dropped; None if there are no embeddings."""
    if given is not None:
        return align_vectors(*given, ids, ledger)
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


def _standing(ledger: Ledger, least: int) -> I64:
    """The rows that stay; the ledger notes why others do not.

    Raises:
        InvalidInput: they are too few.
    """
    rows = ledger.kept_rows()
    reasons = ledger.summary()
    for sentence in reasons:
        ledger.note(sentence)
    if len(rows) < least:
        left = "is" if len(rows) == 1 else "are"
        what = f"Only {count(len(rows), 'row')} {left} left" if len(rows) else "No rows are left"
        raise InvalidInput(
            f"{what} of {len(ledger):,}; at least {least} are needed "
            f"{WHY_SO_MANY if least == MIN_SAMPLES else 'to test anything'}. "
            f"{' '.join(reasons[:3]) or 'Bring more rows.'}"
        )
    return rows


def _samples(read: Table, found: RecognizedColumns, ids: Sequence[str], rows: I64, ledger: Ledger) -> SampleSet:
    """The table's columns of the rows that stay; images and labels are still open."""
    metadata, model_outputs = metadata_columns(read.frame, found, ledger)
    groups = group_numbers(read.frame, found, rows, ledger)
    return SampleSet(
        ids=tuple(ids[int(row)] for row in rows),
        metadata=tuple(column.keep(rows) for column in metadata),
        model_outputs=tuple(column.keep(rows) for column in model_outputs),
        groups=groups,
        group_name="" if groups is None else found.roles.group or "",
        splits=split_names(read.frame, found, rows, ledger),
        name=Path(read.name).stem,
    )
