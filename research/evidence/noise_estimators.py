"""Three published estimators of an image's noise, to compare ours with."""

from __future__ import annotations

import numpy as np

from core.records import F32


def immerkaer(luma: F32) -> float:
    """Mean size of the answers of a mask that cancels plains and slopes, over the whole image (Immerkær 1996)."""
    bend = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    answers = bend[:, :-2] - 2 * bend[:, 1:-1] + bend[:, 2:]
    return float(np.sqrt(np.pi / 2) * np.abs(answers).mean() / 6)


def donoho(luma: F32) -> float:
    """Median size of the finest diagonal Haar wavelets (Donoho and Johnstone 1994)."""
    height = luma.shape[0] // 2 * 2
    width = luma.shape[1] // 2 * 2
    cut = luma[:height, :width]
    diagonal = (cut[::2, ::2] - cut[::2, 1::2] - cut[1::2, ::2] + cut[1::2, 1::2]) / 2
    return float(np.median(np.abs(diagonal)) / 0.6745)


def weak_textured(luma: F32, side: int = 7, step: int = 2) -> float:
    """Least principal component of the patches that have no more gradient than noise would give them, chosen anew with
    each estimate (Liu, Tanaka and Okutomi 2013). Every second patch of every second row."""
    from scipy.stats import gamma

    windows = np.lib.stride_tricks.sliding_window_view
    patches = windows(luma, (side, side))[::step, ::step].reshape(-1, side * side)
    across = (luma[:, 2:] - luma[:, :-2]) / 2
    down = (luma[2:] - luma[:-2]) / 2
    sums = [
        windows(gradient * gradient, shape)[::step, ::step].sum((2, 3)).ravel()
        for gradient, shape in ((across, (side, side - 2)), (down, (side - 2, side)))
    ]
    texture = sums[0] + sums[1]
    size = side * side
    traces = side * (side - 2)  # of both gradient operators' squares
    found = _least_component(patches)
    for _ in range(3):
        limit = gamma.ppf(1 - 1e-6, size / 2, scale=2 * found**2 / size * traces) if found > 0 else 0.0
        chosen = patches[texture < limit]
        if len(chosen) < 2 * size:
            break
        found = _least_component(chosen)
    return found


def _least_component(patches: F32) -> float:
    centred = (patches - patches.mean(0)).astype(np.float64)
    return float(np.sqrt(max(float(np.linalg.eigvalsh(centred.T @ centred / len(centred))[0]), 0)))
