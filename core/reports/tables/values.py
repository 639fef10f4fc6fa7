"""How records become cells and JSON values: the small change of `core.reports.tables.diagnosis` and
`core.reports.tables.probes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.records import Estimate


def estimate(found: Estimate | None) -> dict[str, float] | None:
    """Value, low and high; None stays None."""
    return None if found is None else found.to_dict()


def strings(values: Sequence[str]) -> pd.Series[Any]:
    """A text column, also where it is empty."""
    return pd.Series(list(values), dtype="str")


def flat(entry: dict[str, Any], drop: tuple[str, ...] = ()) -> dict[str, Any]:
    """An estimate becomes three columns: name, name_low, name_high."""
    out: dict[str, Any] = {}
    for key, value in entry.items():
        if isinstance(value, dict):
            out |= {key: value["value"], f"{key}_low": value["low"], f"{key}_high": value["high"]}
        elif key not in drop:
            out[key] = value
    return out
