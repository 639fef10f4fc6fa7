"""Small UniVLs, and batches for them."""

from __future__ import annotations

import torch

from core.systems.univl.network import PARTS, Univl, UnivlSizes
from core.systems.univl.words import ClipWords, words_of_texts
from research.weights.univl.training.batches import ClipBatch, Hiding, clip_batch

PUBLISHED = Hiding()
TEXTS = ("a red cube moves left", "a blue ball grows", "a red ball rises, then a cube falls", "a cube grows")
FRAMES, WIDTH, LENGTH = 5, 12, 12


def small_words() -> ClipWords:
    return words_of_texts(TEXTS)


def small_sizes() -> UnivlSizes:
    return UnivlSizes(len(small_words()), WIDTH, 16, 2, 32, 2, 2, 2, 1, LENGTH, 8, LENGTH + 8, 0.0)


def small_univl(seed: int = 0, parts: tuple[str, ...] = PARTS) -> Univl:
    """A network with weights large enough for its answers to differ, in evaluation mode."""
    network = Univl(small_sizes(), parts)
    network.begin(torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                weight.mul_(10)
            elif name.endswith("bias"):
                weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(len(name))) * 0.1)
    return network.eval()


def small_clips(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of four clips, and 1 on their frames: the second has three."""
    features = torch.randn(len(TEXTS), FRAMES, WIDTH, generator=torch.Generator().manual_seed(seed))
    there = torch.ones(len(TEXTS), FRAMES, dtype=torch.long)
    there[1, 3:] = 0
    return features * there.unsqueeze(2), there


def small_batch(hiding: Hiding = PUBLISHED, seed: int = 0, pairs: int = 1) -> ClipBatch:
    generator = torch.Generator().manual_seed(seed)
    return clip_batch(TEXTS, small_clips(), small_words(), LENGTH, generator, hiding=hiding, pairs=pairs)
