"""A dictionary of vectors that follows what it is shown by moving averages, and lets gradients pass.

Source: SOHO (Huang et al. 2021, arXiv 2104.03135, section 3.2), whose code names the buffers so.
"""

from __future__ import annotations

import torch

from core.errors import InvalidInput

EPSILON = 1e-5
"""Of the Laplace smoothing of the counts."""
ROWS_AT_ONCE = 65_536
"""Cells whose distances to all words are held together."""


class VisualDictionary(torch.nn.Module):
    """`size` words of `width` numbers: buffers embed (K, d), cluster_size (K,), cluster_sum (K,) and embed_avg (K, d).

    Departures: the published code begins with random words and a decay that grows from update to update; here words
    begin as cells (`begin`) and the decay is one number. A word that nothing is nearest to is put elsewhere
    (`reset_dead`), which neither the paper nor its code does.

    Args:
        decay: of the moving averages, 0 to 1: 0 keeps the last batch alone.

    Raises:
        InvalidInput: a size, a width or a decay out of range.
    """

    embed: torch.Tensor
    cluster_size: torch.Tensor
    cluster_sum: torch.Tensor
    embed_avg: torch.Tensor

    def __init__(self, size: int, width: int, *, decay: float = 0.9) -> None:
        super().__init__()
        if size < 2 or width < 1 or not 0 <= decay < 1:
            raise InvalidInput(
                "A visual dictionary has at least 2 words of at least 1 number, and a decay from 0 to below 1: "
                f"got {size}, {width} and {decay:g}."
            )
        self.decay = decay
        self.register_buffer("embed", torch.zeros(size, width))
        self.register_buffer("cluster_size", torch.zeros(size))
        self.register_buffer("cluster_sum", torch.zeros(size))
        self.register_buffer("embed_avg", torch.zeros(size, width))

    def begin(self, cells: torch.Tensor, generator: torch.Generator) -> None:
        """Make random ones of (m, d) cells the words, each seen once so far."""
        self._put(torch.arange(len(self.embed)), cells, generator)

    def _put(self, words: torch.Tensor, cells: torch.Tensor, generator: torch.Generator) -> None:
        picked = cells[torch.randint(len(cells), (len(words),), generator=generator)]
        self.embed[words] = picked
        self.embed_avg[words] = picked
        self.cluster_size[words] = 1.0

    def nearest(self, cells: torch.Tensor) -> torch.Tensor:
        """(m,) index of the word at least squared distance from each of (m, d) cells; of several the first."""
        words = self.embed
        parts = [(words.square().sum(1) - 2 * part @ words.T).argmin(1) for part in cells.detach().split(ROWS_AT_ONCE)]
        return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.long)

    def forward(self, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(m, d) words in place of the cells, with the cells' gradient passed straight through, and (m,) their
        indices. While training the words then follow the cells: those that are given back are from before."""
        index = self.nearest(cells)
        word = self.embed[index]
        if self.training:
            self._follow(cells.detach(), index)
        return cells + (word - cells).detach(), index

    def _follow(self, cells: torch.Tensor, index: torch.Tensor) -> None:
        """The moving averages of counts and sums; a word is the sum over the smoothed count."""
        count = torch.bincount(index, minlength=len(self.embed)).to(cells.dtype)
        total = torch.zeros_like(self.embed_avg).index_add_(0, index, cells)
        self.cluster_sum += count
        self.cluster_size.mul_(self.decay).add_(count, alpha=1 - self.decay)
        self.embed_avg.mul_(self.decay).add_(total, alpha=1 - self.decay)
        n = self.cluster_size.sum()
        k = len(self.embed)
        smoothed = (self.cluster_size + EPSILON) / (n + k * EPSILON) * n
        self.embed.copy_(self.embed_avg / smoothed.unsqueeze(1))

    def reset_dead(self, cells: torch.Tensor, generator: torch.Generator, *, least: float = 0.02) -> int:
        """Put words whose moving count is below `least` of the mean onto random ones of (m, d) cells; how many."""
        dead = torch.nonzero(self.cluster_size < least * self.cluster_size.mean())[:, 0]
        self._put(dead, cells, generator)
        return len(dead)


def perplexity(index: torch.Tensor, size: int) -> float:
    """How many equally frequent words would be as uncertain as the words of these cells: e to the entropy, 1 to
    `size`."""
    share = torch.bincount(index, minlength=size).double() / max(len(index), 1)
    used = share[share > 0]
    return float(torch.exp(-(used * used.log()).sum()))
