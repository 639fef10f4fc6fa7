"""What is hidden from the network: all cells of one visual word, or as many anywhere; and words of the caption."""

from __future__ import annotations

import torch

from core.systems.common.words import MARKS
from core.systems.visual_words.pretraining.vocabulary import MASK

SHARE = 0.15
HIDDEN = 0.8
OTHER = 0.1
"""Share of the words to be told; of these the share put as the mask, and as another word. As in BERT."""


def mask_by_index(index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(b, P) True on all cells of one word of each image, each word that it has being as likely as any other.

    Args:
        index: (b, P) words of the cells.
    """
    picked = [row.unique()[int(torch.randint(len(row.unique()), (1,), generator=generator))] for row in index]
    return index == torch.stack(picked).unsqueeze(1)


def mask_cells(by_index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(b, P) as many cells of each image as `by_index` has, anywhere."""
    order = torch.rand(by_index.shape, generator=generator).argsort(1).argsort(1)
    return order < by_index.sum(1, keepdim=True)


def mask_words(ids: torch.Tensor, size: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Captions with a `SHARE` of their words, and at least one each, replaced as in BERT; and (b, T) which are to be
    told.

    Args:
        ids: (b, T).
        size: of the vocabulary, from which other words are drawn.
    """
    may = ids >= len(MARKS)
    drawn = torch.rand(ids.shape, generator=generator)
    first = torch.where(may, drawn, torch.full_like(drawn, 2.0)).argmin(1, keepdim=True)
    told = may & ((drawn < SHARE) | (torch.arange(ids.shape[1]) == first))
    how = torch.rand(ids.shape, generator=generator)
    other = torch.randint(len(MARKS), max(size, len(MARKS) + 1), ids.shape, generator=generator)
    shown = torch.where(told & (how < HIDDEN), torch.full_like(ids, MASK), ids)
    return torch.where(told & (how >= HIDDEN) & (how < HIDDEN + OTHER), other, shown), told
