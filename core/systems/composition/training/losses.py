"""What an adapter is trained and chosen by: binary cross-entropy of pairs, and how many questions come out right."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from core.records import F64, Bool
from core.systems.composition.training.matching import device_of, pick, score_questions
from core.systems.composition.training.pairs import Batch, PairData

EASY = 0.5
"""Weight of captions of other items beside the hard pairs."""


def step_loss(module: Any, data: PairData, step: Batch) -> torch.Tensor:
    """Mean binary cross-entropy of the hard pairs, plus half that of the others; the same once more of what the module
    says aside, of all pairs."""
    on = device_of(module)
    images = module.images(data.image_rows(step.images, on))
    texts = module.texts(data.text_rows(step.texts, on))
    logits = module.match(pick(images, step.pairs[:, 0]), pick(texts, step.pairs[:, 1]))
    loss = _pair_loss(logits, step.labels, step.own)
    aside = None
    if hasattr(module, "aside"):
        aside = module.aside(images, texts)
    if aside is None:
        return loss
    same_item = np.zeros(step.truth.shape, np.bool_)
    same_item[tuple(step.pairs[step.own].T)] = True
    return loss + _pair_loss(aside.flatten(), step.truth.ravel(), same_item.ravel())


def _pair_loss(logits: torch.Tensor, labels: Bool, same_item: Bool) -> torch.Tensor:
    truth = torch.from_numpy(labels).float().to(logits.device)
    losses = binary_cross_entropy_with_logits(logits.float(), truth, reduction="none")
    hard, easy = (
        losses[torch.from_numpy(np.flatnonzero(which)).to(losses.device)] for which in (same_item, ~same_item)
    )
    if same_item.all():
        return hard.mean()
    return hard.mean() + EASY * easy.mean()


def validate(module: Any, data: PairData) -> tuple[float, float]:
    """(mean loss over hard pairs, share of questions that are right)."""
    matrices = score_questions(module, data)
    logits = np.concatenate([m.ravel() for m in matrices])
    labels = np.concatenate([q.match.ravel() for q in data.questions])
    losses = np.logaddexp(0, np.where(labels, -logits, logits))
    return float(losses.mean()), float(np.mean([right(m, q.match) for m, q in zip(matrices, data.questions)]))


def right(scores: F64, match: Bool) -> bool:
    """Whether every caption ranks its images above all others; with one image, whether it ranks its captions above
    all others. Ties are wrong."""
    if scores.shape[0] == 1:
        scores = scores.T
        match = match.T
    asked = [t for t in range(match.shape[1]) if match[:, t].any() and not match[:, t].all()]
    return all(float(scores[match[:, t], t].min()) > float(scores[~match[:, t], t].max()) for t in asked)
