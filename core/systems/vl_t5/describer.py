"""A model with its tokenizer: text in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from core.systems.common.words import padded, padded_targets, tokens_of
from core.systems.vl_t5.model import PictureParts, VisionT5

MAX_WORDS_READ = 40
MAX_WORDS_WRITTEN = 24
BATCH_TEXTS = 64


@dataclass(frozen=True, slots=True)
class SpokenAnswer:
    """An answer of the model."""

    text: str
    probability: float
    """Of exactly these words with their end token."""


@dataclass(frozen=True, slots=True, eq=False)
class Describer:
    """A `VisionT5` in evaluation mode, and its tokenizer."""

    model: VisionT5
    tokenizer: Any

    def read(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """(n, L) input words, prefix included, and (n, L) their mask."""
        return padded(tokens_of(self.tokenizer, texts, MAX_WORDS_READ))

    def unknown_words(self, text: str) -> list[str]:
        """Words of a text that the tokenizer does not know, each once.

        "What is blue?" gives ["blue"] where the tokenizer knows only "what is red ?".
        """
        unknown = self.tokenizer.unk_token_id
        words = dict.fromkeys(word.strip(".,;:!?") for word in text.split())
        return [word for word in words if word and unknown in self.tokenizer(word)["input_ids"]]

    def targets(self, texts: Sequence[str]) -> Tensor:
        """(n, u) words that the model has to write."""
        return padded_targets(tokens_of(self.tokenizer, texts, MAX_WORDS_WRITTEN))

    def logits(self, texts: Sequence[str], answers: Sequence[str], parts: PictureParts | None) -> tuple[Tensor, Tensor]:
        """(n, u, V) logits and their (n, u) target words."""
        ids, seen = self.read(texts)
        targets = self.targets(answers)
        return self.model(ids, seen, parts, targets), targets

    def answer(self, texts: Sequence[str], parts: PictureParts | None) -> list[SpokenAnswer]:
        """The model's answer to each text, by greedy decoding."""
        answers: list[SpokenAnswer] = []
        for at in range(0, len(texts), BATCH_TEXTS):
            rows = slice(at, at + BATCH_TEXTS)
            ids, seen = self.read(texts[rows])
            written = self.model.write(ids, seen, select_parts(parts, rows), MAX_WORDS_WRITTEN)
            decoded = self.tokenizer.batch_decode([list(row) for row in written.tokens], skip_special_tokens=True)
            answers += [SpokenAnswer(t, float(p)) for t, p in zip(decoded, written.probability.tolist(), strict=True)]
        return answers

    def chances(self, texts: Sequence[str], answers: Sequence[str], parts: PictureParts | None) -> list[float]:
        """The probability of each answer to its text."""
        chances: list[float] = []
        for at in range(0, len(texts), BATCH_TEXTS):
            rows = slice(at, at + BATCH_TEXTS)
            ids, seen = self.read(texts[rows])
            chances += self.model.chances(ids, seen, select_parts(parts, rows), self.targets(answers[rows])).tolist()
        return chances


def select_parts(parts: PictureParts | None, rows: slice) -> PictureParts | None:
    """The parts of some of the images."""
    if parts is None:
        return None
    boxes = parts.boxes
    if len(boxes) > 1:
        boxes = boxes[rows]
    pictures = parts.pictures
    if pictures is not None:
        pictures = pictures[rows]
    return PictureParts(parts.features[rows].float(), boxes, pictures)
