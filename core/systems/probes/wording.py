"""Probes and comparisons in plain sentences: one wording for the command line, the report and the page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.checks.paired_errors import ALPHA
from core.numbers import UNDEFINED, count, either, p_value, percent, points
from core.records import Estimate
from core.reports.wording.comparison import share, span
from core.systems.probes.records import Choice, Control, ProbeResult, Support

if TYPE_CHECKING:
    from core.systems.probes.shot_curves import ShotCurve, ShotCurves

HOW = {"fixed": "the method's default", "validation": "chosen on validation rows", "given": "given"}
HALVES = {"1": "first", "2": "second"}
"""By the number of the part that was scored. Rows are only ever divided into halves (`core.systems.probes.splits`)."""
MAX_WHOLE = 10**6


def accuracy_sentence(result: ProbeResult) -> str:
    """How often the probe is right, and which rows it learned from."""
    return (
        f"{result.name} is right on {share(result.accuracy)} of {count(len(result.rows), result.modality)}; "
        f"calibration error {share(result.calibration_error)}. {result.split}"
    )


def control_sentence(control: Control) -> str:
    """What the probe scores without the thing that is said to help."""
    gain = control.gain
    times = "" if control.repeats == 1 else f", mean of {control.repeats} repeats{spread_words(control)}"
    change = f"{gain_words(gain)}, {p_value(control.p)}"
    return f"{control.name}{times}: right on {share(control.accuracy)}; the probe's gain over it: {change}"


def spread_words(control: Control) -> str:
    """How far the repeats of a control lie apart, such as " (SD 2.4 points, 68 to 75%)"; "" where it has none."""
    if len(control.each) < 2:
        return ""
    values = [value for _, value in control.each]
    return f" (SD {points(control.spread)}, {percent(min(values))} to {percent(max(values))})"


def choice_sentence(choice: Choice) -> str:
    """A number that the probe worked with, and how it was chosen."""
    return f"{choice_name(choice.name)} = {choice_value(choice)} ({HOW[choice.how]})"


def choice_value(choice: Choice) -> str:
    """At most three significant digits, a whole number in full: "1.57", "0.00316", "1,240"."""
    if choice.value == round(choice.value) and abs(choice.value) < MAX_WHOLE:
        return f"{choice.value:,.0f}"
    return f"{choice.value:.3g}"


def choice_name(name: str) -> str:
    """A number or a detail that each part of the samples has of its own: "alpha, part 1", as the JSON says, is "alpha
    for the first half"; any other name as it is."""
    of, comma, part = name.rpartition(", part ")
    return f"{of} for the {HALVES[part]} half" if comma and part in HALVES else name


def probe_lines(result: ProbeResult) -> list[str]:
    """Accuracy, controls, choices and notes of one probe."""
    lines = [accuracy_sentence(result)]
    lines += [f"  Control, {control_sentence(control)}." for control in result.controls]
    if result.choices:
        lines.append(f"  Numbers: {'; '.join(choice_sentence(c) for c in result.choices)}.")
    if result.support is not None:
        lines.append(f"  Learned from {support_sentence(result.support, result.modality)}.")
    if result.excluded:
        lines.append(f"  {count(len(result.excluded), 'row')} not scored; the first: {result.excluded[0][1]}.")
    return lines + [f"  Note: {note}" for note in result.notes]


CURVE_COLUMNS = ("Shots a class", "Labels a class", "Right on", "Over zero-shot", "Over the number before")
CURVES_NOTE = (
    "What learns is the probe, not the model of the run. Labels count the shots and those by which a probe chose its "
    "numbers; a class that has fewer gives those. The intervals are over {what}s: another seed draws other shots, "
    "which may move a whole curve."
)


def curves_lead(rows: ShotCurves) -> str:
    """What the curves have in common."""
    return f"All are scored on the same {count(rows.n, rows.modality)}. {rows.split}"


def curve_sentence(curve: ShotCurve) -> str:
    """What the fewest and the most shots give, with how many zero-shot is shown to be passed, and up to which number
    more of them are shown to help."""
    first = curve.points[0]
    last = curve.points[-1]
    without = "" if curve.zero_shot is None else f", zero-shot on {percent(curve.zero_shot.value)}"
    return (
        f"{curve.name} is right on {share(first.accuracy)} with {count(first.shots, 'shot')} a class and on "
        f"{share(last.accuracy)} with {last.shots}{without}. {_over_zero_shot(curve)}{_last_step(curve)}"
    )


def _over_zero_shot(curve: ShotCurve) -> str:
    known = [(str(p.shots), p.gain.value > 0) for p in curve.points if p.gain and (p.gain_p or 0.0) <= ALPHA]
    said = [
        f"{word} than zero-shot with {either(numbers, 'and')}"
        for word, wanted in (("better", True), ("worse", False))
        if (numbers := [shots for shots, is_more in known if is_more == wanted])
    ]
    if not said:
        return "" if curve.zero_shot is None else "With no number is it shown to differ from zero-shot. "
    return f"It is shown to be {' and '.join(said)}. "


def _last_step(curve: ShotCurve) -> str:
    for more, fewer in pairwise(reversed(curve.points)):
        if more.step and more.step_p is not None and more.step_p <= ALPHA and more.step.value > 0:
            return f"From one number to the next, the last step shown to help is from {fewer.shots} to {more.shots}."
    return "No single step from one number to the next is shown to help."


def curve_cells(curve: ShotCurve) -> list[tuple[str, ...]]:
    """For each number of shots what stands below `CURVE_COLUMNS`; zero-shot, which takes none, comes first."""
    zero = [] if curve.zero_shot is None else [("0", "0", share(curve.zero_shot), UNDEFINED, UNDEFINED)]
    return zero + [
        (
            f"{p.shots:,}",
            UNDEFINED if p.labelled is None else f"{p.labelled:,}",
            share(p.accuracy),
            UNDEFINED if p.gain is None else f"{gain_words(p.gain)}, {p_value(p.gain_p)}",
            UNDEFINED if p.step is None else f"{gain_words(p.step)}, {p_value(p.step_p)}",
        )
        for p in curve.points
    ]


def curve_lines(found: Sequence[ShotCurves]) -> list[str]:
    """Each curve's sentence, and an aligned line for each number of shots."""
    lines: list[str] = []
    for rows in found:
        lines += ["How many labeled samples?", curves_lead(rows)]
        for curve in rows.curves:
            table = [CURVE_COLUMNS, *curve_cells(curve)]
            widths = [max(len(row[i]) for row in table) + 2 for i in range(len(CURVE_COLUMNS))]
            lines.append(curve_sentence(curve))
            lines += ["  " + "".join(f"{cell:<{w}}" for cell, w in zip(row, widths)).rstrip() for row in table]
        lines.append(CURVES_NOTE.format(what=rows.modality))
    return lines


def support_sentence(support: Support, noun: str = "image") -> str:
    """How many images were learned from, in each part where there are several; such as "32 images in each of 2 parts: 4
    shots a class"."""
    parts = np.bincount(support.folds)
    each = (
        f"{parts[0]:,} and {parts[1]:,} {noun}s, one set for each half"
        if len(parts) == 2
        else count(len(support.ids), noun)
    )
    return f"{each}: {support.source or 'shots'}"


def gain_words(gain: Estimate) -> str:
    """Such as "+4 points (1 to 7)"."""
    return f"{points(gain.value, sign=True)} ({span(gain)})"
