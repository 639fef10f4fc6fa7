"""The three losses of SOHO, summed with weight 1 each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from core.systems.visual_words.pretraining.masking import mask_by_index, mask_cells, mask_words
from core.systems.visual_words.pretraining.network import Soho


@dataclass(frozen=True, slots=True, eq=False)
class StepLosses:
    """Of one batch; a part that was not asked for is 0."""

    words: torch.Tensor
    cells: torch.Tensor
    match: torch.Tensor
    told_cells: tuple[int, int] = (0, 0)
    """Hidden cells of matching pairs whose word was told, and how many there were."""

    @property
    def total(self) -> torch.Tensor:
        return self.words + self.cells + self.match


def step_losses(
    model: Soho, ids: torch.Tensor, cells: torch.Tensor, own: torch.Tensor, masking: str, generator: torch.Generator
) -> StepLosses:
    """Masked words, masked cells and matching, in one pass.

    Words and cells are told of matching pairs alone, since the other side of a pair that does not match says nothing
    of them.

    Args:
        ids: (b, T) captions.
        cells: (b, P, w).
        own: (b,) True where the caption is of the image.
        masking: of `settings.MASKINGS`.
    """
    seen = model.see(cells)
    shown, told = mask_words(ids, len(model.word_bias), generator)
    hidden = None
    if seen.index is not None:
        hidden = mask_by_index(seen.index, generator)
        hidden = hidden if masking == "index" else mask_cells(hidden, generator)
    texts, pictures = model(shown, seen.values, hidden)
    match = binary_cross_entropy_with_logits(model.match_logits(texts).float(), own.float())
    at = told & own.unsqueeze(1)
    none = torch.zeros(())
    words = cross_entropy(model.word_logits(texts[at]).float(), ids[at]) if bool(at.any()) else none
    if seen.index is None or hidden is None or not bool(own.any()):
        return StepLosses(words, none, match)
    at = hidden & own.unsqueeze(1)
    logits = model.cell_logits(pictures[at]).float()
    target = seen.index[at]
    right = int((logits.argmax(1) == target).sum())
    return StepLosses(words, cross_entropy(logits, target), match, (right, len(target)))
