#!/usr/bin/env python
"""Teach the UniVL that ships on drawn clips and write it with its card.

    python -m research.weights.univl.draw --n 500 --seed 101 --out FOLDER/train1.npz   # and so on: see the card's seeds
    python -m research.weights.univl.fit --drawn FOLDER/train*.npz [--out assets/clips] [--seed 0]
    python -m research.weights.univl.fit --drawn TRAIN.npz --out OTHER --start assets/clips --task aligned --tune 250

Any setting of `research.weights.univl.training.loop.UnivlTraining` may be given, such as --first 0 for the second stage
alone. --task fine-tunes what was taught, or with --start what is in a folder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import torch

from core.systems.univl.network import PARTS, Univl, UnivlSizes
from core.systems.univl.weights import FOLDER, ReadUnivl, read_univl, write_univl
from core.systems.univl.words import ClipWords, words_of_texts
from research.weights.univl.draw import FRAMES, SIDE, read_drawn
from research.weights.univl.training.drawn import DrawnEvents
from research.weights.univl.training.loop import ClipLesson, UnivlTraining, fine_tune, mean_losses, teach_univl

LICENCE = "Apache-2.0; taught on clips drawn by research.weights.univl.drawn_clips, no photograph is contained"
TOKENS = 14


def sizes_of(words: ClipWords, features: int) -> UnivlSizes:
    """Of the network that ships."""
    return UnivlSizes(
        vocabulary=len(words),
        features=features,
        width=96,
        heads=3,
        hidden=384,
        text_layers=2,
        video_layers=2,
        cross_layers=2,
        decoder_layers=1,
        text_positions=16,
        video_positions=16,
        cross_positions=32,
        dropout=0.0,
    )


def begun(lesson: ClipLesson, seed: int) -> Univl:
    """A network of the size that ships, before any teaching."""
    network = Univl(sizes_of(lesson.words, lesson.drawn.features.shape[3]), PARTS)
    network.begin(torch.Generator().manual_seed(seed))
    return network


def taught(
    network: Univl, lesson: ClipLesson, how: UnivlTraining, then: UnivlTraining | None = None, task: str = ""
) -> ReadUnivl:
    """The network after both stages, and after fine-tuning for a task where one is named."""
    began = time.process_time()
    steps = list[dict[str, float]]()

    def report(name: str, done: int, total: int) -> None:
        if done % 250 == 0 or done == total:
            print(f"{name} {done}/{total} {time.process_time() - began:.0f} s", file=sys.stderr, flush=True)

    if how.first + how.second:
        steps += teach_univl(network, lesson, how, report)
    if then is not None:
        fine_tune(network, lesson, then, task, report)
    card = {
        "format": 1,
        "what": "UniVL (Luo et al. 2020, arXiv 2002.06353), small",
        "sizes": asdict(network.sizes),
        "parameters": sum(p.numel() for p in network.parameters()),
        "teaching": asdict(how) | ({"then": task, **asdict(then)} if then is not None else {}),
        "losses": {name: round(loss, 3) for name, loss in mean_losses(steps[-100:]).items()},
        "seconds": round(time.process_time() - began),
        "torch": torch.__version__,
    }
    return ReadUnivl(network, lesson.words, lesson.tokens, card)


def lesson_of(drawn: DrawnEvents, start: ReadUnivl | None = None) -> ClipLesson:
    """Drawn events with all words of their texts; for a network that was taught before, with its own words, since the
    same word may be another number among other texts."""
    if start is not None:
        return ClipLesson(drawn, start.words, start.tokens)
    return ClipLesson(drawn, words_of_texts(drawn.every_text()), TOKENS)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawn", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--task", choices=("joint", "aligned", "caption"), help="fine-tune for it, --tune steps")
    parser.add_argument("--tune", type=int, default=250, help="steps of fine-tuning")
    parser.add_argument("--tune_batch", type=int, default=12, help="grounds of a step of fine-tuning")
    parser.add_argument("--start", type=Path, help="fine-tune the network in this folder")
    for each in fields(UnivlTraining):
        parser.add_argument(f"--{each.name}", type=type(each.default), default=each.default)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    how = UnivlTraining(**{each.name: getattr(given, each.name) for each in fields(UnivlTraining)})
    then = None
    if given.task is not None:
        then = UnivlTraining(first=0, second=given.tune, second_batch=given.tune_batch, lr=how.lr / 2, seed=how.seed)
    start = None if given.start is None else read_univl(given.start)
    lesson = lesson_of(read_drawn(given.drawn), start)
    network = begun(lesson, how.seed) if start is None else start.network
    if start is not None:
        how = replace(how, first=0, second=0)
    found = taught(network, lesson, how, then, given.task or "")
    seeds = [int(np.load(path, allow_pickle=False)["seed"]) for path in given.drawn]
    data = {"drawn": {"seeds": seeds, "grounds": len(lesson.drawn), "frames": FRAMES, "pixels": SIDE}}
    write_univl(
        ReadUnivl(found.network, found.words, found.tokens, {**found.card, **data, "licence": LICENCE}), given.out
    )


if __name__ == "__main__":
    main()
