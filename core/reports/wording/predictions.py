"""What frozen findings said of fresh samples beside what these show, in plain sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from core.numbers import bracketed, count, digits_for, number, p_value, percent
from core.records import Diagnosis, Estimate, Prediction, PredictionRow
from core.reports.wording.findings import ALL, cluster_title

CONFIRMED_KINDS = ("cluster", "phrase", "condition")
"""The kinds of a prediction's rows that were confirmed before; the others are what a person would have picked."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How a predicted figure is written: error rates as percentages, mean losses with the decimals of their spread."""

    is_share: bool
    digits: int | None

    @classmethod
    def of(cls, diagnosis: Diagnosis, *, is_share: bool) -> Measure:
        return cls(is_share, None if is_share else digits_for(diagnosis.outcomes.loss))

    def value(self, value: float | None) -> str:
        return percent(value) if self.is_share else number(value, self.digits)

    def interval(self, estimate: Estimate | None) -> str:
        """The interval alone; "" where there is none."""
        return bracketed(estimate, share=self.is_share, digits=self.digits)[1:-1]


def prediction_sentence(row: PredictionRow, prediction: Prediction | None = None, digits: int = 2) -> str:
    """What a frozen finding said of fresh samples beside what they show.

    Args:
        row: one row of a prediction.
        prediction: whose measure the row has; an error rate if not given.
        digits: decimals of a loss.
    """
    rate = prediction is None or prediction.measure == "error rate"
    measure = Measure(rate, None if rate else digits)
    value, span = measure.value, measure.interval
    what = "wrong" if rate else "mean loss"
    start = f"{prediction_name(row)}: {count(row.n, 'fresh sample')}"
    if row.observed is None:
        return f"{start} match, so nothing can be said; {value(row.predicted.value)} {what} was predicted."
    seen = f"{value(row.observed.value)} was observed" + (
        f" ({span(row.observed)})" if math.isfinite(row.observed.low) else ""
    )
    rest = "" if row.rest is None else f" against {value(row.rest)} in the rest"
    chance = "" if row.p is None else f", adjusted {p_value(row.p)}"
    expected = (
        f" ({span(row.predicted)}; {span(row.expected)} in {count(row.n, 'sample')})"
        if math.isfinite(row.predicted.low)
        else ""
    )
    return (
        f"{start}; {value(row.predicted.value)} {what} was predicted{expected} and "
        f"{seen}{rest}{chance}{f': {prediction_verdict(row)}' if prediction_verdict(row) else ''}."
    )


def replication_sentence(prediction: Prediction) -> str:
    """How many of the findings fail more than the rest again, and how many of these at the rate that they had
    predicted."""
    found = [row for row in prediction.rows if row.kind in CONFIRMED_KINDS]
    judged = [row for row in found if row.as_predicted is not None]
    if not found:
        return "nothing was confirmed, so nothing was predicted."
    again = [row for row in judged if replicates(row)]
    held = sum(bool(row.as_predicted) for row in again)
    unsure = f"; {len(found) - len(judged):,} more had too few samples to judge" if len(judged) < len(found) else ""
    rate = f", {held:,} of them at the rate predicted" if again else ""
    return f"{len(again):,} of {count(len(judged), 'finding')} clearly fail more than the rest again{rate}{unsure}."


def replicates(row: PredictionRow) -> bool:
    """Whether the matching fresh samples do worse than the rest beyond chance (adjusted p at most 0.05)."""
    return row.p is not None and row.p <= 0.05


def prediction_verdict(row: PredictionRow) -> str:
    """What became of a finding; "" for what a person would have picked, which made no claim."""
    if row.kind not in CONFIRMED_KINDS:
        return ""
    if row.as_predicted is None:
        return "too few to judge"
    if not replicates(row):
        return "not clearly worse again"
    return "fails again as predicted" if row.as_predicted else "fails again, at another rate"


def prediction_rows(diagnosis: Diagnosis) -> tuple[PredictionRow, ...]:
    """The rows of the diagnosis' prediction, each cluster by its number and its title; empty if nothing was
    predicted."""
    if diagnosis.prediction is None:
        return ()
    titles = {c.name: cluster_title(diagnosis, c) for c in diagnosis.clusters}
    of = {name: f"Cluster {c.id + 1} ({titles[name]})" for c in diagnosis.clusters if titles[name := c.name] != name}
    return tuple(
        replace(r, text=of[r.text], scope=ALL) if r.kind == "cluster" and r.text in of else r
        for r in diagnosis.prediction.rows
    )


def prediction_name(row: PredictionRow) -> str:
    """Such as "animal: light = dark"; of what is no finding, what it is called and what it is."""
    if row.kind in CONFIRMED_KINDS:
        said = f'"{row.text}"' if row.kind == "phrase" else row.text
        return said if row.scope == ALL or row.scope in row.text else f"{row.scope}: {said}"
    return f"{row.kind[0].upper()}{row.kind[1:]} ({row.text})"
