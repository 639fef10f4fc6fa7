"""Rendered items are a benchmark without files."""

import io

import numpy as np
import pytest
from PIL import Image

from core.systems.composition.scenes.benchmarks import SceneStore, benchmark_of, pictured, scenes_of
from core.systems.composition.scenes.items import RenderedPlan, draw_items
from core.systems.composition.scenes.render import render_scene

ITEMS = draw_items(RenderedPlan(), 6, 0, "unseen")


def test_pictures_and_captions_of_an_item_are_those_that_were_drawn():
    benchmark = benchmark_of(ITEMS, "rendered")
    assert (benchmark.name, benchmark.kind, benchmark.headline, len(benchmark), len(benchmark.pictures)) == (
        "rendered",
        "pairs",
        "image",
        6,
        12,
    )
    scenes = scenes_of(ITEMS)
    for item, drawn in zip(benchmark.items, ITEMS, strict=True):
        assert tuple(scenes[i] for i in item.pictures) == drawn.scenes
        assert (item.id, item.captions, item.match, item.tags) == (
            drawn.id,
            drawn.captions,
            ((0, 0), (1, 1)),
            drawn.tags,
        )


def test_the_store_draws_the_scene_and_always_gives_the_same_bytes():
    found = pictured(ITEMS, "rendered", size=64)
    bytes_ = found.store.read(3)
    assert bytes_ == found.store.read(3)
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(bytes_))), np.asarray(render_scene(scenes_of(ITEMS)[3], 64))
    )
    assert found.benchmark.pictures[3].name == found.store.name(3)


@pytest.mark.parametrize("rows", [[2, 0], [], [5, 5]])
def test_keeping_rows_keeps_their_order(rows: list[int]):
    store = SceneStore(scenes_of(ITEMS), 32)
    kept = store.keep(np.array(rows, np.int64))
    assert [kept.read(i) for i in range(len(kept))] == [store.read(i) for i in rows]
