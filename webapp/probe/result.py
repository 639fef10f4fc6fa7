"""A probe's result as markup: how often it is right, beside the user's model, its controls and the probes run
before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.numbers import bracketed, count, number, p_value, percent, points
from core.records import Bool, Comparison, Control, Diagnosis, Estimate, ProbeResult
from webapp.markup.html import esc
from webapp.markup.shares import ALPHA, is_own
from webapp.markup.whiskers import Mark, axis_of, chart, line
from webapp.probe.classes import classes_view, confusion_view, reliability_view
from webapp.probe.clusters import four_way_view
from webapp.probe.learned import learned_view

CONTROLS = {"zero-shot": "Zero-shot with the same texts"}


def result_view(
    diagnosis: Diagnosis, results: Sequence[ProbeResult], result: ProbeResult, comparison: Comparison | None
) -> str:
    """The whole result of one probe: headline, controls, how it was made, and the panels below."""
    panels = [
        ("beside", "Beside your model", four_way_view(diagnosis, result, comparison)),
        ("classes", "By class", classes_view(diagnosis, result, comparison) + confusion_view(result)),
        ("calibration", "Calibration", reliability_view(result)),
        ("learned", "Words and support", learned_view(result)),
        (
            "all",
            f"All results ({len(results)})",
            table_view(diagnosis, results, result) + matrix_view(diagnosis, results),
        ),
    ]
    return headline_view(diagnosis, result, comparison) + _tabs(panels)


def headline_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """Accuracy with its interval, the user's model and the controls on one axis, and how the numbers came about."""
    from core.reports.wording.probes import overall_sentences  # scipy: not needed to start the page

    beside = "" if comparison is None else overall_sentences(comparison)[0]
    if comparison is None:
        beside = (
            "The model of this run is this probe itself."
            if is_own(diagnosis, result.name)
            else "Of your model only losses are known, not which answers were wrong, so the two cannot be compared."
        )
    return (
        '<article class="answer probe-head"><header><h2 tabindex="-1" '
        f'class="pane-title">{esc(result.name)}: right on '
        f"{percent(result.accuracy.value)} <small>{bracketed(result.accuracy, share=True)} of "
        f"{count(len(result.rows), 'image')}</small></h2></header>"
        f'<p class="said">{esc(beside)}</p>{_controls(result, comparison)}{_made(diagnosis, result)}</article>'
    )


def _controls(result: ProbeResult, comparison: Comparison | None) -> str:
    def said(e: Estimate) -> str:
        return f"{percent(e.value)} {bracketed(e, share=True)}".strip()

    marks = [Mark(result.accuracy, "observed", "This probe", said(result.accuracy))]
    if comparison is not None:
        marks.append(Mark(comparison.accuracy_a, "read", "Your model", said(comparison.accuracy_a)))
    marks += [Mark(c.accuracy, "read", control_name(c), said(c.accuracy)) for c in result.controls]
    drawn = chart(marks, axis_of(marks, least=0.0, most=1.0), percent)
    gains = "".join(f"<li>{_gain(c)}</li>" for c in result.controls)
    return f'{drawn}<ul class="plain-list gains">{gains}</ul>' if gains else drawn


def control_name(control: Control) -> str:
    """What a control is called on the page (plain text)."""
    name = CONTROLS.get(control.name, control.name[:1].upper() + control.name[1:])
    return f"{name}, {control.repeats} draws" if control.repeats > 1 else name


def _gain(control: Control) -> str:
    clear = control.p <= ALPHA
    state = "held" if clear and control.gain.value > 0 else "partly" if clear else "unsure"
    word = "a gain" if clear and control.gain.value > 0 else "a loss" if clear else "no clear gain"
    return (
        f"Over <b>{esc(control.name)}</b>: {points(control.gain.value, sign=True)} {bracketed(control.gain, points=True)}, "
        f"{p_value(control.p)} "
        f'<span class="outcome {state}">{word}</span>'
    )


def _made(diagnosis: Diagnosis, result: ProbeResult) -> str:
    """How the numbers came about: the split, what was chosen where, notes, rows left out, time."""
    from core.reports.wording.probes import HOW

    chips = "".join(
        f'<span class="chip"><b>{esc(c.name)} {c.value:.4g}</b> {HOW[c.how]}</span>' for c in result.choices
    )
    lines = [esc(result.split), *(esc(n) for n in result.notes)]
    if result.excluded:
        lines.append(
            f"{count(len(result.excluded), 'image')} not scored, such as {esc(result.excluded[0][0])}: "
            f"{esc(result.excluded[0][1])}."
        )
    lines.append(f"Encoder: {esc(result.encoder)}. {cpu(result.seconds)} CPU seconds.")
    listed = "".join(f"<li>{text}</li>" for text in lines)
    return f'<div class="chips choices">{chips}</div><ul class="muted plain-list">{listed}</ul>'


def _tabs(panels: Sequence[tuple[str, str, str]]) -> str:
    tabs = body = ""
    for i, (key, title, view) in enumerate(panels):
        state = f'aria-controls="panel-probe-{key}" aria-selected="{str(i == 0).lower()}"'
        tabs += (
            f'<button type="button" role="tab" id="tab-probe-{key}" {state} '
            f'data-tab="probe-{key}">{esc(title)}</button>'
        )
        state = f'id="panel-probe-{key}" aria-labelledby="tab-probe-{key}"{"" if i == 0 else " hidden"}'
        body += f'<div role="tabpanel" {state}>{view}</div>'
    return f'<div class="tabs probe-tabs"><div role="tablist" aria-label="Views of the result">{tabs}</div>{body}</div>'


