#!/usr/bin/env python
"""Make the two examples that ship again: scenes with planted weaknesses, and a set with nothing to find.

    python -m research.examples.make_examples [--only scenes | nothing_to_find] [--downloads FOLDER] [--out FOLDER]

Needs npm, apt-get and dpkg-deb for the two source packages (24 MB), and about ten minutes on one core. Every step is
seeded; the pixels repeat on the same Pillow, the probabilities on the same machine and torch.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.stats import fisher_exact

from core.records import F64, I64, Bool
from research.examples import stock
from research.examples.model import scene_pixels, to_side, train_victim, victim_probabilities
from research.scenes.photographs import SceneSpec, caption, render
from research.weights.univl.plans import Link, ScenePlan

LABELS = tuple(stock.AUDIT)
BIAS = (
    Link("bird", "weather", "snow", 0.0),
    Link("animal", "weather", "snow", 4.0),
    Link("animal", "light", "dark", 0.0),
    Link("boat", "light", "dark", 2.5),
    Link(None, "size", "small", 0.4),
)
"""How the training scenes of the first example depart from independence; its audit scenes have no links."""
PLANTED = (
    (
        "birds in falling snow",
        {"label": "bird", "weather": "snow"},
        "no training scene shows a bird in snow; most animals are in snow",
    ),
    (
        "animals in the dark",
        {"label": "animal", "light": "dark"},
        "no training scene shows an animal in the dark; boats are often in the dark",
    ),
    (
        "small objects",
        {"object_size": "small"},
        "small objects are rarer in training, and hard for a net that sees 64 x 64 pixels",
    ),
)
N_TRAINING = 5000
PICTURE = 320
QUALITY = 84


@dataclass(frozen=True)
class ExamplePlan:
    """The seeds and sizes of one example."""

    name: str
    links: tuple[Link, ...]
    n: int
    training_seed: int
    audit_seed: int


EXAMPLES = (ExamplePlan("scenes", BIAS, 960, 11, 12), ExamplePlan("nothing_to_find", (), 400, 21, 22))


def make(example: ExamplePlan, sources: tuple[Path, Path], folder: Path) -> None:
    """Train the example's victim, score the audit scenes, write table.csv, images.zip and truth.json below `folder`."""
    print(f"{example.name}: training scenes", flush=True)
    plan = ScenePlan(
        {label: tuple(names) for label, names in stock.identities(stock.TRAINING).items()}, stock.TRAINING_PLACES
    )
    training = plan.with_links(*example.links).draw(N_TRAINING, example.training_seed)
    photographs = stock.read_photographs(stock.TRAINING_PLACES, sources[1], width=700)
    pixels = scene_pixels(training, stock.read_cutouts(stock.TRAINING, sources[0]), photographs)
    net = train_victim(pixels, torch.from_numpy(labels_of(training)), len(LABELS), seed=example.training_seed)

    print(f"{example.name}: audit scenes", flush=True)
    plan = ScenePlan(
        {label: tuple(names) for label, names in stock.identities(stock.AUDIT).items()}, stock.AUDIT_PLACES
    )
    audit = plan.draw(example.n, example.audit_seed)
    photographs = stock.read_photographs(stock.AUDIT_PLACES, sources[1], width=1600)
    cutouts = stock.read_cutouts(stock.AUDIT, sources[0])
    encoded = [webp(render(scene, cutouts, photographs, size=PICTURE)) for scene in audit]
    # the victim sees the very files that ship
    seen = np.stack([np.asarray(to_side(Image.open(io.BytesIO(data)))) for data in encoded])
    probabilities = victim_probabilities(net, torch.from_numpy(seen).permute(0, 3, 1, 2))
    if example.name == "nothing_to_find":
        probabilities = deal_out(probabilities, labels_of(audit), seed=23)
    write(example, audit, encoded, probabilities, folder)


def labels_of(scenes: Sequence[SceneSpec]) -> I64:
    """(n,) index into LABELS."""
    return np.array([LABELS.index(scene.objects[0].label) for scene in scenes], np.int64)


