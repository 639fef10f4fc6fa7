"""What systems left in a run: kept as it is where nothing installed here can read it, and never in another's place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import extensions
from core.records import I64, ModelResult, with_models
from core.records.codec import Unread, _of_others, _of_systems
from core.records.models import BROUGHT
from core.store import load, save
from core.systems.contract import System
from tests.support.diagnoses import make_diagnosis
from tests.support.stored import edit_state


@dataclass(frozen=True, eq=False)
class Mine:
    extras: Mapping[str, Any]
    rows: I64


@dataclass(frozen=True)
class Unheard:
    n: Undefined  # pyright: ignore[reportUndefinedVariable] # noqa: F821


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A system of another package whose records are those of this file."""
    monkeypatch.setattr(extensions, "foreign_systems", lambda: (System("mine", records=__name__),))
    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


def forget() -> None:
    for remembered in (extensions.parts, _of_systems, _of_others):
        remembered.cache_clear()


def edit(run: Path, name: str, value: Any) -> None:
    """Put that into the stored extras, below its name."""
    edit_state(run, lambda said: said["diagnosis"]["extras"]["$dict"].update({name: value}))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run.errata"


def test_a_record_may_have_a_field_that_is_called_as_the_runs(mine: pytest.MonkeyPatch, run: Path) -> None:
    save(replace(make_diagnosis(), extras={"mine": Mine({"$array": (1, 2)}, np.arange(3))}), run)
    assert load(run).extras["mine"].extras == {"$array": (1, 2)}


def test_results_come_through_where_their_system_is_not_installed(mine: pytest.MonkeyPatch, run: Path) -> None:
    save(replace(make_diagnosis(), extras={"mine": Mine({"$array": "text"}, np.arange(3))}), run)
    mine.setattr(extensions, "foreign_systems", tuple)
    forget()
    without = load(run)
    assert isinstance(without.extras["mine"], Unread)
    assert "holds results of 'mine'" in without.notes[-1]
    save(without, run)
    mine.setattr(extensions, "foreign_systems", lambda: (System("mine", records=__name__),))
    forget()
    back = load(run).extras["mine"]
    assert (back.extras, back.rows.tolist()) == ({"$array": "text"}, [0, 1, 2])


@pytest.mark.parametrize(
    "tree", [{"$record": "Mine", "other": 1}, {"$record": "Unheard", "n": 1}, {"$list": [{"$record": "Mine"}]}]
)
def test_a_record_that_its_package_cannot_read_any_more_is_kept(mine: pytest.MonkeyPatch, run: Path, tree: Any) -> None:
    save(make_diagnosis(), run)
    edit(run, "mine", tree)
    found = load(run)
    assert found.extras["mine"].tree == tree
    save(found, run)
    assert load(run).extras["mine"].tree == tree


def test_what_cannot_be_read_never_takes_the_place_of_another_array(run: Path) -> None:
    save(make_diagnosis(), run)
    edit(run, "mine", {"$record": "Gone", "x": {"$array": "/map/xy"}})
    found = load(run)
    save(replace(found, map=replace(found.map, xy=found.map.xy + 1)), run)
    again = load(run)
    np.testing.assert_array_equal(again.map.xy, found.map.xy + 1)
    np.testing.assert_array_equal(next(iter(again.extras["mine"].arrays.values())), found.map.xy)


def test_records_that_cannot_be_imported_are_told(mine: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    mine.setattr(extensions, "foreign_systems", lambda: (System("gone", records="errata_gone"),))
    forget()
    _of_systems()
    assert "The records of the system 'gone' cannot be read. ModuleNotFoundError" in caplog.text


def test_results_do_not_replace_what_cannot_be_read() -> None:
    unread = Unread({"$record": "Gone"}, {})
    result: Any = object.__new__(ModelResult)
    found = with_models(replace(make_diagnosis(), extras={BROUGHT: unread}), (result,))
    assert found.extras == {f"{BROUGHT}, unread": unread, BROUGHT: (result,)}
