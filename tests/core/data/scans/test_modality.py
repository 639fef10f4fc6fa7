"""What is measured and shown of scans."""

from __future__ import annotations

import gzip
import io

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image

from core.data.modality import Unreadable
from core.data.scans.modality import ScanModality
from core.data.scans.properties import PROPERTIES, bias_field
from core.data.scans.slices import fit_square, render_slice, scale_to_unit
from core.data.scans.volume import Scan
from core.data.tables.masks import decode_mask
from core.errors import InvalidInput
from core.statistics.ranking import auroc
from core.systems.neuralizer.corrections.faults import noisy, shaded
from research.weights.neuralizer.drawn_scans import SIDE, draw_clean, draw_contrast, read_label_slices

KIND = ScanModality()


@pytest.fixture(scope="module")
def drawn() -> torch.Tensor:
    """(40, 1, SIDE, SIDE) slices of 20 subjects in one contrast."""
    slices, g = read_label_slices(), torch.Generator().manual_seed(1)
    labels = slices.places[:, 4:8:2].flatten(0, 1)
    return draw_clean(labels, draw_contrast(slices, 1, g).for_each(len(labels), g), g)


def as_file(plane: torch.Tensor) -> bytes:
    voxels = plane[0].numpy()[::-1].T[:, None]
    return gzip.compress(nibabel.Nifti1Image(np.ascontiguousarray(voxels), np.diag([4.0, 4.0, 4.0, 1.0])).to_bytes())


def test_a_bias_field_is_measured_and_no_other_fault_is_taken_for_one(drawn: torch.Tensor) -> None:
    g = torch.Generator().manual_seed(0)
    both = torch.cat([drawn, shaded(drawn, g)])
    values = np.array([bias_field(scale_to_unit(plane[0].numpy())) for plane in both])
    assert auroc(values, np.arange(len(both)) >= len(drawn)) > 0.95
    assert bias_field(np.ones((32, 32), np.float32)) == pytest.approx(0, abs=1e-6)


def test_a_ramp_of_light_is_measured_as_large_as_it_is() -> None:
    field = np.tile(np.exp(np.linspace(-0.5, 0.5, 64)), (64, 1)).astype(np.float32)
    assert bias_field(0.5 * field) == pytest.approx(1 / np.sqrt(12), rel=0.02)


def test_noise_is_measured(drawn: torch.Tensor) -> None:
    g = torch.Generator().manual_seed(0)
    before, after = ([KIND.open(as_file(p))[1]["noise"] for p in x[:12]] for x in (drawn, noisy(drawn, g)))
    assert min(after) > max(before)


def test_each_property_has_a_value_and_becomes_a_column(drawn: torch.Tensor) -> None:
    measured = [KIND.open(as_file(plane))[1] for plane in drawn[:3]]
    columns = KIND.properties(measured)
    assert [column.name for column in columns] == list(PROPERTIES)
    by_name = {column.name: column for column in columns}
    assert by_name["voxel spacing"].values.tolist() == [4.0] * 3
    assert by_name["file format"].values.tolist() == ["NIfTI"] * 3
    assert by_name["slices"].values.tolist() == [1.0] * 3


def test_different_heads_are_no_duplicates_and_a_louder_copy_is(drawn: torch.Tensor) -> None:
    files = [as_file(plane) for plane in (*drawn[:12], 0.9 * drawn[3])]
    measured = [KIND.open(data)[1] for data in files]
    vectors = np.ones((13, 2), np.float32) / np.sqrt(2)
    groups = KIND.duplicates([bytes([k]) for k in range(13)], measured, vectors.astype(np.float32))
    assert groups[12] == groups[3]
    assert len(set(groups.tolist())) == 12


def test_the_preview_is_the_middle_slice_and_is_its_own_preview(drawn: torch.Tensor) -> None:
    shown = KIND.preview(as_file(drawn[0]), 192)
    picture = np.asarray(Image.open(io.BytesIO(shown)).convert("L"), np.float32) / 255
    assert picture.shape == (SIDE, SIDE)
    assert np.corrcoef(picture.ravel(), drawn[0, 0].numpy().ravel())[0, 1] > 0.95
    again = np.asarray(Image.open(io.BytesIO(KIND.preview(KIND.keep(as_file(drawn[0]), 192), 192))))
    assert again.shape[:2] == (SIDE, SIDE)


def test_pixels_are_shown_as_wide_as_high() -> None:
    scan = Scan(np.random.default_rng(0).random((40, 3, 10)), 1, 0, (1.0, 5.0, 4.0), "npz", 0)
    assert render_slice(scale_to_unit(scan.plane(1)), scan.pixel, 100).size == (40, 40)
    assert fit_square((10, 40), scan.pixel, 20).size == (20, 20)


def test_a_slice_comes_back_out_of_its_square() -> None:
    plane = np.random.default_rng(0).random((12, 30)).astype(np.float32)
    fitted = fit_square(plane.shape, (1.0, 1.0), 30)
    np.testing.assert_allclose(fitted.back(fitted.into(plane)), plane)


def test_a_scan_of_one_value_has_properties() -> None:
    flat = nibabel.Nifti1Image(np.full((9, 9, 9), 7, np.int16), np.eye(4)).to_bytes()
    assert all(np.isfinite(v) for v in KIND.open(flat)[1].values() if isinstance(v, float))


def test_no_scan_no_preview() -> None:
    with pytest.raises(Unreadable, match="image"):
        KIND.open(b"no scan")
    with pytest.raises(InvalidInput, match="The scan is"):
        KIND.preview(b"no scan", 100)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, np.nan, 1], "a mask holds NaN or infinity"),
        ([0, np.inf, 1], "a mask holds NaN or infinity"),
        ([0, 3e38, 1], "the limit is 2,147,483,647"),
    ],
)
def test_masks_of_no_classes_are_refused(values: list[float], said: str) -> None:
    volume = nibabel.Nifti1Image(np.array(values, np.float32).reshape(3, 1, 1), np.eye(4))  # pyright: ignore
    assert said in str(decode_mask(volume.to_bytes()))


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, np.float64])
def test_a_mask_takes_no_more_room_than_its_voxels(kind: type) -> None:
    found = decode_mask(nibabel.Nifti1Image(np.eye(3, dtype=kind)[:, None], np.eye(4)).to_bytes())  # pyright: ignore
    assert not isinstance(found, str)
    assert found.itemsize <= min(np.dtype(kind).itemsize, 4)
    assert found.sum() == 3
