"""Rows that are the same thing twice are one group, wherever vectors come in; and the note says which and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.diagnose import diagnose
from core.discovery.copies import join_copies
from core.discovery.settings import Settings
from core.encoders.arithmetic import unit
from core.records import F32, F64, I64, Outcomes, SampleSet
from research.arrays import diagnose_arrays

QUICK = Settings(map=False, sensitivity=False, n_permutations=199, n_members=2)


def joined(
    vectors: F32, losses: F64, *, groups: I64 | None = None, labels: I64 | None = None
) -> tuple[SampleSet, tuple[str, ...]]:
    names = () if labels is None else tuple(map(str, range(int(labels.max()) + 1)))
    samples = SampleSet(tuple(map(str, range(len(losses)))), groups=groups, labels=labels, class_names=names)
    return join_copies(samples, Outcomes(losses, "loss", "loss", "given"), vectors)


def null(seed: int, noise: float) -> tuple[F32, F64]:
    """300 rows without a pattern, and 120 copies of some of them with their losses."""
    rng = np.random.default_rng(seed)
    vectors, losses = rng.normal(size=(300, 24)), rng.exponential(1.0, 300)
    of = rng.integers(0, 15, 120)
    return (
        unit(np.r_[vectors, vectors[of] + noise * rng.normal(size=(120, 24))].astype(np.float32)),
        np.r_[losses, losses[of] * (1 + noise / 10 * rng.normal(size=120))],
    )


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_copies_of_rows_make_no_finding(noise: float) -> None:
    kept, apart = 0, 0
    for seed in range(3):
        vectors, losses = null(seed, noise)
        found = diagnose_arrays(vectors, losses, settings=QUICK)
        kept += len(found.clusters)
        assert "duplicates (" in found.notes[0]
        assert found.samples.group_name == "copies"
        apart += len(diagnose_arrays(vectors, losses, settings=QUICK, group_copies=False).clusters)
    assert apart >= 2  # what is claimed where copies count as samples of their own
    assert kept == 0


def test_the_note_counts_rows_and_sets_and_ordinary_rows_get_none() -> None:
    vectors, losses = null(0, 0.0)
    samples, notes = joined(vectors[:300], losses[:300])
    assert samples.groups is None
    assert notes == ()
    samples, notes = joined(np.r_[vectors[:300], vectors[:10]], np.r_[losses[:300], losses[:10]])
    assert samples.groups is not None
    assert len(np.unique(samples.groups)) == 300
    assert notes[0].startswith("10 sets of duplicates (20 rows with equal vectors) stay together. If")
    one = joined(np.r_[vectors[:300], vectors[:1]], np.r_[losses[:300], losses[:1]])[1][0]
    assert one.startswith("1 duplicate pair stays together.")
    many = joined(np.r_[vectors[:300], vectors[np.zeros(149, int)]], np.r_[losses[:300], np.zeros(149)])[1][0]
    assert many.startswith("1 set of duplicates (150 rows with equal vectors) stays together.")
    assert "--separate-copies" in notes[0]


def test_copies_are_joined_with_the_groups_that_were_given_and_those_inside_one_are_not_told() -> None:
    vectors, losses = null(0, 0.0)
    twice = np.r_[vectors[:300], vectors[:10]], np.r_[losses[:300], losses[:10]]
    samples, notes = joined(*twice, groups=np.r_[np.arange(300) // 2, np.arange(10) // 2])
    assert notes == ()
    samples, notes = joined(*twice, groups=np.arange(310) // 2)
    assert samples.groups is not None
    assert notes[0].startswith("10 sets")
    assert samples.groups[0] == samples.groups[1] == samples.groups[300] == samples.groups[301]
    assert len(np.unique(samples.groups)) == 150


def test_coarse_vectors_are_copies_only_with_their_class_and_loss() -> None:
    rng = np.random.default_rng(4)
    vectors = unit((rng.random((400, 6)) < 0.5).astype(np.float32) + np.float32(1e-3))
    losses, labels = rng.exponential(1.0, 400), rng.integers(0, 2, 400)
    assert joined(vectors, losses, labels=labels)[1] == ()
    samples, notes = joined(np.r_[vectors, vectors[:5]], np.r_[losses, losses[:5]], labels=np.r_[labels, labels[:5]])
    assert samples.groups is not None
    assert len(np.unique(samples.groups)) == 400
    assert "their losses had to be equal too" in notes[0]
    samples, notes = joined(vectors, (losses > 1).astype(np.float64), labels=labels)
    assert samples.groups is not None
    different = np.unique(np.c_[vectors, labels], axis=0)  # vectors and classes: nothing else can be told
    assert len(np.unique(samples.groups)) == len(different)
    assert "these may be different samples" in notes[0]


def test_one_vector_for_all_rows_is_said_and_left() -> None:
    samples, notes = joined(np.ones((60, 3), np.float32), np.arange(60.0))
    assert samples.groups is None
    assert notes == ("All 60 rows have nearly the same vector. They count as different samples.",)


@pytest.mark.parametrize("hold_back", [0.0, 0.3])
def test_given_vectors_of_a_table_are_grouped_before_any_row_is_held_back(hold_back: float) -> None:
    vectors, losses = null(1, 0.0)
    table = pd.DataFrame({"loss": losses})
    found = diagnose(table, embeddings=vectors, settings=QUICK, hold_back=hold_back)
    assert any("duplicates (" in note for note in found.notes)
    assert found.samples.groups is not None
    if hold_back:
        assert not set(map(bytes, vectors[[int(i) for i in found.samples.ids]])) & set(
            map(bytes, np.delete(vectors, [int(i) for i in found.samples.ids], 0))
        )
    else:
        apart = diagnose(table, embeddings=vectors, settings=replace(QUICK, words=False), group_copies=False)
        assert apart.samples.groups is None
        assert any("as different samples, as you asked" in note for note in apart.notes)


@pytest.mark.parametrize("copied", [False, True])
def test_of_many_samples_only_exact_copies_are_told_and_that_is_said(
    copied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.discovery.copies.MAX_COMPARED_VECTORS", 150)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 40)).astype(np.float32)
    vectors[1] = vectors[0] + 1e-6  # a near copy
    if copied:
        vectors[3] = vectors[2]
    samples = SampleSet(tuple(map(str, range(200))))
    grouped, notes = join_copies(samples, Outcomes(rng.random(200), "loss", "loss", "given"), vectors)
    assert "Errata looked for exact duplicates only" in notes[-1]
    assert (grouped.groups is not None) == copied
    if grouped.groups is not None:
        assert grouped.groups[2] == grouped.groups[3]
        assert len(np.unique(grouped.groups)) == 199
