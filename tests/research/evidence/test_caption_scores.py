"""BLEU-4 and CIDEr-D against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import InvalidInput
from research.evidence.caption_scores import bleu_of, bleu_parts, cider_of

REFERENCES = [
    ["a dog runs on the grass", "the dog runs"],
    ["a man rides a red bike", "man on a bike"],
    ["two boys play"],
]
OWN = [own[0] for own in REFERENCES]


def test_a_reference_itself_has_bleu_1_and_cider_10_against_itself() -> None:
    assert bleu_of(bleu_parts(OWN[:2], REFERENCES[:2])) == pytest.approx(1)
    single = [[own] for own in ("a dog runs on grass", "some men ride red bikes")]
    assert cider_of([own[0] for own in single], single) == pytest.approx([10, 10])


def test_bleu_of_a_short_caption_by_hand() -> None:
    found = bleu_of(bleu_parts(["a dog runs on a mat"], [["a dog runs on the grass now"]]))
    precisions = (4 / 6) * (3 / 5) * (2 / 4) * (1 / 3)
    assert found == pytest.approx(math.exp(1 - 7 / 6) * precisions ** (1 / 4))
    assert bleu_of(bleu_parts(["a cat"], [["a dog"]])) == 0


def test_the_nearest_reference_gives_the_length_and_a_word_counts_as_often_as_in_one_reference() -> None:
    parts = bleu_parts(["a a a"], [["a dog", "a a b c d e"]])
    assert parts[0].tolist() == [2, 3, 1, 2, 0, 1, 0, 0, 3, 2]


def test_cider_by_hand() -> None:
    references = [["red cube"], ["red ball"]]
    # "red" is of both images and weighs nothing; "cube" weighs log 2, and the pair "red cube" too
    found = cider_of(["red cube", "red cube"], references)
    assert found == pytest.approx([10 * 2 / 4, 0])
    clipped = cider_of(["cube cube", "ball"], [["cube"], ["ball"]])
    assert clipped[0] == pytest.approx(10 * math.exp(-1 / 72) * (1 * 1 / (2 * 1)) / 4)


def test_words_and_marks_and_case_do_not_matter_and_swapped_captions_score_low() -> None:
    plain = cider_of(OWN, REFERENCES)
    assert cider_of([text.upper() + " ." for text in OWN], REFERENCES) == pytest.approx(plain)
    assert np.mean(cider_of([*OWN[1:], OWN[0]], REFERENCES)) < 0.1 * np.mean(plain)


@pytest.mark.parametrize(
    ("captions", "references", "said"), [(["a"], [], "1 captions for 0"), (["a"], [[]], "reference")]
)
def test_what_cannot_be_scored_is_refused(captions: list[str], references: list[list[str]], said: str) -> None:
    for score in (bleu_parts, cider_of):
        with pytest.raises(InvalidInput, match=said):
            score(captions, references)
