"""What frozen findings said of fresh samples beside what these show, in plain sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from core.numbers import bracketed, count, digits_for, number, p_value, percent, with_unit
from core.records import EVERYTHING, Diagnosis, Estimate, Measure, Prediction, PredictionRow
from core.reports.wording.effects import clipped_at
from core.reports.wording.findings import cluster_title

CONFIRMED_KINDS = ("cluster", "phrase", "condition")
"""The kinds of a prediction's rows that were confirmed before; the others are what a person would have picked."""

WHICH_COUNTS = (
    "Where a p of the run, an answer or a tag says another thing, this counts more: those are of the samples that were "
    "searched. Too few fresh samples leave it open."
)
"""Which of two verdicts counts, said where the fresh samples' is shown."""


@dataclass(frozen=True, slots=True)
class MeasureStyle:
    """How a predicted figure is written: error rates as percentages, mean losses with the decimals of their spread."""

    measure: Measure
    digits: int | None

    @classmethod
    def of(cls, diagnosis: Diagnosis, measure: Measure) -> MeasureStyle:
        return cls(measure, None if measure == "error rate" else digits_for(diagnosis.outcomes.loss))

    @property
    def is_share(self) -> bool:
        return self.measure == "error rate"

    def value(self, value: float | None) -> str:
        return percent(value) if self.is_share else number(value, self.digits)

    def interval(self, estimate: Estimate | None) -> str:
        """The interval alone; "" where there is none."""
        return bracketed(estimate, share=self.is_share, digits=self.digits)[1:-1]


def measure_name(diagnosis: Diagnosis, measure: Measure) -> str:
    """Such as "error rate", or "mean cross-entropy, in nats, losses above 3.41 counted as 3.41"."""
    if measure == "error rate":
        return measure
    unit = with_unit(diagnosis)
    return f"mean {diagnosis.outcomes.name}{f', in{unit}' if unit else ''}{clipped_at(diagnosis.outcomes)}"


def prediction_sentence(row: PredictionRow, digits: int = 2) -> str:
    """What a frozen finding said of fresh samples beside what they show.

    Args:
        row: one row of a prediction.
        digits: decimals of a loss.
    """
    style = MeasureStyle(row.measure, None if row.measure == "error rate" else digits)
    value = style.value
    span = style.interval
    what = "wrong" if style.is_share else "mean loss"
    start = f"{prediction_name(row)}: {count(row.n, 'fresh sample')}"
    if row.not_tried:
        expected = f"{value(row.predicted.value)} {what} was predicted"
        return f"{prediction_name(row)}: not tried, since {row.not_tried}; {expected}."
    if row.observed is None:
        none = f"{prediction_name(row)}: no fresh sample could be set beside it"
        return f"{none}, so nothing can be said; {value(row.predicted.value)} {what} was predicted."
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
    verdict = prediction_verdict(row)
    return (
        f"{start}; {value(row.predicted.value)} {what} was predicted{expected} and "
        f"{seen}{rest}{chance}{f': {verdict}' if verdict else ''}."
    )


def tried_sentence(prediction: Prediction | None) -> str:
    """Beside an answer or tags: that the findings were tried on fresh samples too, and that this counts; "" if not."""
    if prediction is None:
        return ""
    return (
        f"This is of the samples that were searched. The findings were tried on {fresh_source(prediction)} too, and "
        "what those show counts more (Predict)."
    )


def fresh_source(prediction: Prediction) -> str:
    """Such as "320 held-back samples", or "320 fresh samples (new.csv)"."""
    if "held-back" in prediction.source:
        return prediction.source
    return f"{count(prediction.n_fresh, 'fresh sample')} ({prediction.source})"


def replication_sentence(prediction: Prediction) -> str:
    """How many of the findings do worse than the rest again, each in the measure that it was found in, and how many of
    these as they had predicted."""
    found = [row for row in prediction.rows if row.kind in CONFIRMED_KINDS]
    judged = [row for row in found if row.as_predicted is not None]
    if not found:
        return "nothing was confirmed, so nothing was predicted."
    again = [row for row in judged if replicates(row)]
    held = sum(bool(row.as_predicted) for row in again)
    unsure = f"; {len(found) - len(judged):,} more could not be judged" if len(judged) < len(found) else ""
    measures: list[Measure] = [row.measure for row in found]
    both = len(set(measures)) > 1
    (one, many), said = _TOLD_OF_BOTH if both else _TOLD[measures[0]]
    worse = one if 1 in (len(again), len(judged)) else many
    rate = f", {held:,} of them {said}" if again else ""
    if len(judged) == len(again) == 1:
        rate = f", {'' if held else 'not '}{said}"
    return f"{len(again):,} of {count(len(judged), 'finding')} clearly {worse} again{rate}{unsure}."


_TOLD: dict[Measure, tuple[tuple[str, str], str]] = {
    "error rate": (("fails more than the rest", "fail more than the rest"), "at the rate predicted"),
    "mean loss": (
        ("has a higher mean loss than the rest", "have a higher mean loss than the rest"),
        "as high as predicted",
    ),
}
"""What is said of one finding and of several, and how of those that came as predicted."""
_BOTH = "than the rest (in error rate or mean loss, as each was found)"
_TOLD_OF_BOTH = ((f"does worse {_BOTH}", f"do worse {_BOTH}"), "as much as predicted")


def replicates(row: PredictionRow) -> bool:
    """Whether the matching fresh samples do worse than the rest beyond chance (adjusted p at most 0.05)."""
    return row.p is not None and row.p <= 0.05


def prediction_verdict(row: PredictionRow) -> str:
    """What became of a finding; "" for what a person would have picked, which made no claim."""
    if row.kind not in CONFIRMED_KINDS:
        return ""
    if row.not_tried:
        return f"not tried: {row.not_tried}"
    if row.as_predicted is None:
        return "too few to judge"
    if not replicates(row):
        less = row.observed is not None and row.observed.value < row.expected.low
        return "not clearly worse again, less than was predicted" if less else "not clearly worse again"
    if row.measure == "mean loss":
        return "worse again as predicted" if row.as_predicted else "worse again, by another amount"
    return "fails again as predicted" if row.as_predicted else "fails again, at another rate"


def prediction_rows(diagnosis: Diagnosis) -> tuple[PredictionRow, ...]:
    """The rows of the diagnosis' prediction, each cluster by its number and its title; empty if
    nothing was predicted."""
    made = diagnosis.prediction
    if made is None:
        return ()
    of = {c.name: f"Cluster {c.id + 1} ({cluster_title(diagnosis, c)})" for c in diagnosis.clusters}
    return tuple(replace(r, text=of[r.text]) if r.kind == "cluster" and r.text in of else r for r in made.rows)


def prediction_name(row: PredictionRow) -> str:
    """Such as "animal: light = dark"; of what is no finding, what it is called and what it is. The title of a cluster
    says its class."""
    if row.kind in CONFIRMED_KINDS:
        said = f'"{row.text}"' if row.kind == "phrase" else row.text
        own = row.kind == "cluster" or row.scope == EVERYTHING or row.scope in row.text
        return said if own else f"{row.scope}: {said}"
    return f"{row.kind[0].upper()}{row.kind[1:]} ({row.text})"
