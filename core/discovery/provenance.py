"""What makes a result checkable and reproducible: assumptions in words, settings, versions, a fingerprint."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from core.discovery.design import N_FOLDS
from core.discovery.settings import CLASS_SHARE_OF_ALPHA, PERMUTATIONS, Settings, later_permutations, usual_permutations
from core.numbers import count
from core.records import I64, Embeddings, Outcomes, SampleSet
from core.row_runs import row_runs

BATCH_CELLS = 16_000_000
"""Numbers of the vectors that are hashed at once, which bounds memory."""


def has_classes(samples: SampleSet) -> bool:
    """True if there are classes to compare."""
    return samples.labels is not None and len(samples.class_names) > 1


def assumptions(samples: SampleSet, outcomes: Outcomes, settings: Settings, *, testable: bool) -> list[str]:
    """Sentences on what was assumed, clipped or is only a preview.

    Args:
        testable: False where no p is given, so no part of alpha is spent.
    """
    sentences: list[str] = []
    if outcomes.is_proxy:
        sentences.append(
            f"The table has no labels, so {outcomes.name} stands in for the loss. Findings show doubt, not errors."
        )
    if outcomes.clip is not None and (outcomes.loss > outcomes.clip).any():
        n_clipped = int((outcomes.loss > outcomes.clip).sum())
        unit = outcomes.said_unit and f" {outcomes.said_unit}"
        note = f"Fits and tests cap losses at {outcomes.clip:.3g}{unit} ({count(n_clipped, 'row')})."
        if has_classes(samples):
            note += " Class means do not."
        sentences.append(note)
    if not testable:
        return sentences
    n_rows = len(outcomes.loss)
    drawn = settings.permutations(n_rows)
    if drawn < usual_permutations(n_rows):
        sentences.append(f"{drawn:,} permutations give a preview. Use 5,000 or more for a p-value that you report.")
    elif drawn < PERMUTATIONS:
        sentences.append(
            f"With {n_rows:,} samples Errata drew {drawn:,} permutations, and at most "
            f"{later_permutations(drawn, n_rows):,} for each later group. "
            f"The test is exact; the smallest possible p is {1 / (drawn + 1):.2g}."
        )
    first = "predictability gets"
    if has_classes(samples):
        first = f"classes get {100 * settings.alpha * CLASS_SHARE_OF_ALPHA:.2g}%, predictability"
    sentences.append(
        f"Of the {100 * settings.alpha:.4g}% false-positive budget, {first} "
        f"{100 * settings.predictability_alpha:.2g}%, and the search the rest."
    )
    return sentences


def settings_of(settings: Settings, embeddings: Embeddings, inside_alpha: float) -> Mapping[str, Any]:
    """Every setting of the run, and the encoder it ran on."""
    return {
        **asdict(settings),
        "alpha_inside": inside_alpha,
        "encoder": embeddings.encoder,
        "space": embeddings.space,
        "folds": N_FOLDS,
    }


def versions() -> dict[str, str]:
    """Versions of the packages that a result depends on."""
    names = ("numpy", "scipy", "scikit-learn", "umap-learn", "pandas", "torch", "open_clip_torch")
    installed: dict[str, str] = {}
    for name in names:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def fingerprint(samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings, order: I64 | None = None) -> str:
    """SHA-256 of everything that the method reads.

    Args:
        order: (n,) order in which the rows of `embeddings` are read, that of the samples. They are read a piece at a
            time: a copy of many vectors is the largest array that a run holds.
    """
    digest = hashlib.sha256()
    vectors = embeddings.vectors
    rows = np.arange(len(vectors)) if order is None else order

    def add(array: Any) -> None:
        if array is None:
            digest.update(b"-")
        else:
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)

    for array in (outcomes.loss, outcomes.errors, outcomes.scores, outcomes.predictions):
        add(array)
    for run in row_runs(len(rows), vectors.shape[1], BATCH_CELLS):
        add(vectors[rows[run]])
    add(samples.labels)
    add(samples.groups)
    for column in samples.metadata:
        digest.update(column.name.encode())
        digest.update(repr(column.values.tolist()).encode())
    digest.update("\0".join((*samples.ids, *samples.class_names)).encode())
    return digest.hexdigest()
