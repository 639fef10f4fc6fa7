"""What frozen findings said of fresh samples beside what these show, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.numbers import bracketed, count, number, p_value, percent, plural, points
from core.records import EVERYTHING, Diagnosis, Estimate, Measure, Prediction, PredictionRow, Verdict
from core.reports.wording.findings import cluster_title

CONFIRMED_KINDS = ("cluster", "phrase", "condition")
"""The kinds of a prediction's rows that were confirmed before; the others are what a person would have picked."""

WHICH_COUNTS = "Trust the new data over the original p-values: those come from the samples that were searched."
"""Which of two verdicts counts."""


@dataclass(frozen=True, slots=True)
class MeasureStyle:
    """How a predicted figure is written: error rates as percentages, mean losses with the decimals of their spread."""

    measure: Measure
    digits: int
    """Of a loss."""

    @property
    def is_share(self) -> bool:
        return self.measure == "error rate"

    def value(self, value: float | None) -> str:
        if self.is_share:
            return percent(value)
        return number(value, self.digits)

    def interval(self, estimate: Estimate | None) -> str:
        """The interval alone; "" where there is none."""
        if self.is_share:
            return bracketed(estimate, share=True)[1:-1]
        return bracketed(estimate, digits=self.digits)[1:-1]


def prediction_sentence(row: PredictionRow, digits: int = 2) -> str:
    """A frozen finding on new data, such as "Dogs on ice: expected 55% wrong, observed 23 of 40 (58%, 95% CI 43 to
    73%), 10% of the others; adjusted p < 0.001. Holds."

    Args:
        row: one row of a prediction.
        digits: decimals of a loss.
    """
    return f"{prediction_name(row)}: {prediction_figures(row, digits)}"


def prediction_figures(row: PredictionRow, digits: int) -> str:
    """The same without the finding's name."""
    style = MeasureStyle(row.measure, digits)
    expected = f"expected {_amount(style, style.value(row.predicted.value))}"
    if math.isfinite(row.predicted.low) and row.n:
        expected = f"{expected} (95% CI {style.interval(row.expected)} in {count(row.n, 'sample')})"
    if row.not_tried:
        return f"{expected}. Not tested: {row.not_tried}."
    if row.observed is None:
        return f"{expected}. No new sample matches, so nothing is known."
    value = style.value(row.observed.value)
    ci = f"95% CI {style.interval(row.observed)}" if math.isfinite(row.observed.low) else ""
    if style.is_share:
        observed = f"{round(row.observed.value * row.n):,} of {row.n:,} ({', '.join(filter(None, (value, ci)))})"
        preposition = "of"
    else:
        observed = f"{value} on {row.n:,}"
        preposition = "for"
        if ci:
            observed = f"{observed} ({ci})"
    text = f"{expected}, observed {observed}"
    if row.rest is not None:
        text = f"{text}, {style.value(row.rest)} {preposition} the others"
    if row.p is not None:
        text = f"{text}; adjusted {p_value(row.p)}"
    verdict = prediction_verdict(row)
    if not verdict:
        return f"{text}."
    return f"{text}. {verdict[0].upper()}{verdict[1:]}."


def expected_sentence(predicted: Estimate, measure: Measure, digits: int) -> str:
    """What a frozen finding predicts, such as "Expect 55% wrong (45 to 65%)."

    Args:
        digits: decimals of a loss.
    """
    style = MeasureStyle(measure, digits)
    interval = style.interval(predicted)
    if interval:
        interval = f" ({interval})"
    return f"Expect {_amount(style, style.value(predicted.value))}{interval}."


def plain_prediction(row: PredictionRow, digits: int) -> str:
    """What the new samples show beside what was expected, without intervals, errors first where they are known: "Wrong
    on 23 of 40 (58%), the others 10%. Expected 55% wrong."

    Args:
        row: one row of a prediction.
        digits: decimals of a loss.
    """
    style = MeasureStyle(row.measure, digits)
    expected = f"Expected {_amount(style, style.value(row.predicted.value))}"
    if row.not_tried:
        return f"{expected}. Not tested: {row.not_tried}."
    if row.observed is None:
        return f"{expected}. No new sample matches."
    if row.n_wrong is None:
        observed = f"{style.value(row.observed.value)} on {row.n:,}"
        if style.is_share:
            observed = f"{round(row.observed.value * row.n):,} of {row.n:,} ({style.value(row.observed.value)})"
        text = f"{expected}, observed {observed}"
        if row.rest is not None:
            text = f"{text}; the others {style.value(row.rest)}"
        return f"{text}."
    text = f"Wrong on {row.n_wrong:,} of {row.n:,} ({percent(row.n_wrong / row.n)})"
    if row.rest_wrong is not None:
        text = f"{text}, the others {percent(row.rest_wrong)}"
    if not style.is_share:
        expected = f"{expected}, observed {style.value(row.observed.value)}"
    return f"{text}. {expected}."


def _amount(style: MeasureStyle, value: str) -> str:
    if style.is_share:
        return f"{value} wrong"
    return f"mean loss {value}"


