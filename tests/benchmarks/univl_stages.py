"""Do two stages teach a UniVL more than the second alone, at about the same CPU seconds?

    python -m tests.benchmarks.univl_stages [--seeds 0 1 2] [--n 200]

On events without pictures (`tests.support.univl_events`): captions written from the clip alone, BLEU-4, the same unseen
clips for all. Prints JSON, a line for each seed, then the mean differences over all clips and seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

import numpy as np
import torch

from core.answers.caption_scores import bleu_of, bleu_parts
from core.encoders.univl.use import caption_clips
from core.encoders.univl.weights import ReadUnivl
from core.records import F64, I64
from core.statistics.intervals import bootstrap
from core.training.univl.loop import UnivlTraining, teach_univl
from scripts.clips.measure import both_orders, shown
from tests.core.training.univl.test_loop import TOKENS, begun, lesson
from tests.support.univl_events import event_features

STEPS = {"two stages": (400, 300), "second stage alone": (0, 440)}


def parts_of(steps: tuple[int, int], seed: int, n: int) -> tuple[F64, float]:
    """What BLEU adds up, clip by clip, and the CPU seconds of the training."""
    taught, (first, _) = lesson(400, seed), both_orders(event_features(n, 1_000))
    network, began = begun(taught, 32, seed), time.process_time()
    how = UnivlTraining(*steps, first_batch=16, second_batch=8, lr=2e-3, warm_up=30, seed=seed)
    teach_univl(network, taught, how)
    seconds = time.process_time() - began
    written = caption_clips(ReadUnivl(network, taught.words, TOKENS), shown(first[1]), beam=3)
    return bleu_parts(written, [[text] for text in first[0]]), seconds


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--n", type=int, default=200)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    every: dict[str, list[F64]] = {name: [] for name in STEPS}
    for seed in given.seeds:
        told: dict[str, object] = {"seed": seed}
        for name, steps in STEPS.items():
            parts, seconds = parts_of(steps, seed, given.n)
            every[name].append(parts)
            told[name] = {"BLEU-4": round(bleu_of(parts), 3), "seconds": round(seconds)}
        print(json.dumps(told), flush=True)
    two, *others = STEPS
    for name in others:

        def gain(clips: I64, name: str = name) -> float:
            ours, theirs = ([bleu_of(parts[clips]) for parts in every[each]] for each in (two, name))
            return float(np.mean(ours) - np.mean(theirs))

        found = bootstrap(gain, given.n, None, np.random.default_rng(0))
        print(json.dumps({"gain over": name, "value": found.value, "low": found.low, "high": found.high}), flush=True)


if __name__ == "__main__":
    main()
