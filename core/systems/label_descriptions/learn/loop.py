"""Training by cross-entropy over the whole vocabulary at the mask; at test the best of the classes' words.

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


def freeze(model: LanguageModel, how: LabelTraining) -> int:
    """Freeze layers as the settings ask; returns the number of weights that learn."""
    network = model.model
    n_layers = network.config.num_hidden_layers
    first_free = {"half": n_layers / 2, "none": 0, "layers": n_layers}[how.freeze]
    words = network.get_input_embeddings().weight
    for name, parameter in network.named_parameters():
        layer = layer_of(name)
        is_frozen = layer is not None and layer < first_free
        # by identity, so that a head tied to the word embeddings is frozen with them
        if how.freeze_words and parameter is words:
            is_frozen = True
        parameter.requires_grad_(not is_frozen)
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def order_of(n: int, seed: int) -> list[int]:
    """Order of n descriptions in every pass, as pandas shuffles a table in the released code."""
    return np.random.RandomState(seed).choice(n, n, replace=False).tolist()


def train(
    model: LanguageModel,
    texts: PromptedTexts,
    targets: Sequence[int],
    how: LabelTraining,
    seed: int,
    progress: Progress = no_progress,
    step: str = "train",
) -> list[float]:
    """Train the model on the descriptions, in place; returns the mean loss of each pass.

    Args:
        targets: the right token for each description.
        seed: drives the order and dropout.

    Raises:
        InvalidInput: the loss became NaN.
    """
    dropout = OwnRandom(seed)
    network = model.model.train()
    losses = list[float]()
    seen = 0
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=how.lr)
    order = order_of(len(texts.tokens), seed)
    target_tokens = torch.tensor(list(targets))
    while seen < how.steps:
        total = 0.0
        for start in range(0, len(order), how.batch):
            if seen >= how.steps:
                break
            rows = order[start : start + how.batch]
            with dropout, _precision(how):
                logits = model.logits_at(*texts.batch(rows))
            loss = torch.nn.functional.cross_entropy(logits, target_tokens[rows])
            total += take_step(optimizer, loss, clip=None) * len(rows)
            seen += len(rows)
            progress(step, min(seen, how.steps), how.steps)
        losses.append(total / len(order))
    network.eval()
    return losses


@torch.no_grad()
def word_logits(
    model: LanguageModel,
    texts: PromptedTexts,
    words: Sequence[int],
    how: LabelTraining,
    progress: Progress = no_progress,
    step: str = "classify",
) -> F64:
    """(n, k) logits of each class's word at the position of each text."""
    n = len(texts.tokens)
    word_columns = np.empty((n, len(words)))
    done = 0
    for rows in by_length(texts.tokens, how.test_batch):
        with _precision(how):
            logits = model.logits_at(*texts.batch(rows.tolist()))
        word_columns[rows] = logits[:, list(words)].double().numpy()
        done += len(rows)
        progress(step, done, n)
    return word_columns


def _precision(how: LabelTraining) -> AbstractContextManager[object]:
    if how.precision == "bfloat16":
        return torch.autocast("cpu", torch.bfloat16)
    return nullcontext()
