"""Are noise told from texture and a tint from a scene of one color? Estimators side by side on photographs.

    python -m research.evidence.picture_properties noise DATA --half report
    python -m research.evidence.picture_properties tint DATA --half report
    python -m research.evidence.picture_properties cost DATA

DATA holds flickr8k/ (only its training part is read: the rest belongs to the benchmark of names), imagenet_sample/,
clothing/ and cifar10/. Each set is shuffled once; settings were chosen on first halves ("tune"), with other edits'
seeds. All images go through a JPEG file after the edit. An AUROC is over single images.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter
from threadpoolctl import threadpool_limits

from core.data.images.decoding import decode
from core.data.images.noise import noise
from core.data.images.properties import SIDE, measure_properties, shrink
from core.data.images.tint import tint
from core.records import F32, F64
from core.statistics.ranking import auroc
from research.evidence.noise_estimators import donoho, immerkaer, weak_textured

Edit = Callable[[Image.Image, np.random.Generator], Image.Image]
Measures = Mapping[str, Callable[[F32], float]]
"""Estimators by name."""
SETS = ("flickr8k", "imagenet_sample", "clothing", "cifar10")
TEXTURED = {
    "grass": r"\bgrass|\blawn",
    "sand, gravel, fur, leaves, rocks": r"\bsand\b|\bsandy|\bgravel|\bfur\b|\bfurry|\bleaves|\brocks\b",
}
COLOURED = {
    "lawn": r"\bgrass|\blawn",
    "water": r"\bwater|\bocean|\bpool\b|\blake",
    "sand": r"\bsand|\bbeach|\bdesert",
    "snow": r"\bsnow",
}
GELS = {
    "red": (1, 0.15, 0.15),
    "orange": (1, 0.55, 0.1),
    "yellow": (1, 0.95, 0.15),
    "green": (0.25, 1, 0.25),
    "blue": (0.15, 0.3, 1),
    "purple": (0.75, 0.2, 1),
}


def _half(rows: Sequence[Path | bytes], half: str, n: int) -> list[Image.Image]:
    middle = len(rows) // 2
    chosen = rows[:middle] if half == "tune" else rows[middle:]
    return [Image.open(io.BytesIO(r) if isinstance(r, bytes) else r).convert("RGB") for r in chosen[:n]]


def photographs(name: str, data: Path, half: str, n: int) -> list[Image.Image]:
    """At most n of a set's half, in an order drawn once. CIFAR-10's are enlarged to 224 pixels."""
    if name == "cifar10":
        stored = pd.read_parquet(data / name / "cifar10.parquet").sample(frac=1, random_state=1)
        small = _half([image["bytes"] for image in stored["image"]], half, n)
        return [image.resize((224, 224), Image.Resampling.BICUBIC) for image in small]
    if name == "flickr8k":
        return _captioned(data, half, n, "")
    index = pd.read_csv(data / name / "index.csv").sample(frac=1, random_state=1)
    return _half([data / name / file for file in index["file"]], half, n)


def _captioned(data: Path, half: str, n: int, pattern: str) -> list[Image.Image]:
    """Of the training part, those whose captions mention the pattern three times at least."""
    table = pd.read_csv(data / "flickr8k" / "captions.csv")
    table = table[table["split"] == "train"].sample(frac=1, random_state=1)
    texts = table[[f"caption_{i}" for i in range(5)]].astype(str).agg(" ".join, axis=1).str.lower()
    kept = table[texts.str.count(pattern) >= 3] if pattern else table
    return _half([data / "flickr8k" / "images" / file for file in kept["file"]], half, n)


def _pixels(image: Image.Image) -> F64:
    return np.asarray(image, np.float64) / 255


def _picture(pixels: F64) -> Image.Image:
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8))


def compressed(image: Image.Image, quality: int = 92) -> Image.Image:
    memory = io.BytesIO()
    image.save(memory, "JPEG", quality=quality)
    return Image.open(memory).convert("RGB")


def grain(deviation: float, *, channels: int = 3, scale: int = 1, quality: int = 92) -> Edit:
    """White noise, put on at `scale` times the image's size."""

    def edit(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        large = image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC)
        pixels = _pixels(large)
        made = _picture(pixels + rng.normal(0, deviation, (*pixels.shape[:2], channels)))
        return compressed(made.resize(image.size, Image.Resampling.BILINEAR), quality)

    return edit


