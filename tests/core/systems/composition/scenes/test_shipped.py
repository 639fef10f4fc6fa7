"""The benchmarks that come along can be opened, and the training scenes keep out of them."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.systems.composition.scenes.items import RenderedPlan
from core.systems.composition.scenes.shipped import SHIPPED, draw_training, open_shipped


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "items", "pictures", "headline"),
    [("rendered", 240, 480, "image"), ("rendered-single", 40, 160, "map"), ("cutouts", 160, 320, "image")],
)
def test_each_set_has_as_many_items_and_pictures_as_it_says(
    name: str, items: int, pictures: int, headline: str
) -> None:
    found = open_shipped(name)
    assert (len(found.benchmark), len(found.store), found.benchmark.headline) == (items, pictures, headline)
    assert str(items) in SHIPPED[name]
    assert found.store.read(0) == open_shipped(name).store.read(0)


def test_half_of_the_rendered_pairs_are_unseen() -> None:
    splits = [item.tags["split"] for item in open_shipped("rendered").benchmark.items]
    assert splits.count("unseen") == splits.count("seen") == 120


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 2026])
def test_training_scenes_are_not_those_that_are_tested(seed: int) -> None:
    """The test's own seed is among them: train and test never draw the same numbers."""
    learned, tested = draw_training(40, seed), open_shipped("rendered")
    bytes_learned = {learned.store.read(i) for i in range(0, 80, 7)}
    assert not bytes_learned & {tested.store.read(i) for i in range(0, 480, 9)}
    held = RenderedPlan().held_out
    said = " ".join(caption for item in learned.benchmark.items for caption in item.captions)
    assert not any(f"{colour} {shape} " in f"{said} " for colour, shape in held.colour)


@pytest.mark.parametrize(
    ("name", "n"), [("cola", None), ("rendered", 3), ("rendered", 0), ("rendered", 10**9), ("rendered-single", 10**9)]
)
def test_what_does_not_come_along_is_refused(name: str, n: int | None) -> None:
    with pytest.raises(InvalidInput):
        open_shipped(name, n=n)
