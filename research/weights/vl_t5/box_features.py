"""Features of boxes as the authors keep them: an HDF5 file with `<id>/features` (36, 2048), `<id>/boxes` (36, 4) in
pixels, `<id>/img_w` and `<id>/img_h`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import InvalidInput, MissingDependency
from core.records import F32
from core.systems.vl_t5.model import PictureParts

_SLACK = 1e-5
"""Shares of a side by which a box may stand out, as in the released loaders."""
MOST_BOXES = 1_000
MOST_CHUNK = 64 * 2**20
"""Boxes of an image, and bytes that one piece of an array may unpack to."""


def read_box_features(path: Path, ids: Sequence[str], feat_dim: int) -> PictureParts:
    """The boxes of some images, in their order.

    Args:
        feat_dim: f, which the model needs.

    Raises:
        InvalidInput: the file cannot be read, lacks an image, points out of itself, or has features or boxes of
            another shape or that are not finite.
        MissingDependency: h5py is not installed.
    """
    try:
        h5py: Any = import_module("h5py")
    except ModuleNotFoundError:
        raise MissingDependency(f"{path.name} is an HDF5 file, which h5py reads. Run `pip install h5py`.") from None
    try:
        with h5py.File(path, "r") as file:
            found = [_one(_Boxes(path, file, name, h5py), feat_dim) for name in ids]
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:  # h5py raises them for damaged files
        raise InvalidInput(f"{path} cannot be read as HDF5 ({str(error)[:120]}). Copy it again.") from error
    if len({len(features) for features, _ in found}) > 1:
        raise InvalidInput(f"{path.name}: pictures differ in their number of boxes. Read those of one number.")
    features, boxes = (np.stack(part) for part in zip(*found, strict=True))
    return PictureParts(torch.from_numpy(features), torch.from_numpy(boxes))


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """One image of an opened file."""

    path: Path
    file: Any
    name: str
    h5py: Any

    def array(self, part: str, *shapes: tuple[int | None, ...]) -> F32:
        """An array of one of the shapes; None: any number up to `MOST_BOXES`. Its size is seen to before it is read."""
        at = self._own(part)
        fits = isinstance(at, self.h5py.Dataset) and any(
            len(at.shape) == len(shape)
            and all(n == m if m is not None else 0 < n <= MOST_BOXES for n, m in zip(at.shape, shape))
            for shape in shapes
        )
        if not fits or at.dtype.kind not in "fiu":
            wanted = " or ".join(str(shape).replace("None", "boxes") for shape in shapes)
            there = f"{at.shape} of {at.dtype}" if isinstance(at, self.h5py.Dataset) else "a group"
            raise self.refused(part, f"must be {wanted} numbers, at most {MOST_BOXES:,} boxes: got {there}"[:200])
        if at.external or at.is_virtual:
            raise self.refused(part, "lies in another file, which is not read")
        if at.chunks is not None and math.prod(at.chunks) * at.dtype.itemsize > MOST_CHUNK:
            raise self.refused(part, f"is stored in pieces of {at.chunks}, which unpack to too much")
        found = np.asarray(at[()], np.float32)
        if not np.isfinite(found).all():
            raise self.refused(part, "holds numbers that are not finite")
        return found

    def refused(self, part: str, rule: str) -> InvalidInput:
        return InvalidInput(f"{self.path.name}: {self.name[:60]}/{part} {rule}. Write the file again.")

    def _own(self, part: str) -> Any:
        """What stands there in the file itself, no link to elsewhere being followed."""
        at = self.file
        for step in f"{self.name}/{part}".split("/"):
            link = at.get(step, getlink=True) if isinstance(at, self.h5py.Group) else None
            if link is None:
                such = ", ".join(str(name)[:40] for name, _ in zip(self.file, range(3)))
                raise InvalidInput(
                    f"{self.path.name} holds no {self.name[:60]}/{part}. Its pictures are such as {such}."
                )
            if not isinstance(link, self.h5py.HardLink):
                raise self.refused(part, "is a link, which is not followed")
            at = at[step]
        return at


def _one(given: _Boxes, feat_dim: int) -> tuple[F32, F32]:
    """(P, f) features and (P, 4) boxes as shares of the sides."""
    features = given.array("features", (None, feat_dim))
    boxes = given.array("boxes", (None, 4))
    if len(boxes) != len(features):
        raise given.refused("boxes", f"must be as many as the {len(features)} features: got {len(boxes)}")
    width, height = (float(given.array(part, (), (1,)).reshape(-1)[0]) for part in ("img_w", "img_h"))
    if not (width > 0 and height > 0):
        raise given.refused("img_w", f"and img_h must be above 0: got {width:g} and {height:g}")
    boxes = boxes / np.array([width, height, width, height], np.float32)
    if boxes.min() < -_SLACK or boxes.max() > 1 + _SLACK:
        raise given.refused("boxes", f"stands out of its picture of {width:g} x {height:g}")
    return features, np.clip(boxes, 0, 1)
