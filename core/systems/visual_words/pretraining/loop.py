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
from core.systems.visual_words.pretraining.losses import step_losses
from core.systems.visual_words.pretraining.network import Soho
from core.systems.visual_words.pretraining.pairs import CaptionedPictures
from core.systems.visual_words.pretraining.settings import Pretraining
from core.systems.visual_words.pretraining.vocabulary import CaptionWords, caption_words, words_of

FITTED_IMAGES = 512
"""Images whose cells whiten the map and begin the dictionary."""
RESET_STEPS = 25
"""Steps between two resets of dead words."""
RESET_SHARE = 0.6
"""Share of the steps with resets."""
WARMUP_SHARE = 0.1
"""Share of the steps in which the rate rises."""
MAX_GRADIENT_NORM = 1.0
WEIGHT_DECAY = 0.01
WORD_SCALE = 0.05
"""Scale of word vectors that begin as an encoder's."""
EncodeWords = Callable[[Sequence[str]], F32]
CURVE_POINTS = 20


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Means over the steps since the previous point."""

    step: int
    words: float
    cells: float
    match: float
    told_cells: float
    """Share of the hidden cells whose word was predicted; nan without a dictionary."""


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """A network with its vocabulary and learning curve."""

    model: Soho
    vocabulary: CaptionWords
    settings: Pretraining
    grid: tuple[int, int]
    curve: tuple[CurvePoint, ...]
    perplexity: float
    """Of the words of a sample of cells; nan without a dictionary."""
    seconds: float
    """Processor time."""
    cut: int
    """Number of truncated captions."""


def pretrain(
    data: CaptionedPictures,
    grid: tuple[int, int],
    settings: Pretraining,
    *,
    dictionary: VisualDictionary | None = None,
    encode_words: EncodeWords | None = None,
    progress: Progress = no_progress,
) -> Pretrained:
    """Learn from all pairs of `data`, half of each batch mismatched.

    Args:
        grid: rows and columns of the map.
        dictionary: the first dictionary, of the settings' size; None begins with cells.
        encode_words: gives (v, e) vectors of words. Their leading components are the first word vectors, where the
            paper begins with BERT's; None begins at random.
        progress: called as ("pretrain", done, total).

    Raises:
        InvalidInput: a loss becomes NaN or infinite.
        Cancelled: from `progress`.
    """
    began = time.process_time()
    generator = torch.Generator().manual_seed(settings.seed)
    rng = np.random.default_rng([settings.seed, 4])
    vocabulary = caption_words(data.captions)
    ids, cut = vocabulary.encode(data.captions)
    random = OwnRandom(settings.seed)
    with random:
        model = _new_model(data, grid, settings, vocabulary, dictionary, generator, rng)
        if encode_words is not None:
            vectors = np.asarray(encode_words(vocabulary.words[len(MARKS) :]), np.float32)
            leading = torch.from_numpy(fit_whitening(vectors, model.tokens.embedding_dim)(vectors))
            with torch.no_grad():
                model.tokens.weight[len(MARKS) :, : leading.shape[1]] = WORD_SCALE * leading
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=WEIGHT_DECAY)
    report = Reporter(progress, "pretrain", settings.steps)
    points = list[CurvePoint]()
    since = list[torch.Tensor]()  # (3,) losses of words, cells and match, a step each
    told = list[tuple[int, int]]()
    for step in range(settings.steps):
        report(step)
        batch = _draw(data, settings.batch, rng)
        shown = ids[torch.from_numpy(batch.captions)]
        shown = shown[:, : int((shown != 0).sum(1).max())]
        with random:
            losses = step_losses(model, shown, data.cells(batch.pictures), batch.matches, settings.masking, generator)
            take_step(optimiser, losses.total, rate_at(step / settings.steps), clip=MAX_GRADIENT_NORM)
        since.append(torch.stack([losses.words.detach(), losses.cells.detach(), losses.match.detach()]))
        told.append(losses.told_cells)
        is_reset_step = (step + 1) % RESET_STEPS == 0 and step <= RESET_SHARE * settings.steps
        if model.dictionary is not None and is_reset_step:
            with torch.no_grad():
                projected = model.project_cells(data.cells(batch.pictures))
                model.dictionary.reset_dead(projected.reshape(-1, projected.shape[2]), generator)
        if (step + 1) % max(1, settings.steps // CURVE_POINTS) == 0:
            of_each = np.stack([loss.tolist() for loss in since], axis=1)
            words, cells, match = (float(np.mean(of_steps)) for of_steps in of_each)
            right, hidden = np.sum(told, axis=0).tolist()
            points.append(CurvePoint(step + 1, words, cells, match, right / hidden if hidden else float("nan")))
            since.clear()
            told.clear()
    report(settings.steps, last=True)
    model.eval()
    spread = float("nan")
    if model.dictionary is not None:
        images = rng.choice(len(data), min(len(data), FITTED_IMAGES), replace=False)
        with torch.inference_mode():
            index = model.see(data.cells(np.sort(images))).index
        assert index is not None
        spread = perplexity(index.reshape(-1), len(model.dictionary.embed))
    seconds = time.process_time() - began
    return Pretrained(model, vocabulary, settings, grid, tuple(points), spread, seconds, cut)


def rate_at(share: float) -> float:
    """Share of the highest rate: rising over `WARMUP_SHARE` of the steps, then falling as a cosine to 0."""
    if share < WARMUP_SHARE:
        return (share + 1e-3) / (WARMUP_SHARE + 1e-3)
    return cosine(share - WARMUP_SHARE, 1 - WARMUP_SHARE)


def _new_model(
    data: CaptionedPictures,
    grid: tuple[int, int],
    settings: Pretraining,
    vocabulary: CaptionWords,
    dictionary: VisualDictionary | None,
    generator: torch.Generator,
    rng: np.random.Generator,
) -> Soho:
    images = np.sort(rng.choice(len(data), min(len(data), FITTED_IMAGES), replace=False))
    raw = data.cells(images)
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


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    pictures: I64
    captions: I64
    matches: torch.Tensor


def _draw(data: CaptionedPictures, size: int, rng: np.random.Generator) -> _Batch:
    """Distinct images with one caption each, half of them then shuffled.

    A shuffled caption still matches where its new image has a caption of the same words.
    """
    pictures = rng.choice(len(data), min(size, len(data)), replace=False)
    first = np.searchsorted(data.of, pictures)
    last = np.searchsorted(data.of, pictures, "right")
    captions = first + (rng.random(len(pictures)) * (last - first)).astype(int)
    n = len(pictures) // 2
    captions[:n] = np.roll(captions[:n], 1)
    matches = (np.arange(len(pictures)) >= n) | (n < 2)
    for i in range(n):
        image_words = [words_of(data.captions[at]) for at in range(first[i], last[i])]
        matches[i] |= words_of(data.captions[captions[i]]) in image_words
    return _Batch(pictures, captions, torch.from_numpy(matches))
