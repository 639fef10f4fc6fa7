"""A probe's result: how often it is right, beside the user's model, its controls and the probes run before."""

from __future__ import annotations

from collections.abc import Sequence
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
    """The whole result of one probe: headline, controls, how it was made, and the panels below."""
    classes = [classes_view(diagnosis, result, comparison), confusion_view(result)]
    shots = shots_view(diagnosis, result)
    every = [table_view(diagnosis, results, result), matrix_view(diagnosis, results)]
    panels = [
        ("probe-beside", f"Beside {own_model(diagnosis).name}", [beside_view(diagnosis, result, comparison)]),
        ("probe-classes", "By class", classes),
        ("probe-calibration", "Calibration", [reliability_view(diagnosis, result)]),
        ("probe-learned", "Words and support", [learned_view(result)]),
        *([("probe-shots", "By shots", [shots])] if shots else []),
        ("probe-all", f"All results ({len(results)})", every),
    ]
    return render("result.html.j2", head=headline_view(diagnosis, result, comparison), panels=panels)


def shots_view(diagnosis: Diagnosis, result: ProbeResult) -> str:
    """The curves on the rows that this result was scored on, by number of shots; "" where it is of none."""
    from core.systems.probes.shot_charts import shot_charts
    from core.systems.probes.shot_curves import shot_curves

    found = [c for c in shot_curves(diagnosis) if any(result.name in [p.result for p in x.points] for x in c.curves)]
    return render("shots.html.j2", charts=shot_charts(found)) if found else ""


def beside_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """The user's model and the probe by failure cluster; where the two cannot be compared, the probe alone."""
    if comparison is not None:
        return four_way_view(diagnosis, comparison)
    kinds = counted_kinds(diagnosis, result, "all")
    return render("alone.html.j2", is_own=is_own(diagnosis, result.name), kinds=kinds)


def headline_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """Accuracy with its interval, the user's model and the controls on one axis, and how the numbers came about."""
    from core.reports.wording.comparison import overall_sentences  # scipy
    from core.systems.probes.wording import HOW, choice_name, choice_value, spread_words

    if comparison is not None:
        beside = overall_sentences(comparison, diagnosis)[0]
    elif is_own(diagnosis, result.name):
        beside = "The model of this run is this probe itself."
    else:
        beside = "Of your model only losses are known, not which answers were wrong, so the two cannot be compared."
    return render(
        "headline.html.j2",
        result=result,
        beside=beside,
        chart=_chart(diagnosis, result, comparison),
        gains=[(control, spread_words(control), *_gain(control)) for control in result.controls],
        choices=[(choice_name(c.name), choice_value(c), HOW[c.how]) for c in result.choices],
        lines=_made(result),
    )


