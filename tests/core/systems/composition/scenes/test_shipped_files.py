"""The rendered set that ships: what its README says of it, and that it is what the code draws."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from core.systems.composition.readers import read_benchmark
from core.systems.composition.scenes.held_out import HeldOut, held_out_pairs
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.write_benchmark import MULTI, SINGLE
from tests.support.scenes import scene_of

FOLDER = Path(__file__).parents[5] / "assets" / "composition" / "rendered"
SCENES = json.loads((FOLDER / "scenes.json").read_text())["scenes"]


def test_it_has_ten_pairs_of_each_kind_and_thirty_of_each_split():
    tags = json.loads((FOLDER / "tags.json").read_text())
    assert list(tags) == [str(i) for i in range(60)]
    assert set(Counter(tag["kind"] for tag in tags.values()).values()) == {10}
    assert Counter(tag["split"] for tag in tags.values()) == {"seen": 30, "unseen": 30}


def test_it_reads_as_cola_does_and_every_picture_is_there():
    pairs, singles = read_benchmark("cola", FOLDER / MULTI), read_benchmark("cola-single", FOLDER / SINGLE)
    assert (len(pairs), len(singles), len(pairs.pictures), len(singles.pictures)) == (60, 24, 120, 40)
    assert all((FOLDER / picture.name).is_file() for picture in (*pairs.pictures, *singles.pictures))


def test_it_is_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 1_200_000


def test_its_pictures_are_what_its_scenes_say():
    for told in SCENES[::13]:
        shipped = np.asarray(Image.open(FOLDER / "images" / told["image_filename"]), float)
        assert np.abs(shipped - np.asarray(render_scene(scene_of(told["scene"])), float)).mean() < 4


def test_seen_pictures_show_none_of_the_held_out_pairs():
    held = json.loads((FOLDER / "held_out.json").read_text())
    assert held == held_out_pairs(0).to_dict()
    pairs = HeldOut(*(frozenset((a, b) for a, b in held[name]) for name in ("colour", "material")))
    shown = {
        split: [sum(map(pairs.shown, scene_of(s["scene"]).things)) for s in SCENES if s["split"] == split]
        for split in ("seen", "unseen")
    }
    assert max(shown["seen"]) == 0
    assert min(shown["unseen"]) >= 1
