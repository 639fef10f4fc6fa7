"""Frozen findings, and what fresh samples made of them, as markup: dot and whisker beside the figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.numbers import bracketed, count, number, p_value, percent
from core.records import Diagnosis, Estimate, Prediction, PredictionRow
from core.reports.wording.findings import (
    CONFIRMED_KINDS,
    cluster_title,
    prediction_name,
    prediction_rows,
    prediction_verdict,
    replication_sentence,
)
from webapp.markup.html import esc
from webapp.markup.whiskers import Mark, axis_of, line

if TYPE_CHECKING:
    from core.checks.freeze import Frozen, FrozenFinding

SHOWN = 14


STATES = {"fails again as predicted": "held", "fails again, at another rate": "partly"}


"""The colour of an outcome; of any other, neutral."""


def headline(prediction: Prediction) -> str:
    """How many findings fail again on fresh samples, as a heading (plain text)."""
    said = replication_sentence(prediction).rstrip(".")
    return said[:1].upper() + said[1:]


def prediction_view(diagnosis: Diagnosis, prediction: Prediction) -> str:
    """The whole result: headline, the findings, what a person would have picked, notes, and the digest."""
    rows = prediction_rows(replace(diagnosis, prediction=prediction))
    shares = prediction.measure == "error rate"
    marks = [Mark(e) for r in rows for e in (r.expected, r.observed) if e is not None]
    axis = (0.0, 1.0) if shares else axis_of(marks)
    found, by_eye = [r for r in rows if r.kind in CONFIRMED_KINDS], [r for r in rows if r.kind not in CONFIRMED_KINDS]
    written: Callable[[float | None], str] = percent if shares else number
    fresh = "" if "held-back" in prediction.source else f"{count(prediction.n_fresh, 'fresh sample')} of "
    lead = f"Tried on {fresh}{esc(prediction.source)}, which the search never saw."
    body = "".join(_row(r, axis, shares) for r in found)
    if by_eye:
        body += (
            '<tr class="apart"><th colspan="7" scope="rowgroup">What a person would have picked '
            "without a test</th></tr>"
        )
        body += "".join(_row(r, axis, shares) for r in by_eye)
    ends = f'<span class="line-ends"><i>{written(axis[0])}</i><i>{written(axis[1])}</i></span>'
    head = "".join(
        f"<th>{t}</th>"
        for t in (
            "Frozen",
            "Fresh",
            f"Predicted and observed {prediction.measure}{ends}",
            "Predicted",
            "Observed",
            "Rest",
            "",
        )
    )
    notes = "".join(f"<li>{esc(n)}</li>" for n in prediction.notes)
    if prediction.excluded:
        notes += (
            f"<li>{count(len(prediction.excluded), 'fresh sample')} left out, such as "
            f"{esc(prediction.excluded[0][0])}: "
        )
        notes += f"{esc(prediction.excluded[0][1])}.</li>"
    return (
        f'<article class="answer predicted" aria-live="polite"><h2 tabindex="-1">{esc(headline(prediction))}</h2><p '
        f'class="said">{lead}</p>'
        '<div class="scroll tall"><table '
        f'class="forecast"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{KEY}'
        f'<ul class="muted plain-list">{notes}</ul>{digest_line(prediction.digest)}</article>'
    )


def _row(row: PredictionRow, axis: tuple[float, float], shares: bool) -> str:
    written: Callable[[float | None], str] = percent if shares else number
    marks = [Mark(row.expected, "expected"), Mark(row.predicted, "predicted")]
    if row.rest is not None:
        marks.append(Mark(Estimate(row.rest, math.nan, math.nan), "rest"))
    if row.observed is not None:
        marks.append(Mark(row.observed, "observed"))
    observed = (
        "none"
        if row.observed is None
        else f"{written(row.observed.value)} <small>{bracketed(row.observed, share=shares)}</small>"
    )
    finding = row.kind in CONFIRMED_KINDS
    p = f"<small>{p_value(row.p)}</small>" if row.p is not None and finding else ""
    badge = (
        f'<span class="outcome {STATES.get(prediction_verdict(row), "unsure")}">{esc(prediction_verdict(row))}</span>'
        if finding
        else ""
    )
    kind = f'<small class="kind">{row.kind if finding else ""}</small>'
    return (
        f"<tr><td><b>{esc(prediction_name(row))}</b> {kind}</td><td>{row.n:,}</td><td "
        f'class="drawn">{line(marks, axis)}</td>'
        f"<td>{_predicted(row, shares)}</td><td>{observed}</td><td>{written(row.rest)}</td><td>{badge} {p}</td></tr>"
    )


def _predicted(row: PredictionRow, shares: bool) -> str:
    """The predicted value with the interval that judges it, and under that the narrower one that was frozen."""
    written: Callable[[float | None], str] = percent if shares else number
    judging, frozen = bracketed(row.expected, share=shares), bracketed(row.predicted, share=shares)
    second = f'<small class="frozen-interval">frozen {frozen}</small>' if frozen and frozen != judging else ""
    title = f"For {count(row.n, 'fresh sample')}: {judging}. Frozen, before any were drawn: {frozen}." if frozen else ""
    return f'<span title="{esc(title)}">{written(row.predicted.value)} <small>{judging}</small></span>{second}'


def frozen_view(diagnosis: Diagnosis, frozen: Frozen) -> str:
    """What is fixed before fresh samples are opened: each finding with the rate that it predicts, and one hash over
    all."""
    if not frozen.findings:
        return (
            '<div class="empty small"><h2>Nothing to predict</h2><p>No finding of this run was confirmed, '
            "so there is nothing that could fail again. "
            "Open another run in Explore.</p></div>"
        )
    shares = diagnosis.outcomes.errors is not None
    marks = [Mark(f.predicted, "predicted") for f in frozen.findings]
    axis = (0.0, 1.0) if shares else axis_of(marks)
    rows = [_frozen_row(diagnosis, f, axis, shares) for f in frozen.findings]
    fold = (
        f"<details><summary>{len(rows) - SHOWN} "
        f"more</summary><table><tbody>{''.join(rows[SHOWN:])}</tbody></table></details>"
    )
    measure = "error rate" if shares else f"mean {esc(diagnosis.outcomes.name)}"
    return (
        f'<div class="frozen"><h2>{count(len(rows), "finding")} frozen</h2><p class="muted">Each with the {measure} '
        "that it predicts for samples "
        "nobody has looked at. The hash is fixed before you bring "
        f"them.</p><table><tbody>{''.join(rows[:SHOWN])}</tbody></table>"
        f"{fold if len(rows) > SHOWN else ''}{digest_line(frozen.digest)}</div>"
    )


def _frozen_row(diagnosis: Diagnosis, finding: FrozenFinding, axis: tuple[float, float], shares: bool) -> str:
    written = percent if shares else number
    cluster = diagnosis.clusters[finding.index] if finding.kind == "cluster" else None
    name = f"{cluster.id + 1}: {cluster_title(diagnosis, cluster)}" if cluster else finding.text
    scope = "" if finding.scope == "all samples" or finding.scope in name else f" ({finding.scope})"
    return (
        f"<tr><td>{esc(name + scope)} <small>{finding.kind}</small></td><td "
        f'class="drawn">{line([Mark(finding.predicted, "predicted")], axis)}</td>'
        f"<td>{written(finding.predicted.value)} "
        f"<small>{bracketed(finding.predicted, share=shares)}</small></td></tr>"
    )


def digest_line(digest: str) -> str:
    """The hash, so that it can be copied and kept."""
    return f'<p class="digest">SHA-256 of what was frozen <code>{esc(digest)}</code></p>'


def selection_line(rows: Sequence[int]) -> str:
    """Whether a lasso goes along."""
    if not len(rows):
        return "A lasso that you draw in Explore goes along, for comparison."
    return f"Your selection of {count(len(rows), 'sample')} in Explore goes along as “your lasso”."


KEY = (
    '<p class="forecast-key muted"><span class="line"><i class="band expected" style="left:0;width:100%"></i>'
    '<i class="band predicted" style="left:25%;width:50%"></i><i class="at predicted" style="left:50%"></i></span>'
    "<span>predicted; the pale band, which judges, allows for so few fresh samples</span>"
    '<span class="line"><i class="band observed" style="left:15%;width:70%"></i><i class="at observed" '
    'style="left:50%"></i></span>'
    "<span>observed</span>"
    '<span class="line"><i class="at rest" style="left:50%"></i></span><span>the rest.</span>'
    "<span>Intervals of 95\u202f%; p: the chance of such a gap if the matches did no worse than the rest, "
    "adjusted over the findings.</span></p>"
)
