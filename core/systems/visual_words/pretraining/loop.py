"""Pretrain a SOHO on captioned images."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.records import F32, I64, Progress, Reporter, no_progress
from core.systems.common.own_random import OwnRandom
from core.systems.common.picture_cells import fit_whitening
from core.systems.common.schedule import cosine
from core.systems.common.steps import take_step
from core.systems.common.words import MARKS
from core.systems.visual_words.dictionary import VisualDictionary, perplexity
from core.systems.visual_words.pretraining.losses import StepLosses, step_losses
from core.systems.visual_words.pretraining.network import Soho
from core.systems.visual_words.pretraining.pairs import CaptionedPictures
from core.systems.visual_words.pretraining.settings import Pretraining
from core.systems.visual_words.pretraining.vocabulary import CaptionWords, caption_words, words_of

FITTED = 512
"""Images whose cells whiten the map and begin the dictionary."""
RESET_EVERY = 25
RESET_UNTIL = 0.6
"""Steps between two looks for words that nothing is near, and the share of the steps after which there are none."""
WARM = 0.1
CLIP = 1.0
DECAY = 0.01
"""Share of the steps in which the rate rises; norm of the gradients; of the weights."""
WORD_SPREAD = 0.05
"""Of the numbers of words that begin as an encoder's."""
EncodeWords = Callable[[Sequence[str]], F32]
SHOWN = 20
"""Points of the curve."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Means over the steps since the point before."""

    step: int
    words: float
    cells: float
    match: float
    told_cells: float
    """Share of the hidden cells whose word was told; nan without a dictionary."""


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """A network and what it learned from."""

    model: Soho
    vocabulary: CaptionWords
    settings: Pretraining
    grid: tuple[int, int]
    curve: tuple[CurvePoint, ...]
    perplexity: float
    """Of the words of the last batch's cells; nan without a dictionary."""
    seconds: float
    """Of the processor."""
    cut: int
    """Captions that were longer than is read."""


