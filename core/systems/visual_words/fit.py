"""Visual words of a set of images: a dictionary fitted on their own cells, without a look at any loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from core.encoders.tokens import TokenTower
from core.errors import InvalidInput
from core.records import F32, I64, Bool, Progress, Reporter, no_progress
from core.systems.common.picture_cells import cells_of, fit_whitening, in_parts
from core.systems.common.tokens import PictureTokens
from core.systems.visual_words.dictionary import VisualDictionary, perplexity

I16 = npt.NDArray[np.int16]
WORDS = 256
MAX_WORDS = 4096
WIDTH = 64
"""Whitened numbers of a cell."""
FITTED = 1_500
"""Images whose cells the dictionary is fitted on, drawn at random where there are more."""
EPOCHS = 8
BATCH = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class VisualWords:
    """The word of each cell of n images, of a dictionary of K."""

    maps: I16
    """(n, r, c) words."""
    distance: F32
    """(n, K) squared distance of the image's nearest cell of that word to the word; inf where it has none."""
    cell: I16
    """(n, K) that cell, row by row; -1 where it has none."""
    perplexity: float
    """Of all cells: as many equally frequent words would be as uncertain."""
    unexplained: float
    """Share of the cells' variance that is not between words, 0 to 1."""

    @property
    def present(self) -> Bool:
        """(n, K) whether any cell of the image is that word."""
        return self.cell >= 0

    def share_on(self, word: int, cells: Bool) -> float:
        """Of all cells of that word the share that lie on `cells`, (n, r, c)."""
        own = self.maps == word
        return float((own & cells).sum() / max(own.sum(), 1))


def check_size(size: int) -> None:
    """Refuse a dictionary of fewer than 2 or more than `MAX_WORDS` words."""
    if not 2 <= size <= MAX_WORDS:
        raise InvalidInput(f"There can be 2 to {MAX_WORDS:,} visual words: got {size}. Choose a number in between.")


def fit_words(
    pictures: PictureTokens, tower: TokenTower, *, size: int = WORDS, seed: int = 0, progress: Progress = no_progress
) -> VisualWords:
    """The visual words of all `pictures`.

    Args:
        size: words of the dictionary, K.
        progress: called as ("visual words", done, total).

    Raises:
        InvalidInput: `size` is out of range.
        Cancelled: from `progress`.
    """
    check_size(size)
    n = len(pictures)
    rng = np.random.default_rng([seed, 16])
    report = Reporter(progress, "visual words", EPOCHS * FITTED + n)
    drawn = np.sort(rng.choice(n, min(n, FITTED), replace=False)).astype(np.int64)
    raw = np.concatenate([cells_of(pictures, tower, drawn[part]) for part in in_parts(len(drawn))])
    whiten = fit_whitening(raw.reshape(-1, raw.shape[-1]), WIDTH)
    cells = torch.from_numpy(whiten(raw).reshape(-1, whiten.basis.shape[1]))
    grid = raw.shape[1:3]
    del raw
    dictionary = _fitted(cells, min(size, len(cells)), seed, report)
    maps = np.zeros((n, *grid), np.int16)
    distance = np.full((n, size), np.inf, np.float32)
    cell = np.full((n, size), -1, np.int16)
    within = total = 0.0
    for part in in_parts(n):
        report(EPOCHS * FITTED + int(part[0]))
        found = torch.from_numpy(whiten(cells_of(pictures, tower, part)).reshape(-1, whiten.basis.shape[1]))
        index = dictionary.nearest(found)
        away = (found - dictionary.embed[index]).square().sum(1).numpy().reshape(len(part), -1)
        maps[part] = (own := index.numpy().reshape(len(part), -1)).reshape(len(part), *grid)
        within = within + float(away.sum())
        total = total + float(found.square().sum())
        _nearest_cells(own, away, distance, cell, part)
    report(EPOCHS * FITTED + n, last=True)
    return VisualWords(
        maps, distance, cell, perplexity(torch.from_numpy(maps.reshape(-1)).long(), size), within / total
    )


def _fitted(cells: torch.Tensor, size: int, seed: int, report: Reporter) -> VisualDictionary:
    generator = torch.Generator().manual_seed(seed)
    dictionary = VisualDictionary(size, cells.shape[1])
    dictionary.begin(cells, generator)
    for epoch in range(EPOCHS):
        for batch in cells[torch.randperm(len(cells), generator=generator)].split(BATCH):
            dictionary(batch)
        report((epoch + 1) * FITTED)
        if epoch < EPOCHS - 2:  # the last two settle what was put elsewhere
            dictionary.reset_dead(cells, generator)
    return dictionary.eval()


def _nearest_cells(own: I64, away: F32, distance: F32, cell: I16, rows: I64) -> None:
    """Enter each image's nearest cell of each word that it has."""
    for row, words, far in zip(rows.tolist(), own, away):
        order = np.argsort(-far, kind="stable")  # the nearest is written last
        distance[row, words[order]], cell[row, words[order]] = far[order], order
