"""A benchmark in two parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scenes.shipped import open_shipped
from core.systems.composition.split import two_parts


@pytest.fixture(scope="module")
def scenes() -> LoadedBenchmark:
    return open_shipped("rendered", n=40)


def pictures_of(part: LoadedBenchmark) -> set[int]:
    return {at for item in part.benchmark.items for at in item.pictures}


def test_drawn_parts_cover_everything_and_share_no_picture(scenes: LoadedBenchmark) -> None:
    learn, test = two_parts(scenes, seed=3)
    assert sorted(item.id for part in (learn, test) for item in part.benchmark.items) == sorted(
        item.id for item in scenes.benchmark.items
    )
    assert not pictures_of(learn) & pictures_of(test)
    assert [i.id for i in two_parts(scenes, seed=3)[0].benchmark.items] == [i.id for i in learn.benchmark.items]


def test_items_that_share_a_picture_stay_together(scenes: LoadedBenchmark) -> None:
    items = list(scenes.benchmark.items)
    items[1::2] = [replace(b, pictures=(a.pictures[0], b.pictures[1])) for a, b in zip(items[::2], items[1::2])]
    learn, test = two_parts(replace(scenes, benchmark=replace(scenes.benchmark, items=tuple(items))))
    assert not pictures_of(learn) & pictures_of(test)


def test_a_split_that_the_file_names_is_followed(scenes: LoadedBenchmark) -> None:
    items = tuple(
        replace(item, tags={"split": "train" if i < 30 else "test"}) for i, item in enumerate(scenes.benchmark.items)
    )
    learn, test = two_parts(replace(scenes, benchmark=replace(scenes.benchmark, items=items)))
    assert [len(part.benchmark) for part in (learn, test)] == [30, 10]


def test_too_few_items_and_shared_pictures_are_refused(scenes: LoadedBenchmark) -> None:
    few = replace(scenes, benchmark=replace(scenes.benchmark, items=scenes.benchmark.items[:6]))
    with pytest.raises(InvalidInput, match="too few"):
        two_parts(few)
    same = tuple(replace(item, pictures=(0, 1)) for item in scenes.benchmark.items)
    with pytest.raises(InvalidInput, match="share their images"):
        two_parts(replace(scenes, benchmark=replace(scenes.benchmark, items=same)))
