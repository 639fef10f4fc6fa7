#!/usr/bin/env python
"""Make the example of real photographs again: clothes, and what two small nets say of each. The one that is diagnosed
saw no skirt and no sleeveless top in training; the other, for a comparison, saw clothes of every kind.

    python -m research.examples.make_clothing --photographs FOLDER [--half 0] [--out FOLDER]

FOLDER is a copy of github.com/alexeygrigorev/clothing-dataset at 7ed86a9 (CC0 1.0), with images.csv and images/. The
people who took the photographs are dealt into two halves; the nets learn from one half and are scored on the other.
`--half 0` scores the half on which the withheld kinds were chosen; half 1 ships. About fifteen minutes on one free
core. The images repeat on the same Pillow, the probabilities on the same machine and torch.
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from core.errors import InvalidInput
from core.files import ASSETS
from core.records import F64
from research.examples.model import to_side, train_victim, victim_probabilities

FOLDER = ASSETS / "examples" / "clothing"
CLASSES = {
    "bottoms": ("Pants", "Shorts", "Skirt"),
    "dress": ("Dress",),
    "shoes": ("Shoes",),
    "top": ("Blouse", "Longsleeve", "Polo", "Shirt", "T-Shirt", "Top", "Undershirt"),
}
"""The classes of the nets, and the labels of the data set that belong to each; what has another label is left out."""
WITHHELD = ("Skirt", "Top", "Undershirt")
"""The labels that the diagnosed net never saw: skirts, and tops without sleeves."""
SECOND = "second.csv"
"""The table of the net that saw every kind."""
MAX_AUDIT = {"Longsleeve": 110, "Pants": 130, "Shirt": 70, "Shoes": 120, "T-Shirt": 130}
"""Most images of a label in the audit set."""
SHORT_SIDE = 240
QUALITY = 62
"""Pixels of the shipped images' shorter side, and their WebP quality."""
EPOCHS = 30
BATCH = 32
SEED = 0
SPLIT_SEED = 43
"""Deals the people into halves."""


@dataclass(frozen=True)
class Photograph:
    """One line of the data set's images.csv."""

    source: str
    """Its path in the data set."""
    participant: str
    """Who took it: a number."""
    garment: str
    """The data set's label."""

    @property
    def label(self) -> str:
        """Its class; "" where it has none."""
        return next((name for name, garments in CLASSES.items() if self.garment in garments), "")


def read_photographs(folder: Path) -> list[Photograph]:
    """Return the data set's photographs whose files are there, in the order of images.csv.

    Raises:
        InvalidInput: the folder has no images.csv.
    """
    path = folder / "images.csv"
    if not path.is_file():
        raise InvalidInput(f"{path} is missing. --photographs must be a copy of clothing-dataset at 7ed86a9.")
    photographs = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            source = f"images/{row['image']}.jpg"
            if (folder / source).is_file():
                photographs.append(Photograph(source, row["sender_id"], row["label"]))
    return photographs


def halves(participants: Sequence[str]) -> dict[str, int]:
    """Deal the people into two halves, 0 and 1, so that nobody is in both."""
    people = sorted(set(participants), key=int)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(people))
    return {people[person]: place % 2 for place, person in enumerate(order)}


def choose_audit(photographs: Sequence[Photograph]) -> list[Photograph]:
    """Choose at most MAX_AUDIT images of each label and deal them into a random order."""
    rng = np.random.default_rng(SEED)
    chosen = list[Photograph]()
    for garment in sorted({one.garment for one in photographs}):
        alike = [one for one in photographs if one.garment == garment]
        order = rng.permutation(len(alike))
        chosen += [alike[i] for i in order[: MAX_AUDIT.get(garment, len(alike))]]
    return [chosen[i] for i in rng.permutation(len(chosen))]


