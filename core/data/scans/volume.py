"""From a file's bytes to a volume that lies as all others do: right, front and up are where the axes end (R-A-S)."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.images.decoding import decode
from core.data.modality import Unreadable
from core.data.scans.slices import fit_square, unit
from core.data.scans.unpack import MOST_BYTES, brief, check_shape, gunzip, read_npy, read_npz, said_series
from core.errors import MissingDependency
from core.limits import byte_size
from core.program import install_line
from core.records import F32

VERSION = "scans 1"
"""Change it with anything that changes a volume: it is part of the cache's key."""
LEAST_SPACING = 1e-6
MOST_SPACING = 1_000.0
"""Millimeters between two voxels."""
_NIFTI_AT = 344
"""Place of the magic letters in a header of NIfTI-1."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A volume, or one slice of one."""

    voxels: npt.NDArray[Any]
    """(right, front, up) as they are stored; one of the three is 1 long in a slice."""
    slope: float
    offset: float
    """What a voxel stands for: slope * stored + offset."""
    spacing: tuple[float, float, float]
    """Millimeters between voxels along each axis; 1 where the file does not say."""
    kind: str
    """Of the file: "NIfTI", "MGH", "npz" or "picture"."""
    n_bytes: int
    """Of the file, as it was brought."""
    flat_array: bool = False
    """It was an array of two axes, rows top down."""

    @property
    def shape(self) -> tuple[int, int, int]:
        a, b, c = self.voxels.shape
        return a, b, c

    @property
    def across(self) -> int:
        """The axis that slices are taken along: the front-back one of a volume (coronal slices), else the short one."""
        return next((axis for axis in (1, 2, 0) if self.shape[axis] == 1), 1)

    def plane(self, at: int) -> F32:
        """(h, w) one slice, rows top down; what is no number becomes the least."""
        axis = self.across
        with np.errstate(over="ignore"):  # what 32 bits do not hold is no number either
            rows = np.asarray(np.take(self.voxels, at, axis), np.float32).T[::-1] * np.float32(self.slope)
            rows = rows + np.float32(self.offset)
        finite = np.isfinite(rows)
        if finite.all():
            return np.ascontiguousarray(rows, np.float32)
        least = float(rows[finite].min()) if finite.any() else 0.0
        return np.where(finite, rows, least).astype(np.float32)

    @property
    def plane_shape(self) -> tuple[int, int]:
        """(h, w) of a slice."""
        left = [side for axis, side in enumerate(self.shape) if axis != self.across]
        return left[1], left[0]

    @property
    def middle(self) -> int:
        """The slice in the middle."""
        return self.shape[self.across] // 2

    def values(self) -> npt.NDArray[Any]:
        """(right, front, up) what the voxels stand for; as they are stored where that is the same, else in 32 bits."""
        if (self.slope, self.offset) == (1.0, 0.0):
            return self.voxels
        with np.errstate(over="ignore"):
            return np.asarray(self.voxels, np.float32) * np.float32(self.slope) + np.float32(self.offset)

    def with_planes(self, planes: F32) -> Scan:
        """The same scan with other values: (slices, h, w), as `plane` gives them."""
        voxels = np.moveaxis(planes[:, ::-1].transpose(0, 2, 1), 0, self.across)
        return replace(self, voxels=voxels, slope=1.0, offset=0.0)

    def planes(self, n: int = 3) -> list[int]:
        """`n` slices, evenly spread over the middle fifth of all; some repeat where the scan has fewer."""
        of = self.shape[self.across]
        wanted = of / 2 + np.linspace(-0.5, 0.5, n) * 0.2 * of
        return [int(min(max(at, 0), of - 1)) for at in wanted]

    def squares(self, side: int, n: int = 3) -> F32:
        """(n, side, side) such slices, each from 0 to 1, as large as they fit, black around."""
        fitted = fit_square(self.plane_shape, self.pixel, side)
        return np.stack([fitted.into(unit(self.plane(at))) for at in self.planes(n)])

    @property
    def pixel(self) -> tuple[float, float]:
        """(down, right) millimeters between pixels of a plane."""
        left = [self.spacing[axis] for axis in range(3) if axis != self.across]
        return left[1], left[0]


def is_volume(data: bytes) -> bool:
    """Whether these are bytes of a volume, and of no image."""
    packed = data[:2] == b"\x1f\x8b" or data[:4] in (b"PK\x03\x04", b"\x00\x00\x00\x01") or data[:6] == b"\x93NUMPY"
    return packed or _is_nifti(data)


def _is_nifti(data: bytes) -> bool:
    return data[_NIFTI_AT : _NIFTI_AT + 3] in (b"n+1", b"ni1") or data[4:7] in (b"n+2", b"ni2")


def read_scan(data: bytes) -> Scan:
    """The scan in a file's bytes, whatever its name: NIfTI-1 or -2, packed or not, MGH, npz, npy, or an image in gray.

    Raises:
        Unreadable: it is none of these, damaged, has no voxel, no voxel with a number, more than three dimensions, or
            is too large.
    """
    scan = _of_any_kind(data)
    if scan.voxels.dtype.kind == "f" and not np.isfinite(scan.voxels).any():
        raise Unreadable(f"holds no number: all {scan.voxels.size:,} voxels are NaN or infinite. Export it again.")
    return scan


