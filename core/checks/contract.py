"""What a run freezes of its table, and another table is held against: the unit of its numbers, its columns, its
classes. What cannot be compared is refused or said, never compared all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from core.errors import quoted
from core.records import F64, Diagnosis

READ = "read"
"""Key of `Diagnosis.extras`: by role, the columns that the run was read from, named or recognised."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
OTHER_UNIT = 30.0
"""Values that are so many times larger at each of QUANTILES are of another unit: of 560 shifts of the losses in eight
data sets (halves, one class beside another or beside the rest, 50 to 95 % of the samples wrong) none reached more than
8."""


def other_unit(before: F64, after: F64) -> str:
    """How (m,) values differ throughout from (n,) earlier ones, such as "about 100 times as large"; "" where both may
    be of one unit. Missing values, nan, are passed over."""
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if not before.any() or not after.any():
        return ""
    if before.min() >= 0 >= after.max() or before.max() <= 0 <= after.min():
        return "of the other sign"
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.quantile(np.abs(after), QUANTILES) / np.quantile(np.abs(before), QUANTILES)
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    if not len(ratios) or max(float(ratios.min()), 1 / float(ratios.max())) < OTHER_UNIT:
        return ""
    times = float(np.median(ratios))
    return f"about {times:.3g} times as large"


def columns_read(diagnosis: Diagnosis) -> Mapping[str, Any]:
    """As `core.data.samples.DataSet.read`; empty where a run does not say."""
    said = diagnosis.extras.get(READ)
    return cast("Mapping[str, Any]", said) if isinstance(said, Mapping) else {}


def other_columns(diagnosis: Diagnosis, read: Mapping[str, Sequence[str]], table: str) -> list[str]:
    """Sentences on what another table was read from that is called otherwise than the run's.

    Args:
        read: as `core.data.samples.DataSet.read`.
    """
    kept = columns_read(diagnosis)
    return [
        f"The run's {role} was read from {quoted(*map(str, kept[role]))}, and that of {table} from "
        f"{quoted(*read[role])}: name it with --{role} if that is not meant."
        for role in ("label", "target", "loss")
        if kept.get(role) and read.get(role) and list(kept[role]) != list(read[role])
    ]
