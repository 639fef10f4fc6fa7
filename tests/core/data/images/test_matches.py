"""Files that are not those that the table names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.samples import DataSet, Roles, read_data_set
from core.errors import InvalidInput
from tests.support.tables import png

N = 30


def read(folder: Path, files: list[str], written: list[str], as_is: bool = False) -> DataSet:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png())
    table = pd.DataFrame({"file": written, "loss": np.arange(len(written)) / 7})
    return read_data_set(table, images=folder, roles=Roles(as_is=as_is))


def notes(audit: DataSet) -> str:
    return " ".join(note for note in audit.notes if "Recognized columns" not in note)


@pytest.mark.parametrize("written", ["{}.png", "{}", "/elsewhere/photos/{}.png", "./{}.png"])
def test_a_file_by_its_path_or_name_is_taken_without_a_word(tmp_path: Path, written: str) -> None:
    audit = read(tmp_path / "photos", [f"{i}.png" for i in range(N)], [written.format(i) for i in range(N)])
    assert notes(audit) == ""
    assert audit.samples.ids[3] == "3.png"


def test_a_file_of_another_folder_ending_or_case_is_noted(tmp_path: Path) -> None:
    val = [f"val/{i}.png" for i in range(N)]
    assert "Matched 30 images by name in another folder, for example 'train/0.png' for 'val/0.png'" in notes(
        read(tmp_path / "train", [f"{i}.png" for i in range(N)], val)
    )
    files = [f"a{i}.png" for i in range(N)]
    assert "for example 'b/a0.png' for 'A0.PNG'" in notes(read(tmp_path / "b", files, [name.upper() for name in files]))
    assert "with another ending" in notes(read(tmp_path / "c", files, [name.replace("png", "jpg") for name in files]))


def test_rows_of_two_folders_that_share_their_files_are_refused(tmp_path: Path) -> None:
    written = [f"{part}/{i}.png" for part in ("val", "train") for i in range(N)]
    with pytest.raises(InvalidInput, match=r"'val/0.png' and 'train/0.png'.*both match the same image"):
        read(tmp_path, [f"{i}.png" for i in range(N)], written)


@pytest.mark.parametrize(("first", "step"), [(1, "lower"), (-1, "higher")])
def test_numbers_from_one_beside_files_from_zero_are_refused(tmp_path: Path, first: int, step: str) -> None:
    files = [f"img_{i + max(0, -first):03}.png" for i in range(N)]
    written = [f"img_{i + max(0, first):03}.png" for i in range(N)]
    with pytest.raises(InvalidInput, match=f"numbers 1 {step}"):
        read(tmp_path, files, written)
    assert len(read(tmp_path, files, written, as_is=True).samples) == N - 1


def test_a_missing_file_alone_is_no_other_way_of_counting(tmp_path: Path) -> None:
    audit = read(tmp_path, [f"{i}.png" for i in range(N)], [f"{i}.png" for i in range(N + 1)])
    assert notes(audit) == "1 row left out: the image was not found."


def test_embeddings_whose_ids_are_counted_from_one_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": range(1, N + 1), "loss": np.arange(N) / 7})
    np.savez(tmp_path / "e.npz", embeddings=np.random.default_rng(0).normal(size=(N, 4)), ids=np.arange(N))
    with pytest.raises(InvalidInput, match="one side counts from 0"):
        read_data_set(table, embeddings=tmp_path / "e.npz")
