"""Captioned photographs are read from one table, with captions in columns or in rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.captioned import read_captioned
from core.errors import InvalidInput
from tests.support.pictures import blobs, encoded

N = 104


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for i in range(N):
        (folder / f"p{i:03d}.png").write_bytes(encoded(blobs(i, (16, 12))))
    return folder


def write(folder: Path, **columns: object) -> Path:
    path = folder / "captions.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


FILES = [f"p{i:03d}.png" for i in range(N)]


def test_captions_in_columns_and_in_rows_are_joined_by_file(images: Path, tmp_path: Path) -> None:
    wide = write(tmp_path, file=FILES, caption_0=["a dog"] * N, caption_1=["a cat"] * N)
    found = read_captioned(wide, images)
    assert len(found.pictures) == len(found.captions) == N
    assert found.captions[3] == ("a dog", "a cat")
    long = write(tmp_path, image=[*FILES, FILES[0]], caption=["a dog"] * N + ["a cow"])
    again = read_captioned(long, images)
    place = [again.pictures.name(i) for i in range(N)].index("p000.png")
    assert again.captions[place] == ("a dog", "a cow")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_captions_listed_in_a_cell_are_read_one_by_one(images: Path, tmp_path: Path, ending: str) -> None:
    frame, path = pd.DataFrame({"file": FILES, "captions": [["a dog", "a cat, red"]] * N}), tmp_path / f"t.{ending}"
    written = {"csv": frame.to_csv, "parquet": frame.to_parquet}
    if ending == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        written[ending](path, index=False)
    assert set(read_captioned(path, images).captions) == {("a dog", "a cat, red")}


def test_reading_says_where_it_is(images: Path, tmp_path: Path) -> None:
    seen: set[str] = set()
    read_captioned(write(tmp_path, file=FILES, caption=["a dog"] * N), images, progress=lambda step, *_: seen.add(step))
    assert {"read table", "open images"} <= seen


def test_only_the_asked_splits_are_taken(images: Path, tmp_path: Path) -> None:
    table = write(tmp_path, file=FILES, split=["dev"] * 100 + ["train"] * 4, caption=["a dog"] * N)
    assert len(read_captioned(table, images, ["dev"]).captions) == 100
    with pytest.raises(InvalidInput, match="4 photographs"):
        read_captioned(table, images, ["train"])


def test_a_table_without_files_or_captions_is_refused(images: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="begins with 'caption'"):
        read_captioned(write(tmp_path, file=FILES, text=["a"] * N), images)
    with pytest.raises(InvalidInput, match="no column 'split'"):
        read_captioned(write(tmp_path, file=FILES, caption=["a"] * N), images, ["dev"])
