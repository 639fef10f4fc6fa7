from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.own_pairs import UNCALIBRATED, Caption, score_pairs
from tests.support.benchmarks import ColourEncoder, Pixels

TEXTS = ("a red cube", "a blue cube", "a green cube")


def encoder(angles: list[float], pictures: list[float]) -> ColourEncoder:
    """Captions and images as unit vectors of the plane, by their angles in degrees."""

    def at(values: list[float]) -> Any:
        turned = np.radians(values)
        return np.stack([np.cos(turned), np.sin(turned)], 1).astype(np.float32)

    return ColourEncoder(at(pictures), dict(zip(TEXTS, at(angles))), logit_scale=10.0)


CAPTIONS = (Caption(TEXTS[0], (0,)), Caption(TEXTS[1], (1,)), Caption(TEXTS[2], (), foil_of=0))


def test_scores_shares_and_picks_match_a_plain_count() -> None:
    found = score_pairs(Pixels(2), CAPTIONS, encoder([0, 90, 45], [10, 70]))
    slow = [[np.cos(np.radians(p - t)) for t in (0, 90, 45)] for p in (10, 70)]
    np.testing.assert_allclose(found.cosines, slow, atol=1e-6)
    powers = np.exp(10.0 * np.array(slow))
    np.testing.assert_allclose(found.shares, powers / powers.sum(1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(found.text_similarity[0], [1, 0, np.sqrt(0.5)], atol=1e-6)
    assert found.picks.tolist() == [0, 1]
    np.testing.assert_allclose(found.margins, [slow[0][0] - slow[0][2], slow[1][1] - slow[1][2]], atol=1e-6)
    assert not found.ties.any()
    assert found.notes == (UNCALIBRATED,)
    assert [(a, b) for a, b, _ in found.unlike] == [(0, 2)]


def test_equal_cosines_are_a_tie_pick_nothing_and_have_no_margin() -> None:
    found = score_pairs(Pixels(2), CAPTIONS, encoder([0, 90, 0], [0, 90]))
    assert found.ties.tolist() == [True, False]
    assert found.picks.tolist() == [-1, 1]
    assert found.margins[0] == 0
    assert found.margins[1] > 0


def test_a_foil_that_the_text_tower_hardly_tells_apart_is_said_in_words() -> None:
    found = score_pairs(Pixels(1), [CAPTIONS[0], Caption(TEXTS[2], foil_of=0)], encoder([0, 90, 5], [0]))
    assert "nearly the same vector (cosine 0.996)" in found.notes[1]
    assert "1 of 1 foils" in found.notes[1]


def test_captions_of_which_nothing_is_known_have_no_margin() -> None:
    found = score_pairs(Pixels(1), list(TEXTS), encoder([0, 90, 45], [0]))
    assert np.isnan(found.margins).all()
    assert found.picks.tolist() == [0]


def test_a_picture_that_cannot_be_read_is_named_and_the_others_keep_their_captions() -> None:
    captions = (Caption(TEXTS[0], (1,)), Caption(TEXTS[1], (0,)))
    found = score_pairs(Pixels(2, frozenset([0])), captions, encoder([0, 90, 45], [90, 0]))
    assert found.pictures == ("1.png",)
    assert found.unreadable[0].startswith("0.png")
    assert [caption.pictures for caption in found.captions] == [(0,), ()]
    assert found.margins[0] == pytest.approx(1)


def test_captions_that_are_cut_are_counted() -> None:
    found = score_pairs(Pixels(1), list(TEXTS), replace(encoder([0, 90, 45], [0]), limit=10))
    assert found.notes[-1].startswith("2 of 3 captions are longer")


@pytest.mark.parametrize(
    ("n", "captions", "words"),
    [
        (0, TEXTS, "1 to 12 images"),
        (13, TEXTS, "got 13"),
        (1, (), "1 to 24 captions"),
        (1, [f"caption {i}" for i in range(25)], "got 25"),
        (1, ("a", " "), "Caption 2 is empty"),
        (1, ("a b", "a  b"), "Captions 1 and 2 are the same"),
    ],
)
def test_bad_input_is_told_in_one_message(n: int, captions: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        score_pairs(Pixels(n), captions, encoder([0, 90, 45], [0]))
