"""Measured properties: known answers and invariances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from core.data.images.decoding import decode
from core.data.images.properties import PROPERTIES, measure_properties
from core.data.modality import measured_columns
from tests.support.pictures import blobs, encoded, plain


def of(image: Image.Image, file_format: str = "PNG") -> dict[str, Any]:
    return measure_properties(decode(encoded(image, file_format)))


def test_every_property_has_a_unit_and_a_column() -> None:
    measured = [of(blobs(0)), of(plain("red"))]
    assert set(measured[0]) == set(PROPERTIES)
    made = measured_columns(PROPERTIES, measured)
    assert [column.name for column in made] == list(PROPERTIES)
    categories = {column.name for column in made if column.kind == "category"}
    assert categories == {"grey", "dominant color", "tint", "file format"}
    assert all(np.isfinite(column.values).all() for column in made if column.kind == "number")


def test_black_white_and_grey_have_known_answers() -> None:
    black, white, grey = of(plain("black")), of(plain("white")), of(plain((128, 128, 128)))
    assert (black["brightness"], white["brightness"]) == (0, 1)
    assert grey["brightness"] == pytest.approx(128 / 255)
    assert (black["underexposed share"], white["overexposed share"]) == (1, 1)
    assert (grey["underexposed share"], grey["overexposed share"]) == (0, 0)
    for flat in (black, white, grey):
        assert (
            flat["contrast"]
            == flat["entropy"]
            == flat["edge density"]
            == flat["colourfulness"]
            == flat["saturation"]
            == flat["noise"]
            == flat["tint strength"]
            == 0
        )
        assert flat["blur"] == flat["plain border"] == 1
        assert (flat["grey"], flat["tint"]) == ("grey", "none")
    assert [flat["dominant color"] for flat in (black, white, grey)] == ["black", "white", "grey"]


def test_half_black_half_white_has_known_answers() -> None:
    image = plain("black")
    image.paste("white", (20, 0, 40, 30))
    found = of(image)
    assert found["brightness"] == pytest.approx(0.5)
    assert found["contrast"] == pytest.approx(0.5)
    assert found["entropy"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((220, 20, 20), "red"),
        ((250, 150, 20), "orange"),
        ((110, 60, 20), "brown"),
        ((240, 230, 30), "yellow"),
        ((30, 160, 40), "green"),
        ((30, 200, 210), "cyan"),
        ((20, 40, 200), "blue"),
        ((130, 30, 180), "purple"),
        ((255, 105, 180), "pink"),
        ((255, 182, 193), "pink"),
    ],
)
def test_colours_bear_their_names(colour: tuple[int, int, int], name: str) -> None:
    found = of(plain(colour))
    assert found["dominant color"] == name
    assert found["grey"] == "colour"


def test_colourfulness_is_the_published_formula() -> None:
    image = blobs(3)
    red, green, blue = np.asarray(image, float).transpose(2, 0, 1)
    rg, yb = red - green, (red + green) / 2 - blue
    expected = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert of(image)["colourfulness"] == pytest.approx(expected, rel=1e-4)


def noisy(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (200, 200), np.uint8)).convert("RGB")


def test_blur_grows_with_blurring_and_ignores_contrast_and_turning() -> None:
    steps = [of(noisy().filter(ImageFilter.GaussianBlur(radius)))["blur"] for radius in (0, 1, 2, 4)]
    assert steps == sorted(steps)
    assert steps[0] < 0.2
    assert steps[-1] > 0.5
    pale = Image.blend(plain((128, 128, 128), (200, 200)), noisy(), 0.5)
    assert of(pale)["blur"] == pytest.approx(steps[0], abs=0.02)
    assert of(noisy().transpose(Image.Transpose.ROTATE_90))["blur"] == pytest.approx(steps[0], abs=1e-6)


def test_properties_of_the_picture_hardly_depend_on_its_size() -> None:
    large, small = of(blobs(2, (1200, 900))), of(blobs(2, (400, 300)))
    for name in ("brightness", "contrast", "saturation", "plain border", "aspect ratio"):
        assert large[name] == pytest.approx(small[name], abs=0.02)
    assert large["megapixels"] == pytest.approx(1.08)
    assert (large["width"], large["height"]) == (1200, 900)


def test_a_plain_border_is_told_from_a_busy_one() -> None:
    product = plain("white", (200, 200))
    product.paste(noisy().resize((100, 100)), (50, 50))
    assert of(product)["plain border"] == 1
    assert of(noisy())["plain border"] < 0.3


def test_file_facts_come_from_the_bytes() -> None:
    data = encoded(blobs(0), "JPEG")
    found = measure_properties(decode(data))
    assert found["file format"] == "JPEG"
    assert found["file size"] == len(data) / 1000


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2, 2), (50, 1)])
def test_the_smallest_pictures_are_measured_too(size: tuple[int, int]) -> None:
    found = of(plain((10, 200, 30), size))
    assert found["dominant color"] == "green"
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))


def by_the_formulas(image: Image.Image) -> dict[str, float]:
    """Some of the properties as their definitions say, on fractions of the range and without any shortcut."""
    rgb = np.asarray(image, np.float32) / np.float32(255)
    luma = np.asarray(image.convert("L"), np.float32) / np.float32(255)
    high, chroma = rgb.max(2), rgb.max(2) - rgb.min(2)
    height, width = luma.shape
    depth = max(min(height, width) // 20, 1)
    ring = np.ones((height, width), np.bool_)
    ring[depth : height - depth, depth : width - depth] = False
    border = rgb[ring]
    down = luma[:-2] + 2 * luma[1:-1] + luma[2:]
    across = luma[:, :-2] + 2 * luma[:, 1:-1] + luma[:, 2:]
    edges = np.hypot(down[:, 2:] - down[:, :-2], across[2:] - across[:-2]) / 8 > 0.1

    def blurred(plane: np.ndarray) -> float:
        padded = np.pad(plane.astype(np.float64), ((4, 4), (0, 0)), mode="edge")
        smooth = np.lib.stride_tricks.sliding_window_view(padded, 9, axis=0).mean(-1)
        steps = np.abs(np.diff(plane.astype(np.float64), axis=0))
        return 1 - np.maximum(steps - np.abs(np.diff(smooth, axis=0)), 0).sum() / steps.sum()

    return {
        "brightness": luma.mean(),
        "contrast": luma.astype(np.float64).std(),
        "saturation": (chroma / np.maximum(high, 1e-6)).mean(),
        "blur": max(blurred(luma), blurred(luma.T)),
        "edge density": edges.mean(),
        "underexposed share": (luma < 0.05).mean(),
        "overexposed share": (luma > 0.95).mean(),
        "plain border": (np.abs(border - np.median(border, 0)).max(1) <= 0.08).mean(),
    }


@pytest.mark.parametrize("size", [(256, 192), (31, 256), (97, 98), (50, 3), (4, 60)])
@pytest.mark.parametrize("smooth", [True, False])
def test_the_properties_are_what_their_formulas_say(size: tuple[int, int], smooth: bool) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (*size[::-1], 3), np.uint8)
    image = blobs(5, size) if smooth else Image.fromarray(noise)
    found = of(image)
    for name, expected in by_the_formulas(image).items():
        assert found[name] == pytest.approx(float(expected), abs=1e-6), name
