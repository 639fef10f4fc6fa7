"""Make what the scenes example is compared with: a second model's answers, and new scenes scored by the first model.

    python -m research.examples.make_second [--downloads FOLDER] [--new FOLDER]

The second model is the first one's net and seed, trained on scenes that lack none of the weather or light which the
first one's training lacked. Its answers go to `assets/examples/scenes/second.csv`. The new scenes (table.csv and
images.zip) go to --new, and their check to the stored run. About ten minutes on one core; sources as `make_examples`.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from core.checks.fresh import predict_fresh
from core.files import ASSETS
from core.records import F64
from core.store import load, put
from research.examples import stock
from research.examples.make_examples import (
    BIAS,
    EXAMPLES,
    LABELS,
    N_TRAINING,
    PICTURE,
    ExamplePlan,
    labels_of,
    webp,
    write,
)
from research.examples.model import scene_pixels, to_side, train_victim, victim_probabilities
from research.scenes.photographs import render
from research.weights.univl.plans import Link, ScenePlan

SCENES = ASSETS / "examples" / "scenes"
MENDED = tuple(link for link in BIAS if link.factor == "size")
"""Links of the second model's training scenes: small objects stay rare, every weather and light is there."""
N_NEW = 240
NEW_SEED = 13


def train(links: Sequence[Link], sources: tuple[Path, Path], seed: int) -> nn.Sequential:
    """Train the examples' net on scenes with these links."""
    identities = {label: tuple(names) for label, names in stock.identities(stock.TRAINING).items()}
    scenes = ScenePlan(identities, stock.TRAINING_PLACES).with_links(*links).draw(N_TRAINING, seed)
    photographs = stock.read_photographs(stock.TRAINING_PLACES, sources[1], width=700)
    pixels = scene_pixels(scenes, stock.read_cutouts(stock.TRAINING, sources[0]), photographs)
    return train_victim(pixels, torch.from_numpy(labels_of(scenes)), len(LABELS), seed=seed)


def scored(net: nn.Sequential, files: Sequence[bytes]) -> F64:
    """(n, k) probabilities of images, given as files."""
    seen = np.stack([np.asarray(to_side(Image.open(io.BytesIO(data)))) for data in files])
    return victim_probabilities(net, torch.from_numpy(seen).permute(0, 3, 1, 2))


def write_second(probabilities: F64) -> None:
    """Write the second model's answers: file, label, and prediction."""
    with (SCENES / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (SCENES / "second.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("file", "label", "prediction"))
        for row, scores in zip(rows, probabilities, strict=True):
            table.writerow((row["file"], row["label"], LABELS[int(scores.argmax())]))


def check_new(folder: Path) -> None:
    """Check the stored run's findings on new scenes, and store what came of it with the run."""
    path = SCENES / "run.errata"
    run = replace(load(path), prediction=None)
    checked = predict_fresh(run, folder / "table.csv", images=folder / "images.zip")
    assert checked.prediction is not None
    notes = tuple(note for note in checked.prediction.notes if "came from the cache" not in note)
    prediction = replace(checked.prediction, source="newly rendered scenes", notes=notes)
    put(replace(run, prediction=prediction), path, thumbnails=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--downloads", type=Path, help="keep the source packages here (default: a temporary folder)")
    parser.add_argument("--new", type=Path, help="write new scenes, scored by the first model, here")
    parser.add_argument("--only-check", action="store_true", help="check the scenes in --new again, and make nothing")
    asked = parser.parse_args()
    if asked.only_check:
        check_new(asked.new)
        return
    seed = EXAMPLES[0].training_seed
    with tempfile.TemporaryDirectory() as temporary:
        sources = stock.fetch(asked.downloads or Path(temporary))
        with zipfile.ZipFile(SCENES / "images.zip") as archive:
            files = [archive.read(name) for name in sorted(archive.namelist())]
        probabilities = scored(train(MENDED, sources, seed), files)
        write_second(probabilities)
        if asked.new is None:
            return
        first = train(BIAS, sources, seed)
        with (SCENES / "table.csv").open(newline="") as file:
            shipped = np.array([[float(row[f"prob_{c}"]) for c in LABELS] for row in csv.DictReader(file)])
        print("largest difference from the shipped probabilities:", np.abs(scored(first, files) - shipped).max())
        plan = ExamplePlan("scenes", (), N_NEW, seed, NEW_SEED)
        identities = {label: tuple(names) for label, names in stock.identities(stock.AUDIT).items()}
        scenes = ScenePlan(identities, stock.AUDIT_PLACES).draw(plan.n, plan.audit_seed)
        photographs = stock.read_photographs(stock.AUDIT_PLACES, sources[1], width=1600)
        cutouts = stock.read_cutouts(stock.AUDIT, sources[0])
        encoded = [webp(render(scene, cutouts, photographs, size=PICTURE)) for scene in scenes]
        write(plan, scenes, encoded, scored(first, encoded), asked.new)
    check_new(asked.new)


if __name__ == "__main__":
    main()
