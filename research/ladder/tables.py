"""A published ladder of methods, run again, as a table and JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.records import UNDEFINED
from core.records.codec import to_json
from core.reports.tables.values import estimate, fields, flat

if TYPE_CHECKING:
    from research.ladder.reproduce import LadderRow


def reproduction_table(rows: Sequence[LadderRow]) -> pd.DataFrame:
    """One row for each figure of a reproduction: step, shots, setting, metric, value, each seed's own, gains,
    published, how that came about, what is done otherwise here, seconds, note."""
    return pd.DataFrame([flat(_reproduced(row)) for row in rows]).astype({"shots": "Int64"})


def _reproduced(row: LadderRow) -> dict[str, Any]:
    return {
        **fields(row, "step shots setting metric"),
        "value": estimate(row.value or UNDEFINED),
        **{f"gain over {name}": estimate(gain) for name, gain in row.gains.items()},
        "each": " ".join(f"{value:.6g}" for value in row.each),
        "published": " | ".join(row.published),
        "protocol": row.protocol,
        "here": " | ".join(row.here),
        "seconds": row.seconds,
        "note": row.note,
    }


def reproduction_document(
    rows: Sequence[LadderRow], method: str, encoder: str, dataset: str, seeds: int
) -> dict[str, Any]:
    """The same as JSON values, with what was asked for."""
    return to_json(
        {
            "method": method,
            "encoder": encoder,
            "dataset": dataset,
            "seeds": seeds,
            "rows": [
                fields(row, "step shots setting metric value")
                | {"gains": {name: estimate(gain) for name, gain in row.gains.items()}}
                | fields(row, "each published protocol here seconds note")
                for row in rows
            ],
        }
    )
