"""Columns of paths with unusual names: the message names them and the option that takes them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.samples import read_data_set
from core.data.tables.paths import path_columns
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from tests.support.tables import N, folder, frame


def renamed(*names: str) -> pd.DataFrame:
    """N rows with a loss and a column of paths for each name."""
    return pd.DataFrame({"loss": range(N), **{name: [f"{i}.png" for i in range(N)] for name in names}})


def test_most_cells_decide_and_sentences_and_numbers_are_no_paths() -> None:
    columns = {"cut": [None, "a.png", "b.nii.gz", "?"], "said": ["see a.png here"] * 4, "n": range(4), "e": [None] * 4}
    assert path_columns(pd.DataFrame(columns)) == ["cut"]


def test_a_renamed_column_of_pictures_is_told_with_its_option(tmp_path: Path) -> None:
    images = folder(tmp_path / "images", [f"{i}.png" for i in range(N)])
    with pytest.raises(InvalidInput, match="'slide' holds file paths: name it with --image"):
        read_data_set(renamed("slide"), images=images)
    several = r"'slide', 'seg', 'out' hold file paths: name the images with --image and.*with --masks"
    with pytest.raises(InvalidInput, match=several):
        read_data_set(renamed("slide", "seg", "out"), images=images)
    with pytest.raises(InvalidInput, match=r"No path in 'id' matches.*'slide' holds file paths: name it with --image"):
        read_data_set(renamed("slide").assign(id=[f"case {i}" for i in range(N)]), images=images)
    with pytest.raises(InvalidInput, match="Add a column 'file'"):
        read_data_set(renamed(), images=images)
    assert len(read_data_set(renamed("slide"), images=images, roles=Roles(image="slide")).samples) == N


def test_renamed_masks_are_told_with_their_option_and_one_column_is_no_pair(tmp_path: Path) -> None:
    images = folder(tmp_path / "images", [f"{i}.png" for i in range(N)])
    table = renamed("slide", "seg", "out").drop(columns="loss")
    with pytest.raises(InvalidInput, match="If 'seg', 'out' hold masks, name the true and predicted masks with --m"):
        read_data_set(table, images=images, roles=Roles(image="slide"))
    with pytest.raises(InvalidInput) as refused:
        read_data_set(table.drop(columns="out"), images=images, roles=Roles(image="slide"))
    assert "--masks" not in str(refused.value)


def test_the_columns_that_were_named_are_known_and_recognized_ones_are_not(tmp_path: Path) -> None:
    images = folder(tmp_path / "images", [f"{i}.png" for i in range(N)])
    assert read_data_set(renamed("slide"), images=images, roles=Roles(image="slide")).named == {"image": ("slide",)}
    assert read_data_set(frame(), images=images).named == {}
