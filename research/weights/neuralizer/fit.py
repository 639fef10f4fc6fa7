#!/usr/bin/env python
"""Teach the Neuralizer that ships and write it with its card.

    python -m research.weights.neuralizer.fit --scratch FOLDER [--out assets/scans] [--until STEP] [--seed 0]

It is taught on the label slices that ship (`research/weights/neuralizer/cut_labels.py`), 16 of 20 subjects. SCRATCH
keeps the state, so that a run that was stopped, or ended at --until, goes on from there. All steps take about 40
minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from core.systems.neuralizer.corrections.faults import FAULTS
from core.systems.neuralizer.encoder import pooled_features
from core.systems.neuralizer.network import NetworkSizes, Neuralizer
from core.systems.neuralizer.weights import write_network
from research.weights.neuralizer.drawn_scans import FILE, HELD_OUT, SIDE, TRAINED, read_label_slices
from research.weights.neuralizer.tasks import TASKS, ScanTasks
from research.weights.neuralizer.training import CpuClock, InContextStep, InContextTraining, teach_in_context

SIZES = NetworkSizes(channels=24)
LICENCE = "Apache-2.0; no scan is contained, the label maps are SynthSeg's (Apache-2.0)"


def card_of(network: Neuralizer, how: InContextTraining, seconds: float) -> dict[str, object]:
    """What is known of the network besides its weights."""
    return {
        "format": 1,
        "what": "Neuralizer (Czolbe and Dalca 2023, arXiv 2305.02644), small",
        "sizes": asdict(network.sizes),
        "parameters": sum(p.numel() for p in network.parameters()),
        "side": SIDE,
        "teaching": asdict(how),
        "tasks": list(TASKS),
        "subjects": list(TRAINED),
        "held_out": list(HELD_OUT),
        "data": "slices of SynthSeg's training label maps (Billot et al. 2023), images drawn from them",
        "licence": LICENCE,
        "seconds": round(seconds),
        "torch": torch.__version__,
    }


def features_of(network: Neuralizer, seed: int) -> dict[str, list[float]]:
    """Mean and scale of the pooled features over drawn scans, whole and spoilt: the encoder takes them off."""
    tasks = ScanTasks(read_label_slices(), torch.Generator().manual_seed(1_000_003 * seed + 1_000_002))
    drawn = [tasks.batch(task, 24, 1).target_in[:, 0] for task in FAULTS for _ in range(4)]
    pooled = pooled_features(network.eval(), torch.cat(drawn).clamp(0, 1).numpy())
    scale = pooled.std(0) + 0.05 * pooled.std()  # a feature that never moves is not blown up
    return {"mean": [round(float(x), 5) for x in pooled.mean(0)], "scale": [round(float(x), 5) for x in scale]}


def report(steps: Sequence[InContextStep]) -> None:
    """Mean loss by task, to the error stream."""
    by_task: dict[str, list[float]] = {}
    for step in steps:
        by_task.setdefault(step.task, []).append(step.loss)
    if by_task:
        print(json.dumps({task: round(sum(own) / len(own), 3) for task, own in by_task.items()}), file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=FILE.parent)
    parser.add_argument("--until", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    given.scratch.mkdir(parents=True, exist_ok=True)
    how = InContextTraining(seed=given.seed)
    network = Neuralizer(SIZES)
    network.begin(torch.Generator().manual_seed(given.seed))
    tasks = ScanTasks(read_label_slices(), torch.Generator())
    spent = given.scratch / "seconds.json"
    seconds = float(json.loads(spent.read_text("utf-8"))) if spent.is_file() else 0.0
    end = min(given.until or how.steps, how.steps)
    state = given.scratch / "state.safetensors"
    for done in [*range(100, end, 100), end]:
        clock = CpuClock()
        report(teach_in_context(network, tasks, how, state=state, until=done))
        seconds += clock.seconds
        spent.write_text(json.dumps(seconds), "utf-8")
    if end == how.steps:
        card = {**card_of(network, how, seconds), "features": features_of(network, given.seed)}
        write_network(network, given.out, card)
    print(json.dumps({"steps": end, "seconds": round(seconds)}))


if __name__ == "__main__":
    main()
