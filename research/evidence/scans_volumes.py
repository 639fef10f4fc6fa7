"""What volumes cost: CPU seconds and peak memory of `diagnose` and `reference` on an upload of them.

    python -m research.evidence.scans_volumes DATA --work FOLDER [--volumes 60] [--permutations 5000]

DATA holds synthseg_labels/labels_2mm.npz (20 subjects). Each volume is one of them in a contrast like T1, moved a
little, at 1 mm (192 x 224 x 192 voxels of 16 bits), a fifth with a bias field; true and predicted masks are volumes
too (white matter, and what is brighter than a threshold). The cache is empty. Figures: docs/evidence/scans.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from scipy.ndimage import zoom

from core.records import F32, Bool

WHITE = (2, 41)
LIGHT = {
    2: 0.95,
    41: 0.95,
    3: 0.6,
    42: 0.6,
    10: 0.68,
    49: 0.68,
    12: 0.68,
    51: 0.68,
    16: 0.85,
    24: 0.15,
    4: 0.15,
    43: 0.15,
}


def draw(labels: Any, rng: np.random.Generator, spoilt: bool) -> tuple[F32, Bool]:
    """(192, 224, 192) a volume, 0 to 1, and its white matter."""
    moved = np.roll(labels, rng.integers(-3, 4, 3), (0, 1, 2)).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    table = np.full(int(moved.max()) + 1, 0.4, np.float32)
    table[0] = 0.02
    for label, light in LIGHT.items():
        table[label] = light + 0.02 * rng.standard_normal()
    volume = table[moved] + 0.03 * rng.standard_normal(moved.shape, np.float32)
    if spoilt:
        field = zoom(0.6 * rng.standard_normal((3, 3, 3)), np.array(moved.shape) / 3, order=1).astype(np.float32)
        volume = volume * np.exp(field[: moved.shape[0], : moved.shape[1], : moved.shape[2]])
    return np.clip(volume / volume.max(), 0, 1), np.isin(moved, WHITE)


def write(data: Path, folder: Path, n: int) -> Path:
    """The upload; its table's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(data / "synthseg_labels" / "labels_2mm.npz", allow_pickle=False) as stored:
        labels = stored["labels"]
    rng = np.random.default_rng(0)
    rows = ["file,true_mask,predicted_mask"]
    for k in range(n):
        volume, white = draw(labels[k % len(labels)], rng, k % 5 == 0)
        bright = volume > 0.78 * np.percentile(volume[::4, ::4, ::4], 99.5)
        names = [f"{k:03d}{end}" for end in (".nii.gz", "_true.nii.gz", "_predicted.nii.gz")]
        whole = (np.round(1000 * volume).astype(np.int16), white.astype(np.uint8), bright.astype(np.uint8))
        for name, voxels in zip(names, whole):
            nibabel.Nifti1Image(voxels, np.eye(4)).to_filename(folder / name)  # pyright: ignore
        rows.append(",".join(names))
    (folder / "scans.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder / "scans.csv"


def cost(arguments: Sequence[str], work: Path) -> dict[str, float]:
    """Wall and CPU seconds and peak MB of a command."""
    environment = {**os.environ, "ERRATA_CACHE": str(work / "cache"), "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with (work / "log.txt").open("a", encoding="utf-8") as log:
        subprocess.run([sys.executable, "-m", "core", *arguments], check=True, env=environment, stdout=log, stderr=log)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # of all children so far, so the first command's unless a later one takes more
    return {"wall_s": time.monotonic() - start, "cpu_s": cpu, "peak_mb": after.ru_maxrss / 1024}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--volumes", type=int, default=60)
    parser.add_argument("--permutations", default="5000")
    given = parser.parse_args(arguments)
    up = given.work / "upload"
    run = str(given.work / "run.errata")
    table = up / "scans.csv" if (up / "scans.csv").is_file() else write(given.data, up, given.volumes)
    both = ["--table", str(table), "--images", str(up)]
    asked = [*both, "--masks", "true_mask", "predicted_mask"]
    commands = {
        "diagnose": ["diagnose", *asked, "--out", run, "--permutations", given.permutations],
        "diagnose again": ["diagnose", *asked, "--out", run, "--permutations", given.permutations],
        "reference": ["reference", run, *both, "--out", str(given.work / "reference")],
    }
    for name, command in commands.items():
        print(json.dumps({"what": name, "volumes": given.volumes, **cost(command, given.work)}), flush=True)


if __name__ == "__main__":
    main()
