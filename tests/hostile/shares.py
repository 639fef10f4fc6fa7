"""Which cases the tests run: those that cost little. All are run by `python -m research.evidence.hostile`."""

from __future__ import annotations

from pathlib import Path

from tests.hostile import HostileCase, all_cases

COSTLY = frozenset((Path(__file__).parent / "costly.txt").read_text("utf-8").splitlines())
"""Names of cases that take more than 0.1 CPU s, measured, to be made and opened; a new case is quick until it is named
there."""


def quick() -> list[HostileCase]:
    """Every case that costs little; none that needs a server."""
    return [one for one in all_cases() if one.door != "visit" and one.name not in COSTLY]