def _of_any_kind(data: bytes) -> Scan:
    whole = len(data)
    packed = data[:2] == b"\x1f\x8b"
    if packed:
        data = gunzip(data)
    if len(data) > MOST_BYTES:
        raise Unreadable(f"is {byte_size(len(data))}; at most {byte_size(MOST_BYTES)} of one scan are read. Crop it.")
    if data[:4] == b"PK\x03\x04":
        return _from_arrays(read_npz(data), whole)
    if data[:6] == b"\x93NUMPY":
        return _from_arrays({"volume": read_npy(io.BytesIO(data), len(data))}, whole)
    if _is_nifti(data):
        return _from_header(data, "NIfTI", whole)
    if data[:4] == b"\x00\x00\x00\x01":
        return _from_header(data, "MGH", whole)
    if packed:
        raise Unreadable("is a gzip file that holds neither NIfTI nor MGH. Bring .nii.gz or .mgz.")
    return _from_picture(data)


def _from_arrays(found: dict[str, npt.NDArray[Any]], n_bytes: int) -> Scan:
    spacing = np.asarray(found.get("spacing", np.ones(3)), np.float64).ravel()
    flat = found["volume"].ndim == 2
    voxels = _three(found["volume"], picture=flat)
    return Scan(voxels, 1.0, 0.0, _checked_spacing(spacing), "npz", n_bytes, flat)


def _from_picture(data: bytes) -> Scan:
    """A slice, as PNG and other images hold one; color becomes gray."""
    picture = decode(data)
    grey = np.asarray(picture.image.convert("L"))
    return Scan(_three(grey, picture=True), 1.0, 0.0, (1.0, 1.0, 1.0), "picture", len(data))


def load_nibabel() -> Any:
    """The library, which says on stderr nothing of headers that it mends: thousands of scans may have the same.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        nibabel: Any = import_module("nibabel")
    except ModuleNotFoundError as error:
        raise MissingDependency(f"Scans need nibabel. Run `{install_line('nibabel')}`.") from error
    nibabel.imageglobals.logger.setLevel("CRITICAL")
    return nibabel


def _from_header(data: bytes, kind: str, n_bytes: int) -> Scan:
    nibabel = load_nibabel()
    readers = {"MGH": "MGHImage", "NIfTI": "Nifti2Image" if data[4:6] == b"n+" else "Nifti1Image"}
    try:
        reader: Any = getattr(nibabel, readers[kind])
        header: Any = reader.header_class.from_fileobj(io.BytesIO(data))
        shape = tuple(int(side) for side in header.get_data_shape())
        dtype = header.get_data_dtype()
    except Exception as error:  # nibabel raises many kinds on bad headers
        raise Unreadable(f"has a damaged {kind} header ({brief(error)}). Export it again.") from None
    if dtype.kind not in "buif":
        raise Unreadable(f"holds {kind} voxels of {dtype}: a scan is of real numbers. Save it as float32.")
    check_shape(shape, dtype.itemsize)
    if max(shape[3:], default=1) > 1:
        raise Unreadable(said_series(shape))
    try:
        image: Any = reader.from_bytes(data)
        proxy: Any = image.dataobj
        stored = np.asanyarray(proxy.get_unscaled())
        # of MGH there is no scaling
        slope = float(getattr(proxy, "slope", 1.0))
        offset = float(getattr(proxy, "inter", 0.0))
        zooms = [float(zoom) for zoom in header.get_zooms()[:3]]
        affine = np.asarray(image.affine, np.float64)
    except Exception as error:
        raise Unreadable(f"is a damaged or cut {kind} file ({brief(error)}). Copy it again.") from None
    voxels = _three(stored.reshape(stored.shape[:3] if stored.ndim > 3 else stored.shape), picture=False)
    voxels, order = _turned(nibabel, voxels, affine, kind)
    spacing = np.array([*zooms, 1.0, 1.0, 1.0][:3])[order]
    return Scan(voxels, slope, offset, _checked_spacing(spacing), kind, n_bytes)


def _turned(
    nibabel: Any, voxels: npt.NDArray[Any], affine: npt.NDArray[Any], kind: str
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The voxels with right, front and up at the ends of their axes, and which axis each of these was."""
    if not np.isfinite(affine).all():
        raise Unreadable(f"has a {kind} header whose directions hold NaN or infinity. Correct its affine.")
    try:
        turned = nibabel.io_orientation(affine)
        if np.isnan(turned).any():  # the header gives no directions
            turned = np.array([[0, 1], [1, 1], [2, 1]])
        return nibabel.apply_orientation(voxels, turned[:3]), np.argsort(turned[:3, 0])
    except Exception:  # of axes that coincide
        raise Unreadable(f"has a {kind} header whose axes are not at right angles. Resample it to R-A-S.") from None


def _three(voxels: npt.NDArray[Any], *, picture: bool) -> npt.NDArray[Any]:
    """The array with three axes; rows of an image run top down."""
    check_shape(voxels.shape, voxels.dtype.itemsize)
    if voxels.ndim > 3:
        voxels = voxels.reshape([side for side in voxels.shape if side != 1])
    if picture:
        return voxels[::-1].T[:, None, :]
    return voxels.reshape(*voxels.shape, *[1] * (3 - voxels.ndim))


def _checked_spacing(spacing: npt.NDArray[Any]) -> tuple[float, float, float]:
    """Three numbers of millimeters.

    Raises:
        Unreadable: they are no lengths.
    """
    known = spacing[spacing != 0]
    lengths = np.isfinite(known).all() and ((known >= LEAST_SPACING) & (known <= MOST_SPACING)).all()
    if len(spacing) < 3 or not lengths:
        raise Unreadable(
            f"has a spacing of {', '.join(f'{x:g}' for x in spacing[:4])} mm: it must be 3 numbers from "
            f"{LEAST_SPACING:g} to {MOST_SPACING:g}, or 0 where it is not known. Correct its header."
        )
    a, b, c = (float(x) or 1.0 for x in spacing[:3])
    return a, b, c
