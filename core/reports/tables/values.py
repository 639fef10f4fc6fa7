"""How records become cells and JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.records import Estimate


def estimate(figure: Estimate | None) -> dict[str, float] | None:
    """Value, low and high; None stays None."""
    if figure is None:
        return None
    return figure.to_dict()


def fields(record: Any, names: str) -> dict[str, Any]:
    """The fields of a record that `names` lists, as JSON values: an estimate as value, low and high, a tuple as a
    list."""
    entry: dict[str, Any] = {}
    for name in names.split():
        value = getattr(record, name)
        if isinstance(value, Estimate):
            value = value.to_dict()
        elif isinstance(value, tuple):
            value = list(value)
        entry[name] = value
    return entry


def reasons(excluded: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """How many rows were left out, and how many for each reason, the commonest first."""
    return {"n": len(excluded), "by_reason": dict(Counter(reason for _, reason in excluded).most_common())}


def strings(values: Sequence[str]) -> pd.Series[Any]:
    """A text column, also where it is empty."""
    return pd.Series(list(values), dtype="str")


def flat(entry: dict[str, Any], drop: tuple[str, ...] = ()) -> dict[str, Any]:
    """An estimate becomes three columns: name, name_low, name_high."""
    out: dict[str, Any] = {}
    for key, value in entry.items():
        if key in drop:
            continue
        if isinstance(value, dict):
            out |= {key: value["value"], f"{key}_low": value["low"], f"{key}_high": value["high"]}
        else:
            out[key] = value
    return out
