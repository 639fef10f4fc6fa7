"""The three losses of SOHO, summed with weight 1 each, and its masking: all cells of one visual word or as many
anywhere, and words of the caption."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from core.systems.common.words import MARKS
from core.systems.visual_words.pretraining.network import Soho
from core.systems.visual_words.pretraining.vocabulary import MASK

MASKED_SHARE = 0.15
"""Share of the words to predict, as in BERT."""
HIDDEN_SHARE = 0.8
"""Share of these replaced by the mask, as in BERT."""
RANDOM_SHARE = 0.1
"""Share of these replaced by a random word, as in BERT."""


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
