"""Read and check the user's data: from a table and images, texts or embeddings to samples and losses; bad rows are
left out with the reason."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.images.archives import FileImages, open_images
from core.data.images.matching import check_pictures
from core.data.images.outlines import MaskedItems
from core.data.map_style import PicturesLike, with_data_set
from core.data.rows import ids_of, items_of
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
from core.data.tables.several import find_several_labels
from core.data.tables.vectors import align_vectors, read_vectors, unit_rows
from core.errors import InvalidInput
from core.limits import FEW_ROWS, Limits
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
    """The usable rows of the user's data, and the reasons for the others."""

    samples: SampleSet
    outcomes: Outcomes
    embeddings: Embeddings | None
    excluded: tuple[tuple[str, str], ...]
    """(id, reason) of each row left out."""
    notes: tuple[str, ...]
    """Sentences on what was assumed, ignored or left out."""
    words: Words | None = None
    """The samples in a space shared with texts, once an encoder has embedded them."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By role, the columns that the user named."""
    read: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By role, the columns that were read, named or recognized."""

    def __post_init__(self) -> None:
        for name in self.samples.class_names:
            if name.strip().casefold() == EVERYTHING:
                raise InvalidInput(f"{name!r} is reserved and cannot be a class name. Rename the class.")


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
        table: CSV, TSV, JSON Lines, Parquet or a table in Python (`as_frame`). None reads the table inside `images`
            (metadata.csv, metadata.jsonl, *.parquet).
        images: a folder, zip or tar, or a map-style data set (`with_data_set`); None reads the table's image column,
            if it has one.
        embeddings: npy, npz, safetensors, Parquet or an (n, d) array; None reads the table's embedding column, if it
            has one.
        issues: cleanlab's table of issues; its columns may explain errors (`with_issues`).
        roles: role of each column; open ones are recognized by their usual names.
        least: rows that must be left; `MIN_SAMPLES` for a diagnosis.
        limits: how much may be read.

    Returns:
        At least `least` rows in the table's order. Ids are the id column, else the image's path below the root, else
        the row number.

    Raises:
        InvalidInput: the data break a rule that leaving rows out cannot fix.
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
    """Read as `read_data_set` does; also return the ledger of the table's rows: which stay, and why others do not."""
    progress("read table", 0, 1)
    table, images, embeddings = map(_plain_path, (table, images, embeddings))
    files = images if isinstance(images, (str, Path)) else None
    store = None if files is None else open_images(files, limits, progress)
    if table is None and images is not files:
        raise InvalidInput("The data set has images but no losses. Add a table with one row per sample.")
    as_text = tuple(c for c in (roles.id, roles.image, roles.group, *(roles.masks or ())) if c is not None)
    read = open_table(as_frame(table), files, store, limits, as_text, progress)
    if images is not files:
        read = with_data_set(read, images, roles, progress)
    if issues is not None:
        read = with_issues(read, issues, roles, limits)
    recognized = recognise(read.frame, roles, list(read.images), texts=store is None)
    ledger = Ledger(len(read.frame), as_is=roles.as_is)
    store_notes = () if store is None else store.notes
    for note in (*read.notes, *store_notes, *recognized.notes, *_assumed(recognized)):
        ledger.note(note)
    items, positions, modality = items_of(read, recognized, store, ledger, progress)
    ids = ids_of(read, recognized, items, positions, ledger)
    if items is not None and modality == "image":
        n_none = check_pictures(items, positions, ledger, limits, progress)
        column = recognized.roles.image
        # bytes that were recognized as images, not named
        if column in read.images and "image" in recognized.guessed and n_none == len(read.frame):
            raise InvalidInput(
                f"Column {column!r} holds bytes but not one image. Remove it, or name another column as image."
            )
    measured = compute_losses(
        read.frame, recognized, ledger, lambda kind, book: _mask_loss(kind, read, recognized, store, book, progress)
    )
    from core.data.desk import check_table  # scipy.stats: not needed to start the page

    check_table(read.frame, recognized, measured, ledger)
    if embeddings is not None:
        vectors = align_vectors(*read_vectors(embeddings, limits, progress), ids, ledger)
    else:
        vectors = _column_vectors(read.frame, recognized.roles.embedding, ledger)
    progress("read table", 1, 1)
    ledger.drop(~np.isfinite(measured.loss), "its loss could not be computed")
    rows = ledger.kept_rows()
    reasons = ledger.summary()
    for sentence in reasons:
        ledger.note(sentence)
    if len(rows) < least:
        if not reasons:
            raise InvalidInput(f"At least {least} rows are needed: {read.name} has {len(rows):,}. Add rows.")
        raise InvalidInput(
            f"At least {least} rows are needed: {read.name} has {len(rows):,} of {len(ledger):,} left. "
            f"{' '.join(ledger.summary(examples=True)[:3])}"
        )
    outcomes = measured.outcomes(rows)
    if np.ptp(outcomes.loss) == 0:
        ledger.note(f"All {len(rows):,} losses are {outcomes.loss[0]:g}, so no group can stand out.")
    labels = None if measured.labels is None else measured.labels[rows]
    samples = _samples(read, recognized, ids, rows, ledger)
    metadata, repeats = _conditions(read, recognized, samples.metadata, outcomes, labels, ledger)
    if items is not None:
        items = _with_masks(items.keep(positions[rows]), modality, read, recognized, store, rows)
    samples = replace(
        samples,
        metadata=tuple(metadata),
        model_outputs=(*samples.model_outputs, *repeats),
        items=items,
        modality=modality,
        labels=labels,
        class_names=measured.class_names,
    )
    row_embeddings = None
    if vectors is not None:
        if len(rows) < len(vectors):
            vectors = vectors[rows]
        row_embeddings = Embeddings(vectors, "given", "given")
    data = DataSet(
        samples,
        outcomes,
        row_embeddings,
        ledger.account(ids),
        tuple(ledger.notes),
        named=roles.named(),
        read=recognized.roles.named(),
    )
    return data, ledger


