"""The whole method: samples + losses (+ embeddings) -> Diagnosis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.tables.roles import COLUMNS, READ, Roles
from core.discovery.class_pools import needs_superclasses
from core.discovery.design import check_within
from core.discovery.method import diagnose_records
from core.discovery.settings import DEFAULT_EMBEDDING, DEFAULTS, EmbeddingSettings, Settings
from core.discovery.superclasses import name_vectors
from core.files import path_or_none
from core.limits import MIN_SAMPLES
from core.records import F32, Diagnosis, Progress, no_progress

if TYPE_CHECKING:
    from core.data.map_style import PicturesLike
    from core.data.samples import DataSet
    from core.data.tables.frames import TableLike


def diagnose(
    table: TableLike | None = None,
    images: PicturesLike | None = None,
    *,
    embeddings: str | Path | F32 | None = None,
    encoder: str = "embedded",
    naming: str | None = None,
    vocabulary: str | Path | None = None,
    issues: TableLike | None = None,
    hold_back: float = 0.0,
    roles: Roles | None = None,
    loss: str | None = None,
    settings: Settings = DEFAULTS,
    cache: str | Path | None = None,
    group_copies: bool = True,
    progress: Progress = no_progress,
) -> Diagnosis:
    """Find where the model fails on these samples, and with what confidence.

    Args:
        table: per-sample losses (or columns to compute them from), metadata, and the texts if the samples are texts
            (`Roles(texts=...)`, or recognized by name): a path, a DataFrame, a dict of columns, a list of rows, or a
            table of Arrow, polars or Hugging Face datasets, lazy and streaming ones too; or the losses alone, as an
            array, a Series, a tensor or a list of floats.
        images: zip, tar or folder of images; or a list or map-style torch data set of images (PIL, paths, or tensors)
            or (image, label), one per row of the table in its order; each is read once and stored on disk. None if the
            table holds the images or embeddings are given.
        embeddings: vectors instead of an encoder: npy, npz, safetensors, or an (n, d) array in the table's row order.
        encoder: name of an encoder (`core.encoders.list_encoders`). With embeddings, the search uses those, and the
            encoder only finds words, if there are images.
        naming: another encoder for words, such as a CLIP beside a network that knows the domain.
        vocabulary: your phrases (see docs/phrases.md) instead of the shipped ones.
        issues: a table of cleanlab's issues for the same rows; its columns are tested as explanations.
        hold_back: share of the data, 0.05 to 0.5, to hold out and check the findings on; 0 for none.
        roles: the role of each column; common names are recognized.
        loss: shortcut for `Roles(loss=...)`.
        settings: level, permutations and seed of the search.
        cache: folder for embeddings between runs.
        group_copies: False treats near-duplicates as independent.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the input cannot be used; the message names the next step.
        MissingDependency: an encoder's package or weights are not installed.

    Example:
        >>> diagnosis = diagnose("val.csv", images="val.zip", loss="loss")  # doctest: +SKIP
        >>> [(c.name, c.size, c.p) for c in diagnosis.clusters]  # doctest: +SKIP
    """
    from core.data.samples import read_data_set  # imports pandas

    roles = roles or Roles()
    if loss:
        roles = replace(roles, loss=loss)
    data = read_data_set(
        table, images=images, embeddings=embeddings, issues=issues, roles=roles, least=MIN_SAMPLES, progress=progress
    )
    return diagnose_data_set(
        data,
        EmbeddingSettings(encoder, naming, path_or_none(vocabulary), path_or_none(cache), group_copies),
        hold_back=hold_back,
        settings=settings,
        progress=progress,
    )


def diagnose_data_set(
    data: DataSet,
    embedding: EmbeddingSettings = DEFAULT_EMBEDDING,
    *,
    hold_back: float = 0.0,
    settings: Settings = DEFAULTS,
    progress: Progress = no_progress,
) -> Diagnosis:
    """Diagnose a data set that was read before; see `diagnose` for the arguments."""
    from core.discovery.prepare import embed, relate  # imports pandas

    check_within(data.samples, settings.within)
    embedding = embedding.spoken_for(data.samples.modality)
    embedded = embed(data, embedding, words=settings.words, progress=progress)
    data = relate(embedded, data)
    names = None
    if needs_superclasses(data.samples) and data.samples.items is not None:
        from core.encoders import load_encoder, texts_missing

        speaker = load_encoder(embedding.speaker)
        if speaker.joint_space and not texts_missing(speaker):  # else classes are grouped by their rows, with a note
            names = name_vectors(speaker, data.samples.class_names, embedding.cache)
    return diagnose_embedded(data, names, hold_back=hold_back, settings=settings, progress=progress)


def diagnose_embedded(
    data: DataSet,
    names: F32 | None = None,
    *,
    hold_back: float = 0.0,
    settings: Settings = DEFAULTS,
    progress: Progress = no_progress,
) -> Diagnosis:
    """Diagnose a data set that has embeddings; see `diagnose`.

    Args:
        names: (k, d) text vectors of the class names, to group many classes.
    """
    held = None
    if hold_back:
        from core.checks.fresh import hold_back as split

        data, held = split(data, hold_back, settings.seed)
    assert data.embeddings is not None
    diagnosis = diagnose_records(
        data.samples,
        data.outcomes,
        data.embeddings,
        words=data.words,
        names=names,
        settings=settings,
        notes=data.notes,
        progress=progress,
    )
    columns = {key: value for key, value in ((COLUMNS, data.named), (READ, data.read)) if value}
    diagnosis = replace(diagnosis, excluded=data.excluded, extras={**diagnosis.extras, **columns})
    if held is None:
        return diagnosis
    return _predict_held(diagnosis, held, hold_back)


def _predict_held(diagnosis: Diagnosis, held: DataSet, requested: float) -> Diagnosis:
    """Add the prediction of the held-back samples, of which a share of `requested` was to be held."""
    from core.checks.predict import predict

    share = len(held.samples) / (len(held.samples) + len(diagnosis.samples))
    uneven = ""
    if abs(share - requested) >= 0.03:
        uneven = f" ({share:.0%} instead of {requested:.0%}, since related rows stay together)"
    note = f"Held back {len(held.samples):,} samples{uneven}. Only the prediction used them."
    held = replace(held, excluded=())
    prediction = predict(diagnosis, held, source=f"{len(held.samples):,} held-out samples")
    return replace(diagnosis, prediction=prediction, notes=(note, *diagnosis.notes))
