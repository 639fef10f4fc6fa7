"""From the form to what core takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from webapp.state.choices import data_sets, recognized, roles_from, sources

COLUMNS = [
    ("file", "image", ("a.png",)),
    ("y", "label", ("cat",)),
    ("prob_0", "probabilities", ("0.1",)),
    ("prob_1", "probabilities", ("0.9",)),
    ("fog", "", ("1",)),
]


def test_what_stands_as_recognized_is_left_to_core_and_a_change_is_passed_on() -> None:
    found = recognized(COLUMNS)
    assert found == {"image": "file", "label": "y", "probabilities": ["prob_0", "prob_1"]}
    assert roles_from({**found, "group": None}, found, loss_kind=None, higher_is_better=False) == Roles()
    changed = roles_from(
        {**found, "label": "fog", "conditions": ["prob_0"]}, found, loss_kind="brier", higher_is_better=True
    )
    assert changed == Roles(label="fog", conditions=("prob_0",), loss_kind="brier", higher_is_better=True)


def test_masks_are_named_in_a_pair_and_half_a_pair_is_refused() -> None:
    found = recognized([("drawn", "true mask", ()), ("said", "predicted mask", ()), ("other", "", ())])
    assert found == {"true mask": "drawn", "predicted mask": "said"}
    given: dict[str, Any] = {"loss_kind": None, "higher_is_better": False}
    assert roles_from(found, found, **given) == Roles()
    assert roles_from(found | {"predicted mask": "other"}, found, **given) == Roles(masks=("drawn", "other"))
    assert roles_from({"true mask": "a", "predicted mask": "b"}, {}, **given) == Roles(masks=("a", "b"))
    for half in ({"true mask": "a"}, {"predicted mask": "b", "true mask": ""}):
        with pytest.raises(InvalidInput, match="in pairs"):
            roles_from(half, {}, **given)


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(InvalidInput, match="hinge"):
        roles_from({}, {}, loss_kind="hinge", higher_is_better=False)


def test_data_sets_are_named_below_the_operator_s_folder_and_nowhere_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / "streets").mkdir(parents=True)
    (root / "losses.csv").write_text("loss\n1\n")
    (root / ".hidden").mkdir()
    (root / "notes.txt").write_text("no table")
    (root / "way-out").symlink_to(outside)
    assert list(data_sets(root)) == ["losses.csv", "streets"]
    assert sources(None, None, None, "streets", root).images == (root / "streets").resolve()
    for name in ("way-out", "../outside", str(outside), ".hidden"):
        with pytest.raises(InvalidInput, match="No data set"):
            sources(None, None, None, name, root)


def test_nothing_given_is_one_message_with_the_next_step() -> None:
    with pytest.raises(InvalidInput, match="No table"):
        sources(None, None, None, "", None)
