"""What a fingerprint covers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.discovery.provenance import assumptions, fingerprint
from core.discovery.settings import Settings
from core.records import Column, Embeddings, Outcomes, SampleSet


def test_everything_read_is_in_the_fingerprint() -> None:
    samples = SampleSet(
        tuple(map(str, range(50))), labels=np.arange(50) % 2, class_names=("a", "b"), groups=np.arange(50) // 2
    )
    outcomes = Outcomes(np.arange(50.0), "loss", "loss", "given")
    embeddings = Embeddings(np.eye(50, dtype=np.float32), "given", "given")
    column = Column("age", "number", np.arange(50.0))
    seen = {
        fingerprint(samples, outcomes, embeddings),
        fingerprint(replace(samples, labels=1 - samples.labels), outcomes, embeddings),  # type: ignore[operator]
        fingerprint(replace(samples, groups=np.arange(50)), outcomes, embeddings),
        fingerprint(replace(samples, class_names=("a", "c")), outcomes, embeddings),
        fingerprint(replace(samples, metadata=(column,)), outcomes, embeddings),
        fingerprint(replace(samples, metadata=(replace(column, values=-column.values),)), outcomes, embeddings),
        fingerprint(samples, replace(outcomes, loss=np.arange(50.0) * 2), embeddings),
        fingerprint(samples, replace(outcomes, errors=np.arange(50) > 3), embeddings),
        fingerprint(samples, outcomes, Embeddings(np.eye(50, dtype=np.float32)[::-1].copy(), "given", "given")),
    }
    assert len(seen) == 9
    assert fingerprint(samples, outcomes, embeddings) in seen


def test_alpha_is_not_said_to_be_spent_where_nothing_is_tested() -> None:
    samples = SampleSet(tuple(map(str, range(50))))
    outcomes = Outcomes(np.arange(50.0), "loss", "loss", "given")
    assert assumptions(samples, outcomes, Settings(), testable=True) == [
        "Of alpha 0.05, 0.005 to whether the loss can be predicted at all, the rest to everything else that was "
        "searched."
    ]
    assert assumptions(samples, outcomes, Settings(n_permutations=1000), testable=False) == []
