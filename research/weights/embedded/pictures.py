"""Images whose conditions and places are known, because they are made so: for fitting the words of the embedded
encoder.

Stock: npm `@lobehub/fluent-emoji-3d` (MIT, renders), Debian `budgie-backgrounds` (CC0, photographs), npm
`@pmndrs/assets` (CC0, small panoramas) and the CC0 photographs of clothes. Two of the photographs, the Colosseum and
Singapore, are kept out of the fit: `measure_words.py` tests cities on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from core.encoders.embedded.photo_words import CONDITIONS
from core.records import F32
from research.weights.embedded.edits import TINTS, Labels, edited, stored
from research.weights.embedded.grounds import PANORAMAS, PHOTOGRAPHS, SIDE, WATER_YAW, Rng, look, snowed

N_VERSIONS = 4
"""Images made of each base: as it is, twice with one edit, once with two."""
PLACES = ("grass", "snow", "city", "forest", "water", "sand", "indoors", "sky", "mountains")


class FitStock:
    """Cut-outs and grounds of the fit."""

    def __init__(
        self, cutouts: list[Image.Image], photographs: dict[str, Image.Image], panoramas: dict[str, F32]
    ) -> None:
        self.cutouts = cutouts
        self.photographs = photographs
        self.panoramas = panoramas

    def ground(self, rng: Rng) -> tuple[Image.Image, Labels, str]:
        """A square background with its place, and the name of its source."""
        labels: Labels = {name: 0.0 for name in PLACES}
        if rng.random() < 0.5:
            name, place, (left, top, right, bottom) = PHOTOGRAPHS[int(rng.integers(len(PHOTOGRAPHS)))]
            box = np.array([left, top, right, bottom]) * np.tile(self.photographs[name].size, 2)
            photo = self.photographs[name].crop((int(box[0]), int(box[1]), int(box[2]), int(box[3])))
            side = min(photo.size) * rng.uniform(0.6, 1)
            x = rng.uniform(0, photo.width - side)
            y = rng.uniform(0, photo.height - side)
            image = photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, (x, y, x + side, y + side))
        else:
            name, place, (low, high) = PANORAMAS[int(rng.integers(len(PANORAMAS)))]
            yaw = WATER_YAW + rng.uniform(-15, 15) if (name, place) == ("venice", "water") else rng.uniform(0, 360)
            image = look(self.panoramas[name], yaw, rng.uniform(low, high), rng.uniform(60, 95))
        if place in ("grass", "sand", "forest", "city", "mountains") and rng.random() < 0.3:
            image = snowed(image, rng)
            labels["snow"], place = 1.0, "" if place in ("grass", "sand") else place
        if rng.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if rng.random() < 0.6:  # other light and color, so that no place is one hue
            shift = rng.uniform(0.8, 1.2, 3).astype(np.float32) * rng.uniform(0.75, 1.25)
            image = Image.fromarray(np.clip(np.asarray(image, np.float32) * shift, 0, 255).astype(np.uint8))
        if place:
            labels[place] = 1.0
        if place in ("sky", "snow", "") or labels["snow"]:
            labels["sky"] = labels["sky"] if place == "sky" else np.nan
        if place in ("city", "mountains"):
            labels["sky"] = np.nan  # it is often in view
        if not place and not labels["snow"]:
            labels.update(dict.fromkeys(("forest", "grass", "city", "indoors", "mountains"), np.nan))
        return image, labels, name

    def _put(self, image: Image.Image, size: float, x: float, y: float, rng: Rng) -> None:
        cutout = self.cutouts[int(rng.integers(len(self.cutouts)))]
        side = max(6, int(size * SIDE))
        small = cutout.resize(
            (max(1, cutout.width * side // max(cutout.size)), max(1, cutout.height * side // max(cutout.size))),
            Image.Resampling.LANCZOS,
        )
        if rng.random() < 0.5:
            small = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        image.paste(
            small.convert("RGB"),
            (int(x * SIDE - small.width / 2), int(y * SIDE - small.height / 2)),
            small.getchannel("A"),
        )

    def scene(self, rng: Rng) -> tuple[Image.Image, Labels, str]:
        """A cut-out over a plain, a photographed or a cluttered ground, or the ground alone."""
        kind = rng.random()
        if kind < 0.22:
            level = (
                rng.uniform(0, 255, 3) if rng.random() < 0.6 else np.repeat(rng.choice([255.0, 245, 225, 128, 60]), 3)
            )
            slope = np.linspace(-1, 1, SIDE)[:, None, None] * rng.uniform(-25, 25)
            image = Image.fromarray(np.clip(np.broadcast_to(level + slope, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8))
            labels: Labels = {name: 0.0 for name in PLACES} | {
                "plain": 1.0,
                "sky": np.nan,
                "snow": np.nan,
                "light": np.nan,
                "colour": np.nan,
            }
            labels |= dict.fromkeys(TINTS, np.nan)
            source = "plain"
        else:
            image, labels, source = self.ground(rng)
            labels["plain"] = np.nan if labels["sky"] or labels["snow"] else 0.0
            if kind < 0.42:
                for _ in range(int(rng.integers(9, 28))):
                    self._put(image, rng.uniform(0.08, 0.3), *rng.random(2), rng)  # type: ignore[call-arg]
                labels |= {"plain": -1.0, "sky": np.nan, **{name: np.nan for name in PLACES if labels[name]}}
        if kind > 0.88:
            return image, labels | {"small": np.nan, "upright": 0.0}, source
        which = int(rng.integers(3))
        size = rng.uniform(*((0.13, 0.27), (0.36, 0.5), (0.65, 0.95))[which])
        margin = min(0.5, size / 2)
        self._put(image, size, rng.uniform(margin, 1 - margin), rng.uniform(margin, 1 - margin * 0.6), rng)
        return image, labels | {"small": (1.0, 0.0, -1.0)[which] if kind > 0.42 or kind < 0.22 else np.nan}, source


def make_pictures(
    stock: FitStock, clothes: list[Path], n_scenes: int, seed: int
) -> Iterator[tuple[Image.Image, Labels, str]]:
    """Every image as it is and with edits: (image, labels, source). A label that is nan is not known; one that is
    left out is 0."""
    rng = np.random.default_rng(seed)
    unknown = dict.fromkeys(("plain", "small", "indoors", "grass", "mountains", "light", "colour", "blur"), np.nan)
    for number in range(n_scenes + len(clothes)):
        if number < n_scenes:
            image, labels, source = stock.scene(rng)
        else:
            path = clothes[number - n_scenes]
            photo = Image.open(path).convert("RGB")
            side = min(photo.size)
            x = (photo.width - side) / 2
            y = (photo.height - side) / 2
            image = photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, (x, y, x + side, y + side))
            labels = {**unknown, **dict.fromkeys(TINTS, np.nan)}
            source = f"clothes {number % 10}"
        yield stored(image, rng), labels, source
        for n_edits in (1, 1, 2):
            changed, changed_labels = edited(image, labels, rng, n_edits)
            yield stored(changed, rng), changed_labels, source


def label_matrix(labels: list[Labels]) -> F32:
    """(n, len(CONDITIONS)), nan where not known."""
    return np.array([[row.get(name, 0.0) for name in CONDITIONS] for row in labels], np.float32)
