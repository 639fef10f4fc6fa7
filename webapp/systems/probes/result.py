"""A probe's result: its accuracy, compared with the user's model, its controls and earlier probes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations
from typing import Any

import numpy as np

from core.numbers import count, number, percent, with_interval
from core.records import Bool, Comparison, Diagnosis, Estimate
from core.reports.html.intervals import Axis, DotChart, Mark, axis_of, dot_chart, dots
from core.systems.probes.records import Control, ProbeResult
from webapp.markup.shares import ALPHA, is_own, own_model
from webapp.markup.two_models import counted_kinds, four_way_view
from webapp.systems.probes.classes import classes_view, confusion_view, reliability_view
from webapp.systems.probes.learned import learned_view
from webapp.systems.probes.render import render

CONTROLS = {"zero-shot": "Zero-shot with the same texts"}


def result_view(
    diagnosis: Diagnosis, results: Sequence[ProbeResult], result: ProbeResult, comparison: Comparison | None
) -> str:
    """The whole result of one probe: headline, controls, settings, and the panels below."""
    classes = [classes_view(diagnosis, result, comparison), confusion_view(result)]
    every = [table_view(diagnosis, results, result), matrix_view(diagnosis, results)]
    panels = [
        ("probe-beside", f"Beside {own_model(diagnosis).name}", [beside_view(diagnosis, result, comparison)]),
        ("probe-classes", "By class", classes),
        ("probe-calibration", "Calibration", [reliability_view(diagnosis, result)]),
        ("probe-learned", "Texts and support", [learned_view(result)]),
    ]
    shots = shots_view(diagnosis, result)
    if shots:
        panels.append(("probe-shots", "By shots", [shots]))
    panels.append(("probe-all", f"All results ({len(results)})", every))
    return render("result.html.j2", head=headline_view(diagnosis, result, comparison), panels=panels)


def shots_view(diagnosis: Diagnosis, result: ProbeResult) -> str:
    """The learning curves with this result and others on the same rows; "" without any."""
    from core.systems.probes.shot_charts import shot_charts
    from core.systems.probes.shot_curves import shot_curves

    for rows in shot_curves(diagnosis):
        points = chain.from_iterable(curve.points for curve in rows.curves)
        if any(point.result == result.name for point in points):
            return render("shots.html.j2", charts=shot_charts([rows]))
    return ""


def beside_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """The user's model and the probe by failure cluster; the probe alone if the two cannot be compared."""
    if comparison is not None:
        return four_way_view(diagnosis, comparison)
    kinds = counted_kinds(diagnosis, result, "all")
    return render("alone.html.j2", is_own=is_own(diagnosis, result.name), kinds=kinds)


def headline_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """Accuracy with its interval, the user's model and the controls on one axis, settings and notes."""
    from core.reports.wording.comparison import overall_sentences  # scipy
    from core.systems.probes.wording import HOW, choice_name, choice_value, spread_words

    if comparison is not None:
        beside = overall_sentences(comparison, diagnosis)[0]
    elif is_own(diagnosis, result.name):
        beside = "The model of this run is this probe itself."
    else:
        beside = "Your table has only losses, so your model's errors are unknown and cannot be compared."
    return render(
        "headline.html.j2",
        result=result,
        beside=beside,
        chart=_chart(diagnosis, result, comparison),
        gains=[(control, spread_words(control), *_gain(control)) for control in result.controls],
        choices=[(choice_name(c.name), choice_value(c), HOW[c.how]) for c in result.choices],
        lines=_notes(result),
    )


