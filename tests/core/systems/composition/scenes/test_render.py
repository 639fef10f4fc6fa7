"""An image shows what its scene says: the place, the colour, the pattern, the size; and the same scene gives the same
pixels."""

import colorsys
from dataclasses import replace

import numpy as np
import pytest

from core.systems.composition.scenes.geometry import surface
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.shapes import COLOURS, GROUNDS, MATERIALS, SHAPES, Scene, Shape

THING = Shape("ball", "red", "matte", "large", 0.6, 0.4, 0.4)
HUES = {name: colorsys.rgb_to_hsv(*(v / 255 for v in rgb))[0] for name, rgb in COLOURS.items() if name != "white"}


def seen(thing: Shape, size: int = 224, ground: str = "plain") -> tuple[np.ndarray, np.ndarray]:
    """(pixels of the image, where it differs by much from the empty ground)."""
    scene = Scene((thing,), ground=ground, tone=(128, 128, 128), seed=4)
    pixels, empty = (np.asarray(render_scene(s, size), float) for s in (scene, replace(scene, things=())))
    coloured = np.ptp(pixels, 2) > 40 if thing.colour != "white" else np.abs(pixels - empty).max(2) > 60
    return pixels, coloured


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_same_scene_gives_the_same_pixels_and_another_seed_does_not(ground: str):
    scene = Scene((THING,), ground=ground, seed=1)
    first, again, other = (np.asarray(render_scene(s, 96)) for s in (scene, scene, replace(scene, seed=2)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("size", [64, 224, 300])
def test_a_picture_has_the_size_that_was_asked_for(size: int):
    picture = render_scene(Scene((THING,)), size)
    assert (picture.size, picture.mode) == ((size, size), "RGB")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_thing_stands_where_its_scene_says_and_is_as_large(shape: str):
    _, where = seen(replace(THING, shape=shape))
    rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    middle = (columns[0] + columns[-1]) / 2 / 224, (rows[0] + rows[-1]) / 2 / 224
    assert middle == pytest.approx((0.6, 0.4), abs=0.02)
    longest = max(np.ptp(columns), np.ptp(rows)) / 224
    assert longest == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("colour", list(HUES))
@pytest.mark.parametrize("material", MATERIALS)
def test_the_hue_that_is_seen_most_is_nearest_to_the_named_colour(colour: str, material: str):
    for shape in SHAPES:
        pixels, where = seen(Shape(shape, colour, material, "small", 0.5, 0.5, 0.21))
        rgb = np.median(pixels[where], 0) / 255
        hue = colorsys.rgb_to_hsv(*rgb)[0]
        nearest = min(HUES, key=lambda name: abs((hue - HUES[name] + 0.5) % 1 - 0.5))
        assert nearest == colour, (shape, colour, material)


def test_white_things_stay_nearly_without_hue():
    for shape in SHAPES:
        pixels, where = seen(Shape(shape, "white", "matte", "large", 0.5, 0.5, 0.4))
        assert np.ptp(pixels[where], 1).mean() < 8


@pytest.mark.parametrize("extent", [0.2, 0.4])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("colour", ["red", "yellow", "white", "blue"])
def test_the_four_materials_of_a_thing_look_different_at_224_pixels(shape: str, extent: float, colour: str):
    size = "small" if extent < 0.3 else "large"
    pictures = {material: seen(Shape(shape, colour, material, size, 0.5, 0.5, extent)) for material in MATERIALS}
    inside = surface(shape, 64).alpha.mean() * (extent * 224) ** 2
    for a in MATERIALS:
        for b in MATERIALS:
            if a < b:
                apart = np.abs(pictures[a][0] - pictures[b][0]).mean(2) > 24
                assert apart.sum() / inside > 0.12, (a, b)  # share of the thing's pixels that differ visibly


def test_a_thing_in_front_hides_one_behind():
    behind, front = replace(THING, colour="red"), replace(THING, colour="blue")
    middle = np.asarray(render_scene(Scene((behind, front))))[90, 134].astype(int)
    assert middle[2] > middle[0] + 60


def test_light_comes_from_where_the_scene_says():
    right, left = (
        np.asarray(render_scene(Scene((replace(THING, x=0.5, y=0.5),), light=light)), float).sum(2)
        for light in (0.0, 180.0)
    )
    assert right[112, 140] > right[112, 84] + 30
    assert left[112, 84] > left[112, 140] + 30


@pytest.mark.parametrize("shape", SHAPES)
def test_a_surface_fills_its_square_and_its_normals_are_unit_and_face_the_eye(shape: str):
    found = surface(shape, 96)
    solid = found.alpha > 0.99
    edges = [found.alpha[0], found.alpha[-1], found.alpha[:, 0], found.alpha[:, -1]]
    assert sum(edge.max() > 0 for edge in edges) >= 2  # the longest side touches both ends
    np.testing.assert_allclose(np.linalg.norm(found.normal[:, solid], axis=0), 1, atol=1e-5)
    assert found.normal[2, solid].min() > -1e-6
