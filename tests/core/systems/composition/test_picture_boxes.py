"""Items about a box of an image: the crop holds its very pixels, or the item is left out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.systems.composition.pictures import find_pictures
from core.systems.composition.records import Box
from tests.support.found_pictures import benchmark, choice, folder, pixels
from tests.support.pictures import blobs, encoded


@pytest.mark.parametrize(
    ("box", "edges"),
    [
        ((10, 20, 30, 15), (10, 20, 40, 35)),
        ((-5, -5, 20, 20), (0, 0, 15, 15)),
        ((50, 40, 100, 100), (50, 40, 64, 48)),
        ((9.6, 19.4, 10.5, 10.3), (10, 19, 20, 30)),
        ((0, 0, 64, 48), (0, 0, 64, 48)),
    ],
)
def test_a_crop_holds_the_very_pixels_of_its_box_clipped_to_the_picture(
    box: Box, edges: tuple[int, int, int, int], tmp_path: Path
) -> None:
    root = folder(tmp_path / "in", "0.png")
    store = find_pictures(benchmark("choice", "0.png", choice("c"), boxes={0: box}), root).store
    left, top, right, bottom = edges
    np.testing.assert_array_equal(pixels(store.read(0)), pixels((root / "0.png").read_bytes())[top:bottom, left:right])


@pytest.mark.parametrize(
    "box", [(70, 0, 10, 10), (0, 0, 0, 10), (5, 5, 10, -3), (-20, 0, 10, 10), (0, 1e300, 5, 5), (1e308, 0, 1e308, 5)]
)
def test_a_box_without_a_pixel_leaves_its_item_out(box: Box, tmp_path: Path) -> None:
    made = benchmark("choice", "0.png 1.png", choice("empty"), choice("good", 1), boxes={0: box})
    found = find_pictures(made, folder(tmp_path / "in", "0.png 1.png"))
    (id, reason), *_ = found.benchmark.excluded
    assert id == "empty"
    assert reason.startswith("the box lies outside its image: 0.png, box ")
    assert [item.id for item in found.benchmark.items] == ["good"]


def test_a_box_is_of_the_upright_picture(tmp_path: Path) -> None:
    picture = blobs(1, (40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by a quarter
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.png").write_bytes(encoded(picture, "PNG", exif=exif))
    store = find_pictures(benchmark("choice", "0.png", choice("c"), boxes={0: (0, 25, 20, 100)}), tmp_path / "in").store
    np.testing.assert_array_equal(pixels(store.read(0)), np.asarray(picture.rotate(-90, expand=True))[25:40])


def test_a_box_of_a_picture_that_is_shrunk_while_decoding_shows_the_same_part(tmp_path: Path) -> None:
    wide = np.zeros((2000, 2400, 3), np.uint8)
    wide[500:1500, 600:1800] = (250, 10, 10)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.png").write_bytes(encoded(Image.fromarray(wide)))
    store = find_pictures(
        benchmark("choice", "0.png", choice("c"), boxes={0: (600, 500, 1200, 1000)}), tmp_path / "in"
    ).store
    shown = pixels(store.read(0))
    assert shown.shape == (500, 600, 3)
    assert (shown == (250, 10, 10)).all()


def test_crops_of_one_file_are_told_apart_kept_and_read_from_several_threads(tmp_path: Path) -> None:
    root = folder(tmp_path / "in", "0.png")
    boxes: dict[int, Box] = {0: (0, 0, 10, 10), 1: (20, 20, 12, 8)}
    store = find_pictures(
        benchmark("choice", "0.png 0.png 0.png", *(choice(str(i), i) for i in range(3)), boxes=boxes), root
    ).store
    with ThreadPoolExecutor(8) as pool:
        shapes = [pixels(data).shape[:2] for data in pool.map(store.read, [0, 1, 2] * 10)]
    assert shapes == [(10, 10), (8, 12), (48, 64)] * 10
    kept = store.keep(np.array([2, 1]))
    assert (len(kept), pixels(kept.read(0)).shape[:2], pixels(kept.read(1)).shape[:2]) == (2, (48, 64), (8, 12))


def test_a_picture_cut_short_is_left_out_where_it_is_cropped_and_told_when_it_is_read(tmp_path: Path) -> None:
    root = folder(tmp_path / "in", "0.png 1.jpg 2.png")
    (root / "0.png").write_bytes((root / "0.png").read_bytes()[:20])
    (root / "1.jpg").write_bytes((root / "1.jpg").read_bytes()[:-300])
    boxes: dict[int, Box] = dict.fromkeys(range(3), (0, 0, 9, 9))
    found = find_pictures(
        benchmark("choice", "0.png 1.jpg 2.png", *(choice(str(i), i) for i in range(3)), boxes=boxes), root
    )
    assert found.benchmark.excluded == (("0", "an image cannot be read: 0.png, is not a readable image."),)
    with pytest.raises(InvalidInput, match=r"The image 1\.jpg is damaged or cut short"):
        found.store.read(0)
