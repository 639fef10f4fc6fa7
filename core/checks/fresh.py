"""Fresh samples for the frozen findings: a new table, or a part of the same data that was held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.checks.predict import predict
from core.data.tables.roles import Roles
from core.discovery.settings import EmbeddingSettings
from core.errors import InvalidInput
from core.files import path_or_none
from core.records import F32, I64, Diagnosis, Progress, no_progress

if TYPE_CHECKING:
    from core.data.map_style import PicturesLike
    from core.data.samples import DataSet
    from core.data.tables.frames import TableLike


CHECKED_BEFORE = "The findings were checked before,"


def predict_fresh(
    diagnosis: Diagnosis,
    table: TableLike | None,
    *,
    images: PicturesLike | None = None,
    embeddings: str | Path | F32 | None = None,
    roles: Roles | None = None,
    selection: I64 | None = None,
    cache: str | Path | None = None,
    progress: Progress = no_progress,
) -> Diagnosis:
    """Add the `prediction` on fresh samples to a diagnosis; they are read as `diagnose` reads them.

    Args:
        diagnosis: from `diagnose` or `load`.
        table: of the fresh samples, in any form that `diagnose` takes; None if a folder or archive of images contains
            one.
        images: their images, in any form that `diagnose` takes.
        embeddings: their vectors, if the run used given ones.
        roles: which column plays which part; usual names are recognized.
        selection: rows of the run that were picked by eye, to be predicted beside the findings.
        cache: folder for embeddings between runs.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the samples cannot be used; the message says what to do.
    """
    from core.data.samples import read_data_set
    from core.discovery.prepare import embed, relate

    data = read_data_set(table, images=images, embeddings=embeddings, roles=roles or Roles(), progress=progress)
    uses_vectors = diagnosis.embeddings.encoder == "given"
    if uses_vectors and data.embeddings is None:
        raise InvalidInput("The run used given embeddings. Give those of the new samples too, with --embeddings.")
    modality = diagnosis.samples.modality
    if not uses_vectors and (data.samples.items is None or data.samples.modality != modality):
        option = "--texts" if modality == "text" else "--images"
        raise InvalidInput(
            f"The run used {modality}s ({diagnosis.embeddings.encoder}). "
            f"Give the new samples' {modality}s, with {option}."
        )
    if ", crop" in diagnosis.embeddings.space:
        raise InvalidInput(
            "The run's samples are objects in images, which cannot be compared with whole images. "
            "Use diagnose --hold-back 0.33."
        )
    words = diagnosis.words
    word_encoder = None
    encoder = diagnosis.embeddings.encoder.rsplit(" ", 1)[0]
    if words is not None:
        word_encoder = words.encoder
        if diagnosis.embeddings.encoder == "given":
            encoder = words.encoder
    embedding = EmbeddingSettings(encoder, word_encoder, cache=path_or_none(cache))
    data = relate(embed(data, embedding, words=words is not None, progress=progress), data)
    source = data.samples.name
    if isinstance(table, str | Path):
        source = Path(table).name
    as_is = roles is not None and roles.as_is
    prediction = predict(diagnosis, data, selection=selection, source=source, as_is=as_is)
    # earlier checks stay listed, so that nobody can retry in secret until it fits
    notes = prediction.notes
    if diagnosis.prediction is not None:
        before = diagnosis.prediction
        earlier = [note for note in before.notes if note.startswith(CHECKED_BEFORE)]
        notes = (*notes, *earlier, f"{CHECKED_BEFORE} on {before.source} ({before.n_fresh:,} samples).")
    return replace(diagnosis, prediction=replace(prediction, notes=notes))


def hold_back(data: DataSet, share: float, seed: int = 0) -> tuple[DataSet, DataSet]:
    """Split the data in two: a part to diagnose, and a `share` held out; whole groups, spread over the classes.

    Raises:
        InvalidInput: share is not between 0.05 and 0.5, or there are too few groups.
    """
    if not 0.05 <= share <= 0.5:
        raise InvalidInput(f"The share to hold out must be between 0.05 and 0.5: got {share:g}. A third is usual.")
    n = len(data.samples)
    rng = np.random.default_rng([seed, 7])
    blocks = np.zeros(n, np.int64)
    if data.samples.labels is not None:
        blocks = data.samples.labels
    groups = np.arange(n)
    if data.samples.groups is not None:
        groups = np.unique(data.samples.groups, return_inverse=True)[1]
    first = np.unique(groups, return_index=True)[1]
    if len(first) < 10:
        raise InvalidInput(
            f"Holding out a part needs at least 10 groups: got {len(first)}. Add more, or leave out the group column."
        )
    order = np.lexsort((rng.random(len(first)), blocks[first]))  # groups by class, in random order inside each
    steps = np.floor(np.arange(len(first) + 1) * share + rng.random())
    held_groups = np.zeros(len(first), dtype=bool)
    held_groups[order] = np.diff(steps) > 0  # evenly along the line, so evenly over the classes
    held = held_groups[groups]
    return _part(data, np.flatnonzero(~held)), _part(data, np.flatnonzero(held))


def _part(data: DataSet, rows: I64) -> DataSet:
    part = replace(data, samples=data.samples.keep(rows), outcomes=data.outcomes.keep(rows))
    if data.embeddings is not None:
        part = replace(part, embeddings=data.embeddings.keep(rows))
    if data.words is not None:
        part = replace(part, words=data.words.keep(rows))
    return part