def table_view(diagnosis: Diagnosis, results: Sequence[ProbeResult], shown: ProbeResult) -> str:
    """Every probe of this run on one line each; a press shows one."""
    own = _own_accuracy(diagnosis)
    marks = [Mark(e) for e in (*(r.accuracy for r in results), own) if e is not None]
    axis = axis_of(marks, least=0.0, most=1.0)
    rows = (
        "" if own is None else f"<tr><td>Your model</td>{_accuracy(own, axis)}<td></td><td></td><td></td><td></td></tr>"
    )
    rows += "".join(_table_row(diagnosis, r, axis, shown=r is shown) for r in results)
    ends = f'<span class="line-ends"><i>{percent(axis[0])}</i><i>{percent(axis[1])}</i></span>'
    names = ("Probe", f"Accuracy{ends}", "", "Over zero-shot", "Against your model", "Calibration error", "CPU s")
    head = "".join(f'<th scope="col">{n}</th>' for n in names)
    return (
        '<div class="scroll tall"><table '
        f'class="probes"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _table_row(diagnosis: Diagnosis, r: ProbeResult, axis: tuple[float, float], *, shown: bool) -> str:
    gain = next((c for c in r.controls if c.name == "zero-shot"), None)
    over = (
        ""
        if gain is None
        else f"{points(gain.gain.value, sign=True)} <small>{bracketed(gain.gain, points=True)}</small>"
    )
    model = _difference(diagnosis, r)
    mark = ' <span class="mark">shown</span>' if shown else ""
    return (
        '<tr><td><button type="button" class="plain" data-do="result" '
        f'data-name="{esc(r.name)}">{esc(r.name)}</button>{mark}</td>'
        f"{_accuracy(r.accuracy, axis)}<td>{over}</td><td>{model}</td>"
        f"<td>{percent(r.calibration_error.value)} <small>{bracketed(r.calibration_error, share=True)}</small></td>"
        f"<td>{cpu(r.seconds)}</td></tr>"
    )


def _accuracy(estimate: Estimate, axis: tuple[float, float]) -> str:
    said = f"{percent(estimate.value)} <small>{bracketed(estimate, share=True)}</small>"
    return f'<td class="drawn">{line([Mark(estimate)], axis)}</td><td>{said}</td>'


def _own_accuracy(diagnosis: Diagnosis) -> Estimate | None:
    """How often the user's model is right on all samples; None where that is not known."""
    from core.statistics.intervals import accuracy_of

    errors = diagnosis.outcomes.errors
    return None if errors is None else accuracy_of(errors, diagnosis.samples.groups)


def cpu(seconds: float) -> str:
    """CPU seconds, in short (plain text)."""
    return "Under 0.1" if seconds < 0.1 else number(seconds)


def _difference(diagnosis: Diagnosis, r: ProbeResult) -> str:
    from core.statistics.paired import paired_difference

    errors, mine = diagnosis.outcomes.errors, r.outcomes.errors
    if errors is None or mine is None:
        return ""
    groups = None if diagnosis.samples.groups is None else diagnosis.samples.groups[r.rows]
    gap = paired_difference(errors[r.rows], mine, groups)
    return f"{points(gap.value, sign=True)} <small>{bracketed(gap, points=True)}</small>"


def matrix_view(diagnosis: Diagnosis, results: Sequence[ProbeResult]) -> str:
    """Any two models on the rows that both scored: how much more often the one on the left is right, p by McNemar, Holm
    over all pairs."""
    sides: list[tuple[str, np.ndarray, Bool]] = []
    if diagnosis.outcomes.errors is not None:
        sides.append(("your model", np.arange(len(diagnosis.samples)), diagnosis.outcomes.errors))
    sides += [(r.name, r.rows, r.outcomes.errors) for r in results if r.outcomes.errors is not None]
    if len(sides) < 3:
        return '<p class="muted small-note">Run another probe to compare any two of them here.</p>'
    cells = _pairs(diagnosis, sides)
    head = "".join(f'<th scope="col">{esc(name)}</th>' for name, _, _ in sides)
    body = ""
    for i, (name, _, _) in enumerate(sides):
        body += (
            f'<tr><th scope="row">{esc(name)}</th>{"".join(_pair_cell(cells, i, j) for j in range(len(sides)))}</tr>'
        )
    said = (
        "How much more often the one on the left is right than the one above it, on the images that both scored. "
        "p by McNemar’s test, adjusted over all pairs."
    )
    return (
        f'<h3>Any two side by side</h3><p class="muted small-note">{said}</p>'
        '<div class="scroll tall"><table class="heat '
        f'matrix"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


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
                a, b = errors[at], sides[j][2][other]
                groups = None if diagnosis.samples.groups is None else diagnosis.samples.groups[common]
                found[i, j] = (float(b.mean() - a.mean()), paired_p(a, b, groups))
    adjusted = holm([p for _, p in found.values()]).tolist()
    return {pair: (gap, float(p)) for (pair, (gap, _)), p in zip(found.items(), adjusted)}


def _pair_cell(cells: dict[tuple[int, int], tuple[float, float]], i: int, j: int) -> str:
    found = cells.get((min(i, j), max(i, j)))
    if i == j or found is None:
        return "<td></td>"
    gap, p = (found[0] if i < j else -found[0]), found[1]
    clear = p <= ALPHA
    kind = f"{'better' if gap > 0 else 'worse'}{' clear' if clear else ''}" if clear else ""
    return f'<td class="{kind}">{points(gap, sign=True)}<small>{"p " if p_value(p, bare=True).startswith("<") else "p = "}{p_value(p, bare=True)}</small></td>'
