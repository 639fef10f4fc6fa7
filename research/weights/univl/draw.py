#!/usr/bin/env python
"""Draw pairs of events on grounds and keep what the embedded encoder sees of every frame.

    python -m research.weights.univl.draw --n 2000 --seed 0 --out FOLDER/train.npz

About 0.3 s of one core for a pair of events of four frames each.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.encoders import load_encoder
from core.encoders.tokens import tower_of
from core.records import F32
from core.systems.univl.features import cell_means, projected
from research.weights.univl.drawn_clips import OPPOSITE, draw_clip
from research.weights.univl.training.drawn import DrawnEvents

FRAMES = 8
SIDE = 128
"""Of a clip of two events, and of a frame in pixels."""


def draw(n: int, seed: int) -> dict[str, Any]:
    """Events' texts, (n, 2, k, 9, d) cells and (n, 2, k, j) joint vectors of their frames."""
    encoder = load_encoder("embedded")
    tower = tower_of(encoder)
    rng = np.random.default_rng(seed)
    verbs = list(OPPOSITE)
    cells = list[Any]()
    joint = list[Any]()
    texts = list[list[str]]()
    for i in range(n):
        clip = draw_clip(rng, rng.choice(verbs, 2).tolist(), alone=True)
        frames = np.stack([encoder.preprocess(frame) for frame in clip.frames(FRAMES, SIDE)])
        seen = tower.image_tokens(frames)
        cells.append(cell_means(seen.tokens, tower.grid).astype(np.float16))
        joint.append(seen.pooled.astype(np.float16))
        texts.append([event.text() for event in clip.events])
        if i % 100 == 0:
            print(i, flush=True)
    shape = (n, 2, FRAMES // 2)
    stacked = np.stack(cells), np.stack(joint)
    both = [x.reshape(*shape, *x.shape[2:]) for x in stacked]
    return {"cells": both[0], "joint": both[1], "texts": np.array(texts), "seed": seed}


def read_drawn(paths: Sequence[Path], what: str = "cells") -> DrawnEvents:
    """What `draw` kept, of several files one after the other.

    Args:
        what: "cells", projected as UniVL takes them, or "joint".
    """
    features = list[F32]()
    texts = list[tuple[str, str]]()
    for path in paths:
        with np.load(path, allow_pickle=False) as kept:
            seen = kept[what].astype(np.float32)
            texts += [(str(a), str(b)) for a, b in kept["texts"]]
        flat = seen.reshape(-1, *seen.shape[3:])
        flat = projected(flat) if what == "cells" else flat
        features.append(flat.reshape(*seen.shape[:3], -1))
    return DrawnEvents(tuple(texts), torch.from_numpy(np.concatenate(features)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(given.out, **draw(given.n, given.seed))


if __name__ == "__main__":
    main()
