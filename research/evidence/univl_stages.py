"""Do two stages teach a UniVL more than the second alone, at about the same CPU seconds?

    python -m research.evidence.univl_stages [--seeds 0 1 2] [--n 200]
    python -m research.evidence.univl_stages --test drawn/test.npz --two TWO0 TWO1 --alone ALONE0 ALONE1 [--beam 5]

The first teaches on events without images (`tests.support.univl_events`). The second takes networks that
`research.weights.univl.fit` taught on drawn clips, a pair for each seed. Captions are written from the clip alone,
BLEU-4, the same unseen clips for all. Prints JSON, a line for each seed, then the mean gain: its interval over clips,
and over seeds (t).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import t

from core.records import F64, I64, Estimate
from core.statistics.intervals import bootstrap
from core.systems.univl.weights import ReadUnivl, read_univl
from research.evidence.caption_scores import bleu_of, bleu_parts
from research.weights.univl.captions import caption_clips
from research.weights.univl.draw import read_drawn
from research.weights.univl.measure import both_orders, shown
from research.weights.univl.training.drawn import DrawnEvents
from research.weights.univl.training.loop import UnivlTraining, teach_univl
from tests.research.weights.univl.training.test_loop import TOKENS, begun, lesson
from tests.support.univl_events import event_features

TWO = "two stages"
ALONE = "second stage alone"
STEPS = {TWO: (400, 300), ALONE: (0, 440)}
Taught = tuple[ReadUnivl, float]
"""A network, and the CPU seconds of its training."""


def taught_on_events(steps: tuple[int, int], seed: int) -> Taught:
    """A network taught here, on events without images."""
    material = lesson(400, seed)
    network = begun(material, 32, seed)
    began = time.process_time()
    how = UnivlTraining(*steps, first_batch=16, second_batch=8, lr=2e-3, warm_up=30, seed=seed)
    teach_univl(network, material, how)
    return ReadUnivl(network, material.words, TOKENS), time.process_time() - began


def taught_before(folder: Path) -> Taught:
    """A network of `research.weights.univl.fit`."""
    found = read_univl(folder)
    return found, float(found.card["seconds"])


def parts_of(found: ReadUnivl, drawn: DrawnEvents, beam: int) -> F64:
    """What BLEU adds up, caption by caption."""
    first, _ = both_orders(drawn)
    written = caption_clips(found, shown(first[1]), beam=beam)
    return bleu_parts(written, [[text] for text in first[0]])


def gain_over_clips(two: Sequence[F64], alone: Sequence[F64]) -> Estimate:
    """Mean gain of the seeds in BLEU-4, and its interval over clips: of other clips, the same networks."""

    def gain(clips: I64) -> float:
        return float(np.mean([bleu_of(a[clips]) - bleu_of(b[clips]) for a, b in zip(two, alone, strict=True)]))

    return bootstrap(gain, len(two[0]), None, np.random.default_rng(0))


def mean_over_seeds(gains: Sequence[float]) -> Estimate:
    """Mean of at least two seeds' gains, with Student's interval: of other seeds, the same clips."""
    mean = float(np.mean(gains))
    n = len(gains)
    half = float(t.ppf(0.975, n - 1)) * float(np.std(gains, ddof=1)) / n**0.5
    return Estimate(mean, mean - half, mean + half)


def pairs_of(given: argparse.Namespace) -> Iterator[tuple[str, Taught, Taught]]:
    """What a pair is called, the network of two stages, and that of the second alone."""
    if given.test is None:
        for seed in given.seeds:
            yield f"seed {seed}", taught_on_events(STEPS[TWO], seed), taught_on_events(STEPS[ALONE], seed)
        return
    for two, alone in zip(given.two, given.alone, strict=True):
        yield f"{two} and {alone}", taught_before(two), taught_before(alone)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--test", type=Path, help="of research.weights.univl.draw, with networks taught on drawn clips")
    parser.add_argument("--two", type=Path, nargs="+", default=[])
    parser.add_argument("--alone", type=Path, nargs="+", default=[])
    parser.add_argument("--beam", type=int, default=3)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    drawn = event_features(given.n, 1_000) if given.test is None else read_drawn([given.test])
    two = list[F64]()
    alone = list[F64]()
    for name, *both in pairs_of(given):
        told: dict[str, object] = {"pair": name}
        for stage, every, (found, seconds) in zip((TWO, ALONE), (two, alone), both, strict=True):
            every.append(parts_of(found, drawn, given.beam))
            told[stage] = {"BLEU-4": round(bleu_of(every[-1]), 3), "seconds": round(seconds)}
        print(json.dumps(told), flush=True)
    over = {"clips": gain_over_clips(two, alone)}
    if len(two) > 1:
        over["seeds"] = mean_over_seeds([bleu_of(a) - bleu_of(b) for a, b in zip(two, alone, strict=True)])
    for name, gain in over.items():
        print(json.dumps({"gain, interval over": name, **gain.to_dict()}), flush=True)


if __name__ == "__main__":
    main()
