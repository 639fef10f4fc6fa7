"""What a result needs beside it to be believed and made again: assumptions in words, settings, versions, a
fingerprint."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from core.discovery.design import FOLDS
from core.discovery.settings import CLASS_SHARE_OF_ALPHA, PERMUTATIONS, Settings, later_permutations, usual_permutations
from core.records import I64, Embeddings, Outcomes, SampleSet
from core.row_runs import row_runs

CELLS = 16_000_000
"""Numbers of the vectors that are read at once."""


def has_classes(samples: SampleSet) -> bool:
    """True if there is anything to say at class level."""
    return samples.labels is not None and len(samples.class_names) > 1


def assumptions(samples: SampleSet, outcomes: Outcomes, settings: Settings, *, testable: bool) -> list[str]:
    """Plain sentences on what was assumed, clipped or left at a preview; testable: False where no p is given, so that
    nothing of alpha is spent."""
    said: list[str] = []
    if outcomes.is_proxy:
        said.append(
            f"No truth was given: {outcomes.name} is a proxy for the loss, so these are places of "
            "doubt, not of failure."
        )
    if outcomes.clip is not None and (outcomes.loss > outcomes.clip).any():
        count = int((outcomes.loss > outcomes.clip).sum())
        unit = outcomes.said_unit and f" {outcomes.said_unit}"
        many = "1 loss" if count == 1 else f"{count:,} losses"
        whole = "; means of whole classes take them as they are" if has_classes(samples) else ""
        said.append(
            f"{many} above {outcomes.clip:.3g}{unit} {'is' if count == 1 else 'are'} taken as that in "
            f"fits, tests and effects{whole}."
        )
    if not testable:
        return said
    rows = len(outcomes.loss)
    drawn = settings.permutations(rows)
    if drawn < usual_permutations(rows):
        said.append(f"{drawn:,} permutations are a preview; 5,000 or more are needed for a p that is reported.")
    elif drawn < PERMUTATIONS:
        said.append(
            f"With {rows:,} samples {drawn:,} permutations were drawn, and at most {later_permutations(drawn, rows):,} "
            f"for each cluster after the first: the test is exact, and no p is below {1 / (drawn + 1):.2g}."
        )
    classes = settings.alpha * CLASS_SHARE_OF_ALPHA
    predictable = settings.predictability_alpha
    to_classes = f"{classes:.2g} goes to whole classes and confusions, " if has_classes(samples) else ""
    said.append(
        f"Of alpha {settings.alpha:g}, {to_classes}{predictable:.2g} to whether the loss can be predicted at all, the "
        "rest to everything else that was searched."
    )
    return said


def settings_of(settings: Settings, embeddings: Embeddings, inside_alpha: float) -> Mapping[str, Any]:
    """Every setting of the run, and the encoder it ran on."""
    return {
        **asdict(settings),
        "alpha_inside": inside_alpha,
        "encoder": embeddings.encoder,
        "space": embeddings.space,
        "folds": FOLDS,
    }


def versions() -> dict[str, str]:
    """Versions of the packages that a result depends on."""
    names = ("numpy", "scipy", "scikit-learn", "umap-learn", "pandas", "torch", "open_clip_torch")
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def fingerprint(samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings, order: I64 | None = None) -> str:
    """SHA-256 of everything that the method reads.

    Args:
        order: (n,) in which the rows of `embeddings` are read, those of the others; a piece at a time, since a copy of
            many is the largest thing that a run holds.
    """
    digest = hashlib.sha256()
    vectors = embeddings.vectors
    rows = np.arange(len(vectors)) if order is None else order

    def add(array: Any) -> None:
        digest.update(b"-" if array is None else np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)

    for array in (outcomes.loss, outcomes.errors, outcomes.scores, outcomes.predictions):
        add(array)
    for run in row_runs(len(rows), vectors.shape[1], CELLS):
        add(vectors[rows[run]])
    add(samples.labels)
    add(samples.groups)
    for column in samples.metadata:
        digest.update(column.name.encode())
        digest.update(repr(column.values.tolist()).encode())
    digest.update("\0".join((*samples.ids, *samples.class_names)).encode())
    return digest.hexdigest()
