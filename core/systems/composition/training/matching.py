"""Score images against captions with a trained module: every text once, images in stretches, only the pairs that
are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from core.records import F64, I64, Progress, no_progress
from core.systems.composition.adapters.base import State
from core.systems.composition.training.pairs import PairData

TEXTS = 256
PAIRS = 256
IMAGES = 128
"""Texts, pairs and images in one pass."""


def device_of(module: Any) -> torch.device:
    """Where a module computes."""
    return next(module.parameters()).device


def score_questions(module: Any, data: PairData, progress: Progress = no_progress) -> tuple[F64, ...]:
    """(I, T) logits of each question, in order."""
    sizes = [q.match.size for q in data.questions]
    if not sizes:
        return ()
    pairs = np.concatenate(
        [np.stack(np.meshgrid(q.images, q.texts, indexing="ij"), 2).reshape(-1, 2) for q in data.questions]
    )
    logits = score_pairs(module, data, pairs, progress)
    parts = np.split(logits, np.cumsum(sizes)[:-1])
    return tuple(part.reshape(q.match.shape) for part, q in zip(parts, data.questions))


def score_pairs(module: Any, data: PairData, pairs: I64, progress: Progress = no_progress) -> F64:
    """(p,) logits of (p, 2) pairs of an image and a caption, as places in the banks. Each distinct pair is run
    once."""
    asked, inverse = np.unique(pairs, axis=0, return_inverse=True)  # sorted by image
    out = np.zeros(len(asked))
    module.eval()
    on = device_of(module)
    with torch.inference_mode():
        texts, used = text_states(module, data, np.unique(asked[:, 1]))
        done = 0
        for start, stop in _stretches(asked[:, 0]):
            images, at = np.unique(asked[start:stop, 0], return_inverse=True)
            states = module.images(data.image_rows(images, on))
            places = np.searchsorted(used, asked[start:stop, 1])
            for a in range(0, stop - start, PAIRS):
                rows = slice(a, min(a + PAIRS, stop - start))
                out[start + rows.start : start + rows.stop] = (
                    module.match(pick(states, at[rows]), pick(texts, places[rows])).double().cpu().numpy()
                )
                done += rows.stop - rows.start
                progress("match", done, len(asked))
    return out[inverse.reshape(-1)]


def text_states(module: Any, data: PairData, used: I64) -> tuple[State, I64]:
    """The states of the captions at these places, padded to the longest of them, and the places."""
    on = device_of(module)
    parts: list[State] = [module.texts(data.text_rows(used[a : a + TEXTS], on)) for a in range(0, len(used), TEXTS)]
    longest = max(max((s.shape[1] for s in part if s.ndim > 1), default=0) for part in parts)
    shared = len(parts) > 1 and any(s.ndim > 1 and s.shape[1] != longest for part in parts for s in part)
    if shared:  # texts of different stretches have different lengths
        parts = [tuple(_longer(s, longest) if s.ndim > 1 else s for s in part) for part in parts]
    return tuple(torch.cat(list(column)) for column in zip(*parts)), used


def _longer(state: torch.Tensor, length: int) -> torch.Tensor:
    """The state with its second axis, the tokens, filled up with nothing."""
    padding = state.new_zeros(len(state), length - state.shape[1], *state.shape[2:])
    return torch.cat([state, padding], 1)


def _stretches(images: I64) -> Iterator[tuple[int, int]]:
    """(start, stop) of sorted pairs with at most IMAGES images each."""
    starts = np.flatnonzero(np.r_[True, images[1:] != images[:-1]])
    for a in range(0, len(starts), IMAGES):
        yield int(starts[a]), int(starts[a + IMAGES]) if a + IMAGES < len(starts) else len(images)


def pick(state: State, at: I64) -> State:
    """The rows of a state at these places."""
    places = torch.from_numpy(np.ascontiguousarray(at, np.int64))
    return tuple(part[places.to(part.device)] for part in state)