def tried_sentence(prediction: Prediction | None) -> str:
    """Beside an answer or tags: that the findings were also checked on new data, which counts more; "" if not."""
    if prediction is None:
        return ""
    return f"The findings were also checked on {fresh_source(prediction)}. Trust those results more (Compare)."


def fresh_source(prediction: Prediction) -> str:
    """Such as "320 held-out samples", or "320 new samples (new.csv)"."""
    if "held-out" in prediction.source:
        return prediction.source
    return f"{count(prediction.n_fresh, 'new sample')} ({prediction.source})"


def replication_sentence(prediction: Prediction) -> str:
    """How many findings hold on new data, and how many of these at the expected rate."""
    findings = [row for row in prediction.rows if row.kind in CONFIRMED_KINDS]
    judged = [row for row in findings if row.as_predicted is not None]
    if not findings:
        return "nothing was confirmed, so nothing was predicted."
    n_untested = sum(row.not_tried is not None for row in findings)
    n_unsure = len(findings) - len(judged) - n_untested
    parts = list[str]()
    if judged:
        parts.append(_holding(judged))
    if n_untested:
        parts.append(f"{_counted(n_untested, parts)} {plural(n_untested, 'was', 'were')} not tested")
    if n_unsure:
        parts.append(f"{_counted(n_unsure, parts)} could not be judged")
    return f"{'; '.join(parts)}."


def _holding(judged: Sequence[PredictionRow]) -> str:
    """Such as "2 of 3 findings hold, 1 at the expected rate"."""
    again = [row for row in judged if replicates(row)]
    n_as_expected = sum(bool(row.as_predicted) for row in again)
    hold = "holds" if 1 in (len(again), len(judged)) else "hold"
    text = f"{len(again):,} of {count(len(judged), 'finding')} {hold}"
    if not again:
        return text
    way = "as expected"
    if all(row.measure == "error rate" for row in judged):
        way = "at the expected rate"
    return f"{text}, {n_as_expected:,} {way}"


def _counted(n: int, before: Sequence[str]) -> str:
    """Such as "4 findings", or "4 more" after others."""
    if before:
        return f"{n:,} more"
    return count(n, "finding")


def replicates(row: PredictionRow) -> bool:
    """Whether the matching fresh samples do worse than the rest beyond chance (adjusted p at most 0.05)."""
    return row.p is not None and row.p <= 0.05


def prediction_verdict(row: PredictionRow) -> str:
    """What became of a finding; "" for what a person would have picked, which made no claim."""
    if row.kind not in CONFIRMED_KINDS:
        return ""
    if row.not_tried:
        return f"not tested: {row.not_tried}"
    if row.as_predicted is None:
        from core.checks.claims import MAX_EXPECTED_WIDTH, MIN_MATCHES  # scipy: not needed to start the page

        if row.n < MIN_MATCHES:
            return f"too few to tell: fewer than {MIN_MATCHES} samples"
        return f"not judged: the expected interval is wider than {points(MAX_EXPECTED_WIDTH)}"
    if not replicates(row):
        if row.observed is not None and row.observed.value < row.expected.low:
            return "does not hold"
        return "not shown again"
    if row.as_predicted:
        return "holds"
    if row.measure == "error rate":
        return "holds, at a different rate"
    return "holds, by a different amount"


def picks_sentence(diagnosis: Diagnosis) -> str:
    """What the rows are that are no findings; "" where there are none."""
    names = dict.fromkeys(row.kind for row in prediction_rows(diagnosis) if row.kind not in CONFIRMED_KINDS)
    if not names:
        return ""
    return f"For comparison only: {', '.join(names)}, as a person would pick samples. They get no verdict."


def row_verdict(row: PredictionRow) -> Verdict:
    """The verdict of a finding's row: confirmed where it holds; "" for what a person would have picked."""
    if row.kind not in CONFIRMED_KINDS:
        return ""
    if row.p is None:
        return "not tested"
    if replicates(row) and row.as_predicted is not None:
        return "confirmed"
    return "not confirmed"


def prediction_rows(diagnosis: Diagnosis) -> tuple[PredictionRow, ...]:
    """The rows of the diagnosis' prediction, each cluster by its number and its title; empty if
    nothing was predicted."""
    if diagnosis.prediction is None:
        return ()
    titles = {c.name: f"Group {c.id + 1} ({cluster_title(diagnosis, c)})" for c in diagnosis.clusters}
    rows = list[PredictionRow]()
    for row in diagnosis.prediction.rows:
        if row.kind == "cluster" and row.text in titles:
            row = replace(row, text=titles[row.text])
        rows.append(row)
    return tuple(rows)


def prediction_name(row: PredictionRow) -> str:
    """Such as "animal: light = dark"; of what is no finding, what it is called and what it is. The title of a cluster
    says its class."""
    if row.kind not in CONFIRMED_KINDS:
        return f"{row.kind[0].upper()}{row.kind[1:]} ({row.text})"
    text = row.text
    if row.kind == "phrase":
        text = f'"{text}"'
    if row.kind == "cluster" or row.scope == EVERYTHING:
        return text
    return f"{row.scope}: {text}"
