"""Does the cross encoder learn to retrieve faster where the clips of a batch are alike?

    python -m research.evidence.univl_alike --drawn drawn/train*.npz --test drawn/test.npz [--steps 200]

Fine-tunes assets/clips for aligned retrieval. A batch is a ground with seven of the 40 that the joint vectors find most
like it, both orders of each; cross-entropy both ways. Departure from UniVL: its batches are drawn at random, and it
fine-tunes with a margin. Prints JSON: retrieval by the cross encoder.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from core.records import Estimate
from core.systems.common.schedule import cosine
from core.systems.univl.use import score_texts
from core.systems.univl.weights import ReadUnivl, read_univl
from research.weights.univl.draw import read_drawn
from research.weights.univl.measure import both_orders, first_places, shown
from research.weights.univl.training.batches import NOTHING, ClipBatch, clip_batch
from research.weights.univl.training.drawn import DrawnEvents

GROUNDS = 8
ALIKE = 40
RATE = 1e-3
WARM_UP = 30


def alike(found: ReadUnivl, drawn: DrawnEvents) -> torch.Tensor:
    """(n, ALIKE) rows of the grounds most like each, by joint scores of text with clip and clip with text."""
    first, _ = both_orders(drawn)
    scores = torch.from_numpy(score_texts(found, first[0], shown(first[1]), aligned=False)).fill_diagonal_(-1e9)
    return (scores + scores.T).topk(ALIKE, 1).indices


def batch_of(found: ReadUnivl, drawn: DrawnEvents, near: torch.Tensor, generator: torch.Generator) -> ClipBatch:
    row = int(torch.randint(len(drawn), (1,), generator=generator))
    rows = [row, *near[row][torch.randperm(ALIKE, generator=generator)[: GROUNDS - 1]].tolist()]
    texts, clips = drawn.relatives(rows, generator, 1)
    there = torch.ones(clips.shape[:2], dtype=torch.long)
    return clip_batch(texts, (clips, there), found.words, found.tokens, generator, hiding=NOTHING)


def tune(found: ReadUnivl, drawn: DrawnEvents, steps: int, seed: int) -> None:
    """In place."""
    network = found.network
    near = alike(found, drawn)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    network.train()
    for step in range(steps):
        batch = batch_of(found, drawn, near, generator)
        optimiser.param_groups[0]["lr"] = RATE * min(1.0, (step + 1) / WARM_UP) * cosine(step, steps, 0.02)
        text = network.read_text(batch.ids, batch.seen)
        video = network.watch(network.normed(batch.features), batch.there)
        scores = network.aligned_scores(text, batch.seen, video, batch.there)
        own = torch.arange(len(scores))
        optimiser.zero_grad()
        ((cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    network.eval()


def measured(found: ReadUnivl, drawn: DrawnEvents) -> dict[str, Estimate]:
    first, _ = both_orders(drawn)
    return first_places(score_texts(found, first[0], shown(first[1]), aligned=True))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawn", type=Path, nargs="+", required=True)
    parser.add_argument("--test", type=Path, nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found = read_univl()
    began = time.process_time()
    tune(found, read_drawn(given.drawn), given.steps, given.seed)
    seconds = round(time.process_time() - began)
    for path in given.test:
        test = read_drawn([path])
        document = {name: asdict(x) for name, x in measured(found, test).items()}
        print(json.dumps({"test": path.name, "n": len(test), "seconds": seconds, **document}), flush=True)


if __name__ == "__main__":
    main()