def photons(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A dark image of few photons: more noise where there is more light."""
    return compressed(_picture(rng.poisson(_pixels(image) * 36) / 60))


def specks(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = _pixels(image).copy()
    drawn = rng.random(image.size[::-1])
    pixels[drawn < 0.03], pixels[drawn > 0.97] = 0, 1
    return compressed(_picture(pixels))


NOISES: Mapping[str, Edit] = {
    "0.04": grain(0.04),
    "0.08": grain(0.08),
    "0.14": grain(0.14),
    "grey 0.08": grain(0.08, channels=1),
    "0.1, halved": grain(0.1, scale=2),
    "0.2, halved": grain(0.2, scale=2),
    "0.1, JPEG 60": grain(0.1, quality=60),
    "photons": photons,
    "specks": specks,
}
HARMLESS: Mapping[str, Edit] = {
    "JPEG 30": lambda image, rng: compressed(image, 30),
    "JPEG 10": lambda image, rng: compressed(image, 10),
    "halved": lambda image, rng: compressed(image.resize((image.width // 2, image.height // 2))),
    "sharpened": lambda image, rng: compressed(image.filter(ImageFilter.UnsharpMask(1.5, 120, 0))),
}
NOISE_BY: Measures = {
    "Immerkær 1996": immerkaer,
    "Donoho and Johnstone 1994": donoho,
    "Liu et al. 2013": weak_textured,
    "ours": noise,
}


def gel(colour: Sequence[float], strength: float) -> Edit:
    """White balance off toward a color; the luma of white stays."""
    gains = 1 - strength + strength * np.array(colour)
    gains = gains / (gains @ [0.299, 0.587, 0.114])
    return lambda image, rng: compressed(_picture(_pixels(image) * gains))


def veil(colour: Sequence[float], strength: float) -> Edit:
    return lambda image, rng: compressed(_picture(_pixels(image) * (1 - strength) + strength * np.array(colour)))


def minkowski(norm: float) -> Callable[[F32], float]:
    """Saturation of the light by shades of gray with that norm; 1 is gray world."""

    def strength(pixels: F32) -> float:
        light = ((pixels / max(float(pixels.max()), 1e-6)) ** norm).mean(0) ** (1 / norm)
        red, green, blue = light / max(float(light.max()), 1e-6)
        return float(np.hypot(red - (green + blue) / 2, 0.866 * (green - blue)))

    return strength


TINT_BY: Measures = {
    "grey world": minkowski(1),
    "shades of grey, norm 6": minkowski(6),
    "ours": lambda pixels: tint(pixels)[0],
}


def luma_of(image: Image.Image) -> F32:
    return np.asarray(shrink(image, SIDE).convert("L"), np.float32) / np.float32(255)


def colours_of(image: Image.Image) -> F32:
    return np.asarray(shrink(shrink(image, SIDE), 64), np.float32).reshape(-1, 3) / np.float32(255)


def measured(pictures: Sequence[Image.Image], edit: Edit, by: Measures, see: Callable[..., F32]) -> dict[str, F64]:
    """By estimator, the (n,) values of the edited images."""
    rng = np.random.default_rng(7)
    seen = [see(edit(image, rng)) for image in pictures]
    return {name: np.array([estimate(one) for one in seen]) for name, estimate in by.items()}


def area(more: F64, less: F64) -> float:
    return auroc(np.concatenate([more, less]), np.arange(len(more) + len(less)) < len(more))


def clean(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return compressed(image)


def report_noise(data: Path, half: str, n: int) -> None:
    plain = [image for name in SETS for image in photographs(name, data, half, n)]
    textured = {name: _captioned(data, half, n, pattern) for name, pattern in TEXTURED.items()}
    print(f"n = {len(plain)}, textured: { {name: len(some) for name, some in textured.items()} }", flush=True)
    calm = measured(plain, clean, NOISE_BY, luma_of)
    rough = {what: measured(some, clean, NOISE_BY, luma_of) for what, some in textured.items()}
    noisy = {what: measured(plain, edit, NOISE_BY, luma_of) for what, edit in NOISES.items()}
    harmless = {what: measured(plain, edit, NOISE_BY, luma_of) for what, edit in HARMLESS.items()}
    print("| estimator | against | " + " | ".join(NOISES) + " |")
    for name in NOISE_BY:
        for what, others in (("clean", [calm]), ("textured", list(rough.values()))):
            less = np.concatenate([found[name] for found in others])
            print(f"| {name} | {what} | " + " | ".join(f"{area(v[name], less):.3f}" for v in noisy.values()) + " |")
    for name in NOISE_BY:
        levels = {"clean": calm, **rough, **noisy, **harmless}
        print(f"{name}, median (95%, share from 0.01):", "; ".join(f"{w} {_level(v[name])}" for w, v in levels.items()))


def _level(values: F64) -> str:
    return f"{np.median(values):.4f} ({np.quantile(values, 0.95):.4f}, {(values >= 0.01).mean():.2f})"


def report_tint(data: Path, half: str, n: int) -> None:
    plain = [image for name in SETS for image in photographs(name, data, half, n)]
    coloured = {name: _captioned(data, half, n, pattern) for name, pattern in COLOURED.items()}
    print(f"n = {len(plain)}, coloured: { {name: len(some) for name, some in coloured.items()} }", flush=True)
    kinds: dict[str, Callable[[Sequence[float]], Edit]] = {
        "gel 0.3": lambda colour: gel(colour, 0.3),
        "gel 0.6": lambda colour: gel(colour, 0.6),
        "veil 0.3": lambda colour: veil(colour, 0.3),
    }
    calm = measured(plain, clean, TINT_BY, colours_of)
    hard = {what: measured(some, clean, TINT_BY, colours_of) for what, some in coloured.items()}
    pairs = (("green", "lawn"), ("blue", "water"), ("yellow", "sand"), ("blue", "snow"))
    print("| estimator | tint | " + " | ".join([*GELS, *(f"{c}, against {h}" for c, h in pairs)]) + " |")
    for kind, make in kinds.items():
        found = {colour: measured(plain, make(rgb), TINT_BY, colours_of) for colour, rgb in GELS.items()}
        for name in TINT_BY:
            areas = [area(v[name], calm[name]) for v in found.values()]
            areas += [area(found[c][name], hard[h][name]) for c, h in pairs]
            print(f"| {name} | {kind} | " + " | ".join(f"{value:.3f}" for value in areas) + " |", flush=True)
    for what, pictures in {"unedited": plain, **coloured}.items():
        print(what, _names(pictures, clean))
    for kind, make in kinds.items():
        for colour, rgb in GELS.items():
            print(kind, colour, _names(plain, make(rgb)), flush=True)


def _names(pictures: Sequence[Image.Image], edit: Edit) -> dict[str, float]:
    """Share of the images with each name of a tint."""
    rng = np.random.default_rng(7)
    names = [tint(colours_of(edit(image, rng)))[1] for image in pictures]
    return {name: round(names.count(name) / len(names), 3) for name in sorted(set(names))}


def report_cost(data: Path) -> None:
    files = sorted((data / "imagenet_sample" / "images").iterdir())[:100]
    pictures = [decode(file.read_bytes()) for file in files]
    lumas, colours = ([see(p.image) for p in pictures] for see in (luma_of, colours_of))
    steps: dict[str, Callable[[int], object]] = {
        "decoding": lambda i: decode(files[i].read_bytes()),
        "all properties": lambda i: measure_properties(pictures[i]),
        "noise": lambda i: noise(lumas[i]),
        "tint": lambda i: tint(colours[i]),
    }
    for name, step in steps.items():
        spent: list[float] = []
        for _ in range(5):
            start = time.process_time()
            for i in range(len(files)):
                step(i)
            spent.append((time.process_time() - start) / len(files))
        print(f"{name}: {min(spent) * 1e6:.0f} microseconds of CPU a picture")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("noise", "tint", "cost"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--half", choices=("tune", "report"), default="tune")
    parser.add_argument("--n", type=int, default=100, help="photographs of each set at most")
    given = parser.parse_args()
    with threadpool_limits(1):
        if given.what == "cost":
            report_cost(given.data)
        else:
            (report_noise if given.what == "noise" else report_tint)(given.data, given.half, given.n)


if __name__ == "__main__":
    main()
