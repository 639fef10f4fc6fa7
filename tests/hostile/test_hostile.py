"""A hostile input is refused with one clear message, left out and counted, or accepted harmlessly."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from core.errors import InvalidInput
from tests.hostile import HostileCase, all_cases
from tests.hostile.bounds import judge
from tests.hostile.shares import quick
from tests.hostile.together import try_together

REPOSITORY = Path(__file__).resolve().parents[2]


def _case(expects: str = "^refused: ", door: str = "table") -> HostileCase:
    return HostileCase("a case", "tables", door, lambda folder: {"path": str(folder)}, expects)


@pytest.mark.parametrize(
    ("outcome", "message", "fault"),
    [
        ("refused", "The table has no rows.", ""),
        ("refused", "The table \x1b[31m has no rows.", "the message holds"),
        ("refused", "The table \u202e has no rows.", "the message holds"),
        ("refused", "The table \ud800 has no rows.", "the message holds"),
        ("refused", "The table /tmp/secret/t.csv has no rows.", "tells a path"),
        ("refused", "x" * 2200, "characters"),
        ("accepted", "24 rows", "expected"),
        ("FAULT", "KeyError: 'a'", "KeyError"),
    ],
)
def test_a_message_that_no_visitor_should_see_is_a_fault(outcome: str, message: str, fault: str) -> None:
    found = judge(_case(), outcome, message, 100.0, 1.0, ["/tmp/secret"]).fault
    assert (fault in found) if fault else not found


@pytest.mark.parametrize(("rss", "cpu", "fault"), [(1535.0, 1.0, ""), (1537.0, 1.0, "memory"), (9.0, 10.5, "CPU")])
def test_more_memory_or_time_than_is_allowed_is_a_fault(rss: float, cpu: float, fault: str) -> None:
    found = judge(_case(), "refused", "Too large.", rss, cpu, []).fault
    assert (fault in found) if fault else not found


def _raises(kind: type[BaseException], expects: str = "^refused: ") -> HostileCase:
    """At the door of the command line, which opens without the page."""

    def make(folder: Path) -> dict[str, object]:
        if kind is not InvalidInput:
            raise kind("bad")
        return {"arguments": ["no command"]}

    return HostileCase("a case", "commands", "command", make, expects)


def _faults_of_three() -> list[str]:
    return [one.fault for one in try_together([_raises(InvalidInput), _raises(InvalidInput, "^accepted: ")])] + [
        one.fault for one in try_together([_raises(InvalidInput), _raises(ValueError)])
    ]


def test_a_case_that_fails_or_cannot_be_made_is_no_pass_and_no_harm_to_those_beside_it() -> None:
    """In a new process: a fork begins with its parent's memory, which here is that of all tests before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as new:
        good, other, good_again, bad = new.submit(_faults_of_three).result()
    assert not good
    assert "expected" in other
    assert not good_again
    assert "could not be made" in bad


def test_there_are_enough_cases_of_every_kind() -> None:
    cases = all_cases()
    assert len(cases) >= 300
    assert len({one.kind for one in cases}) >= 12
    assert {one.kind for one in quick()} == {one.kind for one in cases if one.door != "visit"}


@pytest.mark.slow
def test_no_quick_case_of_any_kind_is_a_fault() -> None:
    """They run in a process of their own, since a process with threads cannot be forked safely."""
    ran = subprocess.run(
        [sys.executable, "-m", "research.evidence.hostile", "--share", "quick", "--faults"],
        cwd=REPOSITORY, env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode in (0, 1), ran.stderr[-2000:]
    assert "most time:" in ran.stdout, ran.stderr[-2000:]
    assert [line for line in ran.stdout.splitlines() if " FAULT " in line and " MB " in line] == []
    assert ran.returncode == 0
