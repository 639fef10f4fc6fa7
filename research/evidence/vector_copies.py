"""Which copies of images are found by their vectors alone, and which ordinary rows are taken for copies.

    python -m research.evidence.vector_copies DATA --half report --out FILE
    python -m research.evidence.vector_copies --rows 100000

DATA is a folder with images (or a Parquet file with an image column), of which every second one belongs to a half; at
most 2,000 are read. 200 of them are edited, each edit is added by itself, and a copy is found if it shares a group with
its original. `--rows` measures time and memory on made rows of 1,024 dimensions, a tenth of them near copies;
`--hashes N --kind K` those of near-duplicates among N made images by their hashes.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from threadpoolctl import threadpool_limits

from core.data.images.duplicates import duplicate_groups
from core.embeddings.copies import find_copies
from core.encoders import load_encoder
from core.encoders.arithmetic import unit
from core.records import F32
from research.evidence.lines import append_line, clopper_pearson, show

MOST = 2000
EDITED = 200


def again(image: Image.Image, quality: int) -> Image.Image:
    """The image, saved as JPEG and read."""
    room = io.BytesIO()
    image.save(room, "JPEG", quality=quality)
    return Image.open(room).convert("RGB")


def cropped(image: Image.Image, share: float) -> Image.Image:
    """The image without this share of its side, at each side."""
    w, h = image.size
    return image.crop((int(w * share), int(h * share), w - int(w * share), h - int(h * share)))


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG quality 60": lambda image: again(image, 60),
    "JPEG quality 25": lambda image: again(image, 25),
    "half the side": lambda image: image.resize((image.width // 2, image.height // 2)),
    "cropped by 2%": lambda image: cropped(image, 0.02),
    "cropped by 5%": lambda image: cropped(image, 0.05),
    "cropped by 10%": lambda image: cropped(image, 0.1),
    "20% brighter": lambda image: image.point([min(255, int(value * 1.2)) for value in range(256)] * 3),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


def pictures(source: Path, odd: bool) -> list[Image.Image]:
    """At most MOST images of one half."""
    if source.suffix == ".parquet":
        column = pd.read_parquet(source)["image"].tolist()
        found = [io.BytesIO(one["bytes"] if isinstance(one, dict) else one) for one in column]
    else:
        found = sorted(path for path in source.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png", ".webp"))
    return [Image.open(one).convert("RGB") for one in found[int(odd) :: 2][:MOST]]


def vectors_of(images: Sequence[Image.Image]) -> F32:
    """(n, d) the embedded encoder's vectors in which failures are found."""
    encoder = load_encoder("embedded")
    parts = [images[start : start + 32] for start in range(0, len(images), 32)]
    return np.concatenate([encoder.encode_items(np.stack([encoder.preprocess(i) for i in p]))[0] for p in parts])


def measure(source: Path, half: str) -> dict[str, object]:
    """Rows of the half that are taken for copies, and for each edit how many of EDITED copies are found."""
    images = pictures(source, half == "report")
    plain = vectors_of(images)
    edited = images[:EDITED]
    _, groups = find_copies(plain)
    found: dict[str, object] = {"rows": len(plain), "taken": int((np.bincount(groups)[groups] > 1).sum())}
    for name, edit in EDITS.items():
        _, groups = find_copies(np.r_[plain, vectors_of([edit(image) for image in edited])])
        found[name] = int((groups[: len(edited)] == groups[len(plain) :]).sum())
    return {"source": source.name, "half": half, "edited": len(edited), **found}


def speed(n: int) -> dict[str, object]:
    """CPU seconds and the memory that the search adds, with the share of planted copies that are found."""
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(40, 1024)).astype(np.float32)
    vectors = rng.standard_normal((n, 1024), np.float32) + rng.standard_normal((n, 40), np.float32) @ wide
    count = n // 10
    vectors[n // 2 : n // 2 + count] = vectors[:count] + 0.2 * rng.standard_normal((count, 1024), np.float32)
    vectors = unit(vectors).astype(np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    _, groups = find_copies(vectors)
    seconds = time.process_time() - started
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    recall = float((groups[:count] == groups[n // 2 : n // 2 + count]).mean())
    return {
        "rows": n,
        "cpu_seconds": seconds,
        "peak_added_mb": (after - before) / 1024,
        "found": recall,
        "load": os.getloadavg()[0],
    }


def hashed(n: int, kind: str) -> tuple[list[str], F32]:
    """Hashes and vectors of n made images: "spread" are random, a tenth of them copies whose hashes differ in eight
    bits at most; "scene" all lie within 24 bits of each other, as the frames of a camera that stands still; "blank" are
    all the same; "unlike" have one hash and vectors that differ."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 256, (n, 32), np.uint8) if kind == "spread" else np.zeros((n, 32), np.uint8)
    grids = rng.integers(0, 256, (n, 48), np.uint8) if kind == "spread" else np.zeros((n, 48), np.uint8)
    vectors = np.ones((n, 64), np.float32) if kind == "blank" else rng.standard_normal((n, 64), np.float32)
    copies, turned = (n // 10, 8) if kind == "spread" else (n, 11 if kind == "scene" else 0)
    if kind == "spread":
        bits[n - copies :], grids[n - copies :], vectors[n - copies :] = bits[:copies], grids[:copies], vectors[:copies]
    if kind == "scene":
        vectors += 10
    for _ in range(turned):
        bit = rng.integers(0, 256, copies)
        bits[np.arange(n - copies, n), bit // 8] ^= (1 << (bit % 8)).astype(np.uint8)
    return [a.tobytes().hex() + b.tobytes().hex() for a, b in zip(bits, grids)], unit(vectors)


def hash_speed(n: int, kind: str) -> dict[str, object]:
    """CPU seconds and the memory that near-duplicates of images take, and how many sets there are."""
    hashes, vectors = hashed(n, kind)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    groups = duplicate_groups([number.to_bytes(4, "big") for number in range(n)], hashes, vectors)
    seconds = time.process_time() - started
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {"rows": n, "kind": kind, "cpu_seconds": seconds, "peak_added_mb": (after - before) / 1024}
    return {**found, "sets": int(groups.max()) + 1, "load": os.getloadavg()[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--hashes", type=int, metavar="N")
    parser.add_argument("--kind", choices=("spread", "scene", "blank", "unlike"), default="spread")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with threadpool_limits(1):
        if given.hashes:
            row = hash_speed(given.hashes, given.kind)
        else:
            row = speed(given.rows) if given.rows else measure(given.data, given.half)
    if given.out:
        append_line(given.out, row)
    print(json.dumps(row))
    for name in EDITS.keys() & row.keys():
        print(f"{name}: {show(clopper_pearson(int(str(row[name])), int(str(row['edited']))))}")


if __name__ == "__main__":
    main()
