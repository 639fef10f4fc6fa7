"""Masking: all cells of one visual word or as many anywhere, and words of the caption."""

from __future__ import annotations

import torch

from core.systems.common.words import MARKS
from core.systems.visual_words.pretraining.vocabulary import MASK

MASKED_SHARE = 0.15
"""Share of the words to predict, as in BERT."""
HIDDEN_SHARE = 0.8
"""Share of these replaced by the mask, as in BERT."""
RANDOM_SHARE = 0.1
"""Share of these replaced by a random word, as in BERT."""


def mask_by_index(index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(b, P) True on all cells of one word of each image, drawn uniformly from its words.

    Args:
        index: (b, P) words of the cells.
    """
    picked = list[torch.Tensor]()
    for row in index:
        words = row.unique()
        picked.append(words[int(torch.randint(len(words), (1,), generator=generator))])
    return index == torch.stack(picked).unsqueeze(1)


def mask_cells(by_index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(b, P) True on as many random cells of each image as `by_index` has."""
    order = torch.rand(by_index.shape, generator=generator).argsort(1).argsort(1)
    return order < by_index.sum(1, keepdim=True)


def mask_words(ids: torch.Tensor, size: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Mask a `MASKED_SHARE` of the words, and at least one per caption, as in BERT.

    Args:
        ids: (b, T).
        size: of the vocabulary, from which random words are drawn.

    Returns:
        (b, T) the masked captions, and (b, T) which words to predict.
    """
    is_word = ids >= len(MARKS)
    drawn = torch.rand(ids.shape, generator=generator)
    first = torch.where(is_word, drawn, torch.full_like(drawn, 2.0)).argmin(1, keepdim=True)
    masked = is_word & ((drawn < MASKED_SHARE) | (torch.arange(ids.shape[1]) == first))
    action = torch.rand(ids.shape, generator=generator)
    random_words = torch.randint(len(MARKS), max(size, len(MARKS) + 1), ids.shape, generator=generator)
    shown = torch.where(masked & (action < HIDDEN_SHARE), torch.full_like(ids, MASK), ids)
    is_random = masked & (action >= HIDDEN_SHARE) & (action < HIDDEN_SHARE + RANDOM_SHARE)
    return torch.where(is_random, random_words, shown), masked