def _chart(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> DotChart:
    own = [] if comparison is None else [(own_model(diagnosis).title, comparison.accuracy_a)]
    others = [*own, *((control_name(c), c.accuracy) for c in result.controls)]
    marks = [
        Mark(e, kind, label, with_interval(e, share=True))
        for kind, label, e in (("observed", "This probe", result.accuracy), *(("read", *other) for other in others))
    ]
    return dot_chart(marks, axis_of(marks, least=0.0, most=1.0), percent)


def control_name(control: Control) -> str:
    """What a control is called on the page (plain text)."""
    name = CONTROLS.get(control.name, control.name[:1].upper() + control.name[1:])
    return f"{name}, mean of {control.repeats}" if control.repeats > 1 else name


def _gain(control: Control) -> tuple[str, str]:
    """(color, word) of what the probe has over a control."""
    if control.p > ALPHA:
        return "unsure", "no clear gain"
    return ("held", "a gain") if control.gain.value > 0 else ("partly", "a loss")


def _made(result: ProbeResult) -> list[str]:
    """How the numbers came about: the split, notes, rows left out, time."""
    lines = [result.split, *result.notes]
    if result.excluded:
        sample, reason = result.excluded[0]
        lines.append(f"{count(len(result.excluded), result.modality)} not scored, such as {sample}: {reason}.")
    return [*lines, f"Encoder: {result.encoder}. {cpu(result.seconds)} CPU seconds."]


def table_view(diagnosis: Diagnosis, results: Sequence[ProbeResult], shown: ProbeResult) -> str:
    """Every probe of this run on one line each; a press shows one."""
    from core.statistics.intervals import accuracy_of

    errors = diagnosis.outcomes.errors if _is_other(diagnosis, results) else None
    own = None if errors is None else accuracy_of(errors, diagnosis.samples.groups)
    marks = [Mark(e) for e in (*(r.accuracy for r in results), own) if e is not None]
    axis = axis_of(marks, least=0.0, most=1.0)
    return render(
        "results.html.j2",
        own=own and {"accuracy": own, "dots": dots([Mark(own)], axis)},
        rows=[_line(diagnosis, r, axis) for r in results],
        shown=shown.name,
        low=percent(axis[0]),
        high=percent(axis[1]),
        mine=own_model(diagnosis),
    )


def _is_other(diagnosis: Diagnosis, results: Sequence[ProbeResult]) -> bool:
    """Whether the run's model is none of these probes, so that it needs a line of its own beside them."""
    return not any(is_own(diagnosis, r.name) for r in results)


def _line(diagnosis: Diagnosis, r: ProbeResult, axis: Axis) -> dict[str, Any]:
    """One probe among all that ran."""
    return {
        "result": r,
        "dots": dots([Mark(r.accuracy)], axis),
        "over_zero_shot": next((c.gain for c in r.controls if c.name == "zero-shot"), None),
        "over_model": _difference(diagnosis, r),
        "seconds": cpu(r.seconds),
    }


def cpu(seconds: float) -> str:
    """CPU seconds, in short (plain text)."""
    return "Under 0.1" if seconds < 0.1 else number(seconds)


def _difference(diagnosis: Diagnosis, r: ProbeResult) -> Estimate | None:
    """How much more often a probe is right than the user's model; None where that is not known."""
    from core.statistics.paired import paired_difference

    errors = diagnosis.outcomes.errors
    mine = r.outcomes.errors
    if errors is None or mine is None:
        return None
    groups = None if diagnosis.samples.groups is None else diagnosis.samples.groups[r.rows]
    return paired_difference(errors[r.rows], mine, groups)


def matrix_view(diagnosis: Diagnosis, results: Sequence[ProbeResult]) -> str:
    """Any two models on the rows that both scored: how much more often the one on the left is right, p by McNemar, Holm
    over all pairs."""
    sides: list[tuple[str, np.ndarray, Bool]] = []
    if diagnosis.outcomes.errors is not None and _is_other(diagnosis, results):
        sides.append((own_model(diagnosis).name, np.arange(len(diagnosis.samples)), diagnosis.outcomes.errors))
    sides += [(r.name, r.rows, r.outcomes.errors) for r in results if r.outcomes.errors is not None]
    pairs = _pairs(diagnosis, sides) if len(sides) > 2 else {}
    cells = pairs | {(j, i): (-gap, p) for (i, j), (gap, p) in pairs.items()}
    places = range(len(sides))
    rows = [[cells.get((i, j)) for j in places] for i in places]
    return render("matrix.html.j2", names=[name for name, _, _ in sides], rows=rows, alpha=ALPHA)


def _pairs(
    diagnosis: Diagnosis, sides: Sequence[tuple[str, np.ndarray, Bool]]
) -> dict[tuple[int, int], tuple[float, float]]:
    """{(i, j): (accuracy of i minus that of j, adjusted p)} for i < j; pairs without a common row are left out."""
    from core.statistics.paired import paired_p
    from core.statistics.permutation import holm

    found: dict[tuple[int, int], tuple[float, float]] = {}
    for i, (_, rows, errors) in enumerate(sides):
        for j in range(i + 1, len(sides)):
            common, at, other = np.intersect1d(rows, sides[j][1], return_indices=True)
            if len(common):
                a = errors[at]
                b = sides[j][2][other]
                groups = None if diagnosis.samples.groups is None else diagnosis.samples.groups[common]
                found[i, j] = (float(b.mean() - a.mean()), paired_p(a, b, groups))
    adjusted = holm([p for _, p in found.values()]).tolist()
    return {pair: (gap, float(p)) for (pair, (gap, _)), p in zip(found.items(), adjusted)}
