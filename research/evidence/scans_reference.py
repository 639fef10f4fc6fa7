"""What reference masks are worth beside the vote, and whether 1 - Dice with them orders scans as their true loss does.

    python -m research.evidence.scans_reference --out FILE [--data FOLDER] [--half choose] [--contrasts 0 1001 1002]
    python -m research.evidence.scans_reference --show FILE

A U-Net (`research/weights/neuralizer/unet.py`) is taught seven structures on clean slices of eight subjects in one
contrast (0 is like T1, others are drawn at random). The upload: 80 bent slices of other subjects in that contrast, half
of them with a fault (bias field, noise, coarse pixels, motion). Examples are of other subjects of the upload. --half
choose takes the subjects on which the rule (the 8 of lowest loss) was chosen; the default are the four that no network
learned from. --data holds mni152/: slices of a real head, each three times with a bias field of its own, and the
threshold model. Figures: docs/evidence/scans.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.data.scans.slices import fit_square, scale_to_unit
from core.records import F32, F64, I64
from core.statistics.intervals import bootstrap
from core.systems.neuralizer.corrections.faults import FAULTS, shaded
from core.systems.neuralizer.reference.masks import WAYS, dice_losses, reference_masks
from core.systems.neuralizer.reference.read import MaskSquares
from core.systems.neuralizer.reference.standin import rank_correlation
from core.systems.neuralizer.weights import read_network
from research.examples.planted_scans import like_t1
from research.weights.neuralizer.drawn_scans import (
    SIDE,
    STRUCTURES,
    UNSEEN,
    deform,
    draw_clean,
    draw_contrast,
    read_label_slices,
)
from research.weights.neuralizer.unet import UNet, classes_of, teach_unet
from tests.support.diagnoses import MemoryImages

HALVES = {"choose": tuple(range(8, 16)), "report": UNSEEN}
TAUGHT = tuple(range(8))
STEPS = 200
N = 80
LEAST = 15
KINDS = ("bias", "denoise", "super-resolution", "motion")


def squares(images: F32, true: Any, predicted: Any) -> MaskSquares:
    """Slices as an upload of which every scan is labeled."""
    n = len(images)
    ids = tuple(str(k) for k in range(len(images)))
    store = MemoryImages(ids, (b"",) * n)
    return MaskSquares(ids, images[:, None], true[:, None], predicted[:, None], np.ones(n, np.bool_), store)


def upload(contrast: int, subjects: Sequence[int]) -> tuple[MaskSquares, I64]:
    """The scans of one contrast with the U-Net's masks, and their subjects."""
    slices = read_label_slices()
    g = torch.Generator().manual_seed(contrast)
    class_of = torch.zeros(len(slices.values), dtype=torch.long)
    for k, labels in enumerate(STRUCTURES.values(), 1):
        class_of[slices.chosen(labels).bool()] = k
    light = draw_contrast(slices, 1, g) if contrast else like_t1(slices)

    def draw(of: Sequence[int], n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        who = torch.tensor(of)[torch.randint(len(of), (n,), generator=g)]
        bent = deform(slices.places[who, torch.randint(3, 10, (n,), generator=g)], g)
        return draw_clean(bent, light.for_each(n, g, 0.02), g), class_of[bent], who

    torch.manual_seed(contrast)
    model = UNet(1 + len(STRUCTURES))
    teach_unet(model, lambda: draw(TAUGHT, 12)[:2], STEPS)
    g.manual_seed(7000 + contrast)
    images, classes, who = draw(subjects, N)
    fault = torch.randint(2 * len(KINDS), (N,), generator=g)
    for k, kind in enumerate(KINDS):
        if (rows := fault == k).any():
            images[rows] = FAULTS[kind](images[rows], g).clamp(0, 1)
    shown = images[:, 0].numpy()
    return squares(shown, classes.numpy(), classes_of(model, shown)), who.numpy().astype(np.int64)


def scored(scans: MaskSquares, groups: I64, what: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """A row a scan and structure: its loss, and by way the reference's Dice and the disagreement with it."""
    network = read_network()[0]
    rows = list[dict[str, Any]]()
    for name, one in zip(names, reference_masks(scans, network, np.arange(len(scans)), groups)):
        true, predicted = scans.of(one.structure)
        loss = dice_losses(predicted, true)
        dice = {way: 1 - dice_losses(one.masks[way], true) for way in WAYS}
        standin = {way: dice_losses(predicted, one.masks[way]) for way in WAYS}
        for k in np.flatnonzero(true.sum((1, 2, 3)) >= LEAST).tolist():
            about = {"upload": what, "structure": name, "group": int(groups[k]), "loss": float(loss[k])}
            by_way = {way: [float(dice[way][k]), float(standin[way][k])] for way in WAYS}
            rows.append({**about, **by_way})
    return rows


def real(data: Path) -> tuple[MaskSquares, I64]:
    """Slices of MNI152's head, each three times with a bias field of another strength, and what is bright in them."""
    with np.load(data / "mni152" / "coronal_2mm.npz", allow_pickle=False) as stored:
        planes = stored["t1"].astype(np.float32)
        white = stored["wm"]
    fitted = fit_square(planes.shape[1:], (1.0, 1.0), SIDE)
    g = torch.Generator().manual_seed(3)
    head = torch.from_numpy(np.stack([fitted.into(scale_to_unit(plane)) for plane in planes]))[:, None]
    true = np.stack([fitted.into((one >= 128).astype(np.float32), mask=True) for one in white]).astype(np.int64)
    images = torch.cat([head if not strength else shaded(head, g, strength) for strength in (0.0, 0.3, 0.6)])
    shown = images[:, 0].numpy()
    top = np.percentile(shown, 99.5, axis=(1, 2), keepdims=True)
    return squares(shown, np.tile(true, (3, 1, 1)), (shown > 0.7 * top).astype(np.int64)), np.tile(np.arange(16), 3)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """As Markdown: a line an upload and structure."""

    def mean(values: F64) -> str:
        found = bootstrap(lambda at: float(values[at].mean()), len(values), None, np.random.default_rng(0))
        return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"

    def rho(a: F64, b: F64, groups: I64 | None) -> str:
        found = rank_correlation(a, b, groups)
        return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"

    heads = [
        "loss",
        "Dice, network",
        "vote",
        "network minus vote",
        "control",
        "rank correlation, network",
        "vote",
        "control",
    ]
    lines = [f"| upload | structure (n) | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for what, name in dict.fromkeys((r["upload"], r["structure"]) for r in rows):
        own = [r for r in rows if (r["upload"], r["structure"]) == (what, name)]
        loss = np.array([r["loss"] for r in own])
        dice, standin = ({way: np.array([r[way][j] for r in own]) for way in WAYS} for j in (0, 1))
        groups = np.array([r["group"] for r in own], np.int64) if what == "MNI152" else None
        cells = [mean(loss), mean(dice["network"]), mean(dice["vote"]), mean(dice["network"] - dice["vote"])]
        cells += [mean(dice["control"]), *(rho(standin[way], loss, groups) for way in WAYS)]
        lines.append(f"| {what} | {name} ({len(own)}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--half", choices=HALVES, default="report")
    parser.add_argument("--contrasts", type=int, nargs="*", default=[0, 1001, 1002])
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if given.out is not None:
        kinds = {f"contrast {seed}": (seed, tuple(STRUCTURES)) for seed in given.contrasts}
        with given.out.open("a", encoding="utf-8") as file:
            for what, (seed, names) in kinds.items():
                made = scored(*upload(seed, HALVES[given.half]), what, names)
                file.writelines(json.dumps(row) + "\n" for row in made)
                file.flush()
            if given.data is not None:
                made = scored(*real(given.data), "MNI152", ("white matter",))
                file.writelines(json.dumps(row) + "\n" for row in made)
    if (shown := given.show or given.out) is None:
        parser.error("give --out FILE or --show FILE")
    print(table([json.loads(line) for line in shown.open()]))


if __name__ == "__main__":
    main()
