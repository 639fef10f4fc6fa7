#!/usr/bin/env python
"""Make the example of clips again: drawn things to which something happens, and what a small classifier says of each.

    python -m research.examples.make_clips [--out FOLDER]

The task: what happens to the thing (six events)? The classifier is a logistic regression on the vectors of the encoder
of clips. It was fitted on clips of one scene; a quarter of those that are scored begin with another one and cut to
their own. A few minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from core.cli.terminal import TerminalProgress
from core.data.clips.decoding import decode_clip
from core.encoders import load_encoder
from core.files import ASSETS
from core.records import F32, F64
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes
from research.weights.univl.drawn_clips import OPPOSITE, draw_clip

FOLDER = ASSETS / "examples" / "clips"
FITTED = 300
SCORED = 240
SEED = 0
FRAMES = 10
SIDE = 96
RATE = 5
BEFORE = 3
"""Frames of a clip, pixels a side, frames a second, and frames of another scene before a cut."""


@dataclass(frozen=True)
class Drawn:
    """One clip as it ships."""

    event: str
    sentence: str
    has_cut: bool
    data: bytes


def draw(n: int, seed: int, share: float) -> list[Drawn]:
    """n clips, of each event as many; that share of them begins with another scene."""
    rng = np.random.default_rng(seed)
    events = tuple(OPPOSITE)
    found = list[Drawn]()
    for i in range(n):
        event = events[i % len(events)]
        has_cut = bool(rng.random() < share)
        clip = draw_clip(rng, [event])
        other = draw_clip(rng, [events[int(rng.integers(len(events)))]])
        shown = clip.frames(FRAMES - BEFORE if has_cut else FRAMES, SIDE)
        shown = [*other.frames(2, SIDE)[:1] * BEFORE, *shown] if has_cut else shown
        found.append(Drawn(event, clip.text(), has_cut, video_bytes(shown, RATE)))
    return found


def vectors(clips: list[Drawn], progress: TerminalProgress) -> F32:
    """(n, d) as the encoder of clips sees them."""
    encoder = load_encoder("clips")
    rows = list[F32]()
    for start in range(0, len(clips), 8):
        progress("encode clips", start, len(clips))
        batch = np.stack([encoder.preprocess(decode_clip(clip.data)) for clip in clips[start : start + 8]])
        rows.append(encoder.encode_items(batch)[0])
    return np.concatenate(rows)


def probabilities(fitted: list[Drawn], scored: list[Drawn]) -> tuple[F64, list[str]]:
    """((n, k) of the scored, the events in their order)."""
    with TerminalProgress() as progress:
        model = LogisticRegression(C=100, max_iter=1000)
        model.fit(vectors(fitted, progress), [clip.event for clip in fitted])
        return model.predict_proba(vectors(scored, progress)), list(model.classes_)


def write(scored: list[Drawn], said: F64, events: list[str], out: Path) -> None:
    """Write images.zip, table.csv and truth.json."""
    out.mkdir(parents=True, exist_ok=True)
    names = [f"{i:03d}.mp4" for i in range(len(scored))]
    with zipfile.ZipFile(out / "images.zip", "w", zipfile.ZIP_STORED) as archive:
        for name, clip in zip(names, scored):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), clip.data)
    with (out / "table.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "label", *(f"prob_{event}" for event in events)])
        for name, clip, row in zip(names, scored, said):
            table.writerow([name, clip.event, *(f"{p:.5f}" for p in row)])
    truth = {name: {"sentence": clip.sentence, "has_cut": clip.has_cut} for name, clip in zip(names, scored)}
    (out / "truth.json").write_text(json.dumps(truth, indent=0) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    fitted = draw(FITTED, SEED, 0.0)
    scored = draw(SCORED, SEED + 1, 0.25)
    said, events = probabilities(fitted, scored)
    write(scored, said, events, given.out)
    wrong = np.array([events[int(row.argmax())] != clip.event for clip, row in zip(scored, said)])
    cut = np.array([clip.has_cut for clip in scored])
    print(
        f"clips: {wrong[cut].sum()} of {cut.sum()} with a cut are wrong, {wrong[~cut].sum()} of {(~cut).sum()} others"
    )


if __name__ == "__main__":
    main()
