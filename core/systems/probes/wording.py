"""Results of probes in plain sentences: one wording for the command line, the report and the page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.checks.paired_errors import ALPHA
from core.numbers import UNDEFINED, count, either, interval, p_value, percent, points
from core.records import Estimate
from core.reports.wording.comparison import share
from core.systems.probes.records import Choice, Control, ProbeResult, Support

if TYPE_CHECKING:
    from core.systems.probes.shot_curves import ShotCurve, ShotCurves

HOW = {"fixed": "the method's default", "validation": "chosen on validation rows", "given": "set by you"}
HALVES = {"1": "first", "2": "second"}
"""By the number of the part that was scored. Rows are only ever divided into halves (`core.systems.probes.splits`)."""
MAX_WHOLE = 10**6
"""Whole numbers from here on are written with three significant digits."""


def accuracy_sentence(result: ProbeResult) -> str:
    """The probe's accuracy, its calibration error, and the rows it learned from."""
    return (
        f"{result.name} is right on {share(result.accuracy)} of {count(len(result.rows), result.modality)}; "
        f"calibration error {share(result.calibration_error)}. {result.split}"
    )


def control_sentence(control: Control) -> str:
    """A control's accuracy, and the probe's gain over it."""
    times = ""
    if control.repeats > 1:
        times = f", mean of {control.repeats} repeats{spread_words(control)}"
    gain = f"{gain_words(control.gain)}, {p_value(control.p)}"
    return f"{control.name}{times}: right on {share(control.accuracy)}; the probe's gain over it: {gain}"


def spread_words(control: Control) -> str:
    """The spread of a control's repeats, such as " (SD 2.4 points, 68 to 75%)"; "" for a single repeat."""
    if len(control.each) < 2:
        return ""
    values = [value for _, value in control.each]
    return f" (SD {points(control.spread)}, {percent(min(values))} to {percent(max(values))})"


def choice_sentence(choice: Choice) -> str:
    """A setting of the probe, and how it was chosen."""
    return f"{choice_name(choice.name)} = {choice_value(choice)} ({HOW[choice.how]})"


def choice_value(choice: Choice) -> str:
    """At most three significant digits, a whole number in full: "1.57", "0.00316", "1,240"."""
    if choice.value == round(choice.value) and abs(choice.value) < MAX_WHOLE:
        return f"{choice.value:,.0f}"
    return f"{choice.value:.3g}"


def choice_name(name: str) -> str:
    """The display name of a setting or detail: "alpha, part 1" of the JSON becomes "alpha for the first half"; other
    names stay."""
    of, comma, part = name.rpartition(", part ")
    if comma and part in HALVES:
        return f"{of} for the {HALVES[part]} half"
    return name


def probe_lines(result: ProbeResult) -> list[str]:
    """A probe's accuracy, and its notes."""
    return [accuracy_sentence(result), *(f"  {note}" for note in probe_notes(result))]


def probe_notes(result: ProbeResult) -> list[str]:
    """Controls, chosen settings, what a probe learned from, rows without a score, and notes."""
    notes = [f"Control, {control_sentence(control)}." for control in result.controls]
    if result.choices:
        notes.append(f"Settings: {'; '.join(choice_sentence(c) for c in result.choices)}.")
    if result.support is not None:
        notes.append(f"Learned from {support_sentence(result.support, result.modality)}.")
    if result.excluded:
        notes.append(f"{count(len(result.excluded), 'row')} not scored. The first: {result.excluded[0][1]}.")
    return notes + [f"Note: {note}" for note in result.notes]


CURVE_COLUMNS = ("Shots a class", "Labels a class", "Right on", "Over zero-shot", "Over fewer shots")
CURVES_NOTE = (
    "The probe learns from these labels, not the model of the run. Labels count the shots and the {what}s on which a "
    "probe chose its settings; some classes may have fewer. The intervals are over {what}s: another seed draws "
    "other shots, which may move a whole curve."
)


