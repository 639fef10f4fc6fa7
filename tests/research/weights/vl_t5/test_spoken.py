"""Tasks whose text is changed: masked spans, and texts of another image."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.vl_t5.tasks import MATCHING, SPANS
from research.weights.vl_t5.spoken import masked_spans, matching_task, span_task

TEXT = "a red cube and two blue balls to the left of a ring"


def test_spans_put_back_give_the_text() -> None:
    for seed in range(40):
        given, wanted = masked_spans(TEXT, np.random.default_rng(seed))
        out = dict(re.findall(r"(<extra_id_\d+>) ((?:(?!<extra_id)\S+ ?)+)", wanted))
        back = given
        for sign, words in out.items():
            back = back.replace(sign, words.strip())
        assert back == TEXT
        assert sum(len(words.split()) for words in out.values()) == round(0.3 * len(TEXT.split()))


def test_a_text_of_one_word_has_no_span() -> None:
    with pytest.raises(InvalidInput, match="two words"):
        masked_spans("red", np.random.default_rng(0))


def test_half_of_the_matching_tasks_are_of_another_text() -> None:
    rng = np.random.default_rng(0)
    made = [matching_task(0, "own", ["other"], rng) for _ in range(400)]
    assert all((one.wanted == "true") == one.given.endswith(" own") for one in made)
    assert 0.42 < np.mean([one.wanted == "true" for one in made]) < 0.58
    assert {one.prefix for one in made} == {MATCHING}
    assert span_task(0, TEXT, rng).prefix == SPANS
