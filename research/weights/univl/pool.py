#!/usr/bin/env python
"""Two poolers of frames over the embedded encoder, the mean and one that sees the order, on clips that neither saw.

    python -m research.weights.univl.pool --drawn FOLDER/train1.npz --test FOLDER/test.npz [--steps 1200] [--seed 0]

Prints JSON: retrieval, and twins (a text with its own clip and with that of the same events in the other order).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from core.encoders import load_encoder
from core.records import F32, Estimate
from core.systems.common.schedule import warmed
from core.systems.common.steps import take_step
from research.weights.univl.draw import FRAMES, read_drawn
from research.weights.univl.frame_order import OrderedPooling
from research.weights.univl.measure import both_orders, first_places, half_ties, shuffled
from research.weights.univl.training.drawn import DrawnEvents

GROUNDS = 12
RATE = 3e-3
WARM_UP = 100
"""Of a step; the largest step size of Adam, and the steps in which it rises (chosen on other grounds, seed 7)."""


def teach(pooling: OrderedPooling, drawn: DrawnEvents, texts: dict[str, torch.Tensor], steps: int, seed: int) -> None:
    """In place, on batches of four clips of each ground."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(pooling.parameters(), lr=RATE)
    for step in range(steps):
        rows = torch.randperm(len(drawn), generator=generator)[:GROUNDS].tolist()
        said, clips = drawn.relatives(rows, generator)
        loss = pooling.loss(clips, torch.stack([texts[text] for text in said]))
        take_step(optimiser, loss, warmed(step, steps, WARM_UP, 0.02), clip=None)


def measured(pooling: OrderedPooling, drawn: DrawnEvents, texts: dict[str, torch.Tensor]) -> dict[str, Estimate]:
    """Retrieval and twins of either order's clips."""
    first, second = both_orders(drawn)

    def clips(features: F32) -> F32:
        with torch.inference_mode():
            return pooling.clips(torch.from_numpy(features)).double().numpy().astype(np.float32)

    with torch.inference_mode():
        said = pooling.texts(torch.stack([texts[text] for text in first[0]])).numpy()
    own = (said * clips(first[1])).sum(1)
    other = (said * clips(second[1])).sum(1)
    mixed = [(said * clips(shuffled(x, k))).sum(1) for k, x in enumerate((first[1], second[1]))]
    return {
        **first_places(said @ clips(first[1]).T),
        "twins": half_ties(np.round(own, 5), np.round(other, 5)),
        "twins, shuffled frames": half_ties(np.round(mixed[0], 5), np.round(mixed[1], 5)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawn", type=Path, nargs="+", required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1_200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    drawn = read_drawn(given.drawn, "joint")
    test = read_drawn([given.test], "joint")
    every = list(dict.fromkeys([*drawn.every_text(), *test.every_text()]))
    vectors = load_encoder("embedded").encode_texts(every)
    texts = {text: torch.from_numpy(row).float() for text, row in zip(every, vectors, strict=True)}
    torch.manual_seed(given.seed)
    pooling = OrderedPooling(drawn.features.shape[3], places=FRAMES)
    for name, steps in (("mean", 0), ("order", given.steps)):
        teach(pooling, drawn, texts, steps, given.seed)
        document = {each: asdict(x) for each, x in measured(pooling, test, texts).items()}
        print(json.dumps({"pooling": name, "n": len(test), "steps": steps, **document}), flush=True)


if __name__ == "__main__":
    main()
