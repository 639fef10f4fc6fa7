"""Probes and comparisons in plain sentences: one wording for the command line, the report and the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.checks.paired_errors import ALPHA, MARGIN, MODEL
from core.numbers import PER_CENT, UNDEFINED, count, either, interval, number, p_value, percent, points, with_interval
from core.records import OWN, Choice, Comparison, Control, Diagnosis, Estimate, FourWay, ProbeResult, Support
from core.reports.wording.findings import cluster_title

if TYPE_CHECKING:
    from core.probes.ladder.reproduce import LadderRow
    from core.probes.shot_curves import ShotCurve, ShotCurves

HOW = {"fixed": "the method's default", "validation": "chosen on validation rows", "given": "given"}
HALVES = {"1": "first", "2": "second"}
"""By the number of the part that was scored. Rows are only ever divided into halves (`core.probes.splits`)."""
MAX_WHOLE = 10**6
VERDICTS = {
    "fixed": "better: {b} is wrong less often here",
    "partly": "better: {b} is wrong less often here, yet more often than elsewhere",
    "same": "the same: {b} fails here as {a} does, within {margin}",
    "shared": "shared: {b} too does worse here than elsewhere",
    "own": "own to {a}: its errors rise here more than those of {b}, which is not known to do "
    "worse here than elsewhere",
    "broken": "broken: {b} is worse here",
    "open": "open: too little to tell",
}
BLIND = "open: {b} is not shown to be much better than chance, so it says nothing of what is hard here"
UNTESTED = "open: not tested"
"""Of a scope with too few rows, or of models that are judged by different truths."""


def model_name(name: str, diagnosis: Diagnosis | None = None) -> str:
    """What a model is called in a sentence: "your model", or the probe that the run is about."""
    if name != MODEL:
        return name
    return "your model" if diagnosis is None else str(diagnosis.extras.get(OWN, "your model"))


def share(estimate: Estimate | None) -> str:
    """Such as "43 % (40 to 46 %)"; a dash where there is none."""
    return with_interval(estimate, share=True)


def accuracy_sentence(result: ProbeResult) -> str:
    """How often the probe is right, and which rows it learned from."""
    return (
        f"{result.name} is right on {share(result.accuracy)} of {count(len(result.rows), result.modality)}; "
        f"calibration error {share(result.calibration_error)}. {result.split}"
    )


def control_sentence(control: Control) -> str:
    """What the probe scores without the thing that is said to help."""
    gain, times = (
        control.gain,
        "" if control.repeats == 1 else f", mean of {control.repeats} repeats{spread_words(control)}",
    )
    change = f"{_gain(gain)}, {p_value(control.p)}"
    return f"{control.name}{times}: right on {share(control.accuracy)}; the probe's gain over it: {change}"


def spread_words(control: Control) -> str:
    """How far the repeats of a control lie apart, such as " (SD 2.4 points, 68 to 75 %)"; "" where it has none."""
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


def overall_sentences(found: Comparison, diagnosis: Diagnosis | None = None, noun: str = "image") -> tuple[str, ...]:
    """The two accuracies, the four counts, and what follows.

    Args:
        noun: what is counted, where there is no diagnosis to say it.
    """
    noun = noun if diagnosis is None else diagnosis.samples.modality
    a, b, all_rows = model_name(found.a, diagnosis), model_name(found.b, diagnosis), found.overall
    difference = all_rows.difference
    if all_rows.verdict in ("fixed", "broken"):
        better, worse = (b, a) if all_rows.verdict == "fixed" else (a, b)
        said = f"{better} is right more often than {worse}"
    else:
        said = f"no difference between {a} and {b} {'can be told' if all_rows.p is not None else 'was tested for'}"
    tested = "not tested" if all_rows.p is None else f"McNemar {p_value(all_rows.p)}"
    change = f"{points(difference.value, sign=True)} for {b} ({_span(difference)}), {tested}"
    rates = f"{a} is right on {share(found.accuracy_a)} and {b} on {share(found.accuracy_b)}"
    counts = (
        f"{b} fixes {all_rows.fixed:,}, breaks {all_rows.broken:,}, fails with {a} on {all_rows.both:,} "
        "and is right with it on"
    )
    together = (
        f" Agreement of their failures beyond chance (kappa): {number(found.agreement, 2)}."
        if math.isfinite(found.agreement)
        else ""
    )
    return (
        f"On the same {count(all_rows.n, noun)} {rates}: {said} ({change}).",
        f"{counts} {all_rows.neither:,}.{together}",
    )


def verdict_words(
    found: Comparison, scope: FourWay, diagnosis: Diagnosis | None = None, *, figures: bool = True
) -> str:
    """The verdict on one class or cluster; for the words of one run also the figure that it rests on, unless figures
    stand beside it."""
    if scope.p is None and scope.verdict == "open":
        return UNTESTED
    a, b = model_name(found.a, diagnosis), model_name(found.b, diagnosis)
    blind = scope.blind and scope.verdict == "open"
    said = (BLIND if blind else VERDICTS[scope.verdict]).format(a=a, b=b, margin=points(MARGIN))
    if scope.verdict == "shared" and scope.p is not None and scope.p <= ALPHA and scope.difference.value < 0:
        said = f"shared, and worse: {b} does worse here than {a}, and than it does elsewhere"
    ground = {"own": scope.excess_gap, "shared": scope.shares, "partly": scope.shares, "same": scope.difference}.get(
        scope.verdict
    )
    if diagnosis is not None and figures and ground is not None:
        said += f" ({points(ground.value, sign=True)}, {_span(ground)})"
    return said.removesuffix(" here") if scope.kind == "all" else said


def scope_title(diagnosis: Diagnosis, scope: FourWay) -> str:
    """A cluster by its number and title, a class by its name."""
    cluster = next((c for c in diagnosis.clusters if c.id == scope.cluster), None)
    return scope.scope if cluster is None else f"{cluster.id + 1}. {cluster_title(diagnosis, cluster)}"


def comparison_lines(diagnosis: Diagnosis, found: Comparison) -> list[str]:
    """Both sentences, then an aligned line for each cluster and each class that differs."""
    lines = list(overall_sentences(found, diagnosis))
    if found.clusters:
        lines += _table("By failure cluster", diagnosis, found, found.clusters)
    told = [f for f in found.classes if f.verdict != "open"]
    if told:
        lines += _table("By class, where they differ", diagnosis, found, tuple(told))
    elif found.classes:
        lines.append("No single class differs beyond chance.")
    return lines + [f"Note: {note}" for note in found.notes]


def _table(head: str, diagnosis: Diagnosis, found: Comparison, scopes: tuple[FourWay, ...]) -> list[str]:
    titles = [scope_title(diagnosis, f) for f in scopes]
    width = min(48, max(len(head), *(len(t) + 2 for t in titles)))
    columns = (f"{diagnosis.samples.modality}s", "fixed", "broken", "both", "neither")
    lines = [f"{head:<{width}}" + "".join(f"{name:>9}" for name in columns)]
    for title, f in zip(titles, scopes):
        shown = f"  {title}" if len(title) + 2 <= width else f"  {title[: width - 3]}…"
        lines.append(
            f"{shown:<{width}}"
            + "".join(f"{n:>9,}" for n in (f.n, f.fixed, f.broken, f.both, f.neither))
            + f"  {verdict_words(found, f, diagnosis)}"
        )
    return lines


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
    first, last = curve.points[0], curve.points[-1]
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
            UNDEFINED if p.gain is None else f"{_gain(p.gain)}, {p_value(p.gain_p)}",
            UNDEFINED if p.step is None else f"{_gain(p.step)}, {p_value(p.step_p)}",
        )
        for p in curve.points
    ]


def curve_lines(found: Sequence[ShotCurves]) -> list[str]:
    """Each curve's sentence, and an aligned line for each number of shots."""
    lines: list[str] = []
    for rows in found:
        lines += ["How many labelled samples?", curves_lead(rows)]
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


