"""What every benchmark shares: a file of JSON lines that can be resumed, and intervals over runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from core.records import F64, Estimate


def append_line(path: Path, row: dict[str, Any]) -> None:
    """Add one JSON line. A single write in append mode, so that several processes may share the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, (json.dumps(row) + "\n").encode())
    finally:
        os.close(handle)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All rows so far; a last line that a killed process left unfinished is passed over and said."""
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path}: line {number} is not whole and was passed over")
    return rows


def keys_done(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> set[tuple[Any, ...]]:
    """The combinations of `names` that have a row."""
    return {tuple(row[name] for name in names) for row in rows}


def mean_over(values: Sequence[float] | F64, *, seed: int = 0, repeats: int = 10_000) -> Estimate:
    """Mean with its percentile bootstrap 95 % interval; each value is one independent run."""
    array = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = array[rng.integers(0, len(array), (repeats, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(array.mean()), float(low), float(high))


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """A share with its exact binomial interval. Source: Clopper & Pearson 1934, Biometrika 26(4)."""
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(stats.beta.ppf(tail, successes, n - successes + 1))
    high = 1.0 if successes == n else float(stats.beta.ppf(1 - tail, successes + 1, n - successes))
    return Estimate(successes / n, low, high)


def show(found: Estimate, digits: int = 2) -> str:
    """Such as "0.83 [0.71, 0.92]"."""
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"
