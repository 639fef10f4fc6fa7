from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import Cancelled, InvalidInput
from core.systems.composition.records import Picture
from core.systems.composition.scoring import encoder as scoring
from core.systems.composition.scoring.encoder import EncoderScorer
from tests.support.benchmarks import benchmark, choices, colour_encoder, pair, pairs, pictured, queries


def test_scores_match_the_plain_loop() -> None:
    rng = np.random.default_rng(0)
    for made in (pairs(7), choices(9, 3), queries(4, 6, rng)):
        encoder = colour_encoder(made, rng)
        scores = EncoderScorer(encoder).score(pictured(made))
        assert len(scores.matrices) == len(made)
        for item, matrix in zip(made.items, scores.matrices):
            slow = [[float(np.dot(encoder.images[p], encoder.texts[c])) for c in item.captions] for p in item.pictures]
            np.testing.assert_allclose(matrix, slow, atol=1e-6)
            assert matrix.dtype == np.float64
        assert scores.unreadable == {}


def test_each_caption_is_read_once() -> None:
    made = benchmark("pairs", [pair("a", (0, 1), ("x", "y")), pair("b", (1, 2), ("y", "z"))], "image")
    encoder = colour_encoder(made, np.random.default_rng(0))
    EncoderScorer(encoder).score(pictured(made))
    assert encoder.read == ["x", "y", "z"]


def test_equal_pictures_and_equal_captions_tie_exactly() -> None:
    made = benchmark("pairs", [pair("same", (0, 0), ("x", "y")), pair("twin", (0, 1), ("x", "x"))], "image")
    rng = np.random.default_rng(1)
    first, second = EncoderScorer(colour_encoder(made, rng, 679)).score(pictured(made)).matrices
    assert (first[0] == first[1]).all()
    assert (second[:, 0] == second[:, 1]).all()


def test_a_picture_that_cannot_be_read_leaves_nan_and_its_reason_and_nothing_else_is_lost() -> None:
    made = pairs(4)
    encoder = colour_encoder(made, np.random.default_rng(0))
    scores, whole = (EncoderScorer(encoder).score(pictured(made, broken)) for broken in ([3], []))
    assert list(scores.unreadable) == [3]
    assert scores.unreadable[3].startswith("3.png")
    assert np.isnan(scores.matrices[1]).tolist() == [[False, False], [True, True]]
    for i in (0, 2, 3):
        np.testing.assert_array_equal(scores.matrices[i], whole.matrices[i])


def test_pictures_that_no_item_speaks_of_are_not_read() -> None:
    made = pairs(2)
    more = replace(made, pictures=(*made.pictures, Picture("unused.png")))
    scores = EncoderScorer(colour_encoder(made, np.random.default_rng(0))).score(pictured(more, [4]))
    assert scores.unreadable == {}


def test_cut_captions_are_counted() -> None:
    made = choices(3)
    encoder = colour_encoder(made, np.random.default_rng(0))
    encoder.limit = len("true 1")
    assert any(
        note.startswith("3 captions are longer than the text tower of colours reads, of 6")
        for note in EncoderScorer(encoder).score(pictured(made)).notes
    )


def test_vectors_come_from_the_cache_the_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "BATCH", 4)
    made = choices(5)
    encoder = colour_encoder(made, np.random.default_rng(0))
    first = EncoderScorer(encoder).score(pictured(made), cache=tmp_path)
    encoder.read.clear()
    second = EncoderScorer(encoder).score(pictured(made), cache=tmp_path)
    assert encoder.read == []
    for a, b in zip(first.matrices, second.matrices):
        np.testing.assert_array_equal(a, b)
    assert any("came from the cache" in note for note in second.notes)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_the_batch_size_changes_nothing(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = choices(5)
    encoder = colour_encoder(made, np.random.default_rng(0))
    whole = EncoderScorer(encoder).score(pictured(made))
    monkeypatch.setattr(scoring, "BATCH", batch)
    for a, b in zip(whole.matrices, EncoderScorer(encoder).score(pictured(made)).matrices):
        np.testing.assert_array_equal(a, b)


def test_progress_can_stop_the_run_between_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "BATCH", 2)
    made = choices(5)
    encoder = colour_encoder(made, np.random.default_rng(0))

    def stop(step: str, done: int, total: int) -> None:
        if step == "read captions" and done >= 4:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        EncoderScorer(encoder).score(pictured(made), progress=stop)
    assert len(encoder.read) == 4


def test_captions_are_not_read_again_for_the_text_side_alone() -> None:
    made = choices(4)
    encoder = colour_encoder(made, np.random.default_rng(0))
    scorer = EncoderScorer(encoder)
    scorer.score(pictured(made))
    n = len(encoder.read)
    captions: Sequence[str] = list(encoder.texts)
    rows = scorer.read_captions(captions)
    assert len(encoder.read) == n
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_a_benchmark_without_items_is_refused() -> None:
    made = pairs(1)
    empty: Any = replace(pictured(made), benchmark=replace(made, items=()))
    with pytest.raises(InvalidInput, match="no item left to score"):
        EncoderScorer(colour_encoder(made, np.random.default_rng(0))).score(empty)
