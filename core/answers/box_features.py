"""Features of boxes as the authors keep them: an HDF5 file with `<id>/features` (36, 2048), `<id>/boxes` (36, 4) in
pixels, `<id>/img_w` and `<id>/img_h`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.answers.model import PictureParts
from core.errors import InvalidInput, MissingDependency
from core.records import F32

_SLACK = 1e-5
"""Shares of a side by which a box may stand out, as in the released loaders."""


def read_box_features(path: Path, ids: Sequence[str], feat_dim: int) -> PictureParts:
    """The boxes of some pictures, in their order.

    Args:
        feat_dim: f, which the model needs.

    Raises:
        InvalidInput: the file cannot be read, lacks a picture, or has features or boxes of another shape.
        MissingDependency: h5py is not installed.
    """
    try:
        h5py: Any = import_module("h5py")
    except ModuleNotFoundError:
        raise MissingDependency(f"{path.name} is an HDF5 file, which h5py reads. Run `pip install h5py`.") from None
    try:
        with h5py.File(path, "r") as file:
            found = [_one(path, file, name, feat_dim) for name in ids]
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read as HDF5 ({str(error)[:120]}). Copy it again.") from error
    if len({len(features) for features, _ in found}) > 1:
        raise InvalidInput(f"{path.name}: pictures differ in their number of boxes. Read those of one number.")
    features, boxes = (np.stack(part) for part in zip(*found, strict=True))
    return PictureParts(torch.from_numpy(features), torch.from_numpy(boxes))


def _one(path: Path, file: Any, name: str, feat_dim: int) -> tuple[F32, F32]:
    """(P, f) features and (P, 4) boxes as shares of the sides."""
    missing = [part for part in ("features", "boxes", "img_w", "img_h") if f"{name}/{part}" not in file]
    if missing:
        raise InvalidInput(f"{path.name} holds no {name[:60]}/{missing[0]}. Its pictures are such as {_such(file)}.")
    features = np.asarray(file[f"{name}/features"][()], np.float32)
    boxes = np.asarray(file[f"{name}/boxes"][()], np.float32)
    if features.ndim != 2 or features.shape[1] != feat_dim or boxes.shape != (len(features), 4):
        raise InvalidInput(
            f"{path.name}: features of {name[:60]} must be (boxes, {feat_dim}) and boxes (boxes, 4): got "
            f"{features.shape} and {boxes.shape}."
        )
    width, height = float(file[f"{name}/img_w"][()]), float(file[f"{name}/img_h"][()])
    if not (width > 0 and height > 0):
        raise InvalidInput(
            f"{path.name}: img_w and img_h of {name[:60]} must be above 0: got {width:g} and {height:g}."
        )
    boxes = boxes / np.array([width, height, width, height], np.float32)
    if not np.isfinite(boxes).all() or boxes.min() < -_SLACK or boxes.max() > 1 + _SLACK:
        raise InvalidInput(f"{path.name}: a box of {name[:60]} stands out of its picture of {width:g} x {height:g}.")
    return features, np.clip(boxes, 0, 1)


def _such(file: Any) -> str:
    return ", ".join(str(name)[:40] for name, _ in zip(file, range(3)))
