"""A Neuralizer that was taught nothing of a contrast, with K subjects as examples, beside a U-Net of its size that was
trained on these K, and beside the vote of their masks.

    python -m tests.benchmarks.scans_unet --out FILE [--contrasts 3] [--steps 450]
    python -m tests.benchmarks.scans_unet --show FILE

Each contrast is drawn at random (no scanner has it). Of it the U-Net sees K of the 16 subjects that the Neuralizer was
taught on, all planes, bent and drawn anew in each step by the very process that draws the tests: more than a real
training set gives. The Neuralizer and the vote see the same plane of the K subjects once. Tests: the four other
subjects, planes in the middle; intervals over contrast x subject. Figures: docs/evidence/scans.md.
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

from core.encoders.neuralizer.use import treat, vote
from core.encoders.neuralizer.weights import read_network
from core.records import F32, F64
from core.scenes.scans import STRUCTURES, TRAINED, UNSEEN, Contrast, deform, draw_any, draw_contrast, read_label_slices
from core.statistics.intervals import bootstrap
from scripts.scans.unet import UNet, classes_of, teach_unet
from tests.benchmarks.scans import dice

SHOTS = (1, 4, 16)
PLANES = (3, 5, 7, 9)
BATCH = 12
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


def compare(seed: int, steps: int) -> list[dict[str, Any]]:
    """Rows (contrast, subject, plane, structure, K, Dice of the three) of one contrast."""
    task, network = Task(seed), read_network()[0]
    tests = {(s, p): task.drawn(task.slices.places[s, p][None]) for s in UNSEEN for p in PLANES}
    shown = {(s, p): task.drawn(task.slices.places[s, p][None]) for s in TRAINED for p in PLANES}
    order = torch.randperm(len(TRAINED), generator=task.g).tolist()
    rows: list[dict[str, Any]] = []
    for shots in SHOTS:
        subjects, started = [TRAINED[k] for k in order[:shots]], time.process_time()
        torch.manual_seed(seed)
        unet = UNet(1 + len(STRUCTURES))
        teach_unet(unet, lambda chosen=subjects: task.batch(chosen), steps)
        seconds = time.process_time() - started
        for (subject, plane), (image, classes) in tests.items():
            given = torch.cat([shown[s, plane][0] for s in subjects])[:, 0].numpy()
            masks = torch.cat([shown[s, plane][1] for s in subjects]).numpy()
            said = classes_of(unet, image[:, 0].numpy())
            for k, name in enumerate(STRUCTURES, 1):
                wanted, after = (classes.numpy() == k).astype(np.float32), (masks == k).astype(np.float32)
                if wanted.sum() < LEAST:
                    continue
                found: Mapping[str, F32] = {
                    "neuralizer": treat(network, given, after, image[:, 0].numpy(), mask=True),
                    "vote": vote(after)[None],
                    "unet": (said == k).astype(np.float32),
                }
                scores = {way: float(dice(mask, wanted)[0]) for way, mask in found.items()}
                about = {"contrast": seed, "subject": subject, "plane": plane, "structure": name, "shots": shots}
                rows.append({**about, **scores, "seconds": seconds})
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """As Markdown."""

    def said(values: F64, groups: Any) -> str:
        found = bootstrap(lambda at: float(values[at].mean()), len(values), groups, np.random.default_rng(0))
        return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"

    heads = [f"K = {k}, {way}" for k in SHOTS for way in ("Neuralizer", "vote", "U-Net", "Neuralizer minus U-Net")]
    lines = [f"| structure (n) | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name in (*STRUCTURES, "all"):
        cells = list[str]()
        for shots in SHOTS:
            own = [r for r in rows if r["shots"] == shots and name in (r["structure"], "all")]
            groups = np.array([100 * r["contrast"] + r["subject"] for r in own], np.int64)
            ways = {way: np.array([r[way] for r in own]) for way in ("neuralizer", "vote", "unet")}
            cells += [said(values, groups) for values in (*ways.values(), ways["neuralizer"] - ways["unet"])]
            n = len(own)
        lines.append(f"| {name} ({n}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    parser.add_argument("--contrasts", type=int, default=3)
    parser.add_argument("--steps", type=int, default=450)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if given.out is not None:
        done = {json.loads(line)["contrast"] for line in given.out.open()} if given.out.is_file() else set[int]()
        for seed in range(1000, 1000 + given.contrasts):
            if seed not in done:
                with given.out.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row) + "\n" for row in compare(seed, given.steps))
    if (shown := given.show or given.out) is None:
        parser.error("give --out FILE or --show FILE")
    print(table([json.loads(line) for line in shown.open()]))


if __name__ == "__main__":
    main()
