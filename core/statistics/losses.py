"""Per-sample losses from a model's outputs. Larger is worse in every one.

n samples, k classes; `scores` are probabilities (n, k) float64 whose rows sum to 1, `labels` and `predictions` (n,)
indices of classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64

MIN_PROBABILITY = 1e-12
"""Smaller probabilities count as this in logarithms, so that a fully confident error costs 27.6 nats, not infinity."""

LOSS_UNITS = {
    "cross-entropy": "nats",
    "brier": "squared probability",
    "margin": "probability",
    "0/1 error": "error",
    "squared error": "squared units of the target",
    "absolute error": "units of the target",
    "1 - Dice": "share",
    "1 - IoU": "share",
    "entropy": "nats",
}


def softmax(logits: F64) -> F64:
    """(n, k) probabilities of unnormalized log-probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def cross_entropy(scores: F64, labels: I64) -> F64:
    """(n,) -log p(label) in nats, in [0, 27.6]: p counts as at least 1e-12. Not clipped otherwise."""
    return -np.log(np.clip(_at(scores, labels), MIN_PROBABILITY, 1.0))


def cross_entropy_of_logits(logits: F64, labels: I64) -> F64:
    """(n,) -log softmax(logits)[label] in nats, without a floor: exact where a probability would round to 0."""
    top = logits.max(axis=1)
    return top + np.log(np.exp(logits - top[:, None]).sum(axis=1)) - _at(logits, labels)


def brier(scores: F64, labels: I64) -> F64:
    """(n,) sum over classes of (p - [class is the label])^2, in [0, 2]. Source: Brier 1950, the several-class form."""
    truth = np.zeros_like(scores)
    truth[np.arange(len(labels)), labels] = 1.0
    return ((scores - truth) ** 2).sum(axis=1)


def margin(scores: F64, labels: I64) -> F64:
    """(n,) largest probability of the other classes minus that of the label, in [-1, 1]; above 0 means wrong."""
    others = scores.copy()
    others[np.arange(len(labels)), labels] = -np.inf
    return others.max(axis=1) - _at(scores, labels)


def squared_error(target: F64, prediction: F64) -> F64:
    """(n,) (prediction - target)^2, in squared units of the target."""
    return (prediction - target) ** 2


def absolute_error(target: F64, prediction: F64) -> F64:
    """(n,) |prediction - target|, in units of the target."""
    return np.abs(prediction - target)


def entropy(scores: F64) -> F64:
    """(n,) -sum p log p in nats, in [0, log k]: the model's uncertainty. It needs no label, so it is a proxy, not a
    loss."""
    # 0 log 0 is 0; without abs the sum of a fully confident row would be -0.0
    return np.abs(-(scores * np.log(np.clip(scores, MIN_PROBABILITY, 1.0))).sum(axis=1))


PROBABILITY_LOSSES: Mapping[str, Callable[[F64, I64], F64]] = {
    "cross-entropy": cross_entropy,
    "brier": brier,
    "margin": margin,
}
"""Losses of probabilities and labels, by kind."""
NUMBER_LOSSES: Mapping[str, Callable[[F64, F64], F64]] = {
    "squared error": squared_error,
    "absolute error": absolute_error,
}
"""Losses of a numeric target and its prediction, by kind."""


def fitting_clip(loss: F64) -> float:
    """The clip of cross-entropy for fitting: 4 nats, or its 99th percentile where that is higher.

    A few huge losses would otherwise dominate a squared-error fit. 4 nats is a label probability of 1.8%; a convention.
    """
    return max(4.0, float(np.percentile(loss, 99)))


def _at(values: F64, labels: I64) -> F64:
    return values[np.arange(len(labels)), labels]


MAX_MAGNITUDE = 1e15
MIN_SPREAD = 1e-15
"""Largest magnitude of fitted values, and their smallest range: their squares must fit a float32 (1e-38 to 3e38), in
which the ensemble is fitted."""


def check_magnitude(values: F32 | F64, what: str, least: float = 0.0) -> None:
    """Check that the squares of the values fit a float32; otherwise the search would find nothing.

    Args:
        least: smallest range of values that are not all equal.

    Raises:
        InvalidInput: a value is too large, or the range too small.
    """
    low = float(values.min()) if values.size else 0.0
    high = float(values.max()) if values.size else 0.0
    if max(-low, high) > MAX_MAGNITUDE or 0 < high - low < least:
        raise InvalidInput(
            f"The {what} must lie within {MAX_MAGNITUDE:g} of 0 and differ by at least {MIN_SPREAD:g}: "
            f"the largest is {max(-low, high):.3g} and they differ by {high - low:.3g}. "
            "Rescale them, for example to a standard deviation of 1."
        )
