"""A measurement of what naming causes is worth, made up."""

from __future__ import annotations

from core.checks.faithfulness import CAUSE_KINDS
from core.records import Estimate, Faithfulness, KindFaithfulness, NamedCause

AREA = Estimate(0.7, 0.6, 0.8)


def made_faithfulness() -> Faithfulness:
    """Of sixty rows, a third with a named cause."""
    return Faithfulness(
        tuple(KindFaithfulness(kind, 60, 15, 20, AREA, 0.7, 0.1) for kind in CAUSE_KINDS),
        (NamedCause("condition", "weather = fog", "all samples", 30, 8, AREA),),
    )
