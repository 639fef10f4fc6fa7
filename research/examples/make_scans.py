#!/usr/bin/env python
"""Make the example of scans again: drawn slices of heads, and what a small U-Net takes for white matter in each.

    python -m research.examples.make_scans [--out FOLDER]

The U-Net was taught on slices without a bias field, of twelve subjects; a fifth of those that are scored, of the eight
other subjects, has one. A few minutes of one core.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.data.scans.volume import load_nibabel
from core.files import ASSETS
from core.records import F32, Bool
from research.examples.planted_scans import PlantedScans, dice_losses, plant_scans
from research.weights.neuralizer.unet import UNet, classes_of, teach_unet

FOLDER = ASSETS / "examples" / "scans"
SCORED = 100
SIDE = 96
SHARE = 0.2
SEED = 0
BATCH = 6
STEPS = 200
FITTED_SUBJECTS = tuple(range(12))
SUBJECTS = tuple(range(12, 20))
MILLIMETRES = 2.0
LEVELS = 127
"""Of a pixel, and of its light: with fewer, noise takes less room."""


def taught() -> UNet:
    """The model, which never saw a bias field."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    model = UNet(2)
    step = iter(range(STEPS))

    def draw() -> tuple[torch.Tensor, torch.Tensor]:
        drawn = plant_scans(BATCH, fault="", side=SIDE, seed=1000 + next(step), of=FITTED_SUBJECTS)
        return torch.from_numpy(drawn.whole)[:, None], torch.from_numpy(drawn.masks).long()

    teach_unet(model, draw, STEPS)
    return model


def nifti(plane: F32) -> bytes:
    """A slice of whole numbers as a packed NIfTI of 8 bits. The time in its header is fixed: the same slice gives the
    same bytes."""
    voxels = np.ascontiguousarray(plane.astype(np.uint8)[::-1].T[:, None])
    image = load_nibabel().Nifti1Image(voxels, np.diag([MILLIMETRES] * 3 + [1.0]))
    return gzip.compress(image.to_bytes(), 9, mtime=0)


def png(mask: Bool) -> bytes:
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG", optimize=True)
    return out.getvalue()


def write(planted: PlantedScans, predicted: Bool, out: Path) -> None:
    """Write images.zip (scans and masks), table.csv and truth.json."""
    out.mkdir(parents=True, exist_ok=True)
    lines = ["file,true_mask,predicted_mask"]
    truth = dict[str, dict[str, bool]]()
    with zipfile.ZipFile(out / "images.zip", "w", zipfile.ZIP_STORED) as archive:
        for k, plane in enumerate(planted.slices):
            names = f"{k:03d}.nii.gz", f"{k:03d}_true.png", f"{k:03d}_predicted.png"
            for name, data in zip(names, (nifti(plane), png(planted.masks[k]), png(predicted[k]))):
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
            lines.append(",".join(names))
            truth[names[0]] = {"has_bias_field": bool(planted.spoilt[k])}
    (out / "table.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (out / "truth.json").write_text(json.dumps(truth, indent=0) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    planted = plant_scans(SCORED, share=SHARE, side=SIDE, seed=SEED, of=SUBJECTS)
    shown = np.round(LEVELS * planted.slices)
    planted = replace(planted, slices=shown)
    predicted = classes_of(taught(), shown / np.float32(LEVELS)) > 0
    write(planted, predicted, given.out)
    loss = dice_losses(predicted, planted.masks)
    spoilt = planted.spoilt
    print(f"scans: 1 - Dice {loss[spoilt].mean():.3f} with a bias field, {loss[~spoilt].mean():.3f} without")


if __name__ == "__main__":
    main()
