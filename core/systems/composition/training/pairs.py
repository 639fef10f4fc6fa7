"""Frozen tokens and the pairs that are trained on or scored, as torch asks for them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.encoders.tokens import ImageTokens, TextTokens
from core.records import I64, Bool
from core.systems.composition.adapters.base import ImageRows, TextRows
from core.systems.composition.records import Benchmark, distinct_captions

CPU = torch.device("cpu")
MAX_TRAINING_PICTURES = 8
"""Images of one retrieval item in a step: the rest are drawn in other epochs."""


@dataclass(frozen=True, slots=True, eq=False)
class MatchingQuestion:
    """One item by its places in the banks."""

    id: str
    images: I64
    """(I,)."""
    texts: I64
    """(T,)."""
    match: Bool
    """(I, T)."""


@dataclass(frozen=True, slots=True, eq=False)
class PairData:
    """Frozen tokens of n images and m captions, and the questions asked of them."""

    images: ImageTokens
    texts: TextTokens
    captions: tuple[str, ...]
    """(m,)."""
    questions: tuple[MatchingQuestion, ...]

    def image_rows(self, at: I64, device: torch.device = CPU) -> ImageRows:
        """The images at these places."""
        images = self.images
        return ImageRows(_rows(images.tokens, at, device), _rows(images.pooled, at, device))

    def text_rows(self, at: I64, device: torch.device = CPU) -> TextRows:
        """The captions at these places, without the padding that none of them needs."""
        texts = self.texts
        length = max(1, int(texts.seen[at].sum(1).max()) if len(at) else 1)
        ids, words, seen = (
            torch.from_numpy(np.ascontiguousarray(a[at, :length])).to(device)
            for a in (texts.ids, texts.words, texts.seen)
        )
        return TextRows(_rows(texts.tokens[:, :length], at, device), ids, words, seen, _rows(texts.pooled, at, device))

    def keep(self, at: Sequence[int] | I64) -> PairData:
        """The same banks with the questions at these places."""
        return PairData(self.images, self.texts, self.captions, tuple(self.questions[int(i)] for i in at))


def content_digest(data: PairData) -> str:
    """A hash of what the questions ask: images and captions by their pooled vectors, and what belongs together. The
    encoder shows in it too."""
    content = hashlib.sha256()
    for question in data.questions:
        content.update(f"{question.id}\n{question.match.shape}".encode())
        for array in (
            data.images.pooled[question.images],
            data.texts.ids[question.texts],
            data.texts.pooled[question.texts],
            question.match,
        ):
            content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()[:32]


def _rows(array: np.ndarray[tuple[int, ...], np.dtype[np.floating]], at: I64, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array[at], np.float32)).to(device)


def pair_data(benchmark: Benchmark, images: ImageTokens, texts: TextTokens) -> PairData:
    """The benchmark's items over its frozen tokens.

    Args:
        images: of `benchmark.pictures`, in that order.
        texts: of `distinct_captions(benchmark.items).captions`.
    """
    texts_of = distinct_captions(benchmark.items)
    questions: list[MatchingQuestion] = []
    for item, at in zip(benchmark.items, texts_of.at):
        match = np.zeros((len(item.pictures), len(item.captions)), np.bool_)
        for picture, caption in item.match:
            match[picture, caption] = True
        questions.append(MatchingQuestion(item.id, np.array(item.pictures, np.int64), at, match))
    return PairData(images, texts, texts_of.captions, tuple(questions))


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The pairs of one step of training. p pairs over b images and m texts."""

    images: I64
    """(b,) places in the bank, each once."""
    texts: I64
    """(m,)."""
    pairs: I64
    """(p, 2) places in `images` and `texts`."""
    labels: Bool
    """(p,)."""
    own: Bool
    """(p,) whether image and text are of one item: the hard part."""
    truth: Bool
    """(b, m) whether the text is a true caption of the image, of all images and texts of the step."""


def make_step(data: PairData, at: Sequence[int], negatives: int, rng: np.random.Generator) -> Batch:
    """All pairs within each question, and for each image `negatives` captions of other questions of the step.

    A caption that is also one of the image's own (another item may say the same) is never taken for a foil.
    """
    own: list[tuple[int, int, bool]] = []
    true_of: dict[int, set[int]] = {}
    for i in at:
        question = data.questions[i]
        rows = np.arange(len(question.images))
        if len(rows) > MAX_TRAINING_PICTURES:
            rows = _drawn(question.match, rng)
        for r in rows.tolist():
            image = int(question.images[r])
            for t, text in enumerate(question.texts.tolist()):
                own.append((image, text, bool(question.match[r, t])))
                if question.match[r, t]:
                    true_of.setdefault(image, set()).add(text)
    texts = sorted({text for _, text, _ in own})
    others = [(image, text, False) for image, text in _others(own, true_of, texts, negatives, rng)]
    every = own + others
    images = sorted({image for image, _, _ in every})
    image_at = {image: k for k, image in enumerate(images)}
    text_at = {text: k for k, text in enumerate(texts)}
    return Batch(
        np.array(images, np.int64),
        np.array(texts, np.int64),
        np.array([(image_at[image], text_at[text]) for image, text, _ in every], np.int64).reshape(-1, 2),
        np.array([label for *_, label in every], np.bool_),
        np.arange(len(every)) < len(own),
        np.array([[text in true_of.get(image, ()) for text in texts] for image in images], np.bool_),
    )


def _drawn(match: Bool, rng: np.random.Generator) -> I64:
    """As many positives as negatives of a retrieval question, drawn."""
    half = MAX_TRAINING_PICTURES // 2
    positive = np.flatnonzero(match.any(1))
    negative = np.flatnonzero(~match.any(1))
    picked = [rng.permutation(rows)[:half] for rows in (positive, negative)]
    return np.concatenate(picked).astype(np.int64)


def _others(
    own: list[tuple[int, int, bool]],
    true_of: dict[int, set[int]],
    texts: list[int],
    negatives: int,
    rng: np.random.Generator,
) -> list[tuple[int, int]]:
    taken = {(image, text) for image, text, _ in own}
    pairs: list[tuple[int, int]] = []
    for image in dict.fromkeys(image for image, *_ in own):
        open_texts = [text for text in texts if (image, text) not in taken and text not in true_of.get(image, ())]
        if open_texts:
            picked = rng.permutation(len(open_texts))[:negatives]
            pairs += [(image, open_texts[k]) for k in picked.tolist()]
    return pairs