def reproduction_lines(rows: Sequence[LadderRow]) -> list[str]:
    """An aligned line for each figure: mean over seeds with its interval, the gain over zero-shot, and what the papers
    say; below it how their figure came about and what is done otherwise here."""
    from core.probes.ladder.steps import NO_DRAW

    titles = [
        ", ".join(p for p in (r.step, "" if r.shots is None else count(r.shots, "shot"), _metric(r)) if p) for r in rows
    ]
    width = max([len(t) for t in titles], default=0) + 2
    lines: list[str] = []
    for title, row in zip(titles, rows):
        if row.value is None:
            lines.append(f"{title:<{width}}{row.note}")
            continue
        gain = row.gains.get("zero-shot")
        over = "" if gain is None else f"; over zero-shot {_gain(gain)}"
        papers = f"; published: {'; '.join(row.published)}" if row.published else ""
        lines.append(f"{title:<{width}}{share(row.value)}{over}{papers}")
        lines += [f"    published: {row.protocol}."] if row.protocol else []
        lines += [f"    here: {'; '.join(row.here)}."] if row.here else []
        note = row.note.removeprefix(NO_DRAW).strip()
        lines += [f"    note: {note}"] if note else []
    return lines


def _metric(row: LadderRow) -> str:
    named = "" if row.metric in ("", "accuracy") else row.metric
    return named if row.setting == "all classes" else ", ".join(p for p in (row.setting, named) if p)


def _gain(gain: Estimate) -> str:
    """Such as "+4 points (1 to 7)"."""
    return f"{points(gain.value, sign=True)} ({_span(gain)})"


def _span(estimate: Estimate) -> str:
    return interval(estimate, share=True).removesuffix(PER_CENT)
