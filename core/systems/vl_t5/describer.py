"""A model with its words: what is asked in text and answered in text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from core.systems.common.words import padded, padded_targets, tokens_of
from core.systems.vl_t5.model import PictureParts, VisionT5

MAX_WORDS_READ = 40
MAX_WORDS_WRITTEN = 24
_BATCH = 64


@dataclass(frozen=True, slots=True)
class SpokenAnswer:
    """What was answered, and with what probability: that of just these words, their end included."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Describer:
    """A `VisionT5` in evaluation mode, and its tokenizer."""

    model: VisionT5
    tokenizer: Any

    def given(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """(n, L) words of what is said to the model, prefix included, and which are words."""
        return padded(tokens_of(self.tokenizer, texts, MAX_WORDS_READ))

    def unknown_words(self, text: str) -> list[str]:
        """Words of a text that the tokenizer does not know, each once: ["blue"] of "What is blue?" where it knows "what
        is red ?" alone."""
        unknown = self.tokenizer.unk_token_id
        words = dict.fromkeys(word.strip(".,;:!?") for word in text.split())
        return [word for word in words if word and unknown in self.tokenizer(word)["input_ids"]]

    def wanted(self, texts: Sequence[str]) -> Tensor:
        """(n, u) words that the model has to write."""
        return padded_targets(tokens_of(self.tokenizer, texts, MAX_WORDS_WRITTEN))

    def logits(self, given: Sequence[str], wanted: Sequence[str], parts: PictureParts | None) -> tuple[Tensor, Tensor]:
        """(n, u, V) logits and (n, u) what had to be written."""
        ids, seen = self.given(given)
        targets = self.wanted(wanted)
        return self.model(ids, seen, parts, targets), targets

    def answer(self, given: Sequence[str], parts: PictureParts | None) -> list[SpokenAnswer]:
        """What the model writes, a text each: the likeliest word at each step."""
        found: list[SpokenAnswer] = []
        for at in range(0, len(given), _BATCH):
            rows = slice(at, at + _BATCH)
            ids, seen = self.given(given[rows])
            written = self.model.write(ids, seen, cut(parts, rows), MAX_WORDS_WRITTEN)
            texts = self.tokenizer.batch_decode([list(row) for row in written.tokens], skip_special_tokens=True)
            found += [SpokenAnswer(t, float(p)) for t, p in zip(texts, written.probability.tolist(), strict=True)]
        return found

    def chances(self, given: Sequence[str], wanted: Sequence[str], parts: PictureParts | None) -> list[float]:
        """The probability of each given answer."""
        found: list[float] = []
        for at in range(0, len(given), _BATCH):
            rows = slice(at, at + _BATCH)
            ids, seen = self.given(given[rows])
            found += self.model.chances(ids, seen, cut(parts, rows), self.wanted(wanted[rows])).tolist()
        return found


def cut(parts: PictureParts | None, rows: slice) -> PictureParts | None:
    """Some of the pictures."""
    if parts is None:
        return None
    boxes = parts.boxes if len(parts.boxes) == 1 else parts.boxes[rows]
    pictures = None if parts.pictures is None else parts.pictures[rows]
    return PictureParts(parts.features[rows].float(), boxes, pictures)
