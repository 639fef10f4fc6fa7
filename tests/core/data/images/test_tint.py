"""A tint lies over the whites and the blacks too; a lawn does not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.data.images.decoding import decode
from core.data.images.properties import measure_properties
from core.data.images.tint import HUES, minkowski_mean, tint
from core.records import F32
from tests.support.pictures import blobs, encoded, plain

COLOURS = {
    "red": (1, 0.15, 0.15),
    "orange": (1, 0.55, 0.1),
    "yellow": (1, 0.95, 0.15),
    "green": (0.25, 1, 0.25),
    "blue": (0.15, 0.3, 1),
    "purple": (0.7, 0.2, 1),
}


def scene(ground: tuple[float, float, float] = (0.35, 0.33, 0.3), share: float = 0.7) -> F32:
    """(n, 3) a ground of one color in shades, with something white, something black and grays."""
    rng = np.random.default_rng(0)
    many = int(share * 4000)
    shades = np.array(ground, np.float32) * rng.uniform(0.4, 1.4, (many, 1)).astype(np.float32)
    greys = np.repeat(rng.uniform(0.02, 0.97, (4000 - many, 1)), 3, axis=1).astype(np.float32)
    return np.clip(np.concatenate([shades, greys]), 0, 1)


def cast(pixels: F32, colour: tuple[float, float, float], strength: float = 0.6) -> F32:
    """As through a gel of that color."""
    return (pixels * (1 - strength + strength * np.array(colour))).astype(np.float32)


def veil(pixels: F32, colour: tuple[float, float, float], strength: float = 0.35) -> F32:
    """As under a layer of that color."""
    return (pixels * (1 - strength) + strength * np.array(colour)).astype(np.float32)


@pytest.mark.parametrize("name", HUES)
def test_a_gel_and_a_veil_of_a_colour_have_its_name(name: str) -> None:
    assert tint(cast(scene(), COLOURS[name]))[1] == name
    assert tint(veil(scene(), COLOURS[name]))[1] == name


@pytest.mark.parametrize("ground", [(0.2, 0.5, 0.12), (0.15, 0.35, 0.75), (0.7, 0.6, 0.35), (0.8, 0.1, 0.1)])
def test_a_lawn_a_sea_sand_and_a_red_wall_are_no_tint(ground: tuple[float, float, float]) -> None:
    strength, name = tint(scene(ground))
    assert name == "none"
    assert strength < 0.15


def test_a_tinted_lawn_is_tinted() -> None:
    assert tint(cast(scene((0.2, 0.5, 0.12)), COLOURS["green"]))[1] == "green"
    assert tint(cast(scene((0.2, 0.5, 0.12)), COLOURS["blue"], 0.7))[1] == "blue"


def test_strength_grows_with_the_tint() -> None:
    found = [tint(cast(scene(), COLOURS["yellow"], strength))[0] for strength in (0, 0.2, 0.4, 0.6, 0.8)]
    assert found == sorted(found)
    assert found[0] < 0.05


def test_grey_and_black_pictures_have_no_tint() -> None:
    grey = blobs(2).convert("L").convert("RGB")
    found = measure_properties(decode(encoded(grey)))
    assert (found["tint"], found["tint strength"]) == ("none", 0)
    assert tint(np.zeros((50, 3), np.float32)) == (0, "none")
    nearly = np.zeros((50, 3), np.float32)
    nearly[:, 0] = 2 / 255
    assert tint(nearly)[1] == "none"
    assert tint(np.zeros((0, 3), np.float32)) == (0, "none")


def test_a_picture_of_one_colour_counts_as_tinted() -> None:
    assert measure_properties(decode(encoded(plain((20, 60, 220)))))["tint"] == "blue"


def test_the_mean_lies_between_the_plain_mean_and_the_highest_value() -> None:
    pixels = scene()
    light = minkowski_mean(pixels)
    assert (light > pixels.mean(0)).all()
    assert (light <= pixels.max(0) + 1e-6).all()
    plain_loop = (pixels.astype(np.float64) ** 24).mean(0) ** (1 / 24)
    np.testing.assert_allclose(light, plain_loop, rtol=1e-4)


def test_the_tint_does_not_depend_on_the_size_of_the_picture() -> None:
    picture = Image.fromarray((cast(scene(), COLOURS["orange"]).reshape(50, 80, 3) * 255).astype(np.uint8))
    sizes = [measure_properties(decode(encoded(picture.resize(size)))) for size in ((80, 50), (400, 250), (640, 400))]
    assert {found["tint"] for found in sizes} == {"orange"}
