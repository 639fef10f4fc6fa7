"""Inputs that mean harm, each made by a few lines here, and what Errata must say of it.

`python -m research.evidence.hostile` runs them all, each in a process of its own with bounded memory and time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOMS = (
    "archives", "tar_archives", "tar_members", "folders", "pictures", "other_formats", "tables", "columns", "parquet",
    "arrays", "packed_arrays", "documents", "benchmark_files", "runs", "run_files", "received", "commands",
    "requests", "connections",
)  # fmt: skip
MAX_RSS_MB = 1536.0
MAX_CPU_S = 10.0


@dataclass(frozen=True, slots=True)
class HostileCase:
    """One hostile input."""

    name: str
    kind: str
    door: str
    """The function of `tests.hostile.doors` (of `tests.hostile.visits` for requests) that gets it."""
    make: Callable[[Path], Any]
    """make(folder): writes the input below the folder; returns the door's arguments as a dict."""
    expects: str
    """A regular expression that "outcome: message" must fit; the outcomes are refused, left out and accepted."""
    max_cpu_s: float = MAX_CPU_S
    slow: bool = False


CASES: dict[str, HostileCase] = {}


def case(
    name: str, door: str, expects: str, *, max_cpu_s: float = MAX_CPU_S, slow: bool = False
) -> Callable[[Callable[[Path], Any]], Callable[[Path], Any]]:
    """Enter the function below as the maker of a case."""

    def enter(make: Callable[[Path], Any]) -> Callable[[Path], Any]:
        add(name, make.__module__.rsplit(".", 1)[-1], door, make, expects, max_cpu_s=max_cpu_s, slow=slow)
        return make

    return enter


def add(
    name: str,
    kind: str,
    door: str,
    make: Callable[[Path], Any],
    expects: str,
    *,
    max_cpu_s: float = MAX_CPU_S,
    slow: bool = False,
) -> None:
    """Enter a case; a name stands once."""
    if name in CASES:
        raise ValueError(f"There are two hostile cases {name!r}.")
    CASES[name] = HostileCase(name, kind, door, make, expects, max_cpu_s, slow)


def all_cases() -> list[HostileCase]:
    """Every case, kind by kind."""
    for room in ROOMS:
        import_module(f"{__name__}.{room}")
    return sorted(CASES.values(), key=lambda one: ROOMS.index(one.kind))
