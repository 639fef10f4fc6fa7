"""Read a file's bytes as a volume in standard orientation: the axes point right, front and up (R-A-S)."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.images.decoding import decode
from core.data.modality import Unreadable
from core.data.scans.slices import fit_square, scale_to_unit
from core.data.scans.unpack import MAX_SCAN_BYTES, check_shape, describe_series, gunzip, read_npy, read_npz, shorten
from core.errors import MissingDependency
from core.limits import byte_size
from core.program import install_line
from core.records import F32

VERSION = "scans 1"
"""Change it with anything that changes a volume: it is part of the cache's key."""
MIN_SPACING_MM = 1e-6
MAX_SPACING_MM = 1_000.0
"""Millimeters between two voxels."""
_NIFTI_MAGIC_OFFSET = 344
"""Byte of the magic letters in a header of NIfTI-1."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A volume, or one slice of one."""

    voxels: npt.NDArray[Any]
    """(right, front, up) as stored; a slice has length 1 along one axis."""
    slope: float
    offset: float
    """A voxel's value is slope * stored + offset."""
    spacing: tuple[float, float, float]
    """Millimeters between voxels along each axis; 1 where the file has none."""
    kind: str
    """Of the file: "NIfTI", "MGH", "npz" or "picture"."""
    n_bytes: int
    """Of the file, before unpacking."""
    flat_array: bool = False
    """The file held an array of two axes, rows top down."""

    @property
    def shape(self) -> tuple[int, int, int]:
        a, b, c = self.voxels.shape
        return a, b, c

    @property
    def across(self) -> int:
        """The axis that slices are taken along: front to back in a volume (coronal slices), the axis of length 1 in a
        slice."""
        for axis in (1, 2, 0):
            if self.shape[axis] == 1:
                return axis
        return 1

    def plane(self, at: int) -> F32:
        """(h, w) one slice, rows top down; NaN and infinity become the least value."""
        axis = self.across
        with np.errstate(over="ignore"):  # values beyond 32 bits become infinite
            rows = np.asarray(np.take(self.voxels, at, axis), np.float32).T[::-1] * np.float32(self.slope)
            rows = rows + np.float32(self.offset)
        finite = np.isfinite(rows)
        if finite.all():
            return np.ascontiguousarray(rows, np.float32)
        least = 0.0
        if finite.any():
            least = float(rows[finite].min())
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
        """(right, front, up) values of the voxels; the stored array if they are the same, else in 32 bits."""
        if (self.slope, self.offset) == (1.0, 0.0):
            return self.voxels
        with np.errstate(over="ignore"):
            return np.asarray(self.voxels, np.float32) * np.float32(self.slope) + np.float32(self.offset)

    def with_planes(self, planes: F32) -> Scan:
        """Replace the values of the scan by (slices, h, w), laid out as in `plane`."""
        voxels = np.moveaxis(planes[:, ::-1].transpose(0, 2, 1), 0, self.across)
        return replace(self, voxels=voxels, slope=1.0, offset=0.0)

    def planes(self, n: int = 3) -> list[int]:
        """Choose `n` slices, evenly spread over the middle fifth of all; some repeat if the scan has fewer."""
        n_slices = self.shape[self.across]
        wanted = n_slices / 2 + np.linspace(-0.5, 0.5, n) * 0.2 * n_slices
        return [int(min(max(at, 0), n_slices - 1)) for at in wanted]

    def squares(self, side: int, n: int = 3) -> F32:
        """(n, side, side) the slices of `planes`, each from 0 to 1, as large as fits, black around."""
        fitted = fit_square(self.plane_shape, self.pixel, side)
        return np.stack([fitted.into(scale_to_unit(self.plane(at))) for at in self.planes(n)])

    @property
    def pixel(self) -> tuple[float, float]:
        """(down, right) millimeters between pixels of a plane."""
        left = [self.spacing[axis] for axis in range(3) if axis != self.across]
        return left[1], left[0]


def is_volume(data: bytes) -> bool:
    """Whether these are the bytes of a volume, not of an image."""
    packed = data[:2] == b"\x1f\x8b" or data[:4] in (b"PK\x03\x04", b"\x00\x00\x00\x01") or data[:6] == b"\x93NUMPY"
    return packed or _is_nifti(data)


def _is_nifti(data: bytes) -> bool:
    return data[_NIFTI_MAGIC_OFFSET : _NIFTI_MAGIC_OFFSET + 3] in (b"n+1", b"ni1") or data[4:7] in (b"n+2", b"ni2")


def read_scan(data: bytes) -> Scan:
    """Read the scan in a file's bytes, whatever its name: NIfTI-1 or -2, packed or not, MGH, npz, npy, or an image in
    gray.

    Raises:
        Unreadable: another format, damaged, without voxels or finite values, more than three dimensions, or too large.
    """
    scan = _read_any_format(data)
    if scan.voxels.dtype.kind == "f" and not np.isfinite(scan.voxels).any():
        raise Unreadable(f"has only NaN or infinite voxels ({scan.voxels.size:,}). Export it again.")
    return scan


