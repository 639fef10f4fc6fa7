"""Phrases as directions: their slices, a gap between modalities, and the directions that lead."""

from __future__ import annotations

import numpy as np
import pytest

from core.language import directions
from core.language.directions import block_means, phrase_scores
from tests.support.planted_words import planted_run


def test_a_phrase_slice_is_the_rows_of_highest_score_in_its_scope() -> None:
    found, audit, _ = planted_run("rare")
    scores = phrase_scores(audit.embeddings.vectors, found.words.directions, audit.labels)
    for insight in found.insights:
        if insight.kind == "phrase":
            rows = (
                np.ones(len(audit.labels), bool)
                if insight.scope == "all samples"
                else audit.labels == found.samples.class_names.index(insight.scope)
            )
            own = scores[:, insight.number]
            assert own[insight.mask].min() >= own[rows & ~insight.mask].max()


def test_a_constant_gap_between_modalities_changes_no_score() -> None:
    rng = np.random.default_rng(0)
    vectors, blocks = rng.normal(size=(60, 8)).astype(np.float32), np.arange(60) % 3
    directions = rng.normal(size=(4, 8)).astype(np.float32)
    np.testing.assert_allclose(
        phrase_scores(vectors + 5, directions, blocks), phrase_scores(vectors, directions, blocks), atol=1e-4
    )
    np.testing.assert_allclose(block_means(vectors, blocks)[1], vectors[blocks == 1].mean(0), rtol=1e-5)


def test_means_are_those_of_rows_added_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "_BATCH_VALUES", 40)
    rng = np.random.default_rng(2)
    vectors, blocks = rng.normal(size=(300, 9)).astype(np.float32), rng.integers(0, 5, 300) * 2
    sums = np.zeros((9, 9))
    np.add.at(sums, blocks, vectors.astype(np.float64))
    plain = (sums / np.maximum(np.bincount(blocks, minlength=9), 1)[:, None]).astype(np.float32)[: blocks.max() + 1]
    np.testing.assert_array_equal(block_means(vectors, blocks), plain)


def test_some_rows_are_scored_as_among_all() -> None:
    rng = np.random.default_rng(3)
    vectors, blocks = rng.normal(size=(200, 9)).astype(np.float32), rng.integers(0, 3, 200)
    phrases, part = rng.normal(size=(4, 9)).astype(np.float32), np.arange(7, 200, 11)
    some = phrase_scores(vectors[part], phrases, blocks[part], block_means(vectors, blocks))
    np.testing.assert_allclose(some, phrase_scores(vectors, phrases, blocks)[part], rtol=1e-4, atol=1e-5)
