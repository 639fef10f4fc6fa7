"""New samples for `assign`: images, texts or embeddings, and labels if there are any; no loss is needed."""

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
    """New samples that can be assigned, and the account of those that cannot. Rows in the order they were brought."""

    ids: tuple[str, ...]
    embeddings: Embeddings
    labels: I64 | None
    """(m,) index into the diagnosis' class names, -1 where unknown."""
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
        encoder: for images; by default the one that the diagnosis used.

    Raises:
        InvalidInput: nothing to embed was brought, or it breaks a rule that cannot be mended by leaving rows out.
        Cancelled: from `progress`.
    """
    brought = (
        _bare(images, embeddings, diagnosis.samples.modality, progress)
        if table is None
        else _with_table(read_table(table, progress=progress), images, embeddings, roles, progress)
    )
    ids = brought.ids
    ledger = brought.ledger
    if brought.vectors is not None:
        # Vectors that were brought carry no space: that they are of the diagnosed one is the user's word, as it was
        # there.
        vectors = brought.vectors
        space = diagnosis.embeddings.space
        name = "given"
    else:
        vectors, space, name = _embed(
            brought, encoder or _encoder_of(diagnosis), diagnosis.samples.modality, cache, progress
        )
    rows = ledger.kept_rows()
    if not len(rows):
        raise InvalidInput(f"None of the {len(ids):,} new samples can be assigned. {' '.join(ledger.summary()[:3])}")
    labels = None if brought.labels is None else _label_numbers(brought.labels, diagnosis, ledger)
    if labels is None and any(cluster.scope in diagnosis.samples.class_names for cluster in diagnosis.clusters):
        ledger.note(
            "The new samples have no labels, so a cluster within a class may hold samples of another. "
            "Name their label if they have one."
        )
    return NewSamples(
        ids=tuple(ids[row] for row in map(int, rows)),
        embeddings=Embeddings(vectors[rows].astype(np.float32), name, space),
        labels=None if labels is None else labels[rows],
        excluded=ledger.account(ids),
        notes=(*ledger.notes, *ledger.summary()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    ids: list[str]
    ledger: Ledger
    pictures: ItemStore | None = None
    positions: I64 | None = None
    """(m,) place of each row's image in the store, -1 for none."""
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
        raise InvalidInput("There is nothing to assign. Give new samples with --images, --embeddings or --table.")
    store = open_images(images, progress=progress)
    kinds = [modality_by_name(name) for name in store.names]
    # animated images are clips where the run is of clips, and slices in PNG are scans
    wanted = modality if modality in kinds else "image"
    places = np.array([i for i, kind in enumerate(kinds) if kind == wanted], dtype=np.int64)
    if not len(places):
        raise InvalidInput(f"There are no {modality}s in {images.name!r}. Give a folder, zip or tar of them.")
    return _Loaded([store.name(int(i)) for i in places], Ledger(len(places)), store, places)


def _with_table(read: Table, images: Path | None, embeddings: Path | None, roles: Roles, progress: Progress) -> _Loaded:
    """The rows of a table, with their own images or vectors or those beside it."""
    found = recognise(read.frame, roles, list(read.images), texts=images is None).roles
    ledger = Ledger(len(read.frame))
    store, positions = _items(read, found, images, ledger, progress)
    ids = _ids(read.frame, found, store, positions)
    labels = None if found.label is None else texts_of(read.frame[found.label])
    if embeddings is not None:
        vectors, names = read_vectors(embeddings, progress=progress)
        return _Loaded(ids, ledger, vectors=align_vectors(vectors, names, ids, ledger), labels=labels)
    if found.embedding is not None and images is None:
        vectors, reasons = stack_arrays(read.frame[found.embedding])
        ledger.drop(np.array([bool(reason) for reason in reasons]), reasons)
        return _Loaded(ids, ledger, vectors=unit_rows(vectors, ledger), labels=labels)
    if store is None:
        raise InvalidInput(
            "The table has neither images nor texts nor embeddings of its own. Give them with --images, --texts or "
            "--embeddings."
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
    column = roles.image if roles.image in read.frame else roles.id
    if column is None:
        raise InvalidInput(
            "No column says which image belongs to which row. "
            "Add a column 'file' with each image's path below the images' root."
        )
    store: FileImages = open_images(images, progress=progress)
    return store, match_files(texts_of(read.frame[column]), store, ledger, column=column, progress=progress)


def _ids(frame: pd.DataFrame, roles: Roles, store: ItemStore | None, positions: I64) -> list[str]:
    if roles.id is not None:
        return [str(row) if text is None else str(text) for row, text in enumerate(texts_of(frame[roles.id]))]
    if store is not None:
        return [store.name(int(place)) if place >= 0 else str(row) for row, place in enumerate(positions)]
    return [str(row) for row in range(len(frame))]


def _encoder_of(diagnosis: Diagnosis) -> str:
    name = diagnosis.embeddings.encoder
    if name == "given":
        raise InvalidInput(
            "The diagnosis was made on embeddings that were given. "
            "Give those of the new samples too, with --embeddings."
        )
    return name.rsplit(" ", 1)[0]  # a fingerprint follows the name


def _embed(
    brought: _Loaded, encoder: str, modality: str, cache: Path | None, progress: Progress
) -> tuple[F32, str, str]:
    """(m, d) unit rows, nan where the image cannot be read (such rows are dropped); their space and the encoder's
    name."""
    from core.embeddings.embed import read_images  # the encoder's runtime: only where images are to be embedded
    from core.encoders import load_encoder

    assert brought.pictures is not None
    assert brought.positions is not None
    rows = brought.ledger.kept_rows()
    if isinstance(brought.pictures, TextItems) != (modality == "text"):
        raise InvalidInput(
            f"The diagnosis was made on {modality}s. Give the new samples' {modality}s, with "
            f"--{'texts' if modality == 'text' else 'images'}."
        )
    reading = read_images(
        brought.pictures.keep(brought.positions[rows]),
        load_encoder(encoder),
        modality=modality,
        cache=cache,
        progress=progress,
    )
    vectors = np.full((len(brought.ids), reading.embeddings.vectors.shape[1]), np.nan, dtype=np.float32)
    vectors[rows[reading.kept]] = reading.embeddings.vectors
    reasons = [""] * len(brought.ids)
    for place, reason in reading.unreadable.items():
        reasons[int(rows[place])] = reason
    brought.ledger.drop(np.array([bool(reason) for reason in reasons]), reasons)
    return vectors, reading.embeddings.space, reading.embeddings.encoder


def _label_numbers(labels: npt.NDArray[Any], diagnosis: Diagnosis, ledger: Ledger) -> I64:
    numbers = {name: i for i, name in enumerate(diagnosis.samples.class_names)}
    found = np.array([numbers.get(str(label), -1) for label in labels], dtype=np.int64)
    unknown = sorted(
        {str(label) for label, number in zip(labels, found, strict=True) if number < 0 and label is not None}
    )
    if unknown and numbers:
        ledger.note(
            f"{len(unknown):,} labels, such as {unknown[0]!r}, are no class of the diagnosis; "
            "their samples are read as unlabeled."
        )
    return found
