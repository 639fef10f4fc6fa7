"""What a fingerprint covers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.discovery.provenance import assumptions, fingerprint
from core.discovery.settings import Settings
from core.records import F64, Column, Embeddings, Outcomes, SampleSet


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


def test_rows_in_another_order_are_read_a_piece_at_a_time_as_their_copy_would_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples, outcomes = SampleSet(tuple(map(str, range(50)))), Outcomes(np.arange(50.0), "loss", "loss", "given")
    embeddings, order = (
        Embeddings(np.eye(50, dtype=np.float32), "given", "given"),
        np.random.default_rng(0).permutation(50),
    )
    whole = fingerprint(samples, outcomes, embeddings.keep(order))
    monkeypatch.setattr("core.discovery.provenance.BATCH_CELLS", 350)
    assert fingerprint(samples, outcomes, embeddings, order) == whole
    assert fingerprint(samples, outcomes, embeddings) != whole


def test_alpha_is_not_said_to_be_spent_where_nothing_is_tested() -> None:
    samples = SampleSet(tuple(map(str, range(50))))
    outcomes = Outcomes(np.arange(50.0), "loss", "loss", "given")
    assert assumptions(samples, outcomes, Settings(), testable=True) == [
        "Of the 5% false-positive budget, predictability gets 0.5%, and the search the rest."
    ]
    assert assumptions(samples, outcomes, Settings(n_permutations=1000), testable=False) == []


@pytest.mark.parametrize(("unit", "said"), [("nats", "0.7 nats"), ("share", "0.7"), ("loss", "0.7")])
def test_a_clipped_loss_has_a_unit_only_where_that_says_more_than_loss(unit: str, said: str) -> None:
    outcomes = Outcomes(np.append(np.zeros(49), 0.9), "1 - Dice", unit, "given", clip=0.7)
    first = assumptions(SampleSet(tuple(map(str, range(50)))), outcomes, Settings(), testable=False)[0]
    assert first == f"Fits and tests cap losses at {said} (1 row)."


def test_fewer_permutations_are_said_to_be_a_preview_where_somebody_asked_for_them_and_exact_where_rows_are_many() -> (
    None
):
    few, many = np.arange(50.0), np.arange(100_000.0)

    def said(losses: F64, **settings: int) -> str:
        outcomes = Outcomes(losses, "loss", "loss", "given")
        samples = SampleSet(tuple(map(str, range(len(losses)))))
        return assumptions(samples, outcomes, Settings(**settings), testable=True)[0]  # type: ignore[arg-type]

    assert said(few, n_permutations=1000).startswith("1,000 permutations give a preview")
    assert said(many, n_permutations=999).startswith("999 permutations give a preview")
    assert said(many) == (
        "With 100,000 samples Errata drew 1,000 permutations, and at most 250 for each later group. The test is "
        "exact; the smallest possible p is 0.001."
    )
