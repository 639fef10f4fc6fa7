"""The two fits behind the embedded encoder's words: images, and sentence vectors, to activations.
`research/weights/embedded/fit_words.py` runs them."""

from __future__ import annotations

import numpy as np

from core.encoders.arithmetic import unit_rows
from core.encoders.embedded.photo_words import CONDITIONS, CUE_LIMIT, TEXT_GAIN
from core.records import F32, Bool

CUES_ONLY = {"light", "colour", "contrast", "noise", "red", "orange", "yellow", "green", "blue", "purple"}
"""What the pixels say by themselves; the features would only bring in what the images of the fit have in common."""
LAMBDA = 3.0
LAMBDA_CUES = 10.0
HIDDEN = 128
N_NETWORKS = 2
"""Networks whose mean is the text side; they differ in their random start."""
EPOCHS = 60


def fit_pictures(features: F32, cues: F32, labels: F32, ordinary: Bool) -> dict[str, F32]:
    """The arrays of `Conditions` for images, by ridge regression, one condition at a time over the images whose label
    is known.

    Args:
        labels: (n, k), nan where not known.
        ordinary: (n,) images as they came, without an edit: their median is made 0.
    """
    cue_mean = cues.mean(0)
    cue_scale = cues.std(0) + 1e-3
    standard = np.clip((cues - cue_mean) / cue_scale, -CUE_LIMIT, CUE_LIMIT).astype(np.float64)
    mean = features.mean(0)
    scale = features.std(0) + 0.05
    centred = ((features - mean) / scale).astype(np.float64)
    both = np.concatenate([standard / np.sqrt(standard.shape[1]), centred / np.sqrt(centred.shape[1])], 1)
    n_cues = cues.shape[1]
    cue_map = np.zeros((len(CONDITIONS), n_cues))
    feature_map = np.zeros((len(CONDITIONS), features.shape[1]))
    bias = np.zeros(len(CONDITIONS))
    for k, name in enumerate(CONDITIONS):
        known = ~np.isnan(labels[:, k])
        used = both[:, :n_cues] if name in CUES_ONLY else both
        weights = _ridge(used[known], labels[known, k], LAMBDA_CUES if name in CUES_ONLY else LAMBDA)
        scores = used @ weights
        neutral = scores[known & ordinary & (labels[:, k] == 0)]
        middle = np.median(neutral)
        shown = np.abs(scores[known & (np.abs(labels[:, k]) > 0.5)] - middle).mean()
        gain = 1 / max(shown, 2.5 * neutral.std())
        cue_map[k] = gain * weights[:n_cues] / np.sqrt(n_cues)
        if name not in CUES_ONLY:
            feature_map[k] = gain * weights[n_cues:] / np.sqrt(centred.shape[1]) / scale
        bias[k] = -gain * middle - feature_map[k] @ mean
    arrays = {
        "cue_mean": cue_mean,
        "cue_scale": cue_scale,
        "cue_map": cue_map,
        "feature_map": feature_map,
        "bias": bias,
    }
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def _ridge(x: F32, y: F32, penalty: float) -> F32:
    centred = x - x.mean(0)
    return np.linalg.solve(centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T @ (y - y.mean()))


def fit_texts(sentences: F32, activations: F32, threshold: float) -> dict[str, F32]:
    """The arrays of `Conditions` for texts: the mean of a few networks of one hidden layer, least squares, written as
    one."""
    import torch

    unit = unit_rows(sentences)
    mean = unit.mean(0)
    x = torch.from_numpy((unit - mean) * TEXT_GAIN)
    y = torch.from_numpy(activations)
    parts: dict[str, list[F32]] = {"hidden_map": [], "hidden_bias": [], "output_map": [], "output_bias": []}
    for seed in range(N_NETWORKS):
        torch.manual_seed(seed)
        network = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], HIDDEN),
            torch.nn.GELU(),
            torch.nn.Dropout(0.1),
            torch.nn.Linear(HIDDEN, y.shape[1]),
        )
        optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
        steps = EPOCHS * len(x) // 256
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
        for _ in range(steps):
            rows = torch.randint(len(x), (256,))
            loss = ((network(x[rows] + 0.1 * torch.randn(256, x.shape[1])) - y[rows]) ** 2).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        for name, tensor in zip(parts, network.parameters()):
            parts[name].append(tensor.detach().numpy())
    return {
        "sentence_mean": mean,
        "hidden_map": np.concatenate(parts["hidden_map"]),
        "hidden_bias": np.concatenate(parts["hidden_bias"]),
        "output_map": np.concatenate(parts["output_map"], 1) / np.float32(N_NETWORKS),
        "output_bias": np.mean(parts["output_bias"], 0),
        "threshold": np.array([threshold], np.float32),
    }
