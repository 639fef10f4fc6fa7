"""What the table's other columns may serve for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.data.samples import read_data_set
from core.data.tables.roles import Roles


def _table(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    gold, sure = rng.choice(["neg", "pos"], n), rng.uniform(0.2, 0.9, n)
    guess = np.where(sure > 0.5, "yes", "no")
    columns = {"label": gold, "p_neg": 1 - sure, "p_pos": sure, "guess": guess, "site": rng.choice(["a", "b"], n)}
    return pd.DataFrame(columns)


def test_a_column_that_repeats_the_prediction_under_another_name_is_no_condition() -> None:
    found = read_data_set(_table())
    assert [column.name for column in found.samples.metadata] == ["site"]
    assert "guess" in [column.name for column in found.samples.model_outputs]
    assert any("'guess' only repeats the predicted class, so not tested" in note for note in found.notes)
    named = read_data_set(_table(), roles=Roles(conditions=("guess",)))
    assert "guess" in [column.name for column in named.samples.metadata]


def test_a_column_that_goes_with_the_label_or_only_often_with_the_prediction_stays() -> None:
    table = _table(200)
    table["guess"] = np.where(np.arange(200) % 10 == 0, "no", table["guess"])  # a tenth is something else
    table["kind"] = table["label"].map({"neg": "bad", "pos": "good"})
    assert {"guess", "kind"} <= {column.name for column in read_data_set(table).samples.metadata}


@pytest.mark.parametrize("words", [("yes", "no"), (True, False), (1, 0)])
def test_a_column_that_says_whether_the_model_was_right_is_no_condition_unless_it_is_named(
    words: tuple[Any, Any],
) -> None:
    rng = np.random.default_rng(0)
    wrong = rng.random(200) < 0.2
    frame = pd.DataFrame(
        {"id": np.arange(200), "y": rng.integers(0, 2, 200), "light": rng.choice(["dark", "bright"], 200)}
    )
    frame["guess"] = np.where(wrong, 1 - frame["y"], frame["y"])
    frame["e"] = [words[0] if bad else words[1] for bad in wrong]
    frame["nearly"] = [*frame["e"].to_list()[1:], words[1]]
    roles = Roles(id="id", label="y", prediction="guess")
    found = read_data_set(frame, roles=roles)
    assert [column.name for column in found.samples.metadata] == ["light", "nearly"]
    assert "e" in [column.name for column in found.samples.model_outputs]
    assert any("'e' only repeats whether the model was right" in note for note in found.notes)
    named = read_data_set(frame, roles=replace(roles, conditions=("e",)))
    assert "e" in [column.name for column in named.samples.metadata]
    y, first = frame["y"], np.arange(200) < 4
    few = frame.assign(guess=np.where(first, 1 - y, y), e=np.where(first, *words))
    assert "e" in [column.name for column in read_data_set(few, roles=roles).samples.metadata]


def test_so_is_one_with_gaps_or_with_a_value_for_each_pair_of_label_and_prediction() -> None:
    rng = np.random.default_rng(0)
    y, wrong = rng.integers(0, 3, 300), rng.random(300) < 0.2
    wrong[y == 2] = True
    frame = pd.DataFrame({"id": np.arange(300), "y": y, "guess": np.where(wrong, (y + 1) % 3, y)})
    frame["cell"] = [f"{a} taken for {b}" for a, b in zip(frame["y"], frame["guess"])]
    frame["gaps"] = [None if i % 50 == 0 else "bad" if bad else "good" for i, bad in enumerate(wrong)]
    frame["flag"] = np.where(wrong, 1.0, np.nan)
    frame["often"] = [None if i % 5 else "bad" if bad else "good" for i, bad in enumerate(wrong)]
    frame["kind"] = frame["y"].map({0: "cat", 1: "dog", 2: "elk"})
    frame["site"] = np.where(wrong, rng.choice(["north", "south"], 300), "west")
    found = read_data_set(frame, roles=Roles(id="id", label="y", prediction="guess")).samples
    assert [column.name for column in found.metadata] == ["often", "kind", "site"]
    assert {"cell", "gaps", "flag"} <= {column.name for column in found.model_outputs}


def test_so_is_one_whose_first_thousand_rows_are_right() -> None:
    y = np.arange(3000) % 3
    guess = np.where(np.arange(3000) < 2900, y, (y + 1) % 3)
    frame = pd.DataFrame({"id": np.arange(3000), "y": y, "guess": guess, "cell": y * 3 + guess})
    assert not read_data_set(frame, roles=Roles(id="id", label="y", prediction="guess")).samples.metadata