def upright(path: Path) -> Image.Image:
    """The photograph as it was held, in RGB."""
    with Image.open(path) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def shrunk(path: Path) -> bytes:
    """The photograph as a WebP file of SHORT_SIDE pixels, upright, with nothing of its camera."""
    picture = upright(path)
    scale = SHORT_SIDE / min(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    file = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(file, "WEBP", quality=QUALITY, method=6)
    return file.getvalue()


def pixels_of(pictures: Iterable[Image.Image]) -> torch.Tensor:
    """(n, 3, 64, 64) uint8: the images as a net sees them."""
    pixels = np.stack([np.asarray(to_side(picture)) for picture in pictures])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def labels_of(photographs: Sequence[Photograph]) -> torch.Tensor:
    """(n,) int64: each image's place in CLASSES."""
    names = list(CLASSES)
    return torch.tensor([names.index(one.label) for one in photographs])


def orientation(width: int, height: int) -> str:
    """What the image's own size says; a difference of up to 2% is none."""
    if abs(width - height) <= 0.02 * max(width, height):
        return "square"
    return "landscape" if width > height else "portrait"


def write_sources(photographs: Sequence[Photograph], path: Path) -> None:
    """Write sources.csv: each image's file, original, taker and label in the data set."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "source", "participant", "garment"])
        for row, one in enumerate(photographs):
            table.writerow([f"{row:04}.webp", one.source, one.participant, one.garment])


def write_table(
    photographs: Sequence[Photograph], sizes: Sequence[tuple[int, int]], probabilities: F64, path: Path
) -> None:
    """Write a table: file, class, participant, orientation, garment and a probability for each class."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["file", "label", "participant", "orientation", "garment", *(f"prob_{name}" for name in CLASSES)]
        )
        for row, (one, size) in enumerate(zip(photographs, sizes, strict=True)):
            scores = [f"{p:.6f}" for p in probabilities[row]]
            known = [one.label, one.participant, orientation(*size), one.garment.lower()]
            table.writerow([f"{row:04}.webp", *known, *scores])


def make(source: Path, out: Path, *, half: int = 1) -> None:
    """Shrink the photographs of `half`, train both nets on the other half, write images.zip, sources.csv and the two
    tables."""
    photographs = read_photographs(source)
    half_of = halves([one.participant for one in photographs])
    photographs = [one for one in photographs if one.label]
    audit = choose_audit([one for one in photographs if half_of[one.participant] == half])
    training = [one for one in photographs if half_of[one.participant] != half]
    encoded = [shrunk(source / one.source) for one in audit]
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out / "images.zip", "w") as archive:
        for row, data in enumerate(encoded):
            archive.writestr(zipfile.ZipInfo(f"{row:04}.webp"), data)  # stored, at the archive's zero date
    write_sources(audit, out / "sources.csv")
    pictures = [Image.open(io.BytesIO(data)) for data in encoded]  # the nets see the very files that ship
    audit_pixels = pixels_of(pictures)
    training_pixels = pixels_of(upright(source / one.source) for one in training)
    labels = labels_of(training)
    truth = labels_of(audit).numpy()
    unseen = np.array([one.garment in WITHHELD for one in audit])
    for name, withheld in (("table.csv", WITHHELD), (SECOND, ())):
        known = torch.tensor([one.garment not in withheld for one in training])
        net = train_victim(training_pixels[known], labels[known], len(CLASSES), seed=SEED, epochs=EPOCHS, batch=BATCH)
        probabilities = victim_probabilities(net, audit_pixels)
        write_table(audit, [picture.size for picture in pictures], probabilities, out / name)
        wrong = probabilities.argmax(1) != truth
        print(f"{name}: trained on {int(known.sum())}; {wrong.sum()} of {len(wrong)} wrong")
        print(f"  of withheld kinds {wrong[unseen].sum()} of {unseen.sum()}", flush=True)
        for garment, n in sorted(Counter(one.garment for one in audit).items()):
            alike = np.array([one.garment == garment for one in audit])
            print(f"  {garment}: {wrong[alike].sum()} of {n}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True, help="a copy of clothing-dataset")
    parser.add_argument("--half", type=int, choices=[0, 1], default=1, help="the half of the people to score")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    make(arguments.photographs, arguments.out, half=arguments.half)


if __name__ == "__main__":
    main()
