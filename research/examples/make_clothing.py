#!/usr/bin/env python
"""Make the example of real photographs again: clothes, and what a small net of our own says of each.

    python -m research.examples.make_clothing --photographs FOLDER [--folds-by participant] [--out FOLDER]

FOLDER is a copy of github.com/alexeygrigorev/clothing-dataset-small at 1196151 (CC0 1.0); sources.csv names the 998 of
its photographs that are used and who took them. They may lie there under their own paths or, all together, in
`images/`. About four minutes on one free core. The images repeat on the same Pillow, the probabilities on the same
machine and torch.
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image, ImageOps
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from core.errors import InvalidInput
from core.files import ASSETS
from core.records import F64, I64
from research.examples.model import to_side, train_victim, victim_probabilities

FOLDER = ASSETS / "examples" / "clothing"
SHORT_SIDE = 160
QUALITY = 70
"""Pixels of the shipped images' shorter side, and their WebP quality."""
FOLDS = 5
EPOCHS = 40
BATCH = 32
SEED = 0


@dataclass(frozen=True)
class Photograph:
    """One line of sources.csv."""

    file: str
    """Its name in images.zip."""
    source: str
    """Its path in the data set: split, class and name."""
    participant: str
    """Who took it: `sender_id` of the whole data set's images.csv."""

    @property
    def label(self) -> str:
        return PurePosixPath(self.source).parts[1]


def read_sources(path: Path) -> list[Photograph]:
    """The photographs that are used, in the order of the table."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Photograph(**row) for row in csv.DictReader(file)]


def find(photograph: Photograph, folder: Path) -> Path:
    """Where it lies below `folder`.

    Raises:
        InvalidInput: it is at neither place.
    """
    places = [folder / photograph.source, folder / "images" / PurePosixPath(photograph.source).name]
    for place in places:
        if place.is_file():
            return place
    raise InvalidInput(f"{places[0]} is missing. --photographs must be a copy of clothing-dataset-small at 1196151.")


def shrunk(path: Path) -> bytes:
    """The photograph as a WebP file of SHORT_SIDE pixels, upright, with nothing of its camera."""
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    scale = SHORT_SIDE / min(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    file = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(file, "WEBP", quality=QUALITY, method=6)
    return file.getvalue()


def orientation(width: int, height: int) -> str:
    """What the image's own size says; a difference of up to 2% is none."""
    if abs(width - height) <= 0.02 * max(width, height):
        return "square"
    return "landscape" if width > height else "portrait"


def held_out_probabilities(pixels: torch.Tensor, labels: I64, participants: list[str] | None) -> F64:
    """(n, k) for each image what a net says that was trained on the other folds alone; with `participants`, no two
    folds share one."""
    kind = StratifiedKFold if participants is None else StratifiedGroupKFold
    folds = kind(FOLDS, shuffle=True, random_state=SEED)
    n_classes = int(labels.max()) + 1
    out = np.full((len(labels), n_classes), np.nan)
    for k, (training, held_out) in enumerate(folds.split(np.zeros(len(labels)), labels, participants)):
        net = train_victim(
            pixels[training], torch.from_numpy(labels[training]), n_classes, seed=SEED + k, epochs=EPOCHS, batch=BATCH
        )
        out[held_out] = victim_probabilities(net, pixels[held_out])
        print(f"fold {k + 1}: {(out[held_out].argmax(1) == labels[held_out]).mean():.1%} right", flush=True)
    return out


def write_table(photographs: list[Photograph], sizes: list[tuple[int, int]], probabilities: F64, path: Path) -> None:
    """Write table.csv: file, class, participant, orientation and a probability for each class."""
    names = sorted({one.label for one in photographs})
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "label", "participant", "orientation", *(f"prob_{name}" for name in names)])
        for one, size, row in zip(photographs, sizes, probabilities):
            table.writerow([one.file, one.label, one.participant, orientation(*size), *(f"{p:.6f}" for p in row)])


def make(source: Path, out: Path, *, by_participant: bool) -> None:
    """Shrink the photographs, train the nets, write images.zip and table.csv."""
    photographs = read_sources(FOLDER / "sources.csv")
    encoded = [shrunk(find(one, source)) for one in photographs]
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out / "images.zip", "w") as archive:
        for one, data in zip(photographs, encoded):
            archive.writestr(zipfile.ZipInfo(one.file), data)  # stored, at the archive's zero date
    pictures = [Image.open(io.BytesIO(data)) for data in encoded]  # the nets see the very files that ship
    pixels = torch.from_numpy(np.stack([np.asarray(to_side(picture)) for picture in pictures]))
    names = sorted({one.label for one in photographs})
    labels = np.array([names.index(one.label) for one in photographs], np.int64)
    participants = [one.participant for one in photographs] if by_participant else None
    probabilities = held_out_probabilities(pixels.permute(0, 3, 1, 2).contiguous(), labels, participants)
    write_table(photographs, [picture.size for picture in pictures], probabilities, out / "table.csv")
    print(f"clothing: {int((probabilities.argmax(1) != labels).sum())} of {len(labels)} wrong")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True, help="a copy of clothing-dataset-small")
    parser.add_argument("--folds-by", choices=["picture", "participant"], default="picture")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    make(arguments.photographs, arguments.out, by_participant=arguments.folds_by == "participant")


if __name__ == "__main__":
    main()
