"""Drawn scenes with a simulated detector whose weakness is known: small balls in the dark are missed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.data.samples import DataSet
from core.data.tasks.detection.samples import read_detection_samples
from core.errors import InvalidInput

WIDTH, HEIGHT = 160, 120
CLASSES = ("box", "ball")
SMALL = 16
"""Objects up to so many pixels wide are small."""


@dataclass
class Made:
    folder: Path
    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    weak: set[str] = field(default_factory=set)
    """Ids of the objects with the planted weakness."""

    @property
    def truth(self) -> Path:
        return self.folder / "truth.json"

    @property
    def predictions(self) -> Path:
        return self.folder / "results.json"

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    def write(self, **changes: Any) -> Made:
        """Write both files; a change replaces one of images, annotations, categories and results."""
        categories = [{"id": 10 * (i + 1), "name": name} for i, name in enumerate(CLASSES)]
        document = {"images": self.images, "annotations": self.annotations, "categories": categories}
        self.truth.write_text(json.dumps(document | {k: v for k, v in changes.items() if k != "results"}), "utf-8")
        self.predictions.write_text(json.dumps(changes.get("results", self.results)), "utf-8")
        return self


def make(
    folder: Path, n_images: int = 30, *, seed: int = 0, planted: float = 0.0, missed: float = 0.1, extra: float = 0.3
) -> Made:
    """Draw the scenes; the detector misses a share `planted` of the small balls in the dark and a share `missed` of all
    else."""
    rng, made = np.random.default_rng(seed), Made(folder)
    made.pictures.mkdir(parents=True, exist_ok=True)
    for number in range(n_images):
        name, dark = f"{number:04d}.png", bool(rng.random() < 0.4)
        gain = 0.3 if dark else 1.0
        picture = Image.new("RGB", (WIDTH, HEIGHT), tuple(int(v * gain) for v in rng.integers(110, 200, 3)))
        draw, taken = ImageDraw.Draw(picture), list[tuple[int, int, int]]()
        for _ in range(int(rng.integers(3, 6))):
            _place(made, draw, rng, taken, number, name, dark, planted if dark else 0.0, missed)
        if rng.random() < extra:
            x, y = (int(v) for v in rng.integers(0, 80, 2))
            made.results.append({"image_id": number + 100, "category_id": 10, "bbox": [x, y, 9, 31], "score": 0.4})
        noise = rng.normal(0, 3, (HEIGHT, WIDTH, 3))
        Image.fromarray(np.clip(np.asarray(picture, np.float32) + noise, 0, 255).astype(np.uint8)).save(
            made.pictures / name
        )
        made.images.append(
            {
                "id": number + 100,
                "file_name": name,
                "width": WIDTH,
                "height": HEIGHT,
                "weather": "wet" if rng.random() < 0.5 else "dry",
            }
        )
    return made.write()


def _place(
    made: Made,
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    taken: Any,
    number: int,
    name: str,
    dark: bool,
    planted: float,
    missed: float,
):
    kind, side = int(rng.integers(2)), int(rng.integers(10, 40))
    x, y = int(rng.integers(0, WIDTH - side)), int(rng.integers(0, HEIGHT - side))
    if any(abs(x - a) < max(side, s) and abs(y - b) < max(side, s) for a, b, s in taken):
        return
    taken.append((x, y, side))
    shade = tuple(int(v * (0.3 if dark else 1.0)) for v in (220, 60, 50))
    (draw.ellipse if kind else draw.rectangle)((x, y, x + side - 1, y + side - 1), fill=shade)
    identity = len(made.annotations) + 1
    made.annotations.append(
        {
            "id": identity,
            "image_id": number + 100,
            "category_id": 10 * (kind + 1),
            "bbox": [x, y, side, side],
            "iscrowd": 0,
        }
    )
    weak = dark and kind == 1 and side <= SMALL
    if weak:
        made.weak.add(f"{name}#{identity}")
    if rng.random() >= (planted if weak and planted else missed):
        box = [x + float(rng.normal(0, 0.5)), y + float(rng.normal(0, 0.5)), side, side]
        made.results.append(
            {
                "image_id": number + 100,
                "category_id": 10 * (kind + 1),
                "bbox": box,
                "score": round(float(rng.uniform(0.5, 1)), 3),
            }
        )


def audited(made: Made, **options: Any) -> DataSet:
    return read_detection_samples(made.truth, made.predictions, images=made.pictures, **options)


def column(audit: DataSet, name: str) -> Any:
    return next(c.values for c in (*audit.samples.metadata, *audit.samples.model_outputs) if c.name == name)


def why(audit: DataSet, name: str) -> str:
    return str(dict(audit.excluded).get(name))


def refused(made: Made, match: str, **changes: Any) -> None:
    made.write(**changes)
    with pytest.raises(InvalidInput, match=match):
        audited(made)
