"""New samples for `assign`: images, texts or embeddings, with labels if known; no loss is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.images.archives import FileImages, open_images
from core.data.images.matching import match_files
from core.data.modality import modality_by_name
from core.data.tables.cells import stack_arrays, texts_of
from core.data.tables.read import Table, read_table
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.data.tables.vectors import align_vectors, read_vectors, unit_rows
from core.data.texts.columns import TextItems, text_items
from core.errors import InvalidInput
from core.records import F32, I64, Diagnosis, Embeddings, ItemStore, Progress, no_progress
from core.records.ledger import Ledger


@dataclass(frozen=True, slots=True, eq=False)
class NewSamples:
    """New samples that can be assigned, and reasons for those that cannot. Rows in their original order."""

    ids: tuple[str, ...]
    embeddings: Embeddings
    labels: I64 | None
    """(m,) index into the diagnosis' class names; -1 if unknown."""
    excluded: tuple[tuple[str, str], ...]
    """(id, reason)."""
    notes: tuple[str, ...]


def read_new_samples(
    diagnosis: Diagnosis,
    table: Path | None = None,
    *,
    images: Path | None = None,
    embeddings: Path | None = None,
    encoder: str | None = None,
    roles: Roles = Roles(),
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> NewSamples:
    """Read new samples into the space of the diagnosis.

    Args:
        encoder: for images; by default the diagnosis' own.

    Raises:
        InvalidInput: there is nothing to embed, or it breaks a rule that leaving rows out cannot fix.
        Cancelled: from `progress`.
    """
    if table is None:
        loaded = _bare(images, embeddings, diagnosis.samples.modality, progress)
    else:
        loaded = _with_table(read_table(table, progress=progress), images, embeddings, roles, progress)
    ids = loaded.ids
    ledger = loaded.ledger
    if loaded.vectors is not None:
        # given vectors have no space: the user vouches that it is the run's, as for the diagnosed vectors
        vectors = loaded.vectors
        space = diagnosis.embeddings.space
        name = "given"
    else:
        vectors, space, name = _embed(
            loaded, encoder or _encoder_of(diagnosis), diagnosis.samples.modality, cache, progress
        )
    rows = ledger.kept_rows()
    if not len(rows):
        raise InvalidInput(f"None of the {len(ids):,} new samples can be assigned. {' '.join(ledger.summary()[:3])}")
    labels = None
    if loaded.labels is not None:
        labels = _label_numbers(loaded.labels, diagnosis, ledger)[rows]
    elif any(cluster.scope in diagnosis.samples.class_names for cluster in diagnosis.clusters):
        ledger.note(
            "Without labels, a group within one class may contain samples of another. Name the label column, if any."
        )
    return NewSamples(
        ids=tuple(ids[row] for row in map(int, rows)),
        embeddings=Embeddings(vectors[rows].astype(np.float32), name, space),
        labels=labels,
        excluded=ledger.account(ids),
        notes=(*ledger.notes, *ledger.summary()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    ids: list[str]
    ledger: Ledger
    pictures: ItemStore | None = None
    positions: I64 | None = None
    """(m,) position of each row's image in the store; -1 without one."""
    vectors: npt.NDArray[Any] | None = None
    labels: npt.NDArray[Any] | None = None
    """(m,) str or None."""


def _bare(images: Path | None, embeddings: Path | None, modality: str, progress: Progress) -> _Loaded:
    """Files of the run's modality, or vectors, without a table."""
    if embeddings is not None:
        vectors, names = read_vectors(embeddings, progress=progress)
        ids = names or [str(row) for row in range(len(vectors))]
        ledger = Ledger(len(ids))
        return _Loaded(ids, ledger, vectors=unit_rows(vectors, ledger))
    if images is None:
        raise InvalidInput("No new samples. Give them with --images, --embeddings or --table.")
    store = open_images(images, progress=progress)
    modalities = [modality_by_name(name) for name in store.names]
    # animated images are clips if the run has clips, and slices in PNG are scans
    wanted = modality if modality in modalities else "image"
    positions = np.array([i for i, name in enumerate(modalities) if name == wanted], dtype=np.int64)
    if not len(positions):
        raise InvalidInput(f"{images.name} contains no {modality}s. Give a folder, zip or tar with some.")
    return _Loaded([store.name(int(i)) for i in positions], Ledger(len(positions)), store, positions)


def _with_table(read: Table, images: Path | None, embeddings: Path | None, roles: Roles, progress: Progress) -> _Loaded:
    """The rows of a table, with their own images or vectors or separate ones."""
    roles = recognise(read.frame, roles, list(read.images), texts=images is None).roles
    ledger = Ledger(len(read.frame))
    store, positions = _items(read, roles, images, ledger, progress)
    ids = _ids(read.frame, roles, store, positions)
    labels = None
    if roles.label is not None:
        labels = texts_of(read.frame[roles.label])
    if embeddings is not None:
        vectors, names = read_vectors(embeddings, progress=progress)
        return _Loaded(ids, ledger, vectors=align_vectors(vectors, names, ids, ledger), labels=labels)
    if roles.embedding is not None and images is None:
        vectors, reasons = stack_arrays(read.frame[roles.embedding])
        ledger.drop(np.array([bool(reason) for reason in reasons]), reasons)
        return _Loaded(ids, ledger, vectors=unit_rows(vectors, ledger), labels=labels)
    if store is None:
        raise InvalidInput(
            "The table has neither images nor texts nor embeddings. Give them with --images, --texts or --embeddings."
        )
    return _Loaded(ids, ledger, store, positions, labels=labels)


def _items(
    read: Table, roles: Roles, images: Path | None, ledger: Ledger, progress: Progress
) -> tuple[ItemStore | None, I64]:
    rows = np.arange(len(read.frame), dtype=np.int64)
    if images is None and roles.texts:
        return text_items(read.frame, roles.texts, ledger), rows
    if images is None:
        return read.images.get(roles.image or ""), rows
    column = roles.id
    if roles.image in read.frame:
        column = roles.image
    if column is None:
        raise InvalidInput(
            "No column links images to rows. Add a column 'file' with each image's path below the images' root."
        )
    store: FileImages = open_images(images, progress=progress)
    return store, match_files(texts_of(read.frame[column]), store, ledger, column=column, progress=progress)


def _ids(frame: pd.DataFrame, roles: Roles, store: ItemStore | None, positions: I64) -> list[str]:
    if roles.id is not None:
        return [str(row) if text is None else str(text) for row, text in enumerate(texts_of(frame[roles.id]))]
    names = [str(row) for row in range(len(frame))]
    if store is not None:
        for row, position in enumerate(positions):
            if position >= 0:
                names[row] = store.name(int(position))
    return names


def _encoder_of(diagnosis: Diagnosis) -> str:
    name = diagnosis.embeddings.encoder
    if name == "given":
        raise InvalidInput("The run used given embeddings. Give those of the new samples too, with --embeddings.")
    return name.rsplit(" ", 1)[0]  # a fingerprint follows the name


def _embed(
    loaded: _Loaded, encoder: str, modality: str, cache: Path | None, progress: Progress
) -> tuple[F32, str, str]:
    """(m, d) unit rows, nan if the image cannot be read (those rows are dropped); their space; the encoder's name."""
    from core.embeddings.embed import read_images  # the encoder's runtime: only needed to embed images
    from core.encoders import load_encoder

    assert loaded.pictures is not None
    assert loaded.positions is not None
    rows = loaded.ledger.kept_rows()
    if isinstance(loaded.pictures, TextItems) != (modality == "text"):
        option = "--texts" if modality == "text" else "--images"
        raise InvalidInput(f"The run used {modality}s. Give the new samples' {modality}s, with {option}.")
    reading = read_images(
        loaded.pictures.keep(loaded.positions[rows]),
        load_encoder(encoder),
        modality=modality,
        cache=cache,
        progress=progress,
    )
    vectors = np.full((len(loaded.ids), reading.embeddings.vectors.shape[1]), np.nan, dtype=np.float32)
    vectors[rows[reading.kept]] = reading.embeddings.vectors
    reasons = [""] * len(loaded.ids)
    for i, reason in reading.unreadable.items():
        reasons[int(rows[i])] = reason
    loaded.ledger.drop(np.array([bool(reason) for reason in reasons]), reasons)
    return vectors, reading.embeddings.space, reading.embeddings.encoder


def _label_numbers(labels: npt.NDArray[Any], diagnosis: Diagnosis, ledger: Ledger) -> I64:
    numbers = {name: i for i, name in enumerate(diagnosis.samples.class_names)}
    label_numbers = np.array([numbers.get(str(label), -1) for label in labels], dtype=np.int64)
    unknown: set[str] = set()
    for label, number in zip(labels, label_numbers, strict=True):
        if number < 0 and label is not None:
            unknown.add(str(label))
    if unknown and numbers:
        ledger.note(
            f"The diagnosis does not know {len(unknown):,} labels, for example {min(unknown)!r}; "
            "their samples are read as unlabeled."
        )
    return label_numbers
