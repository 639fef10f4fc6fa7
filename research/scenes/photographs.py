"""Scenes rendered on purpose, with every factor known: cut-outs over photographs, in weather and light.

A `SceneSpec` says everything about one image in units of its side, so the same scene renders at any size; `render`
turns it into pixels and `caption` into words. The same spec gives the same pixels, on the same version of Pillow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from core.errors import InvalidInput
from core.records import F32

Weather = Literal["clear", "fog", "snow"]
Light = Literal["bright", "dim", "dark"]
Size = Literal["small", "medium", "large"]

SIZES: Mapping[str, tuple[float, float]] = {"small": (0.25, 0.33), "medium": (0.42, 0.54), "large": (0.60, 0.74)}
"""Longest side of the object as a share of the image's side; the gaps keep the three apart."""
EXPOSURES: Mapping[str, tuple[float, float]] = {"bright": (0.95, 1.12), "dim": (0.62, 0.74), "dark": (0.33, 0.43)}
"""Gain on the pixel values: the levels do not meet."""
_TONES: Mapping[str, tuple[float, float, float]] = {
    "bright": (1.0, 1.0, 1.0),
    "dim": (1.08, 0.98, 0.88),
    "dark": (0.80, 0.94, 1.32),
}
_GROUND_MEAN = 118.0
"""Mean pixel value (0 to 255) toward which the photograph is exposed."""
_WEATHERS: Mapping[str, str] = {"clear": "", "fog": "in fog", "snow": "in falling snow"}


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One cut-out and where it stands. Lengths are shares of the image's side."""

    label: str
    identity: str
    """Key of the cut-out."""
    size: float
    """Longest side of the cut-out, in (0, 1]."""
    x: float
    """Middle of the foot, from the left."""
    y: float
    """The foot, from the top."""
    angle: float = 0.0
    """Degrees, counter-clockwise."""
    mirrored: bool = False

    def size_name(self) -> str:
        """The nearest of "small", "medium" and "large"."""
        return min(SIZES, key=lambda name: abs(self.size - sum(SIZES[name]) / 2))

    def position(self) -> str:
        """ "left", "middle" or "right", by thirds."""
        return ("left", "middle", "right")[min(2, int(self.x * 3))]


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """All factors of one image; the objects are painted in order, so the last one is in front."""

    objects: tuple[SceneObject, ...]
    photograph: str
    environment: str
    """What the photograph shows, such as "city"."""
    crop: tuple[float, float, float]
    """Left, top and side of the square cut from the photograph, as shares of its width, its height and its shorter
    side."""
    weather: Weather = "clear"
    light: Light = "bright"
    exposure: float = 1.0
    blur: float = 0.0
    """Standard deviation of the blur of the photograph (not of the object), as a share of the side."""
    mirrored: bool = False
    seed: int = 0
    """Drives the flakes and the grain."""

    def __post_init__(self) -> None:
        if self.weather not in _WEATHERS or self.light not in _TONES:
            raise InvalidInput(
                f"A scene's weather is one of {list(_WEATHERS)} and its light one of {list(_TONES)}: "
                f"got {self.weather!r} and {self.light!r}."
            )
        if not 0 < self.crop[2] <= 1 or min(self.crop[:2]) < 0:
            raise InvalidInput(
                f"A scene's crop needs a side in (0, 1] and a corner inside the photograph: got {self.crop}."
            )
        for thing in self.objects:
            if not 0 < thing.size <= 1:
                raise InvalidInput(
                    f"The size of {thing.identity!r} must be in (0, 1], a share of the picture's "
                    f"side: got {thing.size}."
                )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def caption(spec: SceneSpec) -> str:
    """One true English sentence, without capital or full stop, for instance "a small bird on the left, in fog, in the
    dark, with a lake behind"."""
    things = " and ".join(_name(thing) for thing in spec.objects) or "nothing"
    light = {"bright": "", "dim": "in dim light", "dark": "in the dark"}[spec.light]
    return ", ".join(
        part for part in (things, _WEATHERS[spec.weather], light, f"with {_article(spec.environment)} behind") if part
    )


def _name(thing: SceneObject) -> str:
    size = {"small": "small ", "medium": "", "large": "large "}[thing.size_name()]
    place = {"left": "on the left", "middle": "in the middle", "right": "on the right"}[thing.position()]
    return f"{_article(size + thing.label)} {place}"


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def render(
    spec: SceneSpec, cutouts: Mapping[str, Image.Image], photographs: Mapping[str, Image.Image], *, size: int = 256
) -> Image.Image:
    """The image of a scene.

    Args:
        cutouts: RGBA images by identity, the object on a transparent ground.
        photographs: RGB images by name.
        size: side of the square result in pixels.

    Returns:
        An RGB image of size x size.

    Raises:
        InvalidInput: a cut-out or a photograph of the spec is not there.
    """
    ground = _ground(spec, _named(photographs, spec.photograph, "photograph"), size)
    rng = np.random.default_rng(spec.seed)
    if spec.weather == "fog":  # the far ground is hidden more than the near object
        ground = Image.blend(ground, Image.new("RGB", ground.size, (206, 212, 218)), 0.55)
    cast = np.asarray(ground, np.float32).mean((0, 1))
    for thing in spec.objects:
        ground = _place(ground, thing, _named(cutouts, thing.identity, "cut-out"), cast)
    return _lit(_weathered(ground, spec.weather, rng), spec, rng)


