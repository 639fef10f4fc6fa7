"""Every kind of scan lies the same way once it is read; what cannot be read is refused in a sentence."""

from __future__ import annotations

import gzip
import io
import time
import tracemalloc
import zlib
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

from core.data.modality import Unreadable
from core.data.scans.unpack import MAX_SCAN_BYTES, gunzip
from core.data.scans.volume import read_scan

RAMP = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
ALONG = np.diag([1.0, 2.0, 3.0, 1.0])


def nifti(voxels: Any, affine: Any = ALONG, kind: str = "Nifti1Image") -> bytes:
    return getattr(nibabel, kind)(voxels, affine).to_bytes()


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def png(pixels: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("codes", [("R", "A", "S"), ("L", "P", "S"), ("L", "I", "A"), ("P", "S", "R")])
@pytest.mark.parametrize("kind", ["Nifti1Image", "Nifti2Image", "MGHImage"])
@pytest.mark.parametrize("packed", [False, True])
def test_volumes_are_turned_to_one_position(codes: tuple[str, ...], kind: str, packed: bool) -> None:
    turn = nibabel.orientations.axcodes2ornt(codes)
    there = nibabel.orientations.ornt_transform(nibabel.orientations.axcodes2ornt("RAS"), turn)
    turned = nibabel.apply_orientation(RAMP, there)
    affine = ALONG @ nibabel.orientations.inv_ornt_aff(there, RAMP.shape)
    data = nifti(turned, affine, kind)
    scan = read_scan(gzip.compress(data) if packed else data)
    assert (scan.voxels == RAMP).all()
    assert scan.spacing == (1.0, 2.0, 3.0)


def test_a_scaled_volume_is_read_with_its_scale() -> None:
    image = nibabel.Nifti1Image(RAMP, ALONG)
    image.header.set_slope_inter(0.5, 10.0)
    image.header["scl_slope"], image.header["scl_inter"] = 0.5, 10.0
    data = bytearray(image.to_bytes())
    data[112:120] = np.array([0.5, 10.0], "<f4").tobytes()
    scan = read_scan(bytes(data))
    np.testing.assert_allclose(scan.plane(2), RAMP[:, 2, ::-1].T * 0.5 + 10.0)


def test_a_plane_is_a_coronal_slice_with_up_on_top() -> None:
    scan = read_scan(nifti(RAMP))
    np.testing.assert_array_equal(scan.plane(3), RAMP[:, 3, ::-1].T)
    assert scan.pixel == (3.0, 1.0)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 1, 6), (1, 5, 6), (4, 5, 6, 1)])
def test_slices_and_trailing_ones_are_read(shape: tuple[int, ...]) -> None:
    scan = read_scan(nifti(np.ones(shape, np.float32)))
    assert scan.voxels.ndim == 3
    assert scan.plane(0).size in (20, 24, 30)


def test_a_picture_is_one_slice_as_it_stands() -> None:
    pixels = np.arange(30, dtype=np.uint8).reshape(5, 6)
    for data in (png(pixels), npz(arr_0=pixels), npz(scan=pixels, seg=pixels)):
        np.testing.assert_array_equal(read_scan(data).plane(0), pixels)


def test_an_npz_says_its_spacing() -> None:
    assert read_scan(npz(volume=RAMP, spacing=[2.0, 3.0, 4.0])).spacing == (2.0, 3.0, 4.0)


def test_what_is_no_number_becomes_the_least() -> None:
    voxels = np.ones((4, 1, 4), np.float32) * 5
    voxels[0, 0, 0], voxels[1, 0, 0], voxels[2, 0, 0] = np.nan, np.inf, 2
    assert read_scan(nifti(voxels)).plane(0).min() == 2
    assert np.isfinite(read_scan(nifti(voxels)).plane(0)).all()
    half = np.full((4, 2, 4), np.nan, np.float32)
    half[:, 0] = 1
    assert (read_scan(nifti(half)).plane(1) == 0).all()


def test_a_stream_of_several_gzip_parts_is_read_to_its_end() -> None:
    data = nifti(RAMP)
    assert (read_scan(gzip.compress(data[:400]) + gzip.compress(data[400:])).voxels == RAMP).all()
    assert (read_scan(gzip.compress(data) + b"behind").voxels == RAMP).all()
    with pytest.raises(Unreadable, match="more than 1 KiB"):
        gunzip(gzip.compress(bytes(1_000)) * 2, 2**10)


