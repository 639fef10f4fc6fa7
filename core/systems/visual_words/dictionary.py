"""A dictionary of vectors that follows its input by moving averages and passes gradients through.

Source: SOHO (Huang et al. 2021, arXiv 2104.03135, section 3.2); the buffers have its code's names.
"""

from __future__ import annotations

import torch

from core.errors import InvalidInput

EPSILON = 1e-5
"""Laplace smoothing of the counts."""
BATCH_CELLS = 65_536
"""Cells whose distances to all words are in memory together."""


class VisualDictionary(torch.nn.Module):
    """`size` words of `width` numbers: buffers embed (K, d), cluster_size (K,), cluster_sum (K,) and embed_avg (K, d).

    Departures: the published code begins with random words and a decay that grows with each update; here words begin as
    cells (`begin`) and the decay is fixed. A word that is nearest to no cell moves (`reset_dead`), which neither the
    paper nor its code does.

    Args:
        decay: of the moving averages, from 0 to below 1; at 0 only the last batch counts.

    Raises:
        InvalidInput: the size, the width or the decay is out of range.
    """

    embed: torch.Tensor
    cluster_size: torch.Tensor
    cluster_sum: torch.Tensor
    embed_avg: torch.Tensor

    def __init__(self, size: int, width: int, *, decay: float = 0.9) -> None:
        super().__init__()
        if size < 2 or width < 1 or not 0 <= decay < 1:
            raise InvalidInput(
                "A visual dictionary needs at least 2 words of at least 1 number, and a decay from 0 to below 1: "
                f"got {size}, {width} and {decay:g}. Change these settings."
            )
        self.decay = decay
        self.register_buffer("embed", torch.zeros(size, width))
        self.register_buffer("cluster_size", torch.zeros(size))
        self.register_buffer("cluster_sum", torch.zeros(size))
        self.register_buffer("embed_avg", torch.zeros(size, width))

    def begin(self, cells: torch.Tensor, generator: torch.Generator) -> None:
        """Set the words to random ones of (m, d) cells, each with a count of 1."""
        self._set_words(torch.arange(len(self.embed)), cells, generator)

    def _set_words(self, words: torch.Tensor, cells: torch.Tensor, generator: torch.Generator) -> None:
        picked = cells[torch.randint(len(cells), (len(words),), generator=generator)]
        self.embed[words] = picked
        self.embed_avg[words] = picked
        self.cluster_size[words] = 1.0

    def nearest(self, cells: torch.Tensor) -> torch.Tensor:
        """(m,) index of the word nearest to each of (m, d) cells in squared distance; the first of equals."""
        words = self.embed
        parts = list[torch.Tensor]()
        for part in cells.detach().split(BATCH_CELLS):
            parts.append((words.square().sum(1) - 2 * part @ words.T).argmin(1))
        if not parts:
            return torch.zeros(0, dtype=torch.long)
        return torch.cat(parts)

    def forward(self, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(m, d) words for the cells, with a straight-through gradient, and (m,) their indices.

        During training the words then follow the cells; the returned words are those before that update.
        """
        index = self.nearest(cells)
        word = self.embed[index]
        if self.training:
            self._follow(cells.detach(), index)
        return cells + (word - cells).detach(), index

    def _follow(self, cells: torch.Tensor, index: torch.Tensor) -> None:
        """Update the moving averages of counts and sums; a word is its sum over its smoothed count."""
        count = torch.bincount(index, minlength=len(self.embed)).to(cells.dtype)
        total = torch.zeros_like(self.embed_avg).index_add_(0, index, cells)
        self.cluster_sum += count
        self.cluster_size.mul_(self.decay).add_(count, alpha=1 - self.decay)
        self.embed_avg.mul_(self.decay).add_(total, alpha=1 - self.decay)
        n = self.cluster_size.sum()
        k = len(self.embed)
        smoothed = (self.cluster_size + EPSILON) / (n + k * EPSILON) * n
        self.embed.copy_(self.embed_avg / smoothed.unsqueeze(1))

    def reset_dead(self, cells: torch.Tensor, generator: torch.Generator, *, min_share: float = 0.02) -> int:
        """Move words whose moving count is below `min_share` of the mean onto random ones of (m, d) cells.

        Returns:
            The number of moved words.
        """
        dead = torch.nonzero(self.cluster_size < min_share * self.cluster_size.mean())[:, 0]
        self._set_words(dead, cells, generator)
        return len(dead)


def perplexity(index: torch.Tensor, size: int) -> float:
    """The number of equally frequent words with the same entropy as the words of these cells, from 1 to `size`."""
    share = torch.bincount(index, minlength=size).double() / max(len(index), 1)
    used = share[share > 0]
    return float(torch.exp(-(used * used.log()).sum()))
