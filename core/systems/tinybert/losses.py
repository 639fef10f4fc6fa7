"""TinyBERT's losses: embeddings, hidden states, attention and prediction.

What paper and released code (huawei-noah/Pretrained-Language-Model, TinyBERT/task_distill.py) do otherwise, and what is
followed here:

* Mean squared error: the paper takes it over one text of l tokens, the code over the padded batch. Here it is taken
  over each text's own tokens, then over the texts, so that padding has no effect.
* Attention scores: code and this file set scores of -100 and less, so those of masked tokens, to 0 before they are
  compared. The code also counts the rows of padding, which are left out here.
* Soft cross-entropy: the code divides by the number of classes too. Here it is the paper's, a sum over classes.
* One linear map W (with offset) for embeddings and all hidden states, as in the code. The paper writes W_e and W_h.
  Where student and teacher are of one width there is none; the code has one there too.
"""

from __future__ import annotations

import torch
from torch import Tensor

MASKED = -100.0
"""Scores of this and less are those of masked tokens, to which BERT adds a large negative number."""


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
    return torch.where(scores <= MASKED, torch.zeros_like(scores), scores)


def soft_cross_entropy(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Cross-entropy in nats of the student's class shares against the teacher's (equation 10).

    Args:
        student, teacher: (n, c) logits.
        temperature: both are divided by it.
    """
    shares = torch.softmax(teacher / temperature, -1)
    return -(shares * torch.log_softmax(student / temperature, -1)).sum(-1).mean()


def vector_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared distance of unit vectors, 2 - 2 cos: in place of the soft cross-entropy where the teacher gives
    sentence vectors and no classes, which TinyBERT does not treat.

    Args:
        student, teacher: (n, d) unit rows.
    """
    return (student - teacher).square().sum(-1).mean()