def _named(images: Mapping[str, Image.Image], name: str, kind: str) -> Image.Image:
    if name not in images:
        raise InvalidInput(
            f"The scene needs the {kind} {name!r}, which is not among the {len(images)} given. "
            "Add it or change the scene."
        )
    return images[name]


def _ground(spec: SceneSpec, photograph: Image.Image, size: int) -> Image.Image:
    width, height = photograph.size
    side = spec.crop[2] * min(width, height)
    left = min(spec.crop[0] * width, width - side)
    top = min(spec.crop[1] * height, height - side)
    ground = photograph.convert("RGB").resize(
        (size, size), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side)
    )
    if spec.mirrored:
        ground = ImageOps.mirror(ground)
    # photographs of dusk and noon are brought to a like brightness, so that `light` alone says how dark a scene is
    gain = float(np.clip(_GROUND_MEAN / max(float(np.asarray(ground).mean()), 1.0), 0.8, 1.9))
    ground = ground.point(lambda v: v * gain)
    return ground.filter(ImageFilter.GaussianBlur(spec.blur * size)) if spec.blur else ground


def _place(ground: Image.Image, thing: SceneObject, cutout: Image.Image, cast: F32) -> Image.Image:
    """Paint the object with a soft shadow at its foot and a little of the ground's color in it."""
    size = ground.width
    sprite = _sprite(thing, cutout, size)
    left = round(thing.x * size - sprite.width / 2)
    foot = round(thing.y * size)
    alpha = sprite.getchannel("A")
    shadow = Image.new("L", ground.size)
    flat = alpha.resize((round(sprite.width * 1.06), max(2, round(sprite.height * 0.16))), Image.Resampling.BILINEAR)
    shadow.paste(flat, (left - round(sprite.width * 0.03), foot - round(flat.height * 0.62)))
    shadow = shadow.filter(ImageFilter.GaussianBlur(max(0.6, 0.035 * sprite.height))).point(lambda v: v * 0.55)
    ground = Image.composite(Image.new("RGB", ground.size, (8, 10, 16)), ground, shadow)
    tint = 1 + 0.22 * (cast / max(float(cast.mean()), 1.0) - 1)  # (3,), hue of the ground, mean 1
    pixels = np.clip(np.asarray(sprite.convert("RGB"), np.float32) * tint, 0, 255).astype(np.uint8)
    ground.paste(Image.fromarray(pixels), (left, foot - sprite.height), alpha)
    return ground


def _sprite(thing: SceneObject, cutout: Image.Image, size: int) -> Image.Image:
    """The cut-out turned, trimmed and scaled. Colors are premultiplied on the way, so that no fringe of the hidden
    ground appears."""
    sprite = cutout.convert("RGBA").convert("RGBa")
    if thing.mirrored:
        sprite = ImageOps.mirror(sprite)
    sprite = sprite.rotate(thing.angle, Image.Resampling.BICUBIC, expand=True)
    box = sprite.getchannel("a").point([0] * 9 + [255] * 247).getbbox()  # faint rims do not count
    if box is None:
        raise InvalidInput(f"The cut-out {thing.identity!r} is wholly transparent. Leave it out.")
    sprite = sprite.crop(box)
    scale = thing.size * size / max(sprite.size)
    return sprite.resize(
        (max(1, round(sprite.width * scale)), max(1, round(sprite.height * scale))), Image.Resampling.LANCZOS
    ).convert("RGBA")


def _weathered(picture: Image.Image, weather: Weather, rng: np.random.Generator) -> Image.Image:
    if weather == "fog":
        return Image.blend(picture, Image.new("RGB", picture.size, (206, 212, 218)), 0.28)
    if weather == "snow":
        veiled = Image.blend(picture, Image.new("RGB", picture.size, (226, 232, 240)), 0.22)
        return Image.composite(Image.new("RGB", picture.size, (250, 252, 255)), veiled, _flakes(picture.width, rng))
    return picture


def _flakes(size: int, rng: np.random.Generator) -> Image.Image:
    """An "L" mask of about two hundred soft flakes, drawn at twice the size."""
    mask = Image.new("L", (2 * size, 2 * size))
    draw = ImageDraw.Draw(mask)
    for x, y, u, v in rng.random((190, 4)):
        radius = 2 * size * (0.0035 + 0.011 * u**3)  # many small, few large
        shape = (2 * size * x - radius, 2 * size * y - radius, 2 * size * x + radius, 2 * size * y + radius)
        draw.ellipse(shape, fill=round(255 * (0.6 + 0.4 * v)))
    return mask.filter(ImageFilter.GaussianBlur(0.004 * size)).resize((size, size), Image.Resampling.BOX)


def _lit(picture: Image.Image, spec: SceneSpec, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture, np.float32) * (np.array(_TONES[spec.light], np.float32) * spec.exposure)
    if spec.light == "dark":  # corners fall off further
        across = np.linspace(-1, 1, picture.width, dtype=np.float32) ** 2
        pixels *= (1 - 0.22 * np.clip(across[:, None] + across[None, :], 0, 2))[..., None]
    grain = rng.normal(0, 2.0, (picture.height, picture.width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
