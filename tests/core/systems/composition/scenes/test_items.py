"""Items differ in binding alone, train items leave held-out pairs alone, and drawing is repeatable."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.scenes.held_out import held_out_pairs
from core.systems.composition.scenes.items import KINDS, SPLITS, RenderedItem, RenderedPlan, draw_items
from core.systems.composition.scenes.shapes import COLOURS, MATERIALS, SHAPES, SIZES, Scene

PLAN = RenderedPlan()
N = 300


@pytest.fixture(scope="module", params=SPLITS)
def items(request: pytest.FixtureRequest) -> list[RenderedItem]:
    return draw_items(PLAN, N, 5, request.param)


def test_each_caption_is_true_of_its_own_picture_alone(items: list[RenderedItem]):
    for item in items:
        assert [[s.holds(scene) for s in item.statements] for scene in item.scenes] == [[True, False], [False, True]], (
            item.captions
        )


def test_the_captions_of_a_swap_have_the_same_words(items: list[RenderedItem]):
    for item in items:
        bags = [
            Counter(word.removesuffix("s") for word in caption.replace("an ", "a ").split())
            for caption in item.captions
        ]
        assert (bags[0] == bags[1]) == (item.tags["kind"] != "noun"), item.captions


def test_what_no_caption_speaks_of_is_the_same_in_both_pictures(items: list[RenderedItem]):
    swapped = {"colour": "colour", "material": "material", "size": "size"}
    for item in items:
        kind = item.tags["kind"]
        if kind in ("noun", "count"):
            continue
        kept = [name for name in ("colour", "material", "size") if name != swapped.get(kind)]
        first, second = (
            sorted((t.shape, *(getattr(t, name) for name in kept)) for t in scene.things) for scene in item.scenes
        )
        assert first == second


def test_places_are_drawn_anew_for_each_picture(items: list[RenderedItem]):
    for item in items:
        a, b = item.scenes
        assert {(t.x, t.y) for t in a.things}.isdisjoint((t.x, t.y) for t in b.things)
        assert (a.seed, a.light, a.tone) != (b.seed, b.light, b.tone)


def test_kinds_are_even_in_number(items: list[RenderedItem]):
    assert Counter(item.tags["kind"] for item in items) == dict.fromkeys(KINDS, N // len(KINDS))


def test_things_lie_within_the_picture_and_hardly_overlap(items: list[RenderedItem]):
    for scene in (scene for item in items for scene in item.scenes):
        for thing in scene.things:
            assert SIZES[thing.size][0] <= thing.extent <= SIZES[thing.size][1]
            assert thing.extent / 2 <= thing.x <= 1 - thing.extent / 2
            assert thing.extent / 2 <= thing.y <= 1 - thing.extent / 2
        for a, b in combinations(scene.things, 2):
            assert np.hypot(a.x - b.x, a.y - b.y) >= 0.53 * (a.extent + b.extent)


@pytest.mark.parametrize("split", ["train", "seen"])
def test_train_and_seen_items_neither_show_nor_name_a_held_out_pair(split: str):
    for seed in range(3):
        held = held_out_pairs(seed)
        for item in draw_items(RenderedPlan(held_out=held), 120, seed, split):
            assert not any(held.shown(thing) for scene in item.scenes for thing in scene.things)
            assert not any(held.in_phrase(phrase) for statement in item.statements for phrase in statement.phrases)


def test_each_caption_of_an_unseen_item_names_a_held_out_pair_and_nothing_else_is_held_out():
    for item in draw_items(PLAN, N, 1, "unseen"):
        named = [
            [phrase for phrase in statement.phrases if PLAN.held_out.in_phrase(phrase)] for statement in item.statements
        ]
        assert all(named)
        assert item.tags["unseen pairs"] == str(len(named[0]) + len(named[1]))
        for scene, phrases in zip(item.scenes, named, strict=True):
            for thing in scene.things:
                assert PLAN.held_out.shown(thing) == any(phrase.matches(thing) for phrase in phrases)


def test_every_colour_shape_and_material_occurs_in_training():
    things = [thing for item in draw_items(PLAN, N, 2, "train") for scene in item.scenes for thing in scene.things]
    for name in ("shape", "colour", "material", "size"):
        whole = {"shape": SHAPES, "colour": COLOURS, "material": MATERIALS, "size": SIZES}[name]
        assert {getattr(thing, name) for thing in things} == set(whole)


def test_tags_say_what_the_scenes_show(items: list[RenderedItem]):
    for item in items:
        assert int(item.tags["things"]) == max(len(scene.things) for scene in item.scenes)
        named = [{phrase.shape for phrase in statement.phrases} for statement in item.statements]
        spare = [
            sum(t.shape not in shapes for t in scene.things) for scene, shapes in zip(item.scenes, named, strict=True)
        ]
        assert spare == [int(item.tags["distractors"])] * 2
        if item.tags["kind"] in ("colour", "relation"):
            same = {_same(scene, named[0], "material") for scene in item.scenes}
            assert same == {item.tags["same material"] == "yes"}


def _same(scene: Scene, shapes: set[str], name: str) -> bool:
    return len({getattr(thing, name) for thing in scene.things if thing.shape in shapes}) == 1


def test_the_same_seed_gives_the_same_items_and_splits_never_share_a_picture():
    first, again = (draw_items(PLAN, 30, 9, "train") for _ in range(2))
    assert [(i.scenes, i.captions, i.tags) for i in first] == [(i.scenes, i.captions, i.tags) for i in again]
    seeds = [{scene.seed for item in draw_items(PLAN, 30, 9, split) for scene in item.scenes} for split in SPLITS]
    assert not (seeds[0] & seeds[1]) and not (seeds[0] & seeds[2])  # noqa: PT018


def test_the_sides_of_a_swap_are_drawn_evenly():
    """Neither caption of an item may be told by a habit of the drawing: here, which count or size stands first."""
    items = draw_items(RenderedPlan(kinds=("count", "size")), 400, 3, "seen")
    first = [item.captions[0].split()[:2] for item in items]
    small = sum(words[1] == "small" for words in first)
    assert 60 <= small <= 140  # of 200; p < 1e-8 outside


@pytest.mark.parametrize("kind", list(KINDS))
def test_one_kind_alone_and_no_distractors_can_be_asked_for(kind: str):
    items = draw_items(RenderedPlan(kinds=(kind,), distractors=(0, 0)), 12, 0, "unseen")
    assert {(item.tags["kind"], item.tags["distractors"]) for item in items} == {(kind, "0")}


def test_two_distractors_at_least_are_always_there():
    items = draw_items(RenderedPlan(distractors=(2, 2)), 60, 0, "seen")
    assert {item.tags["distractors"] for item in items} == {"2"}


@pytest.mark.parametrize("kinds", [("hue",), ("size", "size"), ()])
def test_kinds_that_cannot_be_drawn_are_refused_by_name(kinds: tuple[str, ...]):
    with pytest.raises(InvalidInput, match="kinds"):
        RenderedPlan(kinds=kinds)
