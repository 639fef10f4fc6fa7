"""A clock that jumps deletes nothing; what is old goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.store import RunStore, ages
from tests.support.diagnoses import make_diagnosis

DAY, HOUR = 24 * 3600.0, 3600.0


class Clocks:
    """The wall clock, the machine's uptime and the name of its start, in a test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.up, self.start = ages.wall(), 1000.0, "first"
        monkeypatch.setattr(ages, "wall", lambda: self.wall)
        monkeypatch.setattr(ages, "uptime", lambda: self.up)
        monkeypatch.setattr(ages, "boot", lambda: self.start)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds

    def start_again(self, off: float = 0.0) -> None:
        """The machine was off for so long."""
        self.start, self.up = self.start + "'", 10.0
        self.wall += off


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


def put(store: RunStore, seed: int = 0) -> str:
    return store.put(make_diagnosis(seed=seed, with_images=False))


def test_what_is_older_than_a_day_goes_and_the_rest_stays(tmp_path: Path, clocks: Clocks) -> None:
    store = RunStore(tmp_path)
    put(store)
    clocks.pass_by(23 * HOUR)
    new = put(store, 1)
    assert store.prune(DAY) == 0
    clocks.pass_by(2 * HOUR)
    assert store.prune(DAY) == 1
    assert store.names() == [new]


@pytest.mark.parametrize("jump", [25 * HOUR, -25 * HOUR, 1000 * DAY, -1000 * DAY])
def test_a_clock_that_jumps_removes_no_run_and_keeps_none_for_ever(tmp_path: Path, clocks: Clocks, jump: float) -> None:
    store = RunStore(tmp_path)
    put(store)
    clocks.wall += jump
    assert store.prune(DAY) == 0
    assert RunStore(tmp_path).prune(DAY) == 0  # nor does a server that is started after the jump
    clocks.pass_by(25 * HOUR)
    assert store.prune(DAY) == 1


@pytest.mark.parametrize("jump", [25 * HOUR, -25 * HOUR])
def test_a_jump_after_the_machine_was_started_again_removes_nothing_early(
    tmp_path: Path, clocks: Clocks, jump: float
) -> None:
    put(RunStore(tmp_path))
    clocks.start_again()
    store = RunStore(tmp_path)
    assert store.prune(DAY) == 0
    clocks.pass_by(2 * HOUR)
    clocks.wall += jump
    assert store.prune(DAY) == 0
    clocks.pass_by(25 * HOUR)
    assert store.prune(DAY) == 1


def test_a_clock_that_is_wrong_when_the_machine_starts_has_an_hour_to_be_put_right(
    tmp_path: Path, clocks: Clocks
) -> None:
    put(RunStore(tmp_path))
    clocks.start_again()
    clocks.wall += 40 * DAY
    store = RunStore(tmp_path)
    assert store.prune(DAY) == 0
    clocks.pass_by(60)
    clocks.wall -= 40 * DAY
    assert store.prune(DAY) == 0
    clocks.pass_by(2 * HOUR)
    assert store.prune(DAY) == 0


def test_a_run_of_the_day_before_the_machine_was_off_goes_once_it_was_seen_for_an_hour(
    tmp_path: Path, clocks: Clocks
) -> None:
    put(RunStore(tmp_path))
    clocks.start_again(off=30 * HOUR)
    store = RunStore(tmp_path)
    assert store.prune(DAY) == 0
    clocks.pass_by(HOUR)
    assert store.prune(DAY) == 1


def test_the_machine_tells_how_long_it_is_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert ages.uptime() <= ages.uptime()
    monkeypatch.setattr(ages, "_BOOT", tmp_path / "none")
    assert ages.boot() == ""
