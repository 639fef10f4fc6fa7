"""Tasks as text."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.vl_t5.tasks import MATCHING, SPANS, masked_spans, matching_task, part_of, part_word, span_task
from core.systems.vl_t5.vocabulary import make_words, with_parts

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


@pytest.mark.parametrize(
    ("answer", "part"),
    [("<vis_extra_id_3>", 3), ("at <vis_extra_id_48> .", 48), ("<vis_extra_id_49>", None), ("", None)],
)
def test_an_answer_points_at_a_part_or_at_none(answer: str, part: int | None) -> None:
    assert part_of(answer, 49) == part


def test_part_k_is_the_kth_word_from_the_end_and_signs_stay_whole() -> None:
    words = make_words([TEXT, TEXT, "rare"], least=2)
    assert [words.convert_tokens_to_ids(part_word(k)) for k in (0, 99)] == [len(words) - 1, len(words) - 100]
    assert words.tokenize("Visual grounding: <vis_extra_id_3>") == ["visual", "grounding", ":", "<vis_extra_id_3>"]
    assert words.convert_tokens_to_ids("rare") == words.unk_token_id
    assert len(with_parts(words)) == len(words)
    kept = words.decode(words("<extra_id_0> red")["input_ids"], skip_special_tokens=True)
    assert kept.split() == ["<extra_id_0>", "red"]
