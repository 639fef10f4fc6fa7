"""Clips of a square that crosses the image, some of which fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.records import Bool, Diagnosis
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes
from research.weights.univl.drawn_clips import faded

FRAMES, SIDE = 8, 48
QUICK_CLIPS = Settings(n_permutations=300, map=False, sensitivity=False, words=False)


def crossing(rng: np.random.Generator) -> list[Image.Image]:
    """Frames of a bright square that goes from the left to the right over spots of colors drawn at random."""
    square, spots = tuple(rng.integers(150, 250, 3).tolist()), rng.integers(80, 125, (6, 6, 3)).astype(np.uint8)
    ground = Image.fromarray(spots).resize((SIDE, SIDE))
    y, shown = int(rng.integers(4, SIDE - 18)), list[Image.Image]()
    for x in np.linspace(0, SIDE - 14, FRAMES).round().astype(int).tolist():
        frame = ground.copy()
        ImageDraw.Draw(frame).rectangle((x, y, x + 13, y + 13), fill=square)
        shown.append(frame)
    return shown


def failing_clips(folder: Path, n: int, cause: str, seed: int = 0) -> tuple[pd.DataFrame, Bool]:
    """Write n clips into `folder`; a table with a loss that is higher for a quarter of them, and which those are.

    Args:
        cause: "faded" (they darken), "backwards" (the square goes to the left), or "none" (the loss is of any clip).
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    planted = rng.permutation(n) < n // 4
    for i, is_planted in enumerate(planted.tolist()):
        frames: Sequence[Image.Image] = crossing(rng)
        if is_planted and cause == "faded":
            frames = faded(frames, 0.3)
        if is_planted and cause == "backwards":
            frames = frames[::-1]
        (folder / f"{i:03d}.mp4").write_bytes(video_bytes(frames, 8))
    loss = np.where(planted, 1.0, 0.2) + rng.normal(0, 0.25, n)
    return pd.DataFrame({"file": [f"{i:03d}.mp4" for i in range(n)], "loss": loss}), planted


@dataclass(frozen=True)
class DiagnosedClips:
    """Clips that fail for a known cause, and what is found of them."""

    folder: Path
    table: pd.DataFrame
    planted: Bool
    found: Diagnosis
    cache: Path


def diagnosed_clips(folder: Path, n: int, cause: str, seed: int = 0) -> DiagnosedClips:
    """`failing_clips` and their diagnosis; both, and the vectors, are kept below `folder`."""
    table, planted = failing_clips(folder / "clips", n, cause, seed)
    found = diagnose(table, images=folder / "clips", settings=QUICK_CLIPS, cache=folder / "cache")
    return DiagnosedClips(folder / "clips", table, planted, found, folder / "cache")
