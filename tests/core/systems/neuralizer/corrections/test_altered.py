"""Altered items go out as files, losses come back by name, and what changed is said with an interval."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.neuralizer.corrections.altered import (
    UNCHANGED,
    AlteredItem,
    Rescored,
    change_between,
    effects_of_alterations,
    read_altered,
    read_rescored,
    write_altered,
)

ITEMS = [AlteredItem(f"s{k}", name, f"{k}-{name}.png") for k in range(3) for name in (UNCHANGED, "reversed")]


def exported(folder: Path) -> Path:
    write_altered(folder / "out", ((item, item.file.encode()) for item in ITEMS), {"cluster": 0})
    return folder / "out"


def table(folder: Path, *rows: str) -> Path:
    (folder / "scores.csv").write_text("\n".join(["file,loss", *rows]) + "\n", "utf-8")
    return folder / "scores.csv"


def test_files_and_manifest_come_back(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    assert (folder / "1-reversed.png").read_bytes() == b"1-reversed.png"
    items, about = read_altered(folder)
    assert (list(items), about) == (ITEMS, {"cluster": 0})
    with pytest.raises(InvalidInput, match="not empty"):
        write_altered(folder, iter(()), {})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "has the format 2, and 1 is needed"),
        ({"items": []}, "names no item"),
        ({"items": [1]}, "is damaged"),
        ({"about": 3}, "is damaged"),
        ({"items": [asdict(ITEMS[0]), asdict(ITEMS[0])]}, "names the file '0-unchanged.png' 2 times"),
        (
            {"items": [asdict(ITEMS[0]), asdict(replace(ITEMS[0], file="b.png"))]},
            "the sample and alteration 's0, unchanged' 2 times",
        ),
    ],
)
def test_a_manifest_edited_by_hand_is_told_what_is_wrong(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    whole = {"format": 1, "about": {}, "items": [asdict(item) for item in ITEMS]}
    (tmp_path / "altered.json").write_text(json.dumps({**whole, **change}), "utf-8")
    with pytest.raises(InvalidInput, match=said):
        read_altered(tmp_path)


def test_rows_of_other_files_are_passed_over(tmp_path: Path) -> None:
    rows = [f"{item.file},1" for item in ITEMS]
    assert read_rescored(ITEMS, table(tmp_path, *rows, "other.png,x", "other.png,")).ids == ("s0", "s1", "s2")


def test_losses_are_matched_by_the_names_of_files(tmp_path: Path) -> None:
    rows = [f"some/where/{item.file},{k}" for k, item in reversed(list(enumerate(ITEMS)))]
    found = read_rescored(ITEMS, table(tmp_path, *rows))
    assert found.ids == ("s0", "s1", "s2")
    assert found.losses[UNCHANGED].tolist() == [0, 2, 4]
    assert found.losses["reversed"].tolist() == [1, 3, 5]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"does not contain altered\.json"):
        read_altered(tmp_path)
    rows = [f"{item.file},1" for item in ITEMS]
    with pytest.raises(InvalidInput, match=r"no loss for '2-reversed.png'"):
        read_rescored(ITEMS, table(tmp_path, *rows[:-1]))
    with pytest.raises(InvalidInput, match=r"no loss for '0-unchanged.png'"):
        read_rescored(ITEMS, table(tmp_path, "0-unchanged.png,nan", *rows[1:]))
    with pytest.raises(InvalidInput, match="more than once"):
        read_rescored(ITEMS, table(tmp_path, *rows, rows[0]))
    with pytest.raises(InvalidInput, match=r"names none of the 6 files .*Use the losses of these files"):
        read_rescored(ITEMS, table(tmp_path, "ab-0-unchanged.png,1"))
    with pytest.raises(InvalidInput, match="no column 'dice'"):
        read_rescored(ITEMS, table(tmp_path, *rows), loss="dice")


def scored(n: int, share: float, seed: int) -> tuple[Rescored, np.ndarray]:
    """n members with an excess of 1 of which "right" takes that share, and n others."""
    rng = np.random.default_rng(seed)
    members = np.arange(2 * n) < n
    before = members + rng.normal(0, 0.2, 2 * n)
    losses = {
        UNCHANGED: before,
        "right": before - share * members + rng.normal(0, 0.05, 2 * n),
        "wrong": before + rng.normal(0, 0.05, 2 * n),
    }
    return Rescored(tuple(map(str, range(2 * n))), losses), members


def test_the_share_of_the_excess_that_an_alteration_takes_is_found() -> None:
    right, wrong = effects_of_alterations(*scored(40, 0.6, 0), of=2)
    assert (right.alteration, right.n) == ("right", 40)
    assert right.share.low < 0.6 < right.share.high
    assert right.share.high - right.share.low < 0.3
    assert abs(right.drop_outside.value) < 0.05
    assert wrong.drop.low < 0 < wrong.drop.high


def test_the_interval_of_a_share_holds_as_often_as_it_says() -> None:
    held = [
        (e := effects_of_alterations(*scored(30, 0.5, seed))[0]).share.low <= 0.5 <= e.share.high for seed in range(20)
    ]
    assert sum(held) >= 17


def test_no_share_is_given_of_an_excess_that_may_be_nothing() -> None:
    scores, members = scored(20, 0.5, 0)
    swapped = Rescored(scores.ids, {name: loss[::-1] * 0 + loss * ~members for name, loss in scores.losses.items()})
    assert np.isnan(effects_of_alterations(swapped, members)[0].share.value)


@pytest.mark.parametrize("wrong", [6, 7, 8])
def test_losses_of_0_and_1_give_a_drop_whatever_their_share_is(wrong: int) -> None:
    """With few of either side, some draws have no excess at all: the share would be a division by zero."""
    members = np.arange(20) < 10
    before = np.r_[np.arange(10) < wrong, np.arange(10) < 3].astype(float)
    scores = Rescored(tuple(map(str, range(20))), {UNCHANGED: before, "right": before * ~members})
    (found,) = effects_of_alterations(scores, members)
    assert found.drop.low > 0
    assert np.isnan(found.share.value)


def test_two_alterations_are_compared_on_the_same_samples() -> None:
    scores, members = scored(40, 0.6, 0)
    gap = change_between(scores, ("wrong", "right"), members)
    assert gap.low < 0.6 < gap.high


def test_too_few_samples_say_nothing() -> None:
    scores, members = scored(4, 0.6, 0)
    with pytest.raises(InvalidInput, match="got 4 and 4"):
        effects_of_alterations(scores, members)
