"""Pixels of a scene: shaded things with soft shadows on a ground of some texture, at any size.

The same scene gives the same pixels, on the same versions of numpy and Pillow.
"""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from core.systems.composition.scenes.geometry import STRIPE, Surface, surface
from core.systems.composition.scenes.shapes import COLOURS, Scene, Shape

_Floats = npt.NDArray[np.floating[Any]]

_PALE = ("yellow", "white")
"""Colours whose pattern is a darker shade; that of the others is lighter."""
_DOT = 0.46
"""Distance of neighbouring dots, in half sides."""


def render_scene(scene: Scene, size: int = 224) -> Image.Image:
    """The image of a scene: an RGB image of `size` x `size` pixels."""
    rng = np.random.default_rng(scene.seed)
    picture = _ground(scene, size, rng)
    for shape in scene.things:
        _place(picture, shape, scene, size)
    pixels = np.asarray(picture, np.float32) * scene.exposure
    pixels += rng.normal(0, 1.5, (size, size, 1)).astype(np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _place(picture: Image.Image, shape: Shape, scene: Scene, size: int) -> None:
    """Paint the thing, over its shadow."""
    sprite = _sprite(shape, scene, size)
    left = round(shape.x * size - sprite.width / 2)
    top = round(shape.y * size - sprite.height / 2)
    alpha = sprite.getchannel("A")
    light = np.radians(scene.light)
    reach = 0.07 * shape.extent * size
    soft = max(1.0, 0.035 * shape.extent * size)
    pad = int(3 * soft) + 1
    shadow = Image.new("L", (sprite.width + 2 * pad, sprite.height + 2 * pad))
    shadow.paste(alpha, (pad, pad))
    shadow = shadow.filter(ImageFilter.GaussianBlur(soft)).point(lambda v: v * 0.5)
    at = (left - pad - round(reach * np.cos(light)), top - pad + round(reach * np.sin(light)) + 1)
    picture.paste((14, 14, 20), (*at, at[0] + shadow.width, at[1] + shadow.height), shadow)
    picture.paste(sprite.convert("RGB"), (left, top), alpha)


def _sprite(shape: Shape, scene: Scene, size: int) -> Image.Image:
    """The thing alone, shaded at about twice its size, turned and scaled. The colour runs on beyond the outline, so no
    fringe shows."""
    side = shape.extent * size
    n = max(32, int(np.ceil(2 * side / 32)) * 32)
    seen = surface(shape.shape, n)
    pixels = np.concatenate([np.clip(_shaded(shape, seen, scene.light) * 255, 0, 255), seen.alpha[None] * 255]).astype(
        np.uint8
    )
    sprite = Image.fromarray(np.ascontiguousarray(np.moveaxis(pixels, 0, -1))).convert("RGBa")
    sprite = sprite.rotate(shape.angle, Image.Resampling.BICUBIC, expand=True)
    scale = side / n
    return sprite.resize(
        (max(1, round(sprite.width * scale)), max(1, round(sprite.height * scale))), Image.Resampling.LANCZOS
    ).convert("RGBA")


def _shaded(shape: Shape, seen: Surface, azimuth: float) -> _Floats:
    """(3, n, n) colour of the surface under a lamp at `azimuth` and the light of the surroundings, about 0 to 1."""
    angle = np.radians(azimuth)
    lamp = np.array([0.55 * np.cos(angle), 0.55 * np.sin(angle), 0.62], np.float32)
    lamp /= np.linalg.norm(lamp)
    normal = seen.normal
    facing = np.clip(np.tensordot(lamp, normal, 1), 0, 1)
    lit = 0.42 + 0.62 * facing + 0.06 * normal[1]
    base = _albedo(shape, seen)
    if shape.material != "shiny":
        return base * lit
    return _shiny(base, lit, seen, lamp)


def _shiny(base: _Floats, lit: _Floats, seen: Surface, lamp: _Floats) -> _Floats:
    """A polished surface: a hard highlight, a bright sky and a dark ground in its reflection, one soft streak on each
    flat facet."""
    normal = seen.normal
    flat = seen.gleam >= 0
    half = lamp + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    towards = np.where(flat, -1, np.tensordot(half, normal, 1))
    best = float(
        towards[seen.alpha > 0.5].max()
    )  # a cone never faces the lamp fully: its brightest line is its highlight
    spot = _step(towards, best - 0.045 * seen.bend, best - 0.008 * seen.bend)
    mirrored = 2 * normal[2] * normal[1]  # how far up the reflected ray looks
    sky = _step(mirrored, 0.1, 0.35) * (1 - _step(mirrored, 0.55, 0.75)) * 0.3
    rim = (1 - np.clip(normal[2], 0, 1)) ** 3 * 0.55
    streak = (
        0.8 * _step(seen.gleam, 0.42, 0.66) * (1 - _step(seen.gleam, 0.66, 0.70))
    )  # soft: it must not pass for stripes
    white = np.clip(np.where(flat, streak, 0.95 * spot + sky + rim), 0, 1)
    dark = np.where(flat, 0.36 * (1 - _step(seen.gleam, 0.15, 0.62)), 0.20 * _step(-mirrored, 0.02, 0.25))
    dark = (
        dark + (1 - seen.bend) * 0.4 * _step(1 - normal[2], 0.25, 0.6) * ~flat
    )  # the sides of a cone or cylinder mirror what is dark
    deep = base * (lit * 1.12 - 0.12) * (1 - dark)
    return deep + (1 - deep) * white


def _step(values: _Floats, low: float, high: float) -> _Floats:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _albedo(shape: Shape, seen: Surface) -> _Floats:
    """(3, n, n) or (3, 1, 1) colour of the surface before light. Patterns are of the same hue, so that the colour keeps
    one name."""
    red, green, blue = (value / 255 for value in COLOURS[shape.colour])
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    base = np.array(colorsys.hls_to_rgb((hue + shape.hue / 360) % 1, light, saturation), np.float32)
    if shape.material in ("matte", "shiny"):
        return base[:, None, None]
    second = base * 0.36 if shape.colour in _PALE else base + (1 - base) * 0.8
    pattern = _stripes(seen) if shape.material == "striped" else _dots(seen)
    return base[:, None, None] + (second - base)[:, None, None] * pattern


def _stripes(seen: Surface) -> _Floats:
    wave = np.abs((seen.across / STRIPE) % 1 - 0.5) * 2  # 0 in the middle of a stripe, 1 in the middle of a gap
    return 1 - _step(wave, 0.40, 0.52)


def _dots(seen: Surface) -> _Floats:
    row = np.floor(seen.across / (0.866 * _DOT))
    u = ((seen.around / _DOT + 0.5 * (row % 2)) % 1 - 0.5) * _DOT
    v = seen.across - (row + 0.5) * 0.866 * _DOT
    return 1 - _step(np.hypot(u, v), 0.27 * _DOT, 0.34 * _DOT)


def _ground(scene: Scene, size: int, rng: np.random.Generator) -> Image.Image:
    across = np.linspace(-1, 1, size, dtype=np.float32)
    angle = np.radians(scene.light)
    fall = 1 + 0.10 * (np.cos(angle) * across[None, :] - np.sin(angle) * across[:, None])  # brighter towards the lamp
    grey = fall * _texture(scene.ground, size, rng)
    return Image.fromarray(np.clip(grey[..., None] * np.array(scene.tone, np.float32), 0, 255).astype(np.uint8))


def _texture(ground: str, size: int, rng: np.random.Generator) -> _Floats:
    """(size, size) gain around 1."""
    if ground == "cloudy":
        return 1 + 0.13 * _noise(rng, 7, size)
    if ground == "speckled":
        return 1 + 0.065 * _noise(rng, 90, size)
    if ground == "woven":
        steps = np.arange(size, dtype=np.float32) / size * 2 * np.pi * 36
        return 1 + 0.035 * (np.sin(steps)[None, :] + np.sin(steps)[:, None]) + 0.05 * _noise(rng, 5, size)
    return np.ones((size, size), np.float32)


def _noise(rng: np.random.Generator, cells: int, size: int) -> _Floats:
    """(size, size) smooth noise within about -1 to 1, with `cells` knots along each side."""
    knots = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(knots).resize((size, size), Image.Resampling.BICUBIC), np.float32)
