"""Outlines of masks over the slice that is shown."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from core.data.images.outlines import COLOURS, REFERENCE_COLOUR, MaskedItems, draw_outlines
from core.data.images.thumbnails import ThumbnailStore, add_thumbnails
from core.data.inline import has_outlines
from core.data.samples import read_data_set
from core.data.scans.modality import ScanModality
from core.data.scans.outlines import slice_marks
from core.data.scans.volume import Scan, read_scan
from core.data.tables.masks import decode_mask
from core.data.tables.roles import Roles
from core.received import StoredZip, open_plain
from core.records import F64, ItemStore
from core.reports.html.diagnosis import render_report
from core.reports.wording.outlines import OUTLINES, outlines_sentence
from research.examples.planted_scans import plant_scans, write_planted
from tests.support.diagnoses import MemoryImages
from tests.support.showcase import make_showcase
from webapp.explore.cards import cluster_list

KIND = ScanModality()
SEEN_BY = {
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""Machado, Oliveira and Fernandes 2009, severity 1, in linear light."""


def square(side: int, low: int, high: int, value: int = 1) -> npt.NDArray[np.uint8]:
    mask = np.zeros((side, side), np.uint8)
    mask[low:high, low:high] = value
    return mask


def drawn_in(picture: Image.Image, colour: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    return (np.asarray(picture) == colour).all(2)


def test_the_true_mask_is_a_line_on_its_edge_and_the_predicted_one_dashes() -> None:
    true, predicted = square(60, 5, 25), square(60, 30, 55)
    drawn = draw_outlines(Image.new("RGB", (60, 60)), (true, predicted), 60)
    line, dashes = (drawn_in(drawn, colour) for colour in COLOURS)
    assert (line == (true - square(60, 6, 24)).astype(bool)).all()
    edge = (predicted - square(60, 31, 54)).astype(bool)
    assert (dashes <= edge).all()
    assert 0.3 < dashes.sum() / edge.sum() < 0.7


def test_neighbouring_classes_have_a_border_between_them() -> None:
    mask = square(40, 10, 30)
    mask[:, 20:][mask[:, 20:] > 0] = 2
    line = drawn_in(draw_outlines(Image.new("RGB", (40, 40)), (mask,), 40), COLOURS[0])
    assert line[15, 19]
    assert line[15, 20]
    assert not line[15, 15]


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_the_colours_differ_to_every_eye_from_each_other_and_from_tissue(seen_by: str) -> None:
    def seen(colour: tuple[int, int, int]) -> F64:
        linear = (np.array(colour) / 255) ** 2.2
        return np.clip(np.array(SEEN_BY[seen_by]) @ linear, 0, 1) ** (1 / 2.2) * 255

    all_three = [seen(colour) for colour in (*COLOURS, REFERENCE_COLOUR)]
    assert min(np.linalg.norm(one - other) for one, other in combinations(all_three, 2)) > 100
    for grey in range(0, 256, 5):
        assert min(np.linalg.norm(one - seen((grey, grey, grey))) for one in all_three) > 45, grey


def test_of_a_volume_the_slice_in_the_middle_is_outlined_as_it_is_shown() -> None:
    voxels = np.random.default_rng(0).random((20, 9, 12))
    scan, mask = Scan(voxels, 1, 0, (1.0, 1.0, 2.0), "npz", 0), np.zeros((20, 9, 12), np.int64)
    mask[3:6, 4, 9:] = 700
    (found,) = slice_marks(scan, (mask,), 100)
    assert found.shape == (20, 17)  # 24 mm down and 20 mm across, in pixels of 1.2 mm
    assert found[:5, 3:5].all()
    assert not found[5:].any()
    assert not found[:, 6:].any()
    assert slice_marks(scan, (mask[:, :, :5],), 100) == ()


@pytest.mark.parametrize("towards", [1, -1])
def test_a_mask_in_png_lies_on_a_slice_of_nifti_as_the_slice_is_shown(towards: int) -> None:
    """The patient's right is on the right, whichever way the file's axis runs, and up is above."""
    voxels = np.zeros((7, 1, 5), np.uint8)
    voxels[6 if towards > 0 else 0, 0, 4] = 200  # right and up
    scan = read_scan(nibabel.Nifti1Image(voxels, np.diag([towards, 1, 1, 1])).to_bytes())  # pyright: ignore
    assert np.argwhere(scan.plane(scan.middle)).tolist() == [[0, 6]]
    drawn, png = np.zeros((5, 7), np.uint8), io.BytesIO()
    drawn[0, 6] = 1
    Image.fromarray(drawn).save(png, "PNG")
    mask = decode_mask(png.getvalue())
    assert not isinstance(mask, str)
    (shown,) = slice_marks(scan, (mask,), 7)
    assert np.argwhere(shown).tolist() == [[0, 6]]


def stored(items: ItemStore, path: Path, names: tuple[str, ...]) -> ThumbnailStore:
    """The thumbnails of scans as a run keeps them."""
    with zipfile.ZipFile(path, "w") as archive:
        sizes = add_thumbnails(archive, "kept", items, modality="scan")
    file = open_plain(path)
    with StoredZip(file) as archive:
        return ThumbnailStore(file, archive.start_of(archive.getinfo("kept")), sizes, names)


def test_masks_come_from_the_table_and_stay_with_the_run(tmp_path: Path) -> None:
    planted = plant_scans(24, side=48)
    table = write_planted(planted, tmp_path / "up")
    read = read_data_set(table, images=tmp_path / "up", roles=Roles(masks=("true_mask", "predicted_mask")))
    samples = read.samples.keep(np.arange(3, 20))
    assert samples.items is not None
    assert has_outlines(samples)
    assert (samples.items.marks(2)[0] == planted.masks[5]).all()
    kept = stored(samples.items, tmp_path / "kept.zip", samples.ids)
    assert (kept.marks(2)[0] == planted.masks[5]).all()
    assert (kept.marks(2)[1] > 0).any()
    again = stored(kept.keep([2, 4]), tmp_path / "again.zip", ("a", "b"))
    assert (again.marks(0)[0] == planted.masks[5]).all()
    shown = Image.open(io.BytesIO(KIND.preview(again.read(0), 288, again.marks(0)))).convert("RGB")
    near = np.abs(np.asarray(shown, int) - COLOURS[0]).max(2) < 60
    assert shown.size == (288, 288)
    assert near.sum() > 100
    plain = Image.open(io.BytesIO(KIND.preview(again.read(0), 288))).convert("RGB")
    assert np.ptp(np.asarray(plain, int), 2).max() < 40, "the slice is kept without lines"


def test_scans_without_masks_have_no_outlines(tmp_path: Path) -> None:
    write_planted(plant_scans(24, side=48), tmp_path / "up")
    rows = [f"scan{k:04d}.nii.gz,{k}" for k in range(24)]
    (tmp_path / "losses.csv").write_text("\n".join(["file,loss", *rows]))
    assert not has_outlines(read_data_set(tmp_path / "losses.csv", images=tmp_path / "up").samples)
    rows = [f"{row},gone{k}.png,mask{k:04d}_true.png" for k, row in enumerate(rows)]
    (tmp_path / "gone.csv").write_text("\n".join(["file,loss,true_mask,predicted_mask", *rows]))
    assert not has_outlines(read_data_set(tmp_path / "gone.csv", images=tmp_path / "up").samples)


def test_the_page_and_the_report_show_whole_scans_and_say_what_the_lines_are() -> None:
    diagnosis = make_showcase()
    n = len(diagnosis.samples)
    shown = KIND.keep(npz_of(np.random.default_rng(0).random((20, 20))), 192)
    store = MemoryImages(tuple(diagnosis.samples.ids), (shown,) * n)
    plain = replace(diagnosis, samples=replace(diagnosis.samples, items=store, modality="scan"))
    masks = MaskedItems(store, (lambda row: square(20, 5, 15), lambda row: square(20, 8, 15)), np.arange(n))
    marked = replace(plain, samples=replace(plain.samples, items=masks))
    assert not outlines_sentence(plain)
    assert OUTLINES not in cluster_list(plain)
    assert OUTLINES in cluster_list(marked)
    assert OUTLINES in render_report(marked)
    assert "data:image/webp;whole=1;base64," in cluster_list(plain)


def npz_of(plane: F64) -> bytes:
    out = io.BytesIO()
    np.savez(out, volume=plane)
    return out.getvalue()
