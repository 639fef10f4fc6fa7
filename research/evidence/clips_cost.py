"""What clips cost: CPU seconds and peak memory of `diagnose` on an upload of drawn ones.

    python -m research.evidence.clips_cost --work FOLDER [--clips 200] [--frames 10] [--side 96] [--permutations 5000]

The clips are drawn as those of the example (`research.examples.make_clips`), at 5 frames a second; a fourth of them
darkens, and these have a higher loss. The cache is empty at first, then it holds the vectors. Figures:
docs/evidence/clips.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.systems.neuralizer.corrections.rewrite_clips import video_bytes
from research.evidence.scans_volumes import cost
from research.examples.make_clips import RATE
from research.weights.univl.drawn_clips import OPPOSITE, draw_clip, faded


def write(folder: Path, n: int, frames: int, side: int) -> Path:
    """The upload; its table's path."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    events = tuple(OPPOSITE)
    rows = ["file,loss"]
    for k in range(n):
        shown = draw_clip(rng, [events[k % len(events)]]).frames(frames, side)
        is_planted = k % 4 == 0
        shown = faded(shown, 0.3) if is_planted else shown
        (folder / f"{k:04d}.mp4").write_bytes(video_bytes(shown, RATE))
        rows.append(f"{k:04d}.mp4,{(1.0 if is_planted else 0.2) + 0.1 * rng.standard_normal():.4f}")
    table = folder.with_name("clips.csv")
    table.write_text("\n".join(rows) + "\n", "utf-8")
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--permutations", default="5000")
    given = parser.parse_args(arguments)
    table = write(given.work / "upload", given.clips, given.frames, given.side)
    command = ["diagnose", "--table", str(table), "--images", str(given.work / "upload")]
    command += ["--out", str(given.work / "run.errata"), "--permutations", given.permutations]
    for name in ("diagnose", "diagnose again"):
        print(json.dumps({"what": name, "clips": given.clips, **cost(command, given.work)}), flush=True)


if __name__ == "__main__":
    main()
