"""Noise is told from texture, flat and drawn images have none, and white noise has its own deviation."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.data.images.decoding import decode
from core.data.images.noise import noise, quantile
from core.data.images.properties import measure_properties
from core.records import F32
from tests.support.pictures import blobs, encoded


def plane(seed: int = 0, sides: tuple[int, int] = (192, 256)) -> F32:
    """A smooth random image's luma."""
    return np.asarray(blobs(seed, (sides[1], sides[0])).convert("L"), np.float32) / np.float32(255)


def noisy(luma: F32, deviation: float, seed: int = 0) -> F32:
    return (luma + np.random.default_rng(seed).normal(0, deviation, luma.shape)).astype(np.float32)


def grass(calm: bool, seed: int = 0) -> F32:
    """Fine random blades over a meadow; above it a sky, if there is anything calm in the image."""
    luma = noisy(plane(seed), 0.15, seed)
    if calm:
        luma[:40] = plane(seed + 1)[:40]
    return np.clip(luma, 0, 1)


@pytest.mark.parametrize("deviation", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("sides", [(192, 256), (224, 224), (48, 64)])
def test_white_noise_has_its_own_deviation(deviation: float, sides: tuple[int, int]) -> None:
    grey = np.full(sides, 0.5, np.float32)
    assert noise(noisy(grey, deviation)) == pytest.approx(deviation, rel=0.15)


def test_noise_is_told_from_texture_that_leaves_some_place_out() -> None:
    meadow = grass(calm=True)
    assert noise(meadow) < 0.002
    assert noise(noisy(meadow, 0.03)) > 0.02


def test_texture_over_the_whole_picture_counts_as_noise() -> None:
    assert noise(grass(calm=False)) > 0.1  # nothing can tell the two apart; said in docs/evidence/properties.md


def test_noise_grows_with_the_noise_and_lasts_through_a_jpeg_file() -> None:
    def of(deviation: float) -> float:
        pixels = np.clip(noisy(plane(3), deviation), 0, 1) * 255
        picture = Image.fromarray(pixels.astype(np.uint8)).convert("RGB")
        return float(measure_properties(decode(encoded(picture, "JPEG", quality=90)))["noise"])

    found = [of(deviation) for deviation in (0, 0.02, 0.05, 0.1)]
    assert found == sorted(found)
    assert found[0] < 0.003
    assert found[2] > 0.03


def test_a_compressed_picture_is_not_noisy() -> None:
    assert measure_properties(decode(encoded(blobs(1, (300, 200)), "JPEG", quality=8)))["noise"] < 0.003


def test_a_printed_page_and_a_drawing_have_no_noise() -> None:
    page = Image.new("RGB", (256, 200), "white")
    draw = ImageDraw.Draw(page)
    for top in range(4, 190, 14):
        draw.text((6, top), "the quick brown fox jumps over the dog", fill="black", font_size=11)
    assert measure_properties(decode(encoded(page)))["noise"] == 0
    drawing = Image.new("RGB", (200, 200), "#3366cc")
    ImageDraw.Draw(drawing).ellipse((30, 30, 150, 120), fill="orange", outline="black")
    assert measure_properties(decode(encoded(drawing)))["noise"] == 0


def test_what_is_clipped_says_nothing_and_the_rest_is_measured() -> None:
    half = noisy(np.full((192, 256), 0.5, np.float32), 0.04)
    half[:, 60:] = 1.0
    assert noise(half) == pytest.approx(0.04, rel=0.2)
    assert noise(np.ones((192, 256), np.float32)) == noise(np.zeros((192, 256), np.float32)) == 0


@pytest.mark.parametrize("sides", [(1, 1), (1, 90), (7, 7), (7, 200)])
def test_a_picture_without_a_patch_has_none(sides: tuple[int, int]) -> None:
    assert noise(noisy(np.full(sides, 0.5, np.float32), 0.1)) == 0


def test_noise_cancels_neither_with_a_slope_nor_with_a_straight_edge() -> None:
    slope = np.linspace(0.2, 0.8, 256, dtype=np.float32)[None].repeat(192, 0)
    assert noise(slope) < 1e-6
    slope[:, 128:] -= 0.15
    assert noise(slope) < 1e-6


def test_a_quantile_is_numpy_s() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 50, 1001):
        values = rng.random(n, np.float32)
        for share in (0.0, 0.01, 0.02, 0.5, 1.0):
            assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), abs=1e-7)


def test_bands_of_rows_leave_no_patch_out() -> None:
    """Taller than one band, with rows left over: as measured on all patches at once."""
    luma = noisy(plane(1, (101, 60)), 0.02)
    bend = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    answers = np.abs(bend[:, :-2] - 2 * bend[:, 1:-1] + bend[:, 2:])[:96, :54]
    medians = np.median(answers.reshape(16, 6, 9, 6).transpose(0, 2, 1, 3).reshape(144, 36), 1)
    assert noise(luma) == pytest.approx(np.quantile(medians, 0.02) / 6 / 0.6745 / 0.56, rel=1e-5)
