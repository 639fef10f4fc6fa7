"""Texts in a pattern as tokens, and the position where the word of their class is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.errors import InvalidInput
from core.systems.common.class_descriptions import MASK, Pattern
from core.systems.common.words import padded
from core.systems.label_descriptions.learn.language_model import LanguageModel


@dataclass(frozen=True, slots=True, eq=False)
class PromptedTexts:
    """n texts in one pattern."""

    tokens: tuple[tuple[int, ...], ...]
    positions: tuple[int, ...]
    """Index of the token at which each text's word is read: the mask, or of a causal model the last token."""

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """(m, t) tokens with 0 behind them, (m, t) their mask, (m,) positions."""
        ids, mask = padded(self.tokens, rows)
        return ids, mask, torch.tensor([self.positions[row] for row in rows])


def patterns_for(model: LanguageModel, patterns: Sequence[Pattern]) -> tuple[tuple[Pattern, ...], tuple[str, ...]]:
    """The patterns that the model can read, and a note on the others.

    A causal model predicts the word after the text, so the pattern must follow the text. It does not read what follows
    the mask: of patterns that differ only there, the first is used.

    Raises:
        InvalidInput: no pattern is left.
    """
    if model.kind == "masked":
        return tuple(patterns), ()
    usable: dict[str, Pattern] = {}
    for pattern in patterns:
        if pattern.after_text and _lead(pattern):
            usable.setdefault(_lead(pattern), pattern)
    if not usable:
        raise InvalidInput("A causal model needs a pattern after the text, with words before <mask>. Add one.")
    n_skipped = len(patterns) - len(usable)
    if not n_skipped:
        return tuple(usable.values()), ()
    note = (
        f"Skipped {n_skipped} of {len(patterns)} patterns: a causal model reads only up to the mask. These precede the "
        "text or differ only after the mask."
    )
    return tuple(usable.values()), (note,)


def _lead(pattern: Pattern) -> str:
    """The part of a pattern that a causal model reads."""
    return pattern.string.split(MASK)[0].rstrip()


def prompted(model: LanguageModel, texts: Sequence[str], pattern: Pattern, most: int) -> PromptedTexts:
    """Put the texts into the pattern; long ones are truncated away from the pattern, as in the published code.

    Raises:
        InvalidInput: the pattern alone is longer than `most` tokens.
    """
    tokenizer = model.tokenizer
    tokenizer.truncation_side = "left" if pattern.after_text else "right"
    if model.kind == "masked":
        mask = tokenizer.mask_token
        whole = [pattern.around(text.replace(mask, " "), mask) for text in texts]
    else:
        whole = [f"{text} {_lead(pattern)}" for text in texts]
    tokens: list[list[int]] = tokenizer(whole, truncation=True, max_length=most, padding=False)["input_ids"]
    if model.kind == "causal":
        tokens = [ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids for ids in tokens]
        return PromptedTexts(tuple(map(tuple, tokens)), tuple(len(ids) - 1 for ids in tokens))
    if any(ids.count(tokenizer.mask_token_id) != 1 for ids in tokens):
        raise InvalidInput(f"The pattern {pattern.string[:60]!r} is longer than {most} tokens. Raise --max-tokens.")
    return PromptedTexts(tuple(map(tuple, tokens)), tuple(ids.index(tokenizer.mask_token_id) for ids in tokens))
