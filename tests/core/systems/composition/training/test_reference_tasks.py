"""The everyday tasks that an adapter is held against."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.training.reference_tasks import captioned_items, scene_captions, scene_classes
from tests.support.benchmarks import benchmark, choice, pair, pictured


def test_the_shipped_scenes_are_drawn_with_their_classes() -> None:
    drawn, again, other = scene_classes(40, 0), scene_classes(40, 0), scene_classes(40, 1)
    assert drawn.ids == again.ids != other.ids
    assert (len(drawn), len(drawn.class_names)) == (40, 8)
    assert drawn.labels is not None
    assert drawn.items is not None
    assert [drawn.items.name(i).split("/")[-1] for i in range(40)] == list(drawn.ids)
    assert drawn.items.read(0)[:4] == b"RIFF"


def test_a_scene_has_the_caption_that_names_its_class() -> None:
    found = scene_captions(60, 0)
    assert found.true.shape == (60, len(found.captions))
    assert (found.true.sum(axis=1) == 1).all()
    labels = {row: name for row, name in zip(scene_classes(960, 0).ids, map(int, scene_classes(960, 0).labels))}  # type: ignore[arg-type]
    names = scene_classes(960, 0).class_names
    for row in range(60):
        file, caption = found.images.name(row).split("/")[-1], found.captions[int(found.true[row].argmax())]
        assert f" {names[labels[file]]} " in caption


def test_true_captions_of_a_benchmark_are_kept_and_foils_are_not() -> None:
    items = [
        choice("c0", 0, ["a dog", "a cat"]),
        choice("c1", 1, ["a dog", "a cow"]),
        pair("p", (2, 3), ("red", "blue"), crossed=True),
    ]
    found = captioned_items(pictured(benchmark("pairs", items, "image")), 10, 0)
    assert found.captions == ("a dog", "blue", "red")
    np.testing.assert_array_equal(found.true, [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert found.notes == ("1 caption belongs to several images of Made pairs; each of them counts as right.",)


def test_at_most_so_many_pictures_are_drawn_and_one_is_too_few() -> None:
    items = [choice(f"c{i}", i, [f"true {i}", "foil"]) for i in range(9)]
    found = captioned_items(pictured(benchmark("choice", items, "pairwise")), 4, 0)
    assert (len(found.images), len(found.captions)) == (4, 4)
    assert [found.images.name(i).split(".")[0] for i in range(4)] == [c.split()[1] for c in found.captions]
    with pytest.raises(InvalidInput, match="at least two images"):
        captioned_items(pictured(benchmark("choice", items[:1], "pairwise")), 4, 0)
