"""Cut masks of a volume to the slice that is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.data.images.outlines import Mask, has_shape, shrink_mask
from core.data.scans.slices import fit_square
from core.data.scans.volume import Scan


def take_mask_slice(scan: Scan, mask: Mask, at: int) -> Mask | None:
    """Cut (h, w) of the mask on slice `at` of the scan; None if the mask has another size.

    Args:
        mask: of all voxels (right, front, up), or of one slice, rows top down, of the slice's aspect ratio.
    """
    if mask.ndim == 3 and mask.shape == scan.shape:
        return np.take(mask, at, scan.across).T[::-1]
    # a stored slice has square pixels, and so do its masks
    if has_shape(mask, scan.plane_shape):
        return mask
    return None


def slice_marks(scan: Scan, masks: Sequence[Mask], size: int) -> tuple[Mask, ...]:
    """Cut the masks to (h, w) uint8 on the slice that is shown, with square pixels and at most `size` a side; () if one
    has another size. Classes stay distinct, but are renumbered."""
    fitted = fit_square(scan.plane_shape, scan.pixel, min(size, max(scan.plane_shape)))
    planes = list[Mask]()
    for mask in masks:
        plane = take_mask_slice(scan, mask, scan.middle)
        if plane is None:
            return ()
        planes.append(shrink_mask(plane, fitted.size))
    return tuple(planes)
