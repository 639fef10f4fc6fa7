"""Texts inside a pattern, as tokens, and the place at which the word of their class is to be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.errors import InvalidInput
from core.systems.common.class_descriptions import MASK, Pattern
from core.systems.label_descriptions.learn.language_model import LanguageModel


@dataclass(frozen=True, slots=True, eq=False)
class PromptedTexts:
    """n texts in one pattern."""

    tokens: tuple[tuple[int, ...], ...]
    places: tuple[int, ...]
    """Of each text the token at which the word is read: the mask, or of a causal model the last one."""

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """(m, t) tokens filled up at the end, (m, t) their mask, (m,) places."""
        longest = max(len(self.tokens[row]) for row in rows)
        ids, mask = torch.zeros((2, len(rows), longest), dtype=torch.long)
        for at, row in enumerate(rows):
            ids[at, : len(self.tokens[row])] = torch.tensor(self.tokens[row])
            mask[at, : len(self.tokens[row])] = 1
        return ids, mask, torch.tensor([self.places[row] for row in rows])


def patterns_for(found: LanguageModel, patterns: Sequence[Pattern]) -> tuple[tuple[Pattern, ...], tuple[str, ...]]:
    """The patterns that the model can be asked in, and what is said of the others.

    A causal model says the word behind the text, so the pattern must follow the text, and what stands behind the mask
    is not seen: patterns that differ there alone are one.

    Raises:
        InvalidInput: none is left.
    """
    if found.kind == "masked":
        return tuple(patterns), ()
    kept: dict[str, Pattern] = {}
    for pattern in patterns:
        if pattern.after_text and _lead(pattern):
            kept.setdefault(_lead(pattern), pattern)
    if not kept:
        raise InvalidInput("A causal model needs a pattern that follows the text and has words before <mask>.")
    left = len(patterns) - len(kept)
    said = (
        f"Left out {left} of {len(patterns)} patterns: a causal model reads only up to the mask, and these precede the "
        "text or differ only after the mask."
    )
    return tuple(kept.values()), (said,) if left else ()


def _lead(pattern: Pattern) -> str:
    """What a causal model is shown of a pattern."""
    return pattern.string.split(MASK)[0].rstrip()


def prompted(found: LanguageModel, texts: Sequence[str], pattern: Pattern, most: int) -> PromptedTexts:
    """The texts in the pattern. Too long ones lose the end that is away from the pattern, as in the published code.

    Raises:
        InvalidInput: the pattern alone is longer than `most` tokens.
    """
    tokenizer = found.tokenizer
    tokenizer.truncation_side = "left" if pattern.after_text else "right"
    if found.kind == "masked":
        mask = tokenizer.mask_token
        whole = [pattern.around(text.replace(mask, " "), mask) for text in texts]
    else:
        whole = [f"{text} {_lead(pattern)}" for text in texts]
    tokens: list[list[int]] = tokenizer(whole, truncation=True, max_length=most, padding=False)["input_ids"]
    if found.kind == "causal":
        tokens = [ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids for ids in tokens]
        return PromptedTexts(tuple(map(tuple, tokens)), tuple(len(ids) - 1 for ids in tokens))
    if any(ids.count(tokenizer.mask_token_id) != 1 for ids in tokens):
        raise InvalidInput(f"The pattern {pattern.string[:60]!r} is longer than {most} tokens. Raise --max-tokens.")
    return PromptedTexts(tuple(map(tuple, tokens)), tuple(ids.index(tokenizer.mask_token_id) for ids in tokens))
