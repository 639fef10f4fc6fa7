"""The three losses of SOHO, summed with weight 1 each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from core.systems.visual_words.pretraining.masking import mask_by_index, mask_cells, mask_words
from core.systems.visual_words.pretraining.network import Soho


@dataclass(frozen=True, slots=True, eq=False)
class StepLosses:
    """Losses of one batch; an unused part is 0."""

    words: torch.Tensor
    cells: torch.Tensor
    match: torch.Tensor
    told_cells: tuple[int, int] = (0, 0)
    """(correct, all) predictions of hidden cells of matching pairs."""

    @property
    def total(self) -> torch.Tensor:
        return self.words + self.cells + self.match


def step_losses(
    model: Soho, ids: torch.Tensor, cells: torch.Tensor, matches: torch.Tensor, masking: str, generator: torch.Generator
) -> StepLosses:
    """Masked words, masked cells and matching, in one pass.

    Words and cells are predicted in matching pairs only: the other side of a mismatched pair carries no information
    about them.

    Args:
        ids: (b, T) captions.
        cells: (b, P, w).
        matches: (b,) True where the caption belongs to the image.
        masking: one of `settings.MASKINGS`.
    """
    seen = model.see(cells)
    shown, masked = mask_words(ids, len(model.word_bias), generator)
    hidden = None
    if seen.index is not None:
        hidden = mask_by_index(seen.index, generator)
        if masking != "index":
            hidden = mask_cells(hidden, generator)
    texts, pictures = model(shown, seen.values, hidden)
    match = binary_cross_entropy_with_logits(model.match_logits(texts).float(), matches.float())
    at = masked & matches.unsqueeze(1)
    zero = torch.zeros(())
    words = zero
    if bool(at.any()):
        words = cross_entropy(model.word_logits(texts[at]).float(), ids[at])
    if seen.index is None or hidden is None or not bool(matches.any()):
        return StepLosses(words, zero, match)
    at = hidden & matches.unsqueeze(1)
    logits = model.cell_logits(pictures[at]).float()
    target = seen.index[at]
    right = int((logits.argmax(1) == target).sum())
    return StepLosses(words, cross_entropy(logits, target), match, (right, len(target)))
