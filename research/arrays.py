"""The method on plain arrays, for what measures it."""

from __future__ import annotations

import numpy as np

from core.discovery.copies import join_copies
from core.discovery.method import diagnose_records
from core.discovery.settings import WITHOUT_MAP, Settings
from core.records import F32, F64, I64, Bool, Column, Diagnosis, Embeddings, Outcomes, SampleSet, Words


def diagnose_arrays(
    vectors: F32,
    losses: F64,
    *,
    labels: I64 | None = None,
    errors: Bool | None = None,
    groups: I64 | None = None,
    columns: tuple[Column, ...] = (),
    words: Words | None = None,
    settings: Settings = WITHOUT_MAP,
    group_copies: bool = True,
) -> Diagnosis:
    """The method on plain arrays: (n, d) vectors and (n,) losses that are fitted as they are. For benchmarks and
    notebooks.

    Args:
        group_copies: False takes rows of equal or nearly equal vectors for different samples.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    names = () if labels is None else tuple(str(c) for c in range(int(labels.max()) + 1))
    samples = SampleSet(
        tuple(str(i) for i in range(len(losses))), labels=labels, class_names=names, groups=groups, metadata=columns
    )
    outcomes = Outcomes(np.asarray(losses, np.float64), "loss", "loss", "given", errors=errors)
    embeddings = Embeddings(unit.astype(np.float32), "given", "given")
    samples, notes = join_copies(samples, outcomes, embeddings.vectors, together=group_copies)
    return diagnose_records(samples, outcomes, embeddings, words=words, settings=settings, notes=notes)