def pretrain(
    data: CaptionedPictures,
    grid: tuple[int, int],
    settings: Pretraining,
    *,
    dictionary: VisualDictionary | None = None,
    encode_words: EncodeWords | None = None,
    progress: Progress = no_progress,
) -> Pretrained:
    """Learn from all pairs of `data`, half of each batch put out of their pairs.

    Args:
        grid: rows and columns of the map.
        dictionary: to begin with, as wide as the settings say; None begins with cells.
        encode_words: gives (v, e) vectors of words, whose leading components the words of captions begin as, where the
            paper begins with BERT's; None begins at random.
        progress: called as ("pretrain", done, total).

    Raises:
        InvalidInput: a loss is no finite number any more.
        Cancelled: from `progress`.
    """
    began = time.process_time()
    generator = torch.Generator().manual_seed(settings.seed)
    rng = np.random.default_rng([settings.seed, 4])
    vocabulary = caption_words(data.captions)
    ids, cut = vocabulary.encode(data.captions)
    random = OwnRandom(settings.seed)
    with random:
        model = _begun(data, grid, settings, vocabulary, dictionary, generator, rng)
        if encode_words is not None:
            _begin_words(model, vocabulary, encode_words)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=DECAY)
    report = Reporter(progress, "pretrain", settings.steps)
    points = list[CurvePoint]()
    since = list[StepLosses]()
    for step in range(settings.steps):
        report(step)
        batch = _draw(data, settings.batch, rng)
        shown = ids[torch.from_numpy(batch.captions)]
        shown = shown[:, : int((shown != 0).sum(1).max())]
        with random:
            losses = step_losses(model, shown, data.cells(batch.pictures), batch.own, settings.masking, generator)
            take_step(optimiser, losses.total, rate_at(step / settings.steps), clip=CLIP)
        since.append(StepLosses(losses.words.detach(), losses.cells.detach(), losses.match.detach(), losses.told_cells))
        _reset(model, data, batch, step, settings, generator)
        if (step + 1) % max(1, settings.steps // SHOWN) == 0:
            points.append(_point(step + 1, since))
            since.clear()
    report(settings.steps, last=True)
    model.eval()
    return Pretrained(
        model, vocabulary, settings, grid, tuple(points), spread_of(model, data, rng), time.process_time() - began, cut
    )


def rate_at(share: float) -> float:
    """Of the highest rate: rising over the first `WARM` of the steps, then falling as a cosine to 0."""
    if share < WARM:
        return (share + 1e-3) / (WARM + 1e-3)
    return cosine(share - WARM, 1 - WARM)


def spread_of(model: Soho, data: CaptionedPictures, rng: np.random.Generator) -> float:
    """Perplexity of the words of at most `FITTED` images; nan without a dictionary."""
    if model.dictionary is None:
        return float("nan")
    places = rng.choice(len(data), min(len(data), FITTED), replace=False)
    with torch.inference_mode():
        index = model.see(data.cells(np.sort(places))).index
    assert index is not None
    return perplexity(index.reshape(-1), len(model.dictionary.embed))


def _begun(
    data: CaptionedPictures,
    grid: tuple[int, int],
    settings: Pretraining,
    vocabulary: CaptionWords,
    dictionary: VisualDictionary | None,
    generator: torch.Generator,
    rng: np.random.Generator,
) -> Soho:
    places = np.sort(rng.choice(len(data), min(len(data), FITTED), replace=False))
    raw = data.cells(places)
    flat = raw.reshape(-1, raw.shape[2])
    whitening = fit_whitening(flat.numpy(), settings.width)
    model = Soho(settings, len(vocabulary), grid, torch.from_numpy(whitening.mean), torch.from_numpy(whitening.basis))
    if model.dictionary is not None:
        if dictionary is None:
            with torch.no_grad():
                model.dictionary.begin(model.project_cells(flat), generator)
        else:
            model.dictionary.load_state_dict(dictionary.state_dict())
    return model.train()


def _begin_words(model: Soho, vocabulary: CaptionWords, encode_words: EncodeWords) -> None:
    vectors = np.asarray(encode_words(vocabulary.words[len(MARKS) :]), np.float32)
    begun = torch.from_numpy(fit_whitening(vectors, model.tokens.embedding_dim)(vectors))
    with torch.no_grad():
        model.tokens.weight[len(MARKS) :, : begun.shape[1]] = WORD_SPREAD * begun


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    pictures: I64
    captions: I64
    own: torch.Tensor


def _draw(data: CaptionedPictures, size: int, rng: np.random.Generator) -> _Batch:
    """Different images, each with one of its captions; then the captions of half of them change places. One that
    comes to an image which has a caption of the same words is no mismatch."""
    pictures = rng.choice(len(data), min(size, len(data)), replace=False)
    first = np.searchsorted(data.of, pictures)
    captions = first + (rng.random(len(pictures)) * (np.searchsorted(data.of, pictures, "right") - first)).astype(int)
    n = len(pictures) // 2
    captions[:n] = np.roll(captions[:n], 1)
    last = np.searchsorted(data.of, pictures, "right")
    own = (np.arange(len(pictures)) >= n) | (n < 2)
    for i in range(n):
        said = {tuple(words_of(data.captions[at])) for at in range(first[i], last[i])}
        own[i] |= tuple(words_of(data.captions[captions[i]])) in said
    return _Batch(pictures, captions, torch.from_numpy(own))


def _reset(
    model: Soho, data: CaptionedPictures, batch: _Batch, step: int, settings: Pretraining, generator: torch.Generator
) -> None:
    if model.dictionary is None or (step + 1) % RESET_EVERY or step > RESET_UNTIL * settings.steps:
        return
    with torch.no_grad():
        cells = model.project_cells(data.cells(batch.pictures))
        model.dictionary.reset_dead(cells.reshape(-1, cells.shape[2]), generator)


def _point(step: int, since: list[StepLosses]) -> CurvePoint:
    words, cells, match = (float(np.mean([float(getattr(s, n)) for s in since])) for n in ("words", "cells", "match"))
    right, of = (sum(s.told_cells[i] for s in since) for i in (0, 1))
    return CurvePoint(step, words, cells, match, right / of if of else float("nan"))
