"""From the data that were read to the data that are diagnosed: images and texts become embeddings and measured
properties, near-duplicates become groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core import extensions
from core.data.samples import DataSet
from core.discovery.copies import join_copies
from core.discovery.dependence.alarm import relate_rows
from core.discovery.settings import EmbeddingSettings
from core.errors import InvalidInput, MissingDependency
from core.limits import MIN_SAMPLES, WHY_SO_MANY
from core.numbers import count
from core.records import I64, MEASURED, ItemStore, Progress, SampleSet, Words, no_progress
from core.statistics.groups import joined

if TYPE_CHECKING:
    from core.embeddings.embed import EmbeddedImages


def embed(
    data: DataSet, settings: EmbeddingSettings, *, words: bool = True, progress: Progress = no_progress
) -> DataSet:
    """Embed the data, and add measured properties, the columns of systems, groups of near-duplicates, and words;
    unreadable items move to `excluded`.

    Args:
        words: False leaves the words out.

    Raises:
        InvalidInput: there is nothing to embed, or too few items can be read.
        MissingDependency: a package of an encoder, or of the encoder for words, is missing; raised before embedding.
    """
    embedded = _embedded(data, settings, words, progress)
    more = extensions.described(embedded.samples)
    if not more:
        return embedded
    return replace(embedded, samples=replace(embedded.samples, metadata=(*embedded.samples.metadata, *more)))


def _embedded(data: DataSet, settings: EmbeddingSettings, words: bool, progress: Progress) -> DataSet:
    if data.samples.items is None:
        if data.embeddings is None:
            raise InvalidInput(
                "The data have neither images nor texts nor embeddings. Add --images (zip, tar, folder), "
                "--texts (a column) or --embeddings (npy, npz, ...)."
            )
        return _with_groups(data, settings, progress)
    from core.embeddings.rows import read_rows, share_pictures  # loads the encoder's runtime
    from core.encoders import load_encoder

    modality = data.samples.modality
    settings = settings.spoken_for(modality)
    encoder = load_encoder(settings.encoder)
    if words:
        _check_words(settings.speaker)
    reading = read_rows(data.samples.items, encoder, modality=modality, cache=settings.cache, progress=progress)
    lost = _unreadable(data.samples, reading)
    samples, note = _with_measures(data.samples, reading)
    notes = (*data.notes, *reading.notes, *note)
    if lost:
        unreadable = f"Left out {count(len(lost), modality)} that could not be read."
        notes = (*notes, f"{unreadable} The list of excluded rows gives the reasons.")
    embeddings = reading.embeddings
    if data.embeddings is not None:
        embeddings = data.embeddings.keep(reading.kept)
    tested_words = None
    if words:
        tested_words = _words(data.samples.items, samples, reading, settings, progress)
    embedded = replace(
        data,
        samples=samples,
        outcomes=data.outcomes.keep(reading.kept),
        embeddings=embeddings,
        excluded=(*data.excluded, *lost),
        notes=notes,
        words=tested_words,
    )
    if data.embeddings is None and share_pictures(data.samples.items):
        # several rows of one image are in its group already, and two objects that look alike are two objects
        return embedded
    return _with_groups(embedded, settings, progress)


def _check_words(speaker: str) -> None:
    """Check that the encoder for words can encode them here.

    Raises:
        MissingDependency: it shares a space with words, but a package that encodes them is missing.
    """
    from core.encoders import load_encoder, texts_missing

    if missing := texts_missing(load_encoder(speaker)):
        raise MissingDependency(
            f"{missing} Or skip words: on the command line with --no-words, in Python with Settings(words=False)."
        )


def _with_groups(data: DataSet, settings: EmbeddingSettings, progress: Progress) -> DataSet:
    """The data with near-duplicate vectors in one group each."""
    if data.embeddings is None:
        return data
    together = settings.group_copies
    vectors = data.embeddings.vectors
    samples, notes = join_copies(data.samples, data.outcomes, vectors, together=together, progress=progress)
    return replace(data, samples=samples, notes=(*data.notes, *notes))


def relate(data: DataSet, read: DataSet) -> DataSet:
    """The embedded data with rows that are no separate samples in groups (`core.discovery.dependence`), unless `read`,
    the data before near-duplicates were joined, already has groups.

    Raises:
        InvalidInput: the user says that rows are related by names or an order, and they are not.
    """
    if read.samples.groups is not None or data.embeddings is None:
        return data
    answer = "".join(data.named.get("group", ()))
    samples, notes = relate_rows(data.samples, data.outcomes, data.embeddings.vectors, answer)
    return replace(data, samples=samples, notes=(*data.notes, *notes))


def _unreadable(samples: SampleSet, reading: EmbeddedImages) -> tuple[tuple[str, str], ...]:
    """The samples whose items could not be read, with the reasons.

    Raises:
        InvalidInput: too few could be read.
    """
    if len(reading.kept) < MIN_SAMPLES:
        first = next((f"The first problem: {why}" for why in reading.unreadable.values()), "Add more of them.")
        raise InvalidInput(
            f"Errata could read {len(reading.kept)} of {count(len(samples), samples.modality)}, and needs at least "
            f"{MIN_SAMPLES} {WHY_SO_MANY}. {first}"
        )
    return tuple((samples.ids[row], why) for row, why in reading.unreadable.items())


def _with_measures(samples: SampleSet, reading: EmbeddedImages) -> tuple[SampleSet, tuple[str, ...]]:
    """The readable samples, with their measured properties, and near-duplicate items in one group each."""
    readable = samples.keep(reading.kept)
    groups, notes = _join_groups(samples, readable.groups, reading.duplicate_groups)
    group_name = readable.group_name
    if not group_name and groups is not None:
        group_name = f"near-duplicate {samples.modality}s"
    taken = {column.name for column in (*readable.metadata, *readable.model_outputs)}
    metadata = [*readable.metadata]
    for column in reading.properties:
        if column.name in taken:
            column = replace(column, name=f"{column.name}{MEASURED}")
        metadata.append(column)
    return replace(readable, metadata=tuple(metadata), groups=groups, group_name=group_name), notes


def _words(
    items: ItemStore, samples: SampleSet, reading: EmbeddedImages, settings: EmbeddingSettings, progress: Progress
) -> Words | None:
    """The samples in the space that the encoder for words shares with texts, and the phrases to test there; None
    where that encoder has no text tower."""
    from core.embeddings.rows import read_rows
    from core.encoders import load_encoder
    from core.language.phrases import name_samples

    if not load_encoder(settings.speaker).joint_space:
        return None

    joint = reading.joint
    if settings.speaker != settings.encoder:
        encoder = load_encoder(settings.speaker)
        joint = read_rows(items, encoder, modality=samples.modality, cache=settings.cache, progress=progress).joint
    nouns = list(samples.class_names)
    if samples.labels is not None:  # a class without rows ("background") describes no sample
        nouns = [samples.class_names[c] for c in np.unique(samples.labels)]
    return name_samples(joint, settings.speaker, nouns, settings.vocabulary, cache=settings.cache, progress=progress)


def _join_groups(samples: SampleSet, groups: I64 | None, duplicates: I64) -> tuple[I64 | None, tuple[str, ...]]:
    """Join near-duplicate items with the groups, and a note that counts them."""
    from core.embeddings.rows import share_pictures

    sets = np.unique(duplicates, return_inverse=True)[1].astype(np.int64)
    sizes = np.bincount(sets)
    n_sets = int((sizes > 1).sum())
    if not n_sets:
        return groups, ()
    noun: str = samples.modality
    if samples.items is not None and share_pictures(samples.items):
        noun = "row"
    members = count(int(sizes[sizes > 1].sum()), noun)
    verb = "stays" if n_sets == 1 else "stay"
    note = f"{count(n_sets, 'set')} of near-duplicate {samples.modality}s ({members}) {verb} together."
    if groups is None:
        return sets, (note,)
    numbers = np.unique(groups, return_inverse=True)[1]
    return joined(int(numbers.max()) + 1, numbers, duplicates)[numbers], (note,)