@dataclass(frozen=True, slots=True)
class TableDescription:
    """Content of a table, before a run."""

    columns: list[tuple[str, str, tuple[str, ...]]]
    """(name, recognized role or "", up to three example values) of each."""
    classes: dict[str, int]
    """Rows of each class of the label; {} without a label that can be read."""
    read: tuple[SampleSet, Outcomes, Mapping[str, Sequence[str]]] | None
    """The rows with their loss and the columns of each role; None where the table alone does not give them."""
    doubts: tuple[str, ...]
    """Problems that stop a run; problems of files are not checked here."""
    notes: tuple[str, ...]
    """Notes of the desk (`core.data.desk`)."""


def describe_table(
    table: str | Path | pd.DataFrame,
    *,
    roles: Roles = Roles(),
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> TableDescription:
    """Describe the columns and the classes of a table."""
    read = read_table(table, limits=limits or Limits(), progress=progress)
    recognized = recognise(read.frame, roles, list(read.images))
    parts = dict[str, str]()
    for role, columns in recognized.roles.named().items():
        parts.update(dict.fromkeys(columns, role))
    true, predicted = recognized.roles.masks or (None, None)
    for column, role in (
        (recognized.errors, "error"),
        (recognized.class_names, "class names"),
        (true, "true mask"),
        (predicted, "predicted mask"),
    ):
        if column is not None:
            parts[column] = role
    several = find_several_labels(read.frame, recognized.roles)
    if several is not None:
        labels, role, outputs = several
        parts.update({**dict.fromkeys(outputs, role), **dict.fromkeys(labels, "labels")})
    rows = [(name, parts.get(name, ""), _examples(read.frame[name])) for name in read.frame.columns]
    for name, store in read.images.items():
        rows.append((name, parts.get(name, ""), tuple(store.name(i) for i in range(min(3, len(store))))))
    counts = dict[str, int]()
    if several is not None:
        return TableDescription(rows, counts, None, (), ())  # `core.data.tasks.multilabel` computes the losses
    ledger = Ledger(len(read.frame), as_is=True)
    try:
        counts = count_classes(read.frame, recognized)
        if recognized.roles.masks is not None and recognized.roles.loss is None:
            return TableDescription(rows, counts, None, (), ())  # masks are files, which are not read here
        measured = compute_losses(read.frame, recognized, ledger)
        ledger.drop(~np.isfinite(measured.loss), "its loss could not be computed")
        from core.data.desk import check_table  # scipy.stats

        check_table(read.frame, recognized, measured, ledger)
        if not len(ledger.kept_rows()):
            return TableDescription(rows, counts, None, (), tuple(ledger.summary()))
        outcomes = measured.outcomes(ledger.kept_rows())
    except InvalidInput as error:
        return TableDescription(rows, counts, None, (str(error),), ())
    keys = key_columns(read.frame, recognized.roles)
    ids = texts_of(read.frame[keys[0]]) if keys else np.arange(len(ledger))
    kept_rows = ledger.kept_rows()
    labels = None if measured.labels is None else measured.labels[kept_rows]
    samples = _samples(read, recognized, [*map(str, ids)], kept_rows, Ledger(len(ledger)))
    _conditions(read, recognized, samples.metadata, outcomes, labels, ledger)
    samples = replace(samples, labels=labels, class_names=measured.class_names)
    notes = [note for note in (*ledger.summary(), *ledger.notes) if not note.startswith(TAKEN_AS_IS)]
    known = (samples, outcomes, recognized.roles.named())
    return TableDescription(rows, counts, known, tuple(ledger.doubts), tuple(notes))


def _conditions(
    read: Table,
    recognized: RecognizedColumns,
    columns: Sequence[Column],
    outcomes: Outcomes,
    labels: I64 | None,
    ledger: Ledger,
) -> tuple[Sequence[Column], Sequence[Column]]:
    """Split columns into those that may explain errors, checked against the losses, and those that only repeat the
    model's outputs."""
    from core.data.desk.columns import check_columns, check_leaks  # scipy.stats: not needed to start the page

    wanted = recognized.roles.conditions
    metadata, repeats = without_repeats(columns, outcomes, labels, wanted, ledger)
    check_columns(read.frame, [column for column in metadata if column.name != recognized.roles.target], ledger)
    check_leaks(metadata, outcomes, labels, wanted, ledger)
    return metadata, repeats


def _examples(column: pd.Series[Any]) -> tuple[str, ...]:
    distinct = dict.fromkeys(map(str, column.dropna().head(100).tolist()))
    return tuple(value[:60] for value in list(distinct)[:3])


def _assumed(recognized: RecognizedColumns) -> list[str]:
    """List the recognized columns, so that the user sees a wrong guess."""
    listed = list[str]()
    for role, columns in recognized.roles.named().items():
        if role in recognized.guessed and len(columns) > 3:
            listed.append(f"{role} = {columns[0]} and {len(columns) - 1} more")
        elif role in recognized.guessed:
            listed.append(f"{role} = {' + '.join(columns)}")
    notes = list[str]()
    if listed:
        notes.append(f"Recognized columns: {', '.join(listed)}.")
    if recognized.class_names:
        notes.append(f"{recognized.class_names!r} names the classes of {recognized.roles.label!r}.")
    return notes


def _mask_loss(
    kind: str, read: Table, recognized: RecognizedColumns, store: FileImages | None, ledger: Ledger, progress: Progress
) -> F64:
    true, predicted = recognized.roles.masks or ("", "")
    read_true = mask_reader(true, read, store, ledger, progress)
    read_predicted = mask_reader(predicted, read, store, ledger, progress)
    return mask_losses(kind, read_true, read_predicted, ledger, progress)


def _plain_path(value: Any) -> Any:
    """A path of another library as `Path`; anything else as it is."""
    if isinstance(value, os.PathLike):
        return Path(cast("os.PathLike[str]", value))
    return value


def _with_masks(
    items: ItemStore, modality: str, read: Table, recognized: RecognizedColumns, store: FileImages | None, rows: I64
) -> ItemStore:
    """Add both masks to the items, if they can be read: a table with a loss may name masks that are missing."""
    if modality not in ("image", "scan") or recognized.roles.masks is None:
        return items
    true, predicted = recognized.roles.masks
    ledger = Ledger(len(read.frame))
    try:
        readers = (mask_reader(true, read, store, ledger), mask_reader(predicted, read, store, ledger))
    except InvalidInput:
        return items
    if any(ledger.reasons[row] for row in rows):
        return items
    return MaskedItems(items, readers, rows)


def _column_vectors(frame: pd.DataFrame, column: str | None, ledger: Ledger) -> F32 | None:
    """(n, d) unit rows of the embedding column, nan where dropped; None without one."""
    if column is None:
        return None
    vectors, reasons = stack_arrays(frame[column])
    ledger.drop(np.array([bool(reason) for reason in reasons]), reasons)
    if vectors.shape[1] < 2:
        raise InvalidInput(
            f"{column!r} must hold an array of at least 2 numbers in each row. Name another column as embedding."
        )
    return unit_rows(vectors, ledger)


def _samples(read: Table, recognized: RecognizedColumns, ids: Sequence[str], rows: I64, ledger: Ledger) -> SampleSet:
    """Samples with the table's columns, of the rows that stay; images and labels are filled in later."""
    metadata, model_outputs = metadata_columns(read.frame, recognized, ledger)
    groups = group_numbers(read.frame, recognized, rows, ledger)
    return SampleSet(
        ids=tuple(ids[int(row)] for row in rows),
        metadata=tuple(column.keep(rows) for column in metadata),
        model_outputs=tuple(column.keep(rows) for column in model_outputs),
        groups=groups,
        group_name="" if groups is None else recognized.roles.group or "",
        splits=split_names(read.frame, recognized, rows, ledger),
        name=Path(read.name).stem,
    )