def _read_any_format(data: bytes) -> Scan:
    n_bytes = len(data)
    packed = data[:2] == b"\x1f\x8b"
    if packed:
        data = gunzip(data)
    if len(data) > MAX_SCAN_BYTES:
        raise Unreadable(f"has {byte_size(len(data))}, above the limit of {byte_size(MAX_SCAN_BYTES)}. Crop it.")
    if data[:4] == b"PK\x03\x04":
        return _from_arrays(read_npz(data), n_bytes)
    if data[:6] == b"\x93NUMPY":
        return _from_arrays({"volume": read_npy(io.BytesIO(data), len(data))}, n_bytes)
    if _is_nifti(data):
        return _from_header(data, "NIfTI", n_bytes)
    if data[:4] == b"\x00\x00\x00\x01":
        return _from_header(data, "MGH", n_bytes)
    if packed:
        raise Unreadable("is a gzip file that holds neither NIfTI nor MGH. Use .nii.gz or .mgz.")
    picture = decode(data)  # a slice in PNG or another image; color becomes gray
    grey = np.asarray(picture.image.convert("L"))
    return Scan(_with_three_axes(grey, picture=True), 1.0, 0.0, (1.0, 1.0, 1.0), "picture", len(data))


def _from_arrays(arrays: dict[str, npt.NDArray[Any]], n_bytes: int) -> Scan:
    spacing = np.asarray(arrays.get("spacing", np.ones(3)), np.float64).ravel()
    flat = arrays["volume"].ndim == 2
    voxels = _with_three_axes(arrays["volume"], picture=flat)
    return Scan(voxels, 1.0, 0.0, _checked_spacing(spacing), "npz", n_bytes, flat)


def load_nibabel() -> Any:
    """Import nibabel, without its warnings on headers that it repairs: thousands of scans may have the same.

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
    reader_name = "Nifti1Image"
    if kind == "MGH":
        reader_name = "MGHImage"
    elif data[4:6] == b"n+":
        reader_name = "Nifti2Image"
    try:
        reader: Any = getattr(nibabel, reader_name)
        header: Any = reader.header_class.from_fileobj(io.BytesIO(data))
        shape = tuple(int(side) for side in header.get_data_shape())
        dtype = header.get_data_dtype()
    except Exception as error:  # nibabel raises many kinds of error on bad headers
        raise Unreadable(f"has a damaged {kind} header ({shorten(error)}). Export it again.") from None
    if dtype.kind not in "buif":
        raise Unreadable(f"holds {kind} voxels of {dtype}; a scan has real numbers. Save it as float32.")
    check_shape(shape, dtype.itemsize)
    if max(shape[3:], default=1) > 1:
        raise Unreadable(describe_series(shape))
    try:
        image: Any = reader.from_bytes(data)
        proxy: Any = image.dataobj
        stored = np.asanyarray(proxy.get_unscaled())
        # MGH has no scaling
        slope = float(getattr(proxy, "slope", 1.0))
        offset = float(getattr(proxy, "inter", 0.0))
        zooms = [float(zoom) for zoom in header.get_zooms()[:3]]
        affine = np.asarray(image.affine, np.float64)
    except Exception as error:
        raise Unreadable(f"is a damaged or cut {kind} file ({shorten(error)}). Copy it again.") from None
    voxels = _with_three_axes(stored.reshape(stored.shape[:3]), picture=False)
    voxels, order = _reorient(nibabel, voxels, affine, kind)
    spacing = np.array([*zooms, 1.0, 1.0, 1.0][:3])[order]
    return Scan(voxels, slope, offset, _checked_spacing(spacing), kind, n_bytes)


def _reorient(
    nibabel: Any, voxels: npt.NDArray[Any], affine: npt.NDArray[Any], kind: str
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Reorient the voxels so that their axes point right, front and up; also return the former axis of each."""
    if not np.isfinite(affine).all():
        raise Unreadable(f"has NaN or infinity in the affine of its {kind} header. Fix the affine.")
    try:
        orientation = nibabel.io_orientation(affine)
        if np.isnan(orientation).any():  # the header gives no directions
            orientation = np.array([[0, 1], [1, 1], [2, 1]])
        return nibabel.apply_orientation(voxels, orientation[:3]), np.argsort(orientation[:3, 0])
    except Exception:  # raised for axes that coincide
        raise Unreadable(f"has a {kind} header whose axes are not at right angles. Resample it to R-A-S.") from None


def _with_three_axes(voxels: npt.NDArray[Any], *, picture: bool) -> npt.NDArray[Any]:
    """Reshape an array to three axes; rows of an image run top down."""
    check_shape(voxels.shape, voxels.dtype.itemsize)
    if voxels.ndim > 3:
        voxels = voxels.reshape([side for side in voxels.shape if side != 1])
    if picture:
        return voxels[::-1].T[:, None, :]
    return voxels.reshape(*voxels.shape, *[1] * (3 - voxels.ndim))


def _checked_spacing(spacing: npt.NDArray[Any]) -> tuple[float, float, float]:
    """Check three spacings in millimeters; 0 becomes 1.

    Raises:
        Unreadable: fewer than three, or out of range.
    """
    known = spacing[spacing != 0]
    lengths = np.isfinite(known).all() and ((known >= MIN_SPACING_MM) & (known <= MAX_SPACING_MM)).all()
    if len(spacing) < 3 or not lengths:
        raise Unreadable(
            f"has a spacing of {', '.join(f'{x:g}' for x in spacing[:4])} mm. It needs 3 numbers from "
            f"{MIN_SPACING_MM:g} to {MAX_SPACING_MM:g}, or 0 for unknown. Fix its header."
        )
    a, b, c = (float(x) or 1.0 for x in spacing[:3])
    return a, b, c
