"""From what was read to what is diagnosed: images become embeddings, measured properties and groups of
near-duplicates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.samples import DataSet
from core.discovery.settings import MIN_SAMPLES
from core.errors import InvalidInput
from core.records import I64, Progress, no_progress


def embed(
    audit: DataSet,
    encoder: str,
    *,
    naming: str | None = None,
    vocabulary: Path | None = None,
    words: bool = True,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> DataSet:
    """The audit with embeddings, measured properties, near-duplicate groups and words; unreadable images move to
    `excluded`.

    Args:
        naming: the encoder that finds words, if it is another than `encoder`.
        vocabulary: file of the user's own phrases.
        words: False leaves the words out.
    """
    if audit.samples.items is None:
        if audit.embeddings is None:
            raise InvalidInput(
                "There are neither images nor embeddings to diagnose: add --images (zip, tar, folder) "
                "or --embeddings (npy, npz, ...)."
            )
        return audit
    from core.data.images.crops import CropImages, SharedImages
    from core.embeddings.rows import read_rows  # brings the encoder's runtime
    from core.encoders import load_encoder

    reading = read_rows(audit.samples.items, load_encoder(encoder), cache=cache, progress=progress)
    if len(reading.kept) < MIN_SAMPLES:
        first = next(iter(reading.unreadable.values()), "none was found")
        raise InvalidInput(
            f"{len(reading.kept)} images could be read and at least {MIN_SAMPLES} are needed. "
            f"The first problem: {first}"
        )
    lost = pd.DataFrame(
        [{"id": audit.samples.ids[i], "row": i, "reason": why} for i, why in reading.unreadable.items()],
        columns=["id", "row", "reason"],
    )
    samples = audit.samples.keep(reading.kept)
    what = "rows show pictures that" if isinstance(audit.samples.items, (CropImages, SharedImages)) else "images"
    groups, note = _join_groups(samples.groups, reading.duplicate_groups, what)
    samples = replace(
        samples,
        metadata=(*samples.metadata, *reading.properties),
        groups=groups,
        group_name=samples.group_name or ("near-duplicate images" if groups is not None else ""),
    )
    notes = (*audit.notes, *reading.notes, *note)
    if len(lost):
        notes = (
            *notes,
            f"{len(lost):,} images could not be read and are left out; the reasons are in the list of excluded rows.",
        )
    found = None
    if words:
        from core.language.phrases import name_samples

        joint = (
            reading.joint
            if naming in (None, encoder)
            else read_rows(audit.samples.items, load_encoder(naming), cache=cache, progress=progress).joint
        )
        present = range(len(samples.class_names)) if samples.labels is None else np.unique(samples.labels).tolist()
        nouns = [
            samples.class_names[c] for c in present
        ]  # a name without rows, such as "background", is nothing to speak of
        found = name_samples(joint, naming or encoder, nouns, vocabulary, cache=cache, progress=progress)
    return replace(
        audit,
        samples=samples,
        outcomes=audit.outcomes.keep(reading.kept),
        embeddings=reading.embeddings if audit.embeddings is None else audit.embeddings.keep(reading.kept),
        excluded=pd.concat([audit.excluded, lost], ignore_index=True),
        notes=notes,
        words=found,
    )


def _join_groups(groups: I64 | None, duplicates: I64, what: str) -> tuple[I64 | None, tuple[str, ...]]:
    """Groups in which near-duplicates share one, and a note on how many images that concerns."""
    n = len(duplicates)
    counts = np.bincount(np.unique(duplicates, return_inverse=True)[1])
    twins = int(counts[counts > 1].sum())
    if not twins:
        return groups, ()
    note = (
        f"{twins:,} {what} are near-duplicates of another ({int((counts > 1).sum()):,} sets) "
        "and are kept together as one group each."
    )
    if groups is None:
        return np.unique(duplicates, return_inverse=True)[1].astype(np.int64), (note,)
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = np.unique(groups, return_inverse=True)[1], np.unique(duplicates, return_inverse=True)[1]
    size = int(a.max()) + int(b.max()) + 2
    graph = coo_matrix((np.ones(n), (a, b + int(a.max()) + 1)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    return np.unique(component[a], return_inverse=True)[1].astype(np.int64), (note,)
