"""How records become cells and JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.records import Estimate


def estimate(found: Estimate | None) -> dict[str, float] | None:
    """Value, low and high; None stays None."""
    return None if found is None else found.to_dict()


def fields(record: Any, names: str) -> dict[str, Any]:
    """The fields of a record that `names` lists, as JSON values: an estimate as value, low and high, a tuple as a
    list."""
    found: dict[str, Any] = {name: getattr(record, name) for name in names.split()}
    for name, value in found.items():
        found[name] = (
            value.to_dict() if isinstance(value, Estimate) else list(value) if isinstance(value, tuple) else value
        )
    return found


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
