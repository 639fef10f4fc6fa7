"""TinyBERT's losses: embeddings, hidden states, attention and prediction.

Where the paper and the released code (huawei-noah/Pretrained-Language-Model, TinyBERT/task_distill.py) differ, and the
choice made here:

* Mean squared error: the paper averages over one text of l tokens, the code over the padded batch. Here the mean is
  over each text's tokens, then over the texts, so that padding has no effect.
* Attention scores: the code and this file set scores of -100 and less, those of masked tokens, to 0 before the
  comparison. The code also counts the rows of padding; this file leaves them out.
* Soft cross-entropy: the code also divides by the number of classes. Here it is the paper's sum over classes.
* One linear map W (with offset) serves embeddings and all hidden states, as in the code. The paper writes W_e and W_h.
  At equal widths of student and teacher there is no map here; the code has one.
"""

from __future__ import annotations

import torch
from torch import Tensor

MAX_MASKED_SCORE = -100.0
"""Scores up to this one belong to masked tokens, to which BERT adds a large negative number."""


def states_loss(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error of embeddings (equation 9) or hidden states (equation 8).

    Args:
        student: (n, t, d) states, mapped to the teacher's width.
        teacher: (n, t, d).
        mask: (n, t) 1 for tokens, 0 for padding.
    """
    error = (student - teacher).square().mean(-1)
    return ((error * mask).sum(1) / mask.sum(1)).mean()


def attention_loss(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error of the heads' scores before the softmax (equation 7).

    Args:
        student, teacher: (n, h, t, t) scores, the mask added to them; rows are queries.
        mask: (n, t) 1 for tokens, 0 for padding.
    """
    error = (_cleared(student) - _cleared(teacher)).square().mean(1)
    pairs = mask[:, :, None] * mask[:, None, :]
    return ((error * pairs).sum((1, 2)) / mask.sum(1).square()).mean()


def _cleared(scores: Tensor) -> Tensor:
    return torch.where(scores <= MAX_MASKED_SCORE, torch.zeros_like(scores), scores)


def soft_cross_entropy(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Cross-entropy in nats of the student's class probabilities against the teacher's (equation 10).

    Args:
        student, teacher: (n, c) logits.
        temperature: divides both.
    """
    probabilities = torch.softmax(teacher / temperature, -1)
    return -(probabilities * torch.log_softmax(student / temperature, -1)).sum(-1).mean()


def vector_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared distance of unit vectors, 2 - 2 cos.

    It replaces the soft cross-entropy for a teacher of sentence vectors, which TinyBERT does not treat.

    Args:
        student, teacher: (n, d) unit rows.
    """
    return (student - teacher).square().sum(-1).mean()
