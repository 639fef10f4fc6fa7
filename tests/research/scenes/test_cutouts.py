"""Pairs of cut-outs: captions that are true of one image alone, on a stock made here and on the one that ships."""

import io
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.errors import InvalidInput
from core.systems.composition.scenes.shipped import FOLDER
from research.scenes.cutouts import (
    KINDS,
    SIZES,
    STOCK,
    CutoutStock,
    draw_cutout_items,
    pictured_cutouts,
    read_stock,
    standing,
)

NAMES = {"a.png": "dog", "b.png": "dog", "c.png": "ox", "d.png": "apple", "e.png": "bus"}


def cutout(colour: tuple[int, int, int], size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGBA", (80, 80))
    ImageDraw.Draw(picture).ellipse((4, 4, 4 + size[0], 4 + size[1]), fill=(*colour, 255))
    return picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "grounds").mkdir()
    Image.new("RGB", (90, 60), (120, 120, 120)).save(tmp_path / "grounds" / "wall.png")
    for k, name in enumerate(NAMES):
        cutout((40 * k, 250 - 40 * k, 10), (60, 30 + 8 * k)).save(tmp_path / name)
    (tmp_path / "names.csv").write_text("file,name\n" + "".join(f"{file},{name}\n" for file, name in NAMES.items()))
    return tmp_path


@pytest.fixture
def stock(folder: Path) -> CutoutStock:
    return read_stock(folder)


def test_a_folder_is_read_with_its_names_and_grounds(stock: CutoutStock):
    assert stock.names == NAMES
    assert stock.files_of("dog") == ["a.png", "b.png"]
    assert {picture.mode for picture in stock.cutouts.values()} == {"RGBA"}
    assert list(stock.grounds) == ["wall.png"]


def test_each_caption_is_true_of_its_own_picture_alone(stock: CutoutStock):
    for item in draw_cutout_items(stock, 80, 0):
        seen = [standing(scene, stock) for scene in item.scenes]
        assert [[s.holds_among(things) for s in item.statements] for things in seen] == [
            [True, False],
            [False, True],
        ], item.captions


def test_captions_are_english_and_swap_their_words(stock: CutoutStock):
    captions = {caption for item in draw_cutout_items(stock, 200, 1) for caption in item.captions}
    assert {"a small ox and a large apple", "an ox to the left of a bus", "two buses and one apple"} <= captions
    for item in draw_cutout_items(stock, 40, 1, kinds=("size", "relation")):
        bags = [sorted(caption.replace("an ", "a ").split()) for caption in item.captions]
        assert bags[0] == bags[1]


def test_a_noun_has_the_same_cut_out_in_both_pictures(stock: CutoutStock):
    for item in draw_cutout_items(stock, 40, 2, kinds=("size", "count", "relation")):
        files = [{(thing.label, thing.identity) for thing in scene.objects} for scene in item.scenes]
        assert files[0] == files[1]


def test_things_stand_within_the_picture_and_their_boxes_do_not_meet(stock: CutoutStock):
    for scene in (scene for item in draw_cutout_items(stock, 40, 3) for scene in item.scenes):
        boxes = []
        for thing, seen in zip(scene.objects, standing(scene, stock), strict=True):
            assert SIZES[seen.size][0] <= thing.size <= SIZES[seen.size][1]
            picture = stock.cutouts[thing.identity].getchannel("A").getbbox()
            wide, high = ((picture[i + 2] - picture[i]) / 61 * thing.size for i in (0, 1))
            boxes.append((thing.x - wide / 2, thing.y - high, thing.x + wide / 2, thing.y))
            assert min(boxes[-1]) >= 0
            assert max(boxes[-1]) <= 1
        for a, b in combinations(boxes, 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_kinds_are_even_and_the_same_seed_gives_the_same_items(stock: CutoutStock):
    first, again = (draw_cutout_items(stock, 40, 4) for _ in range(2))
    assert Counter(item.tags["kind"] for item in first) == dict.fromkeys(KINDS, 10)
    assert [(i.scenes, i.captions) for i in first] == [(i.scenes, i.captions) for i in again]


def test_the_benchmark_draws_its_pictures_on_demand(stock: CutoutStock):
    items = draw_cutout_items(stock, 4, 5)
    found = pictured_cutouts(items, stock, "cutouts", size=64)
    assert (found.benchmark.kind, len(found.benchmark), len(found.store)) == ("pairs", 4, 8)
    data = found.store.read(3)
    assert data == found.store.read(3) == found.store.keep(np.array([3])).read(0)
    assert Image.open(io.BytesIO(data)).size == (64, 64)


def test_the_stock_that_ships_is_small_licensed_and_can_be_drawn():
    stock = read_stock(STOCK)
    assert len(set(stock.names.values())) == 24
    assert sum(path.stat().st_size for path in STOCK.rglob("*") if path.is_file()) < 600_000
    licences = (FOLDER / "cutouts" / "LICENCES.md").read_text()
    assert all(Path(name).stem in licences for name in stock.grounds)
    items = draw_cutout_items(stock, 40, 0)
    assert len({caption for item in items for caption in item.captions}) > 60


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "names.csv").unlink(), "names.csv"),
        (lambda f: (f / "names.csv").write_text("picture,noun\na.png,dog\n"), "columns file and name"),
        (lambda f: (f / "names.csv").write_text("file,name\na.png,dog\n"), "at least 4 different names"),
        (lambda f: (f / "grounds" / "wall.png").unlink(), "photograph in grounds"),
        (lambda f: (f / "c.png").unlink(), "c.png"),
        (lambda f: (f / "c.png").write_bytes(b"no picture"), "c.png"),
        (lambda f: Image.new("RGB", (9, 9)).save(f / "c.png"), "wholly opaque"),
    ],
)
def test_a_folder_that_cannot_be_drawn_from_is_refused_with_the_reason(folder: Path, spoil, message: str):
    spoil(folder)
    with pytest.raises(InvalidInput, match=message):
        read_stock(folder)


def test_an_unknown_kind_is_refused(stock: CutoutStock):
    with pytest.raises(InvalidInput, match="colour"):
        draw_cutout_items(stock, 1, 0, kinds=("colour",))