def curves_lead(rows: ShotCurves) -> str:
    """The rows that the curves share."""
    return f"All are scored on the same {count(rows.n, rows.modality)}. {rows.split}"


def curve_sentence(curve: ShotCurve) -> str:
    """Accuracy with the fewest and the most shots, the numbers shown to beat zero-shot, and the last step shown to
    help."""
    first = curve.points[0]
    last = curve.points[-1]
    without = ""
    if curve.zero_shot is not None:
        without = f", zero-shot on {percent(curve.zero_shot.value)}"
    return (
        f"{curve.name} is right on {share(first.accuracy)} with {count(first.shots, 'shot')} a class and on "
        f"{share(last.accuracy)} with {last.shots}{without}. {_over_zero_shot(curve)}{_last_step(curve)}"
    )


def _over_zero_shot(curve: ShotCurve) -> str:
    better: list[str] = []
    worse: list[str] = []
    for p in curve.points:
        if p.gain and (p.gain_p or 0.0) <= ALPHA:
            side = better if p.gain.value > 0 else worse
            side.append(str(p.shots))
    shown: list[str] = []
    if better:
        shown.append(f"beats zero-shot with {either(better, 'and')}")
    if worse:
        shown.append(f"is worse than zero-shot with {either(worse, 'and')}")
    if shown:
        return f"It {' and '.join(shown)}. "
    if curve.zero_shot is None:
        return ""
    return "No number of shots shows a difference from zero-shot. "


def _last_step(curve: ShotCurve) -> str:
    for more, fewer in pairwise(reversed(curve.points)):
        if more.step and more.step_p is not None and more.step_p <= ALPHA and more.step.value > 0:
            return f"The last step shown to help is from {fewer.shots} to {more.shots}."
    return "No single step is shown to help."


def curve_cells(curve: ShotCurve) -> list[tuple[str, ...]]:
    """A row of cells below `CURVE_COLUMNS` for each number of shots; zero-shot, with 0 shots, comes first."""
    cells: list[tuple[str, ...]] = []
    if curve.zero_shot is not None:
        cells.append(("0", "0", share(curve.zero_shot), UNDEFINED, UNDEFINED))
    for p in curve.points:
        labelled = UNDEFINED if p.labelled is None else f"{p.labelled:,}"
        over = [_tested_gain(p.gain, p.gain_p), _tested_gain(p.step, p.step_p)]
        cells.append((f"{p.shots:,}", labelled, share(p.accuracy), *over))
    return cells


def _tested_gain(gain: Estimate | None, p: float | None) -> str:
    if gain is None:
        return UNDEFINED
    return f"{gain_words(gain)}, {p_value(p)}"


def curve_lines(curves: Sequence[ShotCurves]) -> list[str]:
    """Each curve's sentence, and an aligned line for each number of shots."""
    lines: list[str] = []
    for rows in curves:
        lines += ["How many labeled samples?", curves_lead(rows)]
        for curve in rows.curves:
            table = [CURVE_COLUMNS, *curve_cells(curve)]
            widths = [max(len(row[i]) for row in table) + 2 for i in range(len(CURVE_COLUMNS))]
            lines.append(curve_sentence(curve))
            lines += ["  " + "".join(f"{cell:<{w}}" for cell, w in zip(row, widths)).rstrip() for row in table]
        lines.append(CURVES_NOTE.format(what=rows.modality))
    return lines


def support_sentence(support: Support, noun: str = "image") -> str:
    """Number and source of the support images, such as "32 and 32 images, one set for each half: 4 shots a class"."""
    parts = np.bincount(support.folds)
    images = count(len(support.ids), noun)
    if len(parts) == 2:
        images = f"{parts[0]:,} and {parts[1]:,} {noun}s, one set for each half"
    return f"{images}: {support.source or 'shots'}"


def gain_words(gain: Estimate) -> str:
    """Such as "+4 points (+1.0 to +7.0)"."""
    return f"{points(gain.value, sign=True)} ({interval(gain, points=True)})"
