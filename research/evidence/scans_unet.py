"""A Neuralizer that was taught nothing of a contrast, with K subjects as examples, beside a U-Net of its size that was
trained on these K, and beside the vote of their masks.

    python -m research.evidence.scans_unet --out FILE [--contrasts 2] [--steps 450] [--once] [--shots 1 4 16]
        [--keep FOLDER]
    python -m research.evidence.scans_unet --show FILE

Each contrast is drawn at random (no scanner has it). Of it the U-Net sees K of the 16 subjects that the Neuralizer
was taught on, all planes, bent and drawn anew in each step by the very process that draws the tests: more than a real
training set gives. With --once each slice is drawn once, as a data set has it, and only bent. The Neuralizer and the
vote see the same plane of the K subjects once. Tests: the four other subjects, planes in the middle; intervals over
contrast x subject. In --keep the trained U-Nets are kept, and read again. Figures: docs/evidence/scans.md.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.encoders.weights import read_tensors
from core.records import F32
from core.statistics.intervals import bootstrap
from core.systems.common.checkpoints import write_tensors
from core.systems.neuralizer.use import treat, vote
from core.systems.neuralizer.weights import read_network
from research.evidence.scans import dice
from research.weights.neuralizer.drawn_scans import (
    STRUCTURES,
    TRAINED,
    UNSEEN,
    Contrast,
    deform,
    draw_any,
    draw_contrast,
    read_label_slices,
)
from research.weights.neuralizer.unet import Draw, UNet, classes_of, teach_unet

SHOTS = (1, 4, 16)
PLANES = (3, 5, 7, 9)
BATCH = 12
CHANNELS = 35
"""Of the U-Net, which then has as many numbers as the Neuralizer that ships."""
LEAST = 15
"""Pixels of a structure in a slice that is tested."""


class Task:
    """One contrast, and structures by class number."""

    def __init__(self, seed: int) -> None:
        self.g = torch.Generator().manual_seed(seed)
        self.slices = read_label_slices()
        self.contrast = draw_contrast(self.slices, 1, self.g)
        self.class_of = torch.zeros(len(self.slices.values), dtype=torch.long)
        for k, labels in enumerate(STRUCTURES.values(), 1):
            self.class_of[self.slices.chosen(labels).bool()] = k

    def drawn(self, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, 1, h, w) images and (n, h, w) classes of labels."""
        contrast: Contrast = self.contrast.for_each(len(labels), self.g)
        return draw_any(labels, contrast, self.g), self.class_of[labels]

    def batch(self, subjects: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch to train on, bent."""
        of = torch.tensor(subjects)[torch.randint(len(subjects), (BATCH,), generator=self.g)]
        planes = torch.randint(self.slices.places.shape[1], (BATCH,), generator=self.g)
        return self.drawn(deform(self.slices.places[of, planes], self.g))

    def draw_once(self, subjects: Sequence[int]) -> Draw:
        """Batches of slices that were drawn once, image and classes bent alike."""
        images, classes = self.drawn(self.slices.places[list(subjects)].flatten(0, 1))
        fine = (1000 * images[:, 0]).round().long()

        def batch() -> tuple[torch.Tensor, torch.Tensor]:
            rows = torch.randint(len(fine), (BATCH,), generator=self.g)
            state = self.g.get_state()
            bent = deform(fine[rows], self.g)[:, None] / 1000
            self.g.set_state(state)
            return bent, deform(classes[rows], self.g)

        return batch


def trained(task: Task, subjects: Sequence[int], given: argparse.Namespace, seed: int) -> tuple[UNet, float]:
    """A U-Net of these subjects and the CPU seconds of its training; read where it was kept."""
    torch.manual_seed(seed)
    unet = UNet(1 + len(STRUCTURES), CHANNELS)
    started = time.process_time()
    kept = given.keep and given.keep / f"{seed}-{len(subjects)}-{given.steps}{'-once' * given.once}.safetensors"
    if kept and kept.is_file():
        stored = read_tensors(kept)
        unet.load_state_dict({name: tensor for name, tensor in stored.items() if name != "seconds"})
        return unet, float(stored["seconds"])
    draw = task.draw_once(subjects) if given.once else lambda: task.batch(subjects)
    teach_unet(unet, draw, given.steps)
    seconds = time.process_time() - started
    if kept:
        given.keep.mkdir(parents=True, exist_ok=True)
        write_tensors(kept, {**unet.state_dict(), "seconds": torch.tensor(seconds)})
    return unet, seconds


def compare(seed: int, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows (contrast, subject, plane, structure, K, Dice of the three) of one contrast."""
    task = Task(seed)
    network = read_network()[0]
    tests = {(s, p): task.drawn(task.slices.places[s, p][None]) for s in UNSEEN for p in PLANES}
    shown = {(s, p): task.drawn(task.slices.places[s, p][None]) for s in TRAINED for p in PLANES}
    order = torch.randperm(len(TRAINED), generator=task.g).tolist()
    rows: list[dict[str, Any]] = []
    for shots in given.shots:
        subjects = [TRAINED[k] for k in order[:shots]]
        unet, seconds = trained(task, subjects, given, seed)
        for (subject, plane), (image, classes) in tests.items():
            before = torch.cat([shown[s, plane][0] for s in subjects])[:, 0].numpy()
            masks = torch.cat([shown[s, plane][1] for s in subjects]).numpy()
            said = classes_of(unet, image[:, 0].numpy())
            for k, name in enumerate(STRUCTURES, 1):
                wanted = (classes.numpy() == k).astype(np.float32)
                after = (masks == k).astype(np.float32)
                if wanted.sum() < LEAST:
                    continue
                found: Mapping[str, F32] = {
                    "neuralizer": treat(network, before, after, image[:, 0].numpy(), mask=True),
                    "vote": vote(after)[None],
                    "unet": (said == k).astype(np.float32),
                }
                scores = {way: float(dice(mask, wanted)[0]) for way, mask in found.items()}
                about = {"contrast": seed, "subject": subject, "plane": plane, "structure": name, "shots": shots}
                rows.append({**about, **scores, "seconds": seconds})
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """As Markdown: of each K the mean Dice of Neuralizer / vote / U-Net, and the first minus the last."""
    tried = sorted({r["shots"] for r in rows})
    heads = [head for k in tried for head in (f"K = {k}: Neuralizer / vote / U-Net", "Neuralizer minus U-Net")]
    lines = [f"| structure (n) | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name in (*STRUCTURES, "all"):
        cells = list[str]()
        n = 0
        for shots in tried:
            own = [r for r in rows if r["shots"] == shots and name in (r["structure"], "all")]
            groups = np.array([100 * r["contrast"] + r["subject"] for r in own], np.int64)
            ways = [np.array([r[way] for r in own]) for way in ("neuralizer", "vote", "unet")]
            gap = ways[0] - ways[2]
            n = len(own)
            found = bootstrap(lambda at, x=gap: float(x[at].mean()), n, groups, np.random.default_rng(0))
            cells.append(" / ".join(f"{x.mean():.2f}" for x in ways))
            cells.append(f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]")
        lines.append(f"| {name} ({n}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--contrasts", type=int, default=2)
    parser.add_argument("--steps", type=int, default=450)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--shots", type=int, nargs="+", default=SHOTS)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if given.out is not None:
        done = {json.loads(line)["contrast"] for line in given.out.open()} if given.out.is_file() else set[int]()
        for seed in range(1000, 1000 + given.contrasts):
            if seed not in done:
                with given.out.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row) + "\n" for row in compare(seed, given))
    if (shown := given.show or given.out) is None:
        parser.error("give --out FILE or --show FILE")
    print(table([json.loads(line) for line in shown.open()]))


if __name__ == "__main__":
    main()
