"""The whole method on one screen: samples + losses (+ embeddings) -> Diagnosis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.tables.roles import COLUMNS, READ
from core.discovery.design import check_within, needs_superclasses
from core.discovery.method import diagnose_records
from core.discovery.settings import DEFAULT_EMBEDDING, DEFAULTS, EmbeddingSettings, Settings
from core.discovery.superclasses import name_vectors
from core.limits import MIN_SAMPLES
from core.records import F32, Diagnosis, Progress, no_progress

if TYPE_CHECKING:
    from core.data.map_style import PicturesLike
    from core.data.samples import DataSet
    from core.data.tables.frames import TableLike
    from core.data.tables.roles import Roles


def diagnose(
    table: TableLike | None = None,
    *,
    images: PicturesLike | None = None,
    embeddings: str | Path | F32 | None = None,
    encoder: str = "embedded",
    naming: str | None = None,
    vocabulary: Path | None = None,
    issues: TableLike | None = None,
    hold_back: float = 0.0,
    roles: Roles | None = None,
    loss: str | None = None,
    settings: Settings = DEFAULTS,
    cache: Path | str | None = None,
    group_copies: bool = True,
    progress: Progress = no_progress,
) -> Diagnosis:
    """Where the model fails on these samples, and how sure that is.

    Args:
        table: per-sample losses, or what they are computed from, any metadata, and the texts if the samples are texts
            (`Roles(texts=...)`, or recognized by name): a path, a DataFrame, a dict of columns, or a table of Arrow,
            polars or Hugging Face datasets.
        images: zip, tar or folder of images; or a map-style data set of torch, whose samples are images, of PIL or
            tensors, or (image, label), one for each row of the table in its order: each is asked for once, and held
            on disk. None if the table holds them or embeddings are given.
        embeddings: given vectors instead of an encoder: npy, npz, safetensors, or an (n, d) array in the table's row
            order.
        encoder: name of an encoder (`core.encoders.list_encoders`). Where embeddings are given, failures are found in
            those, and the encoder, if there are images, only finds the words.
        naming: another encoder to find the words with, such as a CLIP beside a network that knows the domain.
        vocabulary: the user's own phrases (see docs/phrases.md) in place of those that ship.
        issues: a table of cleanlab's issues for the same rows, whose columns may explain a failure.
        hold_back: so much of the data, 0.05 to 0.5, is hidden from the diagnosis and then predicted by it; 0 hides
            nothing.
        roles: which column plays which part; usual names are recognized.
        loss: shortcut for `Roles(loss=...)`.
        settings: how the search is made: its level, permutations, seed.
        cache: where embeddings are kept between runs.
        group_copies: False takes rows of equal or nearly equal vectors for different samples.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: what was brought cannot be used; the message says what to do.
        MissingDependency: an encoder's package or weights are not installed.

    Example:
        >>> diagnosis = diagnose("val.csv", images="val.zip", loss="loss")  # doctest: +SKIP
        >>> [(c.name, c.size, c.p) for c in diagnosis.clusters]  # doctest: +SKIP
    """
    from core.data.samples import read_data_set  # reads tables with pandas: not before it is needed
    from core.data.tables.roles import Roles

    roles = roles or Roles()
    if loss:
        roles = replace(roles, loss=loss)
    audit = read_data_set(
        table, images=images, embeddings=embeddings, issues=issues, roles=roles, least=MIN_SAMPLES, progress=progress
    )
    return diagnose_data_set(
        audit,
        EmbeddingSettings(encoder, naming, vocabulary, None if cache is None else Path(cache), group_copies),
        hold_back=hold_back,
        settings=settings,
        progress=progress,
    )


def diagnose_data_set(
    audit: DataSet,
    embedding: EmbeddingSettings = DEFAULT_EMBEDDING,
    *,
    hold_back: float = 0.0,
    settings: Settings = DEFAULTS,
    progress: Progress = no_progress,
) -> Diagnosis:
    """The diagnosis of an audit that was read already; see `diagnose` for the arguments."""
    from core.discovery.prepare import embed  # reads tables with pandas: not before it is needed

    check_within(audit.samples, settings.within)
    embedding = embedding.spoken_for(audit.samples.modality)
    audit = embed(audit, embedding, words=settings.words, progress=progress)
    names = None
    if needs_superclasses(audit.samples) and audit.samples.items is not None:
        from core.encoders import load_encoder, texts_missing

        speaker = load_encoder(embedding.speaker)
        if speaker.joint_space and not texts_missing(speaker):  # else classes are grouped by their rows, and it is said
            names = name_vectors(speaker, audit.samples.class_names, embedding.cache)
    return diagnose_embedded(audit, names, hold_back=hold_back, settings=settings, progress=progress)


def diagnose_embedded(
    audit: DataSet,
    names: F32 | None = None,
    *,
    hold_back: float = 0.0,
    settings: Settings = DEFAULTS,
    progress: Progress = no_progress,
) -> Diagnosis:
    """The diagnosis of an audit that has its embeddings already; see `diagnose`.

    Args:
        names: (k, d) text vectors of the class names, by which many classes are grouped.
    """
    held = None
    if hold_back:
        from core.checks.fresh import hold_back as split

        audit, held = split(audit, hold_back, settings.seed)
    assert audit.embeddings is not None
    found = diagnose_records(
        audit.samples,
        audit.outcomes,
        audit.embeddings,
        words=audit.words,
        names=names,
        settings=settings,
        notes=audit.notes,
        progress=progress,
    )
    columns = {key: value for key, value in ((COLUMNS, audit.named), (READ, audit.read)) if value}
    found = replace(found, excluded=audit.excluded, extras={**found.extras, **columns})
    return found if held is None else _predicted(found, held, hold_back)


def _predicted(diagnosis: Diagnosis, held: DataSet, asked: float) -> Diagnosis:
    """The diagnosis with its prediction of the samples that were held back, a share of all that was `asked`."""
    from core.checks.predict import predict

    share = len(held.samples) / (len(held.samples) + len(diagnosis.samples))
    uneven = "" if abs(share - asked) < 0.03 else f" ({share:.0%} where {asked:.0%} was asked: groups are kept whole)"
    note = (
        f"{len(held.samples):,} samples were held back{uneven}: nothing in this run looked at them but the prediction."
    )
    held = replace(held, excluded=())
    prediction = predict(diagnosis, held, source=f"{len(held.samples):,} held-back samples")
    return replace(diagnosis, prediction=prediction, notes=(note, *diagnosis.notes))