def test_nothing_is_said_on_stderr_of_a_header_that_is_mended(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(nifti(RAMP))
    data[80:84] = np.array(-2, "<f4").tobytes()
    assert read_scan(bytes(data)).shape == (4, 5, 6)
    assert capfd.readouterr() == ("", "")


def test_numbers_beyond_32_bits_warn_of_nothing() -> None:
    voxels = np.array([1.0, 1e300, 2.0, 3.0]).reshape(4, 1, 1)
    assert read_scan(nifti(voxels)).plane(0).tolist() == [[1, 1, 2, 3]]


def shaped(shape: str, content: bytes = b"") -> bytes:
    """A .npy file whose header says that shape."""
    said = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said + content


def with_affine(value: float) -> bytes:
    data = bytearray(nifti(RAMP))
    data[280:328] = np.full(12, value, "<f4").tobytes()
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (nifti(np.zeros((3, 3, 3, 5), np.int16)), "has 4 dimensions .3 x 3 x 3 x 5."),
        (nifti(np.zeros((3, 3, 1, 5), np.int16)), "has 4 dimensions .3 x 3 x 1 x 5."),
        (nifti(np.zeros((3, 3, 3), np.complex64)), "real numbers"),
        (nifti(np.zeros((3, 0, 3), np.int16)), "holds no voxel"),
        (nifti(RAMP)[:360], "damaged or cut"),
        (gzip.compress(nifti(RAMP), mtime=0)[:60], "cut short"),
        (gzip.compress(b"hello", mtime=0), "neither NIfTI nor MGH"),
        (b"\x1f\x8bnonsense", "damaged gzip"),
        (nifti(np.full((3, 3, 3), np.nan)), "only NaN or infinite voxels .27."),
        (with_affine(np.nan), "NaN or infinity in the affine"),
        (with_affine(np.inf), "NaN or infinity in the affine"),
        (shaped("(-4, -4, 4)", bytes(256)), "shape -4 x -4 x 4, with a side below 0"),
        (npz(volume=np.float32(3)), "that of a single number"),
        (npz(a=RAMP, b=RAMP), "none named 'volume'"),
        (npz(a=np.array([None, 1], object)), "Save it"),
        (npz(volume=RAMP, spacing=[1.0, np.inf, 1.0]), "spacing of 1, inf, 1 mm"),
        (npz(volume=RAMP, spacing=[5e-324] * 3), "from 1e-06 to 1000, or 0 for unknown"),
        (shaped(f"({'1, ' * 65})", bytes(4)), "has 65 axes, above the limit of 32"),
        (b"PK\x03\x04 nothing", "damaged npz"),
        (b"no scan at all", "image"),
        (b"", "empty"),
    ],
)
def test_what_is_no_scan_is_refused_in_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read_scan(data)


def test_a_header_that_says_true_of_a_side_means_one() -> None:
    assert read_scan(shaped("(True, 2, 2)", bytes(16))).shape == (1, 2, 2)


def declared(shape: tuple[int, ...]) -> bytes:
    """A header of a volume of that shape, with nothing behind it."""
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    header["dim"] = [len(shape), *shape, *[1] * (7 - len(shape))]
    header["magic"] = b"n+1"
    return header.binaryblock + bytes(8)


@pytest.mark.parametrize("shape", [(30_000, 3, 3), (2_000, 2_000, 2_000)])
def test_a_header_that_declares_too_much_makes_no_room(shape: tuple[int, ...]) -> None:
    tracemalloc.start()
    with pytest.raises(Unreadable, match="above the limits of 4,096 per side"):
        read_scan(declared(shape))
    assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    tracemalloc.stop()


def test_gzip_parts_of_any_sizes_are_read_as_gzip_reads_them() -> None:
    rng = np.random.default_rng(0)
    sizes = [0, 1, 2**14 - 20, 2**14, 50_000, *rng.integers(0, 9_000, 40).tolist()]
    parts = [rng.integers(0, 256, size, np.uint8).tobytes() for size in sizes]
    packed = b"".join(gzip.compress(part) for part in parts)
    assert gunzip(packed) == b"".join(parts)
    assert gunzip(packed + b"\x1f") == b"".join(parts)
    with pytest.raises(Unreadable, match="cut short"):
        gunzip(packed[:-1])


def test_many_empty_gzip_parts_take_no_more_time_than_their_number() -> None:
    empty, begun = gzip.compress(b""), time.process_time()
    assert gunzip(empty * 200_000) == b""  # 4 MB: a copy of the rest behind each took 40 seconds
    assert time.process_time() - begun < 10


def test_a_gzip_bomb_is_stopped_at_the_limit() -> None:
    squeeze = zlib.compressobj(9, wbits=31)
    head = squeeze.compress(b"0") + squeeze.flush(zlib.Z_FULL_FLUSH)
    part = squeeze.compress(bytes(2**22)) + squeeze.flush(zlib.Z_FULL_FLUSH)  # after which nothing is referred to
    bomb = head + part * (MAX_SCAN_BYTES // 2**22 + 8)
    assert len(bomb) < 2**20
    with pytest.raises(Unreadable, match="unpacks to more than 256 MiB"):
        read_scan(bomb)


def test_a_small_limit_is_kept_too() -> None:
    with pytest.raises(Unreadable, match="more than 1 KiB"):
        gunzip(gzip.compress(bytes(5_000)), 2**10)


def test_an_npz_member_that_lies_about_its_size_is_refused() -> None:
    lying = npz(volume=np.zeros((2, 2, 2), np.int16))
    held = io.BytesIO()
    np.save(held, np.zeros((2, 2, 2), np.int16))
    lie = held.getvalue().replace(b"(2, 2, 2)", b"(9, 9, 9)")
    with pytest.raises(Unreadable, match="cut short"):
        read_scan(lie)
    assert read_scan(lying).shape == (2, 2, 2)