def _chart(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> DotChart:
    others: list[tuple[str, Estimate]] = []
    if comparison is not None:
        others.append((own_model(diagnosis).title, comparison.accuracy_a))
    others += [(control_name(c), c.accuracy) for c in result.controls]
    marks = [Mark(result.accuracy, "observed", "This probe", with_interval(result.accuracy, share=True))]
    marks += [Mark(e, "read", label, with_interval(e, share=True)) for label, e in others]
    return dot_chart(marks, axis_of(marks, least=0.0, most=1.0), percent)


def control_name(control: Control) -> str:
    """The display name of a control (plain text)."""
    name = CONTROLS.get(control.name, control.name[:1].upper() + control.name[1:])
    if control.repeats > 1:
        return f"{name}, mean of {control.repeats}"
    return name


def _gain(control: Control) -> tuple[str, str]:
    """(color, verdict) of the probe's gain over a control."""
    if control.p > ALPHA:
        return "unsure", "no gain shown"
    if control.gain.value > 0:
        return "held", "gain"
    return "partly", "loss"


def _notes(result: ProbeResult) -> list[str]:
    """The split, notes, unscored rows, encoder and time."""
    lines = [result.split, *result.notes]
    if result.excluded:
        sample, reason = result.excluded[0]
        lines.append(f"{count(len(result.excluded), result.modality)} not scored, for example {sample}: {reason}.")
    return [*lines, f"Encoder: {result.encoder}. {cpu(result.seconds)} CPU seconds."]


def table_view(diagnosis: Diagnosis, results: Sequence[ProbeResult], shown: ProbeResult) -> str:
    """Every probe of this run, one a line; a press shows one."""
    from core.statistics.intervals import accuracy_of

    accuracies = [r.accuracy for r in results]
    model = None
    if diagnosis.outcomes.errors is not None and _is_other(diagnosis, results):
        model = accuracy_of(diagnosis.outcomes.errors, diagnosis.samples.groups)
        accuracies.append(model)
    axis = axis_of([Mark(e) for e in accuracies], least=0.0, most=1.0)
    return render(
        "results.html.j2",
        own=model and {"accuracy": model, "dots": dots([Mark(model)], axis)},
        rows=[_line(diagnosis, r, axis) for r in results],
        shown=shown.name,
        low=percent(axis[0]),
        high=percent(axis[1]),
        mine=own_model(diagnosis),
    )


def _is_other(diagnosis: Diagnosis, results: Sequence[ProbeResult]) -> bool:
    """Whether the run's model is not among these probes, so that it needs its own line."""
    return not any(is_own(diagnosis, r.name) for r in results)


def _line(diagnosis: Diagnosis, r: ProbeResult, axis: Axis) -> dict[str, Any]:
    """One probe in the table of all."""
    return {
        "result": r,
        "dots": dots([Mark(r.accuracy)], axis),
        "over_zero_shot": next((c.gain for c in r.controls if c.name == "zero-shot"), None),
        "over_model": _difference(diagnosis, r),
        "seconds": cpu(r.seconds),
    }


def cpu(seconds: float) -> str:
    """CPU seconds, rounded (plain text)."""
    if seconds < 0.1:
        return "Under 0.1"
    return number(seconds)


def _difference(diagnosis: Diagnosis, r: ProbeResult) -> Estimate | None:
    """The probe's accuracy minus the model's; None if either has no errors."""
    from core.statistics.paired import paired_difference
    from core.systems.probes.measures import groups_of

    model_errors = diagnosis.outcomes.errors
    errors = r.outcomes.errors
    if model_errors is None or errors is None:
        return None
    return paired_difference(model_errors[r.rows], errors, groups_of(diagnosis, r))


def matrix_view(diagnosis: Diagnosis, results: Sequence[ProbeResult]) -> str:
    """Accuracy differences of any two models on the rows that both scored, p by McNemar, Holm over all pairs."""
    sides: list[tuple[str, np.ndarray, Bool]] = []
    if diagnosis.outcomes.errors is not None and _is_other(diagnosis, results):
        sides.append((own_model(diagnosis).name, np.arange(len(diagnosis.samples)), diagnosis.outcomes.errors))
    sides += [(r.name, r.rows, r.outcomes.errors) for r in results if r.outcomes.errors is not None]
    cells: dict[tuple[int, int], tuple[float, float]] = {}
    if len(sides) > 2:
        cells = _pairs(diagnosis, sides)
        cells |= {(j, i): (-gap, p) for (i, j), (gap, p) in cells.items()}
    rows = [[cells.get((i, j)) for j in range(len(sides))] for i in range(len(sides))]
    return render("matrix.html.j2", names=[name for name, _, _ in sides], rows=rows, alpha=ALPHA)


def _pairs(
    diagnosis: Diagnosis, sides: Sequence[tuple[str, np.ndarray, Bool]]
) -> dict[tuple[int, int], tuple[float, float]]:
    """{(i, j): (accuracy of i minus that of j, adjusted p)} for i < j, without pairs that share no row."""
    from core.statistics.paired import paired_p
    from core.statistics.permutation import holm

    tests: dict[tuple[int, int], tuple[float, float]] = {}
    for i, j in combinations(range(len(sides)), 2):
        common, at_i, at_j = np.intersect1d(sides[i][1], sides[j][1], return_indices=True)
        if len(common):
            a = sides[i][2][at_i]
            b = sides[j][2][at_j]
            groups = diagnosis.samples.groups
            if groups is not None:
                groups = groups[common]
            tests[i, j] = (float(b.mean() - a.mean()), paired_p(a, b, groups))
    adjusted = holm([p for _, p in tests.values()]).tolist()
    return {pair: (gap, float(p)) for (pair, (gap, _)), p in zip(tests.items(), adjusted)}
