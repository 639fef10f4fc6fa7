"""A file of JSON lines that grows by one line a finished piece of work, so that a run that was broken off goes on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def append_line(path: Path, row: dict[str, Any]) -> None:
    """Add one JSON line, below a last one that was cut off. A single write in append mode, so that several processes
    may share the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as file:
        cut_off = file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
        file.write(("\n" * cut_off + json.dumps(row) + "\n").encode())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All rows so far; a last line that a killed process left unfinished is passed over and said."""
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines() if path.exists() else [], start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path}: line {number} is not whole and was passed over", file=sys.stderr)
    return rows


def keys_done(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> set[tuple[Any, ...]]:
    """The combinations of `names` that have a row."""
    return {tuple(row[name] for name in names) for row in rows}
