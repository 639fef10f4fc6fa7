"""What a step hides."""

from __future__ import annotations

import pytest
import torch

from core.systems.common.words import IGNORED
from research.weights.univl.training.batches import NOTHING, Hiding, hide_words
from tests.support.univl import LENGTH, TEXTS, small_batch, small_words


def test_words_are_hidden_as_often_as_published_and_marks_never() -> None:
    words = small_words()
    ids, _ = words.encode(TEXTS * 1_000, LENGTH)
    shown, wanted = hide_words(ids, words, 0.15, torch.Generator().manual_seed(0))
    told, may = wanted != IGNORED, (ids > 4)
    assert not bool((told & ~may).any())
    assert bool((shown[~told] == ids[~told]).all())
    assert bool((wanted[told] == ids[told]).all())
    assert float(told.sum() / may.sum()) == pytest.approx(0.15, abs=0.01)
    assert float((shown[told] == words.mask).float().mean()) == pytest.approx(0.8 + 0.1 / len(words), abs=0.02)
    assert float((shown[told] == ids[told]).float().mean()) == pytest.approx(0.1 + 0.1 / len(words), abs=0.02)


def test_a_whole_text_is_dropped_with_all_of_its_video_and_is_still_the_caption() -> None:
    whole, none = small_batch(NOTHING), small_batch(Hiding(0, 0, 1.0, 0))
    words = small_words()
    assert none.ids[:, :3].tolist() == [[words.start, words.end, 0]] * 4
    assert none.seen.sum(1).tolist() == [2] * 4
    assert torch.equal(none.caption_wanted, whole.caption_wanted)
    assert torch.equal(none.caption_given, whole.caption_given)
    lost = [tuple((small_batch(Hiding(0, 0, 0.5, 0), k, 2).seen.sum(1) == 2).tolist()) for k in range(40)]
    assert set(lost) == {(a, a, b, b) for a in (True, False) for b in (True, False)}


def test_texts_are_dropped_as_often_as_published() -> None:
    lost = torch.cat([small_batch(seed=k).seen.sum(1) == 2 for k in range(1_500)])
    assert float(lost.float().mean()) == pytest.approx(0.15, abs=0.015)


def test_the_decoder_is_given_each_word_before_it_has_to_write_the_next() -> None:
    batch, words = small_batch(NOTHING), small_words()
    for row, text in enumerate(TEXTS):
        n = int(batch.caption_seen[row].sum())
        given, wanted = batch.caption_given[row, :n].tolist(), batch.caption_wanted[row, :n].tolist()
        assert (given[0], wanted[-1]) == (words.start, words.end)
        assert given[1:] == wanted[:-1]
        assert words.decode(wanted) == text
        assert bool((batch.caption_wanted[row, n:] == IGNORED).all())


def test_only_frames_that_are_there_are_hidden() -> None:
    batch = small_batch(Hiding(0, 1.0, 0, 0))
    assert torch.equal(batch.hidden, batch.there.bool())
