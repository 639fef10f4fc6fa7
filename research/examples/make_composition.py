#!/usr/bin/env python
"""Make the stock of cut-outs and grounds again, of which the benchmark "cutouts" is drawn (research/scenes/ship.py).

    python -m research.examples.make_composition [--downloads FOLDER] [--out FOLDER]

It needs npm, apt-get and dpkg-deb for the two source packages (24 MB). The pixels repeat on the same Pillow.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from research.examples import stock
from research.scenes.cutouts import STOCK
from research.weights.univl.plans import Place

CUTOUTS = {
    file: name
    for file, name in map(
        str.split,
        (
            "1f415 dog, 1f408 cat, 1f40e horse, 1f418 elephant, 1f416 pig, 1f404 cow, 1f986 duck, 1f427 penguin, "
            "1f989 owl, 26f5 boat, 1f697 car, 1f68c bus, 1f69c tractor, 1f6b2 bicycle, 1f3e0 house, 1f3f0 castle, "
            "1f34e apple, 1f34c banana, 1f34d pineapple, 1f4d5 book, 1f333 tree, 1f335 cactus, 1fa91 chair, "
            "1f3b8 guitar"
        ).split(", "),
    )
}
GROUNDS = (
    "lake-sherburne",
    "tea-gardens",
    "extreme-desert-hike",
    "blue-periwinkle",
    "roman-colosseum",
    "singaporean-cityscape",
)
CUTOUT_SIDE = 160
GROUND_SIDE = 288


def make_cutouts(folder: Path, cutouts: Path, photographs: Path) -> None:
    """Shrink the named cut-outs, and a square of each photograph."""
    (folder / "grounds").mkdir(parents=True, exist_ok=True)
    with (folder / "names.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "name"])
        for code, name in CUTOUTS.items():
            writer.writerow([f"{name}.webp", name])
            picture = Image.open(cutouts / f"{code}.webp").convert("RGBA")
            picture = picture.crop(picture.getchannel("A").getbbox())
            picture.thumbnail((CUTOUT_SIDE, CUTOUT_SIDE), Image.Resampling.LANCZOS)
            picture.save(folder / f"{name}.webp", quality=82, method=6)
    places = tuple(Place(name, name) for name in GROUNDS)  # read_photographs raises unless each is CC0
    for name, photograph in stock.read_photographs(places, photographs, width=1200).items():
        side = min(photograph.size)
        left = (photograph.width - side) // 2
        top = (photograph.height - side) // 2
        square = photograph.resize(
            (GROUND_SIDE, GROUND_SIDE), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side)
        )
        square.save(folder / "grounds" / f"{name}.webp", quality=70, method=6)
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {len(CUTOUTS)} cut-outs and {len(GROUNDS)} grounds, {total / 1e3:.0f} kB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--downloads", type=Path, help="where the source packages are kept (a temporary folder otherwise)"
    )
    parser.add_argument("--out", type=Path, default=STOCK)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        make_cutouts(options.out, *stock.fetch(options.downloads or Path(scratch)))


if __name__ == "__main__":
    main()
