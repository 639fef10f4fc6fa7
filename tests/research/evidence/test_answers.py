"""The driver counts what is right, and what captions score, as it says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.records import F32
from core.systems.composition.scenes.placement import bare
from core.systems.composition.scenes.shapes import Scene
from core.systems.vl_t5.tasks import GROUNDING, QUESTION, part_word
from research.evidence.answers import _is_right, _of_pair
from research.evidence.answers_captions import encoded, scored
from research.weights.vl_t5.material import HELD_OUT
from research.weights.vl_t5.scene_tasks import cell_of, lies_on
from research.weights.vl_t5.spoken import Spoken

CUBE, BALL = bare("cube", "red", "matte", "large"), bare("ball", "blue", "shiny", "small")
SCENE = Scene((CUBE, BALL))


class LengthEncoder:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> F32:
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], np.float32)


def test_an_answer_is_right_word_for_word_and_a_place_where_its_cell_lies_on_the_thing() -> None:
    question = Spoken(0, f"{QUESTION} what colour is the cube ?", "red", "colour")
    assert _is_right(question, "red", SCENE)
    assert not _is_right(question, "blue", SCENE)
    place = Spoken(0, f"{GROUNDING} the red cube", part_word(cell_of(CUBE)))
    beside = cell_of(CUBE) + 1
    assert lies_on(beside, CUBE)
    assert _is_right(place, part_word(beside), SCENE)
    assert not _is_right(place, part_word(0), SCENE)
    assert not _is_right(place, "red", SCENE)


def test_only_questions_about_the_unseen_pair_are_asked_of_unseen_scenes() -> None:
    assert ("red", "cube") in HELD_OUT.colour
    said = {
        "thing": "what is the large thing ?",
        "colour": "what colour is the cube ?",
        "shape": "what shape is the red thing ?",
    }
    wanted = {"thing": "red cube", "colour": "red", "shape": "cube"}
    assert all(_of_pair(Spoken(0, f"{QUESTION} {said[kind]}", wanted[kind], kind), SCENE) for kind in said)
    assert not _of_pair(Spoken(0, f"{QUESTION} what is the small thing ?", "blue ball", "thing"), SCENE)
    assert not _of_pair(Spoken(0, f"{QUESTION} what colour is the ball ?", "blue", "colour"), SCENE)


def test_captions_have_their_scores_with_intervals_and_no_text_is_encoded_twice() -> None:
    encoder, known = LengthEncoder(), dict[str, F32]()
    first = encoded(encoder, ["bb", "a", "bb"], known)
    assert first[:, 0].tolist() == [2, 1, 2]
    encoded(encoder, ["a", "ccc"], known)
    assert sorted(encoder.asked) == ["a", "bb", "ccc"]
    said, wanted = ["a red cube", "two blue balls"], [["a red cube"], ["two blue balls"]]
    line = scored("own", said, wanted, np.array([0.2, 0.4], np.float32))
    assert line["agreement"][0] == 0.3
    assert line["different"] == line["n"] == 2
    assert line["agreement"][1] <= 0.3 <= line["agreement"][2]
