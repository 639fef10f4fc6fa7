"""What is asked of drawn scenes has one true answer."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from core.errors import InvalidInput
from core.language.grammar import plural
from core.systems.composition.scenes.held_out import HeldOut, held_out_pairs
from core.systems.composition.scenes.shapes import SHAPES
from core.systems.vl_t5.tasks import CAPTION, GROUNDING, MATCHING, QUESTION, REGIONS, SPANS, part_of, part_word
from research.weights.vl_t5.scene_draws import MOST, draw_scenes
from research.weights.vl_t5.scene_tasks import ABSENT, KINDS, NONE, SceneTasks, cell_of, lies_on, listed, spoken_of

HELD = HeldOut(colour=held_out_pairs(0).colour)
SCENES = draw_scenes(250, 3, HELD)


@pytest.fixture
def tasks() -> SceneTasks:
    return SceneTasks(SCENES, np.random.default_rng(0))


def test_scenes_show_no_pair_that_is_held_out_or_exactly_one() -> None:
    assert not any(HELD.shown(thing) for scene in SCENES for thing in scene.things)
    for scene in draw_scenes(60, 3, HELD, unseen=True):
        shown = [thing for thing in scene.things if HELD.shown(thing)]
        assert len(shown) == 1
        rest = [thing for thing in scene.things if thing is not shown[0]]
        assert all(thing.shape != shown[0].shape and thing.colour != shown[0].colour for thing in rest)
    assert {len(scene.things) for scene in SCENES} == set(range(2, MOST + 1))
    with pytest.raises(InvalidInput, match="held out"):
        draw_scenes(1, 0, HeldOut(), unseen=True)


def test_answers_to_questions_are_true_by_the_scene(tasks: SceneTasks) -> None:
    for kind in KINDS:
        for one in tasks.many(QUESTION, 150, kind):
            things, words = SCENES[one.picture].things, one.given.removeprefix("vqa: ").split()
            if kind == "colour":
                assert [t.colour for t in things if t.shape == words[4]] == [one.wanted]
            elif kind == "shape":
                assert [t.shape for t in things if t.colour == words[4]] == [one.wanted]
            elif kind == "thing":
                matching = [t for t in things if words[3] in (t.size, t.material)]
                assert [f"{t.colour} {t.shape}" for t in matching] == [one.wanted]
            elif kind == "exists":
                there = any((t.colour, t.shape) == (words[3], words[4]) for t in things)
                assert one.wanted == ("yes" if there else "no")
            else:
                named = [t for t in things if words[2] in (plural(t.shape), t.colour, "things")]
                assert one.wanted == str(len(named))


def test_asked_of_what_is_not_there_the_answer_says_so(tasks: SceneTasks) -> None:
    for kind, field in (("colour", "shape"), ("shape", "colour")):
        for one in tasks.many(QUESTION, 100, ABSENT + kind):
            asked = one.given.removeprefix("vqa: ").split()[4]
            assert asked not in {getattr(thing, field) for thing in SCENES[one.picture].things}
            assert one.wanted == NONE
            assert one.given.startswith(f"vqa: what {kind}")


def test_a_thing_is_pointed_at_by_the_cell_of_its_middle(tasks: SceneTasks) -> None:
    for one in tasks.one_each(GROUNDING):
        thing = spoken_of(one.given, SCENES[one.picture].things)
        cell = part_of(one.wanted, 49)
        assert cell == cell_of(thing)
        assert lies_on(cell, thing)
        assert not lies_on((cell or 0) ^ 32, thing)
        assert not lies_on(None, thing)


def test_sentences_are_true_or_false_by_the_scene_half_of_them_each(tasks: SceneTasks) -> None:
    made = tasks.many(MATCHING, 600)
    for one in made:
        pairs = {(t.colour, t.shape) for t in SCENES[one.picture].things}
        words = one.given.removeprefix("image text match: ").split()
        said = {(a, b) for a, b in itertools.pairwise(words) if b in SHAPES}
        assert (said <= pairs) == (one.wanted == "true")
    kinds = Counter(one.kind for one in made)
    assert 0.4 < kinds["match, true"] / 600 < 0.6
    assert len(kinds) == 3


def test_captions_name_all_things_from_left_to_right_and_masked_ones_are_of_them(tasks: SceneTasks) -> None:
    one = tasks.draw(0, CAPTION)
    assert one is not None
    assert one.wanted == listed(SCENES[0].things)
    assert len(one.wanted.split(" , ")) == len(SCENES[0].things)
    span = tasks.draw(0, SPANS)
    assert span is not None
    assert "<extra_id_0>" in span.given
    assert span.wanted.startswith("<extra_id_0>")


def test_regions_name_what_has_its_middle_in_each_cell_in_the_order_asked(tasks: SceneTasks) -> None:
    asked = tasks.one_each(REGIONS)
    assert len(asked) == len(SCENES)
    for one in asked:
        cells = one.given.removeprefix(f"{REGIONS} ").split()
        for cell, said in zip(cells, one.wanted.split(" , "), strict=True):
            there = [t for t in SCENES[one.picture].things if part_word(cell_of(t)) == cell]
            assert said in [f"{t.colour} {t.shape}" for t in there]
    assert {len(one.wanted.split(" , ")) for one in asked} == set(range(1, MOST + 1))
