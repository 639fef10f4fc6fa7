"""Scans with new values in their original file format, readable by the user's model."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np
from PIL import Image

from core.data.scans.unpack import gunzip
from core.data.scans.volume import Scan, load_nibabel
from core.records import F32


def suffix_of(scan: Scan) -> str:
    """Suffix of the new file."""
    return {"NIfTI": ".nii.gz", "MGH": ".mgz", "npz": ".npz", "picture": ".png"}[scan.kind]


def rewritten(data: bytes, scan: Scan, planes: F32) -> bytes:
    """The file with new values.

    Args:
        data: the original file's bytes.
        scan: the original scan.
        planes: (slices, h, w) the values of every slice, in the layout of `Scan.plane`. Images keep 8 bits, other
            formats become 32-bit numbers; axes, header and directions of NIfTI and MGH stay.
    """
    volume = scan.with_planes(planes).voxels
    out = io.BytesIO()
    if scan.kind == "picture":
        Image.fromarray(np.clip(np.round(planes[0]), 0, 255).astype(np.uint8)).save(out, "PNG")
        return out.getvalue()
    if scan.kind == "npz":
        values = planes[0] if scan.flat_array else volume
        np.savez_compressed(out, volume=values.astype(np.float32), spacing=np.array(scan.spacing, np.float64))
        return out.getvalue()
    nibabel = load_nibabel()
    if data[:2] == b"\x1f\x8b":
        data = gunzip(data)
    kind = "Nifti1Image"
    if scan.kind == "MGH":
        kind = "MGHImage"
    elif data[4:6] == b"n+":
        kind = "Nifti2Image"
    image: Any = getattr(nibabel, kind).from_bytes(data)
    straight = np.array([[0, 1], [1, 1], [2, 1]])
    turned = nibabel.io_orientation(image.affine)
    if np.isnan(turned).any():
        turned = straight
    volume = np.ascontiguousarray(volume, np.float32)
    back = nibabel.apply_orientation(volume, nibabel.orientations.ornt_transform(straight, turned))
    header = image.header.copy()
    header.set_data_dtype(np.float32)
    if scan.kind == "NIfTI":
        header.set_slope_inter(1.0, 0.0)
    new: Any = type(image)(np.ascontiguousarray(back.reshape(image.shape)), image.affine, header)
    # a fixed time in the gzip header gives the same bytes for the same scan
    gzip: Any = import_module("gzip")
    return gzip.compress(new.to_bytes(), 6, mtime=0)
