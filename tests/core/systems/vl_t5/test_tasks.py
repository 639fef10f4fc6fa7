"""Tasks as text."""

from __future__ import annotations

import pytest

from core.systems.vl_t5.tasks import part_of, part_word, with_parts
from research.weights.vl_t5.new_model import make_words

TEXT = "a red cube and two blue balls to the left of a ring"


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
