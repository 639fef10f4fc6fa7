"""The training itself: cross-entropy over the whole vocabulary at the mask, and the best of the classes' words at test.

Source: Gao et al. 2023, arXiv 2305.02239, section 3, and the released code: Adam without decay, one order of the
descriptions for all passes, dropout on, the lower half of the layers frozen, word embeddings and head trained. Padded
tokens are masked; the loss is read at one token of each text, so that the head is applied there alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from core.encoders.batches import by_length
from core.encoders.model_folder import layer_of
from core.records import F64, Progress, no_progress
from core.systems.common.own_random import OwnRandom
from core.systems.common.steps import take_step
from core.systems.label_descriptions.learn.language_model import LanguageModel
from core.systems.label_descriptions.learn.prompted import PromptedTexts
from core.systems.label_descriptions.learn.settings import LabelTraining


def freeze(found: LanguageModel, how: LabelTraining) -> int:
    """Set which parameters learn; returns how many numbers do."""
    half = found.model.config.num_hidden_layers / 2
    words = {id(found.model.get_input_embeddings().weight)} if how.freeze_words else set[int]()
    for name, parameter in found.model.named_parameters():
        layer = layer_of(name)
        kept = layer is not None and (how.freeze == "layers" or (how.freeze == "half" and layer < half))
        parameter.requires_grad_(not kept and id(parameter) not in words)
    return sum(p.numel() for p in found.model.parameters() if p.requires_grad)


def order_of(n: int, seed: int) -> list[int]:
    """The order in which n descriptions are seen, in every pass: as pandas shuffles a table in the released code."""
    return np.random.RandomState(seed).choice(n, n, replace=False).tolist()


def train(
    found: LanguageModel,
    given: PromptedTexts,
    targets: Sequence[int],
    how: LabelTraining,
    seed: int,
    progress: Progress = no_progress,
    step: str = "train",
) -> list[float]:
    """Train the model on the descriptions, in place; returns the mean loss of each pass.

    Args:
        targets: the token that is right for each description.
        seed: of the order and of dropout.

    Raises:
        InvalidInput: the loss is no number any more.
    """
    dropout = OwnRandom(seed)
    model = found.model.train()
    losses = list[float]()
    seen = 0
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=how.lr)
    order = order_of(len(given.tokens), seed)
    right = torch.tensor(list(targets))
    while seen < how.steps:
        total = 0.0
        for start in range(0, len(order), how.batch):
            if seen >= how.steps:
                break
            rows = order[start : start + how.batch]
            with dropout, _precision(how):
                logits = found.logits_at(*given.batch(rows))
            loss = torch.nn.functional.cross_entropy(logits, right[rows])
            total += take_step(optimiser, loss, clip=None) * len(rows)
            seen += len(rows)
            progress(step, min(seen, how.steps), how.steps)
        losses.append(total / len(order))
    model.eval()
    return losses


@torch.no_grad()
def word_logits(
    found: LanguageModel,
    given: PromptedTexts,
    words: Sequence[int],
    how: LabelTraining,
    progress: Progress = no_progress,
    step: str = "classify",
) -> F64:
    """(n, k) what the model gives to each class's word at the place of each text."""
    out = np.empty((len(given.tokens), len(words)))
    n = len(given.tokens)
    done = 0
    for rows in by_length(given.tokens, how.test_batch):
        with _precision(how):
            logits = found.logits_at(*given.batch(rows.tolist()))
        out[rows] = logits[:, list(words)].double().numpy()
        done += len(rows)
        progress(step, done, n)
    return out


def _precision(how: LabelTraining) -> AbstractContextManager[object]:
    return torch.autocast("cpu", torch.bfloat16) if how.precision == "bfloat16" else nullcontext()
