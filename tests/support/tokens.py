"""Token features made so that binding is in the tokens and not in the pooled vectors: an adapter must learn it, a
pooled layer cannot."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from core.encoders.tokens import ImageTokens, TextTokens
from core.records import F32
from core.systems.composition.training.pairs import MatchingQuestion, PairData

COLOURS, SHAPES = ("red", "green", "blue", "grey"), ("cube", "ball", "cone", "ring")
WIDTH, GRID = 32, 4
START, END = 0, 1


@dataclass(frozen=True)
class MadeTower:
    """The sizes that a module asks for."""

    fingerprint: str = "made"
    grid: tuple[int, int] = (GRID, GRID)
    image_width: int = WIDTH
    text_width: int = WIDTH
    joint_width: int = WIDTH
    logit_scale: float = 10.0


def _unit(rows: F32) -> F32:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def made_pairs(n: int, seed: int, *, noise: float = 0.1) -> PairData:
    """n items of two images and two captions that swap their colors.

    An image is GRID x GRID patches; two of them hold color + shape of one thing. A caption's tokens are word vectors
    plus a vector for the place in the sentence. The pooled vectors are the mean over things, or words, so the swap
    changes them by noise alone.
    """
    rng, words = np.random.default_rng(seed), np.random.default_rng(99)
    vectors = {word: words.normal(size=WIDTH).astype(np.float32) for word in (*COLOURS, *SHAPES, "a", "and")}
    places = words.normal(size=(12, WIDTH)).astype(np.float32)
    captions: dict[str, int] = {}
    tokens, pooled, questions = list[F32](), list[F32](), list[MatchingQuestion]()
    pairs = list(permutations(range(4), 2))
    for i in range(n):
        c, s = pairs[int(rng.integers(12))], pairs[int(rng.integers(12))]
        texts: list[int] = []
        for flip in (0, 1):
            things = [(COLOURS[c[flip]], SHAPES[s[0]]), (COLOURS[c[1 - flip]], SHAPES[s[1]])]
            texts.append(
                captions.setdefault(" and ".join(f"a {colour} {shape}" for colour, shape in things), len(captions))
            )
            patches = rng.normal(size=(GRID * GRID, WIDTH)) * noise
            where = rng.permutation(GRID * GRID)[:2]
            parts = [vectors[colour] + vectors[shape] for colour, shape in things]
            patches[where] += parts
            tokens.append(patches.astype(np.float32))
            pooled.append(_unit(np.mean(parts, 0) + rng.normal(size=WIDTH) * 0.01))
        questions.append(
            MatchingQuestion(str(i), np.array([2 * i, 2 * i + 1]), np.array(texts), np.eye(2, dtype=np.bool_))
        )
    images = ImageTokens(np.stack(tokens), np.stack(pooled))
    return PairData(images, made_texts(tuple(captions), vectors, places), tuple(captions), tuple(questions))


def made_texts(captions: tuple[str, ...], vectors: dict[str, F32], places: F32) -> TextTokens:
    """Word vectors plus place vectors; a start and an end mark."""
    names = {word: k + 2 for k, word in enumerate(vectors)}
    longest = max(len(caption.split()) for caption in captions) + 2
    tokens, ids = np.zeros((len(captions), longest, WIDTH), np.float32), np.zeros((len(captions), longest), np.int64)
    pooled, words, seen = list[F32](), np.zeros(ids.shape, np.bool_), np.zeros(ids.shape, np.bool_)
    pieces: list[tuple[str, ...]] = []
    for k, caption in enumerate(captions):
        said = caption.split()
        ids[k, : len(said) + 2] = [START, *(names[word] for word in said), END]
        words[k, 1 : len(said) + 1], seen[k, : len(said) + 2] = True, True
        tokens[k, 1 : len(said) + 1] = np.stack([vectors[word] for word in said]) + places[: len(said)]
        pooled.append(_unit(np.mean([vectors[word] for word in sorted(said)], 0)))
        pieces.append(("[START]", *said, "[END]"))
    return TextTokens(tokens, ids, words, seen, np.stack(pooled), tuple(pieces))


ENCODER: Any = None
"""No module that is tested here asks for an encoder."""
