"""Which rows are drawn: by their key alone, whole groups, at most so many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.systems.shards.draw import NO_ID, NO_LOSS, KeyedRows, draw, hashes_of
from core.systems.shards.files import blocks, find_shards
from tests.support.shards import planted_rows, write_shards


def drawn(folder: Path, most: int, roles: Roles = Roles(), seed: int = 0) -> set[str]:
    shards = find_shards(folder, roles)
    drawing = draw(shards, most, seed)
    found = set[str]()
    for name in shards.names:
        for block in blocks(shards.path(name), shards.light, 100):
            rows = KeyedRows.of(block, shards, seed, name)
            found |= {str(rows.ids[i]) for i in np.flatnonzero(drawing.takes(rows))}
    assert len(found) == drawing.n_sample
    return found


def test_the_order_of_rows_and_their_shards_do_not_change_the_sample(tmp_path: Path) -> None:
    rows = planted_rows(400)
    one = drawn(write_shards(tmp_path / "a", rows, 3), 100)
    other = drawn(write_shards(tmp_path / "b", rows.sample(frac=1, random_state=0), 7), 100)
    assert one == other
    assert len(one) == 100
    assert drawn(tmp_path / "a", 100, seed=1) != one


def test_every_row_is_drawn_equally_often() -> None:
    hashes = hashes_of([str(i) for i in range(4000)], 3)
    share = np.histogram(hashes.astype(np.float64) / 2.0**64, 8, (0, 1))[0] / 4000
    assert np.abs(share - 1 / 8).max() < 4 * np.sqrt(1 / 8 * 7 / 8 / 4000)


def test_groups_are_drawn_whole_and_no_more_rows_than_asked(tmp_path: Path) -> None:
    rows = planted_rows(600).assign(patient=[f"patient{i // 4}" for i in range(600)])
    found = drawn(write_shards(tmp_path, rows), 101, Roles(group="patient"))
    patient = dict(zip(rows["id"], rows["patient"]))
    inside = pd.Series([patient[name] for name in found]).value_counts()
    assert set(inside) == {4}
    assert len(found) == 100


def test_rows_without_an_id_or_a_loss_are_counted_and_not_drawn(tmp_path: Path) -> None:
    rows = planted_rows(300)
    rows.loc[[3, 4], "id"] = None
    rows.loc[[7, 8, 9], "loss"] = [np.nan, np.inf, -np.inf]
    drawing = draw(find_shards(write_shards(tmp_path, rows), Roles()), 100)
    assert dict(drawing.left_out) == {NO_ID: 2, NO_LOSS: 3}
    assert drawing.n_rows == 300


@pytest.mark.parametrize(
    ("most", "said"), [(39, "at least 40 rows"), (300, "A sample of 300 would take all 300 usable rows")]
)
def test_a_sample_that_leaves_nothing_or_tests_nothing_is_refused(tmp_path: Path, most: int, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        draw(find_shards(write_shards(tmp_path, planted_rows(300)), Roles()), most)


def test_groups_too_large_for_the_sample_are_told(tmp_path: Path) -> None:
    rows = planted_rows(400).assign(patient=[f"patient{i // 200}" for i in range(400)])
    with pytest.raises(InvalidInput, match=r"The sample has 0 rows, .* use another --group column"):
        draw(find_shards(write_shards(tmp_path, rows), Roles(group="patient")), 100)
