"""From what was read to what is diagnosed: images and texts become embeddings and measured properties, copies become
groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core import extensions
from core.data.samples import DataSet
from core.discovery.copies import join_copies
from core.discovery.settings import EmbeddingSettings
from core.errors import InvalidInput, MissingDependency
from core.limits import MIN_SAMPLES, WHY_SO_MANY
from core.numbers import count
from core.records import I64, ItemStore, Progress, SampleSet, Words, no_progress
from core.statistics.groups import joined

if TYPE_CHECKING:
    from core.embeddings.embed import EmbeddedImages


def embed(
    audit: DataSet, settings: EmbeddingSettings, *, words: bool = True, progress: Progress = no_progress
) -> DataSet:
    """The audit with embeddings, measured properties, what systems describe, groups of near-duplicates and copies, and
    words; unreadable items move to `excluded`.

    Args:
        words: False leaves the words out.

    Raises:
        InvalidInput: there is nothing to embed, or too little of it can be read.
        MissingDependency: what the encoders need is not installed; of the words' too it is said before the work.
    """
    found = _embedded(audit, settings, words, progress)
    more = extensions.described(found.samples)
    return replace(found, samples=replace(found.samples, metadata=(*found.samples.metadata, *more))) if more else found


def _embedded(audit: DataSet, settings: EmbeddingSettings, words: bool, progress: Progress) -> DataSet:
    if audit.samples.items is None:
        if audit.embeddings is None:
            raise InvalidInput(
                "There are neither images nor texts nor embeddings to diagnose: add --images (zip, tar, folder), "
                "--texts (a column) or --embeddings (npy, npz, ...)."
            )
        return _with_groups(audit, settings, progress)
    from core.embeddings.rows import read_rows, share_pictures  # brings the encoder's runtime
    from core.encoders import load_encoder

    modality = audit.samples.modality
    settings = settings.spoken_for(modality)
    encoder = load_encoder(settings.encoder)
    if words:
        _check_words(settings.speaker)
    reading = read_rows(audit.samples.items, encoder, modality=modality, cache=settings.cache, progress=progress)
    lost = _unreadable(audit.samples, reading)
    samples, note = _with_measures(audit.samples, reading)
    notes = (*audit.notes, *reading.notes, *note)
    if len(lost):
        notes = (
            *notes,
            f"{len(lost):,} {modality}s could not be read and are left out; the reasons are in the list of excluded "
            "rows.",
        )
    found = replace(
        audit,
        samples=samples,
        outcomes=audit.outcomes.keep(reading.kept),
        embeddings=reading.embeddings if audit.embeddings is None else audit.embeddings.keep(reading.kept),
        excluded=(*audit.excluded, *lost),
        notes=notes,
        words=_words(audit.samples.items, samples, reading, settings, progress) if words else None,
    )
    # two objects of one look are two objects, and several rows of one image are in its group already
    own_pictures = audit.embeddings is None and share_pictures(audit.samples.items)
    return found if own_pictures else _with_groups(found, settings, progress)


def _check_words(speaker: str) -> None:
    """Raises MissingDependency: the encoder of that name shares a space with words, and cannot encode any here."""
    from core.encoders import load_encoder, texts_missing

    if missing := texts_missing(load_encoder(speaker)):
        raise MissingDependency(
            f"{missing} Or leave words out: on the command line with --no-words, in Python with Settings(words=False)."
        )


def _with_groups(audit: DataSet, settings: EmbeddingSettings, progress: Progress) -> DataSet:
    """The audit in which copies by the vectors are kept together."""
    if audit.embeddings is None:
        return audit
    together = settings.group_copies
    vectors = audit.embeddings.vectors
    samples, notes = join_copies(audit.samples, audit.outcomes, vectors, together=together, progress=progress)
    return replace(audit, samples=samples, notes=(*audit.notes, *notes))


def _unreadable(samples: SampleSet, reading: EmbeddedImages) -> tuple[tuple[str, str], ...]:
    """The samples whose items could not be read, with the reasons.

    Raises:
        InvalidInput: too few could be read.
    """
    if len(reading.kept) < MIN_SAMPLES:
        first = next((f"The first problem: {why}" for why in reading.unreadable.values()), "Bring more of them.")
        raise InvalidInput(
            f"Of {count(len(samples), samples.modality)} {len(reading.kept)} could be read, and at least "
            f"{MIN_SAMPLES} are needed {WHY_SO_MANY}. {first}"
        )
    return tuple((samples.ids[row], why) for row, why in reading.unreadable.items())


def _with_measures(samples: SampleSet, reading: EmbeddedImages) -> tuple[SampleSet, tuple[str, ...]]:
    """The samples that could be read, with what was measured of their items and near-duplicates in one group."""
    from core.embeddings.rows import share_pictures

    shared = samples.items is not None and share_pictures(samples.items)
    what = "rows show images that" if shared else f"{samples.modality}s"
    kept = samples.keep(reading.kept)
    groups, note = _join_groups(kept.groups, reading.duplicate_groups, what)
    kept = replace(
        kept,
        metadata=(*kept.metadata, *reading.properties),
        groups=groups,
        group_name=kept.group_name or (f"near-duplicate {samples.modality}s" if groups is not None else ""),
    )
    return kept, note


def _words(
    items: ItemStore, samples: SampleSet, reading: EmbeddedImages, settings: EmbeddingSettings, progress: Progress
) -> Words | None:
    """The samples in the space that the naming encoder shares with texts, and the phrases to test there. None
    where that encoder knows no words."""
    from core.embeddings.rows import read_rows
    from core.encoders import load_encoder
    from core.language.phrases import name_samples

    if not load_encoder(settings.speaker).joint_space:
        return None

    joint = reading.joint
    if settings.speaker != settings.encoder:
        encoder = load_encoder(settings.speaker)
        joint = read_rows(items, encoder, modality=samples.modality, cache=settings.cache, progress=progress).joint
    present = range(len(samples.class_names)) if samples.labels is None else np.unique(samples.labels).tolist()
    nouns = [samples.class_names[c] for c in present]  # a class without rows ("background") is nothing to speak of
    return name_samples(joint, settings.speaker, nouns, settings.vocabulary, cache=settings.cache, progress=progress)


def _join_groups(groups: I64 | None, duplicates: I64, what: str) -> tuple[I64 | None, tuple[str, ...]]:
    """Groups in which near-duplicates share one, and a note on how many images that concerns."""
    counts = np.bincount(np.unique(duplicates, return_inverse=True)[1])
    twins = int(counts[counts > 1].sum())
    if not twins:
        return groups, ()
    note = (
        f"{twins:,} {what} are near-duplicates of another ({count(int((counts > 1).sum()), 'set')}) "
        "and are kept together as one group each."
    )
    if groups is None:
        return np.unique(duplicates, return_inverse=True)[1].astype(np.int64), (note,)
    own = np.unique(groups, return_inverse=True)[1]
    return joined(int(own.max()) + 1, own, duplicates)[own], (note,)
