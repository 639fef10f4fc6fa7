"""Scenes in CLEVR's form: queries with their truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import read_benchmark
from tests.support import benchmark_files as written
from tests.support.benchmark_files import thing, write


def test_scenes_give_the_queries_that_occur_with_their_truth(tmp_path: Path) -> None:
    benchmark = read_benchmark("clevr", write(tmp_path / "scenes.json", written.SCENES))
    items = {item.captions[0]: item for item in benchmark.items}
    assert set(items) == {"large red metal cube", "small blue rubber sphere", "small green metal cylinder"}
    cube = items["large red metal cube"]
    assert cube.match == ((0, 0), (1, 0))
    np.testing.assert_array_equal(items["small blue rubber sphere"].hard, [True, False, True, False])
    np.testing.assert_array_equal(items["small green metal cylinder"].hard, [True, True, True, False])
    assert cube.tags == {"size": "large", "colour": "red", "material": "metal", "shape": "cube"}
    assert benchmark.excluded == ()


def test_scenes_agree_with_a_plain_loop(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    words = (["large", "small"], ["red", "blue", "green"], ["metal", "rubber"], ["cube", "ball"])
    scenes = [[tuple(str(rng.choice(own)) for own in words) for _ in range(rng.integers(0, 3))] for _ in range(25)]
    document = {
        "scenes": [{"image_filename": f"{i}.png", "objects": [thing(*o) for o in own]} for i, own in enumerate(scenes)]
    }
    benchmark = read_benchmark("clevr", write(tmp_path / "scenes.json", document))
    assert len(benchmark) + len(benchmark.excluded) == len({o for own in scenes for o in own})
    for item in benchmark.items:
        wanted = tuple(item.captions[0].split())
        assert {p for p, _ in item.match} == {i for i, own in enumerate(scenes) if wanted in own}
        assert item.hard.tolist() == [
            any(a == b for o in own for a, b in zip(o, wanted, strict=True)) for own in scenes
        ]


def test_scenes_may_leave_properties_out_and_cubes_that_every_picture_shows_are_counted(tmp_path: Path) -> None:
    def scene(name: str, *shapes: str) -> dict[str, Any]:
        return {"image_filename": name, "objects": [{"shape": shape, "colour": "red"} for shape in shapes]}

    file = write(tmp_path / "scenes.json", {"scenes": [scene("0.png", "cube", "ball"), scene("1.png", "cube")]})
    benchmark = read_benchmark("clevr", file)
    assert [item.captions[0] for item in benchmark.items] == ["red ball"]
    assert benchmark.excluded == (("red cube", "every hard image fits the query"),)


def test_a_picture_with_two_scenes_is_refused(tmp_path: Path) -> None:
    scenes = [*written.SCENES["scenes"], written.SCENES["scenes"][0]]
    with pytest.raises(InvalidInput, match=r"scene 4: the image '0.png' already has a scene"):
        read_benchmark("clevr", write(tmp_path / "scenes.json", {"scenes": scenes}))
