"""Queries over scenes: labels and hard masks are what the scenes show."""

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.scenes.items import RenderedPlan
from research.scenes.retrieval import draw_retrieval, pictured_retrieval, retrieval_benchmark

PLAN = RenderedPlan()
DRAWN = draw_retrieval(PLAN, 80, 40, 0, "unseen")


def test_labels_and_hard_pictures_match_a_plain_loop_over_words():
    for k, caption in enumerate(DRAWN.captions):
        words = caption.split()
        for i, scene in enumerate(DRAWN.scenes):
            things = [{t.size, t.material, t.colour, t.shape} for t in scene.things]
            assert DRAWN.labels[k, i] == any(set(words) <= thing for thing in things)
            assert DRAWN.hard[k, i] == any(set(words) & thing for thing in things)


def test_every_query_has_four_words_a_picture_that_fits_and_a_hard_one_that_does_not():
    assert {len(caption.split()) for caption in DRAWN.captions} == {4}
    assert DRAWN.labels.any(1).all()
    assert (DRAWN.hard & ~DRAWN.labels).any(1).all()
    assert not (DRAWN.labels & ~DRAWN.hard).any()


def test_half_of_the_queries_name_a_held_out_pair_and_the_split_says_which():
    assert list(DRAWN.splits) == ["unseen" if PLAN.held_out.in_phrase(query) else "seen" for query in DRAWN.queries]
    assert DRAWN.splits.count("unseen") == 20


def test_train_scenes_and_queries_have_no_held_out_pair():
    drawn = draw_retrieval(PLAN, 40, 30, 0, "train")
    assert not any(PLAN.held_out.shown(thing) for scene in drawn.scenes for thing in scene.things)
    assert set(drawn.splits) == {"seen"}


@pytest.mark.parametrize(("said", "n_words"), [(("colour",), 2), (("size",), 2), (("size", "material"), 3)])
def test_a_query_says_as_much_as_is_asked_for(said: tuple[str, ...], n_words: int):
    drawn = draw_retrieval(PLAN, 30, 10, 1, "unseen", said=said)
    assert {len(caption.split()) for caption in drawn.captions} == {n_words}


def test_the_benchmark_ranks_all_pictures_and_marks_the_hard_ones():
    benchmark = retrieval_benchmark(DRAWN, "rendered-single")
    assert (benchmark.kind, benchmark.headline, len(benchmark), len(benchmark.pictures)) == ("retrieval", "map", 40, 80)
    for k, item in enumerate(benchmark.items):
        assert item.pictures == tuple(range(80))
        assert [i for i, _ in item.match] == np.flatnonzero(DRAWN.labels[k]).tolist()
        np.testing.assert_array_equal(item.hard, DRAWN.hard[k])
    assert len(pictured_retrieval(DRAWN, "rendered-single", size=32).store) == 80


def test_the_same_seed_gives_the_same_queries():
    again = draw_retrieval(PLAN, 80, 40, 0, "unseen")
    assert (again.captions, again.scenes) == (DRAWN.captions, DRAWN.scenes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_scenes": 0},
        {"n_queries": 0},
        {"split": "test"},
        {"said": ("weight",)},
        {"things": (0, 3)},
        {"things": (3, 9)},
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, object]):
    with pytest.raises(InvalidInput, match="Retrieval needs"):
        draw_retrieval(PLAN, **{"n_scenes": 5, "n_queries": 5, "seed": 0, "split": "unseen", **wrong})  # type: ignore[arg-type]