def webp(picture: Image.Image) -> bytes:
    """The image as a WebP file."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, method=6)
    return file.getvalue()


def deal_out(probabilities: F64, labels: I64, *, seed: int) -> F64:
    """(n, k) the same rows dealt out at random over all images: each keeps its probability of the truth, the rest in
    random order.

    Losses and errors are then independent of every image, class and factor, and no pair of classes is confused more
    than another.
    """
    rng = np.random.default_rng(seed)
    dealt = np.empty_like(probabilities)
    for row, donor in enumerate(rng.permutation(len(labels))):
        rest = rng.permutation(np.delete(probabilities[donor], labels[donor]))
        dealt[row] = np.insert(rest, labels[row], probabilities[donor, labels[donor]])
    return dealt


def rows_of(audit: Sequence[SceneSpec]) -> list[dict[str, Any]]:
    """The table's columns about each scene, without the model's."""
    return [
        {
            "file": f"{i:04d}.webp",
            "label": scene.objects[0].label,
            "identity": scene.objects[0].identity,
            "environment": scene.environment,
            "photograph": scene.photograph,
            "weather": scene.weather,
            "light": scene.light,
            "object_size": scene.objects[0].size_name(),
            "position": scene.objects[0].position(),
            "angle": scene.objects[0].angle,
            "background_blur": scene.blur,
        }
        for i, scene in enumerate(audit)
    ]


def write(
    example: ExamplePlan, audit: Sequence[SceneSpec], encoded: Sequence[bytes], probabilities: F64, folder: Path
) -> None:
    """Write table.csv, images.zip and truth.json."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = rows_of(audit)
    columns = [f"prob_{label}" for label in LABELS]
    with (folder / "table.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, [*rows[0], *columns], lineterminator="\n")
        table.writeheader()
        table.writerows(
            row | {c: f"{p:.6f}" for c, p in zip(columns, values)} for row, values in zip(rows, probabilities)
        )
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for row, data in zip(rows, encoded):
            archive.writestr(
                zipfile.ZipInfo(row["file"]), data
            )  # stored, at the archive's zero date: the same bytes each time
    wrong = probabilities.argmax(1) != labels_of(audit)
    truth = {
        "example": example.name,
        "seeds": {"training": example.training_seed, "audit": example.audit_seed},
        "n": len(audit),
        "errors": int(wrong.sum()),
        "planted": [planted(*fact, rows, wrong) for fact in PLANTED] if example.links else [],
        "captions": {row["file"]: caption(scene) for row, scene in zip(rows, audit)},
        "scenes": {row["file"]: scene.to_dict() for row, scene in zip(rows, audit)},
    }
    (folder / "truth.json").write_text(json.dumps(truth, separators=(",", ":")) + "\n")
    print(f"{example.name}: {int(wrong.sum())} of {len(audit)} wrong")
    for fact in truth["planted"]:  # type: ignore[attr-defined]
        print({key: value for key, value in fact.items() if key != "files"})


def planted(
    sentence: str, conditions: dict[str, str], why: str, rows: Sequence[dict[str, Any]], wrong: Bool
) -> dict[str, Any]:
    """A planted weakness with its members, and its errors against the rest of the same class (of all, if it names no
    class)."""
    inside = np.array([all(row[column] == value for column, value in conditions.items()) for row in rows])
    scope = np.array([row["label"] == conditions.get("label", row["label"]) for row in rows])
    counts = [[int(wrong[part].sum()), int(part.sum())] for part in (inside, scope & ~inside)]
    p = fisher_exact([[errors, n - errors] for errors, n in counts])[1]
    return {
        "sentence": sentence,
        "conditions": conditions,
        "why": why,
        "errors_inside": counts[0],
        "errors_outside": counts[1],
        "fisher_p": float(f"{p:.2g}"),
        "files": [row["file"] for row, member in zip(rows, inside) if member],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[example.name for example in EXAMPLES])
    parser.add_argument("--downloads", type=Path, help="keep the source packages here (default: a temporary folder)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "assets/examples")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sources = stock.fetch(arguments.downloads or Path(temporary))
        for example in EXAMPLES:
            if arguments.only in (None, example.name):
                make(example, sources, arguments.out / example.name)


if __name__ == "__main__":
    main()
