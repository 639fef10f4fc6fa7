"""Outlines of masks and boxes over images, in a run and after it was stored."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.images.modality import ImageModality
from core.data.images.outlines import COLOURS, shrink_mask
from core.data.inline import has_outlines, preview_address
from core.data.samples import DataSet, read_data_set
from core.data.tasks.mask_classes import read_mask_classes
from core.diagnose import diagnose_data_set
from core.discovery.settings import Settings
from core.records import Diagnosis, Embeddings
from core.reports.html.diagnosis import render_report
from core.reports.wording.outlines import OUTLINES
from core.store import load, save
from tests.support.detections import audited, make

N = 60
QUICK = Settings(n_permutations=100, words=False, map=False, sensitivity=False)


def stored(data: DataSet, folder: Path) -> Diagnosis:
    """A run of given vectors, since what is drawn does not depend on them, that was saved and opened."""
    vectors = np.random.default_rng(0).normal(size=(len(data.samples), 4)).astype(np.float32)
    data = replace(data, embeddings=Embeddings(vectors, "given", "given"))
    save(diagnose_data_set(data, settings=QUICK), folder / "run.errata")
    return load(folder / "run.errata")


def colours_of(address: str) -> tuple[bool, bool]:
    """Whether an image of a page holds about the color of the truth, and that of the prediction."""
    import base64

    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")
    pixels = np.asarray(picture).astype(int)
    true, predicted = ((abs(pixels - colour).sum(2) < 140).any() for colour in COLOURS)
    return bool(true), bool(predicted)


@pytest.fixture
def masked(tmp_path: Path) -> pd.DataFrame:
    """Gray images of which the truth marks a square as class 1 and a stripe as class 5, and the prediction half of the
    square."""
    folder = tmp_path / "files"
    folder.mkdir()
    rng = np.random.default_rng(0)
    true = np.zeros((48, 64), np.uint8)
    true[8:40, 8:40] = 1
    true[:, 50:60] = 5
    predicted = np.where(true == 1, 1, 0).astype(np.uint8)
    predicted[:24] = 0
    for i in range(N):
        gray = rng.integers(90, 130, (48, 64, 1)).repeat(3, axis=2).astype(np.uint8)
        for kind, pixels in (("i", gray), ("t", true), ("p", predicted)):
            Image.fromarray(pixels).save(folder / f"{kind}{i}.png")
    rows = range(N)
    return pd.DataFrame(
        {
            "file": [f"i{i}.png" for i in rows],
            "mask": [f"t{i}.png" for i in rows],
            "pred_mask": [f"p{i}.png" for i in rows],
        }
    )


def test_images_carry_the_outlines_of_their_masks(masked: pd.DataFrame, tmp_path: Path) -> None:
    items = read_data_set(masked, images=tmp_path / "files").samples.items
    assert items is not None
    marks = items.marks(3)
    drawn = preview_address(items.read(3), "image", 288, marks=marks)
    assert drawn.startswith("data:image/webp;whole=1;base64,")
    assert colours_of(drawn) == (True, True)
    kept = ImageModality().keep_marks(items.read(3), 32, marks)
    assert [Image.open(io.BytesIO(mask)).size for mask in kept] == [(32, 24)] * 2


def test_marks_of_another_shape_are_not_drawn(masked: pd.DataFrame, tmp_path: Path) -> None:
    data = (tmp_path / "files" / "i0.png").read_bytes()
    wide = np.ones((10, 90), np.uint8)
    assert ImageModality().preview(data, 64, (wide, wide)) == ImageModality().preview(data, 64)
    assert ImageModality().keep_marks(data, 64, (wide, wide)) == ()


def test_a_row_of_one_class_shows_this_class_alone(masked: pd.DataFrame, tmp_path: Path) -> None:
    data = read_mask_classes(masked, images=tmp_path / "files")
    diagnosis = stored(data, tmp_path)
    items = diagnosis.samples.items
    assert items is not None
    for name in ("i7.png#class 1", "i7.png#class 5"):
        row = diagnosis.samples.ids.index(name)
        true, predicted = items.marks(row)
        assert bool(true[:, 8:40].any()) == ("class 1" in name)
        assert bool(true[:, 50:].any()) == ("class 5" in name)
        assert bool(predicted.any()) == ("class 1" in name)


def test_a_stored_run_of_detections_draws_its_boxes(tmp_path: Path) -> None:
    """A found object has the line and the dashes; a missed one without a prediction near it has the line alone."""
    diagnosis = stored(audited(make(tmp_path, missed=0.3)), tmp_path)
    items = diagnosis.samples.items
    assert items is not None
    assert has_outlines(diagnosis.samples)
    assert OUTLINES in render_report(diagnosis)
    errors = diagnosis.outcomes.errors
    assert errors is not None
    found = int(np.flatnonzero(~errors)[0])
    true, predicted = items.marks(found)
    assert true.any()
    assert predicted.any()
    assert colours_of(preview_address(items.read(found), "image", 288, marks=(true, predicted))) == (True, True)
    missed = [row for row in np.flatnonzero(errors).tolist() if not items.marks(row)[1].any()]
    assert missed
    row = missed[0]
    assert colours_of(preview_address(items.read(row), "image", 288, marks=items.marks(row))) == (True, False)


def test_a_shrink_mask_keeps_its_classes_apart() -> None:
    mask = np.array([[0, 300, 300, 7], [0, 300, 300, 7]]).repeat(2, axis=0)
    small = shrink_mask(mask, (2, 4))
    assert small.dtype == np.uint8
    assert small.tolist() == [[0, 2, 2, 1]] * 2
