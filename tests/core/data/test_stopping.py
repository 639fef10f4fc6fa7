"""Whoever presses Stop while images are opened, matched, checked or unpacked is heard at the next one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.checks.new_samples import read_new_samples
from core.data.images import columns
from core.data.images.archives import open_images
from core.data.images.columns import parquet_images
from core.data.images.matching import check_pictures, match_files
from core.data.tables.masks import mask_reader
from core.data.tables.read import Table
from core.limits import Limits
from core.records import Progress
from core.records.ledger import Ledger
from core.systems.common.labelled import read_samples
from core.systems.composition.grid.read import read_grid
from core.systems.composition.pictures import find_pictures
from core.systems.composition.training.reference_tasks import scene_captions, scene_classes
from core.systems.probes.few_shot.pools import read_pool
from tests.support.diagnoses import make_diagnosis
from tests.support.found_pictures import benchmark, choice, folder
from tests.support.stopping import open_files, stop_after

NAMES = tuple(f"{label}/{i}.png" for label in ("cat", "dog") for i in range(4))


@pytest.fixture(autouse=True)
def every_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is passed over because it was quick."""
    monkeypatch.setattr("core.records.progress.SECONDS_BETWEEN_REPORTS", 0.0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return folder(tmp_path / "pictures", " ".join(NAMES))


def table_of(root: Path) -> Path:
    path = root.parent / "table.csv"
    pd.DataFrame({"file": NAMES, "colour": ["red", "blue"] * 4, "thing": ["cube"] * 8}).to_csv(path, index=False)
    return path


def matching(root: Path, progress: Progress) -> None:
    match_files(np.array(NAMES, dtype=object), open_images(root), Ledger(8), column="file", progress=progress)


def checking(root: Path, progress: Progress) -> None:
    check_pictures(open_images(root), np.arange(8), Ledger(8), Limits(), progress)


def masks(root: Path, progress: Progress) -> None:
    read = Table(pd.DataFrame({"mask": NAMES}), "the table")
    mask_reader("mask", read, open_images(root), Ledger(8), progress)


def class_folders(root: Path, progress: Progress) -> None:
    read_samples(None, images=root, progress=progress)


def pool(root: Path, progress: Progress) -> None:
    read_pool(root, cast(Any, NoEncoder()), ("cat", "dog"), progress=progress)


def benchmark_pictures(root: Path, progress: Progress) -> None:
    find_pictures(benchmark("choice", " ".join(NAMES), choice("c")), root, progress=progress)


def grid(root: Path, progress: Progress) -> None:
    things = (("colour", "thing"), (None, None))
    read_grid(table_of(root), images=root, things=things, progress=progress)


def new_samples(root: Path, progress: Progress) -> None:
    read_new_samples(make_diagnosis(with_images=False), table_of(root), images=root, progress=progress)


def new_pictures(root: Path, progress: Progress) -> None:
    read_new_samples(make_diagnosis(with_images=False), images=root, progress=progress)


class NoEncoder:
    """Whoever gets as far as to use it has not been stopped."""

    modality = "image"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("the work went on")


@pytest.mark.parametrize("calls", [1, 2, 5])
@pytest.mark.parametrize(
    "work", [matching, checking, masks, class_folders, pool, benchmark_pictures, grid, new_samples, new_pictures]
)
def test_reading_ends_at_the_report_that_is_stopped_and_leaves_no_file_open(
    work: Callable[[Path, Progress], None], calls: int, root: Path
) -> None:
    before = open_files()
    with stop_after(calls) as progress:
        work(root, progress)
    assert open_files() == before


@pytest.mark.parametrize("draw", [scene_classes, scene_captions])
def test_the_shipped_scenes_are_opened_no_further_once_stopped(draw: Callable[..., object]) -> None:
    before = open_files()
    with stop_after(3) as progress:
        draw(4, 0, progress)
    assert open_files() == before


@pytest.fixture
def column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image column whose row groups are too large to hold."""
    monkeypatch.setattr(columns, "_MAX_GROUP_BYTES", 10)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"image": [bytes([i]) * 50 for i in range(9)]}), path)
    return path


@pytest.mark.parametrize("calls", [1, 2, 9])
def test_copying_a_picture_column_ends_where_it_is_stopped_and_leaves_no_scratch_file(column: Path, calls: int) -> None:
    before = open_files()
    with stop_after(calls) as progress:
        parquet_images(column, "image", Limits(), progress)
    assert open_files() == before
