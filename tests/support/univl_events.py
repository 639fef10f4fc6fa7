"""Drawn events without images: in features a thing is a direction, and what happens to it one that grows."""

from __future__ import annotations

import numpy as np
import torch

from research.weights.univl.drawn_clips import OPPOSITE
from research.weights.univl.training.drawn import DrawnEvents

THINGS = tuple(f"a {colour} {shape}" for colour in ("red", "green", "blue") for shape in ("cube", "ball", "ring"))
FRAMES, WIDTH = 3, 40


def event_features(n: int, seed: int = 0, noise: float = 0.3) -> DrawnEvents:
    """n grounds. The same directions for every seed."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(7)
    things = fixed.normal(size=(len(THINGS), WIDTH))
    verbs, ways = list(OPPOSITE), fixed.normal(size=(3, WIDTH)) * 1.5
    texts, features = list[tuple[str, str]](), np.zeros((n, 2, FRAMES, WIDTH), np.float32)
    for row in range(n):
        said = list[str]()
        for k, thing in enumerate(rng.choice(len(THINGS), 2, replace=False).tolist()):
            verb = int(rng.integers(len(verbs)))
            ramp = np.linspace(-1, 1, FRAMES) * (1 if verb % 2 else -1)
            features[row, k] = things[thing] + ramp[:, None] * ways[verb // 2]
            said.append(f"{THINGS[thing]} {verbs[verb]}")
        texts.append((said[0], said[1]))
    features += rng.normal(size=features.shape) * noise
    return DrawnEvents(tuple(texts), torch.from_numpy(features.astype(np.float32)))
