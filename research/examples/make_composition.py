#!/usr/bin/env python
"""Make what ships below assets/composition again: a small rendered benchmark, and a stock of cut-outs over photographs.

    python -m research.examples.make_composition [--only rendered | cutouts] [--downloads FOLDER] [--out FOLDER]

The rendered set needs nothing and takes seconds. The cut-outs need npm, apt-get and dpkg-deb for the two source
packages (24 MB). Every step is seeded; the pixels repeat on the same numpy and Pillow. To draw more, call
`draw_items` and `write_benchmark` of `core.systems.composition.scenes`.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from core.files import ASSETS
from core.systems.composition.scenes.items import RenderedPlan, draw_items
from core.systems.composition.scenes.retrieval import draw_retrieval
from core.systems.composition.scenes.write_benchmark import write_benchmark
from research.examples import stock
from research.weights.univl.plans import Place

SEED = 2023
N_PAIRS, N_SCENES, N_QUERIES, SIDE = 30, 40, 24, 224
"""Pairs of each split; scenes and queries of the single-object part; pixels."""
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
CUTOUT_SIDE, GROUND_SIDE = 160, 288


def make_rendered(folder: Path) -> None:
    """60 pairs, half of them with held-out pairs, and single-object queries over 40 more pictures."""
    plan = RenderedPlan()
    items = [item for split in ("seen", "unseen") for item in draw_items(plan, N_PAIRS, SEED, split)]
    for name in ("images", *(path.name for path in folder.glob("*.json"))):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    written = write_benchmark(
        folder, items, draw_retrieval(plan, N_SCENES, N_QUERIES, SEED, "unseen"), held_out=plan.held_out, size=SIDE
    )
    print(
        f"{folder}: {written.items} pairs and {written.queries} queries over {written.pictures} pictures, "
        f"{written.picture_bytes / 1e3:.0f} kB"
    )


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
        left, top = (photograph.width - side) // 2, (photograph.height - side) // 2
        square = photograph.resize(
            (GROUND_SIDE, GROUND_SIDE), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side)
        )
        square.save(folder / "grounds" / f"{name}.webp", quality=70, method=6)
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {len(CUTOUTS)} cut-outs and {len(GROUNDS)} grounds, {total / 1e3:.0f} kB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("rendered", "cutouts"))
    parser.add_argument(
        "--downloads", type=Path, help="where the source packages are kept (a temporary folder otherwise)"
    )
    parser.add_argument("--out", type=Path, default=ASSETS / "composition")
    options = parser.parse_args(arguments)
    if options.only != "cutouts":
        make_rendered(options.out / "rendered")
    if options.only != "rendered":
        with tempfile.TemporaryDirectory() as scratch:
            make_cutouts(options.out / "cutouts", *stock.fetch(options.downloads or Path(scratch)))


if __name__ == "__main__":
    main()
