"""An upload of scans with a known fault in some of them, and a model of known weakness that segments them.

The model calls white matter what is bright, as a threshold does that was set on scans without a fault: a bias field
makes it fail, so the field is the cause of its loss and not only a companion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.records import F32, Bool
from core.systems.neuralizer.corrections.faults import FAULTS, shaded
from research.weights.neuralizer.drawn_scans import (
    STRUCTURES,
    TRAINED,
    UNSEEN,
    Contrast,
    LabelSlices,
    deform,
    draw_clean,
    masks_of,
    read_label_slices,
)

STRONG = 0.6
"""Of a planted bias field: standard deviation of the logarithm at its points."""
_BRIGHTNESS = {"white matter": 0.95, "cortex": 0.6, "thalamus": 0.68, "putamen": 0.68, "brain stem": 0.85, "CSF": 0.15}
_REST = 0.4
_GROUND = 0.02
_SPREAD = 0.05
_PLANES = (4, 9)


@dataclass(frozen=True, slots=True, eq=False)
class PlantedScans:
    """n slices of heads, all in one contrast."""

    slices: F32
    """(n, h, w), 0 to 1."""
    whole: F32
    """(n, h, w) without the fault."""
    masks: Bool
    """(n, h, w) white matter."""
    spoilt: Bool
    """(n,) which have the fault."""

    def __len__(self) -> int:
        return len(self.slices)


def plant_scans(
    n: int,
    *,
    fault: str = "bias",
    share: float = 0.2,
    side: int = 96,
    seed: int = 0,
    of: Sequence[int] = (*TRAINED, *UNSEEN),
) -> PlantedScans:
    """`n` slices of bent heads of some subjects, of which that share has the fault ("" plants none)."""
    labels_of = read_label_slices(side)
    g = torch.Generator().manual_seed(seed)
    subjects = torch.tensor(of)[torch.randint(len(of), (n,), generator=g)]
    planes = torch.randint(*_PLANES, (n,), generator=g)
    labels = deform(labels_of.places[subjects, planes], g)
    whole = draw_clean(labels, like_t1(labels_of).for_each(n, g, 0.02), g)
    spoilt = torch.zeros(n, dtype=torch.bool)
    spoilt[torch.randperm(n, generator=g)[: round(share * n) if fault else 0]] = True
    slices = whole.clone()
    if fault:
        bad = shaded(whole[spoilt], g, STRONG) if fault == "bias" else FAULTS[fault](whole[spoilt], g)
        slices[spoilt] = bad.clamp(0, 1)
    chosen = labels_of.chosen(STRUCTURES["white matter"]).expand(n, -1)
    masks = masks_of(labels, chosen)[:, 0].bool()
    return PlantedScans(slices[:, 0].numpy(), whole[:, 0].numpy(), masks.numpy(), spoilt.numpy())


def like_t1(slices: LabelSlices) -> Contrast:
    """Like a T1-weighted scan: white matter brightest, fluid dark."""
    mean = torch.full((1, len(slices.values)), _REST)
    for name, light in _BRIGHTNESS.items():
        mean[0, slices.chosen(STRUCTURES[name]).bool()] = light
    mean[0, slices.chosen(STRUCTURES["ventricles"]).bool()] = _BRIGHTNESS["CSF"]
    mean[0, 0] = _GROUND
    return Contrast(mean, torch.full_like(mean, _SPREAD))


def bright(slices: F32, threshold: float) -> Bool:
    """(n, h, w) the model's white matter: what is brighter than that share of the slice's 99.5th percentile."""
    top = np.percentile(slices, 99.5, axis=(1, 2), keepdims=True)
    return slices > threshold * top


def set_threshold(planted: PlantedScans) -> float:
    """The threshold that is best on scans without a fault."""
    tried = np.linspace(0.5, 0.95, 19)
    return float(tried[np.argmin([dice_losses(bright(planted.whole, t), planted.masks).mean() for t in tried])])


def dice_losses(found: Bool, wanted: Bool) -> F32:
    """(n,) 1 - Dice."""
    both = (found & wanted).sum((1, 2))
    all_ = found.sum((1, 2)) + wanted.sum((1, 2))
    return (1 - 2 * both / np.maximum(all_, 1)).astype(np.float32)


def write_planted(planted: PlantedScans, folder: Path) -> Path:
    """An upload as a user would bring it: scans, true and predicted masks as NIfTI and PNG, and the table, whose path
    is given back."""
    import nibabel

    folder.mkdir(parents=True, exist_ok=True)
    predicted = bright(planted.slices, set_threshold(planted))
    rows = ["file,true_mask,predicted_mask,site"]
    side = planted.slices.shape[-1]
    affine = np.diag([192 / side, 192 / side, 192 / side, 1.0])
    for k in range(len(planted)):
        voxels = np.ascontiguousarray(planted.slices[k][::-1].T[:, None])
        nibabel.Nifti1Image(voxels, affine).to_filename(folder / f"scan{k:04d}.nii.gz")  # pyright: ignore
        for name, mask in (("true", planted.masks[k]), ("predicted", predicted[k])):
            Image.fromarray(mask.astype(np.uint8)).save(folder / f"mask{k:04d}_{name}.png")
        rows.append(f"scan{k:04d}.nii.gz,mask{k:04d}_true.png,mask{k:04d}_predicted.png,{'AB'[k % 2]}")
    table = folder / "scans.csv"
    table.write_text("\n".join(rows) + "\n", "utf-8")
    return table
