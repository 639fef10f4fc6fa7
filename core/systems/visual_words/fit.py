"""Visual words of a set of images: a dictionary fitted on their cells, without using any loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from core.encoders.tokens import TokenTower
from core.errors import InvalidInput
from core.records import F32, Bool, Progress, Reporter, no_progress
from core.systems.common.picture_cells import cells_of, fit_whitening, in_parts
from core.systems.common.tokens import PictureTokens
from core.systems.visual_words.dictionary import VisualDictionary, perplexity

I16 = npt.NDArray[np.int16]
WORDS = 256
MAX_WORDS = 4096
WIDTH = 64
"""Whitened numbers of a cell."""
MAX_FITTED_IMAGES = 1_500
"""Images whose cells fit the dictionary, a random sample of larger sets."""
EPOCHS = 8
BATCH_CELLS = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class VisualWords:
    """The word of each cell of n images, in a dictionary of K words."""

    maps: I16
    """(n, r, c) words."""
    distance: F32
    """(n, K) squared distance between a word and the image's nearest cell of that word; inf without one."""
    cell: I16
    """(n, K) index of that cell, row by row; -1 without one."""
    perplexity: float
    """Of all cells: the number of equally frequent words with the same entropy."""
    unexplained: float
    """Share of the cells' variance within words, 0 to 1."""

    @property
    def present(self) -> Bool:
        """(n, K) whether the image has a cell of that word."""
        return self.cell >= 0

    def share_on(self, word: int, cells: Bool) -> float:
        """Share of all cells of that word that lie on `cells`, (n, r, c)."""
        of_word = self.maps == word
        return float((of_word & cells).sum() / max(of_word.sum(), 1))


def check_size(size: int) -> None:
    """Reject a dictionary of fewer than 2 or more than `MAX_WORDS` words."""
    if not 2 <= size <= MAX_WORDS:
        raise InvalidInput(f"The number of visual words must be 2 to {MAX_WORDS:,}: got {size}. Change it.")


def fit_words(
    pictures: PictureTokens, tower: TokenTower, *, size: int = WORDS, seed: int = 0, progress: Progress = no_progress
) -> VisualWords:
    """The visual words of all `pictures`.

    Args:
        size: K, the number of words.
        progress: called as ("visual words", done, total).

    Raises:
        InvalidInput: `size` is out of range.
        Cancelled: from `progress`.
    """
    check_size(size)
    n = len(pictures)
    rng = np.random.default_rng([seed, 16])
    report = Reporter(progress, "visual words", EPOCHS * MAX_FITTED_IMAGES + n)
    drawn = np.sort(rng.choice(n, min(n, MAX_FITTED_IMAGES), replace=False)).astype(np.int64)
    raw = np.concatenate([cells_of(pictures, tower, drawn[part]) for part in in_parts(len(drawn))])
    whiten = fit_whitening(raw.reshape(-1, raw.shape[-1]), WIDTH)
    cells = torch.from_numpy(whiten(raw).reshape(-1, whiten.basis.shape[1]))
    grid = raw.shape[1:3]
    del raw
    dictionary = _fit_dictionary(cells, min(size, len(cells)), seed, report)
    maps = np.zeros((n, *grid), np.int16)
    distance = np.full((n, size), np.inf, np.float32)
    cell = np.full((n, size), -1, np.int16)
    within = total = 0.0
    for part in in_parts(n):
        report(EPOCHS * MAX_FITTED_IMAGES + int(part[0]))
        part_cells = torch.from_numpy(whiten(cells_of(pictures, tower, part)).reshape(-1, whiten.basis.shape[1]))
        index = dictionary.nearest(part_cells)
        squared = (part_cells - dictionary.embed[index]).square().sum(1).numpy().reshape(len(part), -1)
        words = index.numpy().reshape(len(part), -1)
        maps[part] = words.reshape(len(part), *grid)
        within = within + float(squared.sum())
        total = total + float(part_cells.square().sum())
        for row, row_words, row_squared in zip(part.tolist(), words, squared, strict=True):
            order = np.argsort(-row_squared, kind="stable")  # the nearest cell of a word is written last
            distance[row, row_words[order]] = row_squared[order]
            cell[row, row_words[order]] = order
    report(EPOCHS * MAX_FITTED_IMAGES + n, last=True)
    spread = perplexity(torch.from_numpy(maps.reshape(-1)).long(), size)
    return VisualWords(maps, distance, cell, spread, within / total)


def _fit_dictionary(cells: torch.Tensor, size: int, seed: int, report: Reporter) -> VisualDictionary:
    generator = torch.Generator().manual_seed(seed)
    dictionary = VisualDictionary(size, cells.shape[1])
    dictionary.begin(cells, generator)
    for epoch in range(EPOCHS):
        for batch in cells[torch.randperm(len(cells), generator=generator)].split(BATCH_CELLS):
            dictionary(batch)
        report((epoch + 1) * MAX_FITTED_IMAGES)
        if epoch < EPOCHS - 2:  # the last two epochs settle the moved words
            dictionary.reset_dead(cells, generator)
    return dictionary.eval()
