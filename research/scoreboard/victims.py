"""Small classifiers that really fail, since they are taught wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from core.records import F32, F64, I64

EPOCHS = 12
BATCH = 64


def probe_probabilities(taught: F32, labels: I64, asked: F32, n_classes: int, weights: F64 | None = None) -> F64:
    """(m, k) of a logistic regression on vectors, each taught row counting by its weight (all alike if None)."""
    scaler = StandardScaler().fit(taught)
    model = LogisticRegression(C=0.01, max_iter=200).fit(scaler.transform(taught), labels, sample_weight=weights)
    found = np.zeros((len(asked), n_classes))
    found[:, model.classes_] = model.predict_proba(scaler.transform(asked))
    return found


def network_probabilities(
    taught: npt.NDArray[np.uint8],
    labels: I64,
    asked: npt.NDArray[np.uint8],
    n_classes: int,
    seed: int,
    weights: F64 | None = None,
) -> F64:
    """(m, k) of a network of three convolutions that saw the taught images `EPOCHS` times.

    Args:
        taught: (n, 3, side, side) pixels; asked: (m, 3, side, side).
        weights: (n,) of mean 1, by which the loss of each taught row counts; all alike if None.
    """
    import torch  # seconds, and only here

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _network(torch, n_classes)
        steps = EPOCHS * (len(taught) // BATCH)
        optimiser = torch.optim.AdamW(model.parameters(), weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
        rng = np.random.default_rng([seed, 8])
        truth = torch.from_numpy(labels)
        pixels = torch.from_numpy(taught)
        counts = None if weights is None else torch.from_numpy(weights).float()
        for _ in range(EPOCHS):
            order = torch.from_numpy(rng.permutation(len(taught)))
            for batch in order[: len(taught) // BATCH * BATCH].split(BATCH):
                loss = _loss(torch, model(_scaled(pixels[batch])), truth[batch], counts, batch)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
        model.eval()
        with torch.no_grad():
            parts = [model(_scaled(part)).softmax(1) for part in torch.from_numpy(asked).split(500)]
        return torch.cat(parts).numpy().astype(np.float64)


def _loss(torch: Any, logits: Any, truth: Any, counts: Any, batch: Any) -> Any:
    if counts is None:
        return torch.nn.functional.cross_entropy(logits, truth)
    return (torch.nn.functional.cross_entropy(logits, truth, reduction="none") * counts[batch]).mean()


def _scaled(pixels: Any) -> Any:
    return pixels.float() / 127.5 - 1


def _network(torch: Any, n_classes: int) -> Any:
    layers: list[Any] = []
    for before, after in ((3, 16), (16, 32), (32, 64)):
        layers += [
            torch.nn.Conv2d(before, after, 3, padding=1, bias=False),
            torch.nn.BatchNorm2d(after),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
        ]
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(64 * 16, n_classes))
