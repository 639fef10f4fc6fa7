"""A scan is written as it came, with other values."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest

from core.data.scans.volume import read_scan
from core.systems.neuralizer.corrections.rewrite_scans import rewritten, suffix_of
from tests.core.data.scans.test_volume import RAMP, nifti, npz, png

TURNED = np.array([[0, -2.0, 0, 5], [1.0, 0, 0, 7], [0, 0, -3.0, 9], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (nifti(RAMP), ".nii.gz"),
        (gzip.compress(nifti(RAMP, TURNED), mtime=0), ".nii.gz"),
        (nifti(RAMP, TURNED, "Nifti2Image"), ".nii.gz"),
        (nifti(RAMP, TURNED, "MGHImage"), ".mgz"),
        (nifti(RAMP[:, :1], TURNED), ".nii.gz"),
        (npz(volume=RAMP, spacing=[1.0, 2.0, 3.0]), ".npz"),
        (npz(volume=RAMP[0]), ".npz"),
        (png(RAMP[0].astype(np.uint8)), ".png"),
    ],
)
def test_values_change_and_nothing_else(data: bytes, suffix: str) -> None:
    scan = read_scan(data)
    planes = np.stack([scan.plane(at) for at in range(scan.shape[scan.across])])
    again = read_scan(rewritten(data, scan, planes + 1))
    assert suffix_of(scan) == suffix
    np.testing.assert_allclose(again.voxels, scan.voxels + 1.0, atol=1e-5)
    assert (again.spacing, again.across, again.kind) == (scan.spacing, scan.across, scan.kind)


def test_the_place_in_the_scanner_stays() -> None:
    data = nifti(RAMP, TURNED)
    scan = read_scan(data)
    new = rewritten(data, scan, np.stack([scan.plane(at) for at in range(scan.shape[1])]))
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(new))
    np.testing.assert_allclose(np.asarray(image.affine), TURNED)
    np.testing.assert_allclose(image.get_fdata(), RAMP)
