"""Shards: found, their columns recognized, read a block at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.systems.shards.draw import draw
from core.systems.shards.files import blocks, digest_of, find_shards, matrix_in, vector_contents
from tests.support.shards import picture_rows, planted_rows, write_shards


def test_columns_are_recognized_by_the_first_shard(tmp_path: Path) -> None:
    rows = planted_rows(100).assign(prediction="cat", prob_cat=0.5, altitude=1.0)
    shards = find_shards(write_shards(tmp_path, rows), Roles())
    assert (shards.roles.id, shards.roles.loss, shards.roles.label) == ("id", "loss", "label")
    assert shards.roles.embedding == "embedding"
    assert shards.item is None
    assert shards.more == (("weather", "string"), ("altitude", "double"))  # what a model wrote explains nothing
    assert shards.names == ("part-0.parquet", "part-1.parquet", "part-2.parquet")


def test_pictures_are_the_item_and_texts_beside_them_are_not(tmp_path: Path) -> None:
    rows = picture_rows(60).assign(caption=["a dog in the snow"] * 60)
    shards = find_shards(write_shards(tmp_path, rows), Roles())
    assert (shards.item, shards.modality) == ("image", "image")


@pytest.mark.parametrize(("left_out", "said"), [("id", "--id"), ("loss", "--loss"), ("embedding", "--image")])
def test_a_part_that_is_missing_is_named(tmp_path: Path, left_out: str, said: str) -> None:
    write_shards(tmp_path, planted_rows(100).drop(columns=left_out))
    with pytest.raises(InvalidInput, match=said):
        find_shards(tmp_path, Roles())


def test_a_folder_without_shards_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="contains no Parquet files"):
        find_shards(tmp_path, Roles())


@pytest.mark.parametrize("rows", [1, 7, 64, 100, 1000])
def test_blocks_hold_all_rows_in_order(tmp_path: Path, rows: int) -> None:
    table = planted_rows(100)
    write_shards(tmp_path, table, 1, row_group_size=30)
    found = list(blocks(tmp_path / "part-0.parquet", ["id", "loss"], rows))
    assert [name for block in found for name in block.column("id").to_pylist()] == table["id"].tolist()
    assert {block.num_rows for block in found[:-1]} <= {rows}


def test_a_broken_shard_and_one_without_a_column_are_named_and_the_others_counted(tmp_path: Path) -> None:
    rows = planted_rows(300)
    write_shards(tmp_path, rows)
    whole = (tmp_path / "part-1.parquet").read_bytes()
    (tmp_path / "part-1.parquet").write_bytes(whole[: len(whole) // 2])
    rows.iloc[:10].drop(columns="loss").to_parquet(tmp_path / "part-2.parquet")
    with pytest.raises(InvalidInput) as told:
        draw(find_shards(tmp_path, Roles()), 60)
    said = str(told.value)
    assert "2 of 3 shards could not be used" in said
    assert "Cannot read 'part-1.parquet' as Parquet" in said
    assert "part-2.parquet: lacks the column 'loss' of the first shard" in said


def test_a_loss_that_is_no_number_is_told_with_its_shard(tmp_path: Path) -> None:
    write_shards(tmp_path, planted_rows(300))
    planted_rows(50).assign(loss="high").to_parquet(tmp_path / "part-2.parquet")
    with pytest.raises(InvalidInput, match=r"part-2\.parquet: the column 'loss' must have one number in each row"):
        draw(find_shards(tmp_path, Roles()), 60)


def test_a_shard_is_told_from_another_by_its_ids_and_the_sizes_of_its_pictures(tmp_path: Path) -> None:
    rows = picture_rows(60)
    write_shards(tmp_path / "a", rows, 1)
    write_shards(tmp_path / "b", rows.assign(loss=0.5), 1)
    write_shards(tmp_path / "c", rows.assign(image=[picture + b"more" for picture in rows["image"]]), 1)
    write_shards(tmp_path / "d", rows.iloc[::-1], 1)
    a, b, c, d = (digest_of(tmp_path / name / "part-0.parquet", ["id"], "image") for name in "abcd")
    assert a == b  # new losses do not make vectors old
    assert len({a, c, d}) == 3


def test_lists_become_rows_and_those_of_another_length_none(tmp_path: Path) -> None:
    lists = [[1.0, 2.0], None, [3.0], [4.0, 5.0], [1.0, 2.0]]
    pd.DataFrame({"v": lists}).to_parquet(tmp_path / "v.parquet")
    found = matrix_in(next(blocks(tmp_path / "v.parquet", ["v"], 10)), "v")
    assert np.isnan(found).any(1).tolist() == [False, True, True, False, False]
    assert found[[0, 3]].tolist() == [[1, 2], [4, 5]]
    contents = vector_contents(found)
    assert contents[0] == contents[4] != contents[3]
