"""Every confirmed finding with its interval, in the figures of report and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from core.language.titles import capital
from core.numbers import with_interval
from core.records import Diagnosis, Estimate
from core.reports.figures.template import HUES, Look, Trace, drawing, error_bars, hover, label, look, plain, to_figure
from core.reports.sections import classes, groups
from core.reports.wording.findings import figures, subject
from core.reports.wording.verdict import verdict
from core.statistics.measures import in_shares, insights_in_order, tested_effect

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

POINTS = "Error rate above the others, points"
LINE = 44
ROOM = 76
"""Pixels of a finding, and of an axis with its title."""


@dataclass(frozen=True, slots=True)
class Line:
    """One finding on an axis."""

    label: str
    estimate: Estimate
    against: float
    """The same of the others; nan if it stands beside none."""
    hue: str
    text: str


def intervals(run: Diagnosis, *, dark: bool = False) -> Figure:
    """Confirmed findings with their 95% intervals: groups and classes beside the others, then conditions and phrases.

    Args:
        run: what `diagnose` or `load` gave.
        dark: draws on a dark background.

    Returns:
        One axis for each measure. Rates and losses are those of the report; gaps are those of `findings_table`, of
        error rates in points.
    """
    colours = look(dark)
    panels = _panels(run, colours)
    total = sum(ROOM + LINE * len(lines) for lines in panels.values())
    traces = list[Trace]()
    layout: dict[str, Any] = {"height": 130 + total, "showlegend": False, "hovermode": "closest"}
    top = 1.0
    for number, (title, lines) in enumerate(panels.items(), start=1):
        suffix = "" if number == 1 else str(number)
        bottom = top - LINE * len(lines) / total
        traces += _marks(title, lines, suffix, colours)
        layout |= _axes(title, lines, suffix, [max(bottom, 0.0), top], colours)
        top = bottom - ROOM / total
    lead = [verdict(run)]
    if panels:
        lead.append("Dots: estimates with 95% intervals. Gray ticks: the others.")
    else:
        layout |= {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    return to_figure(drawing(traces, layout, colours, f"Findings: {run.samples.name}", " ".join(lead)))


def _panels(run: Diagnosis, colours: Look) -> dict[str, list[Line]]:
    """The findings by the title of their axis."""
    unit = run.outcomes.said_unit
    loss = f"Mean loss, {unit}" if unit else "Mean loss"
    titles = {"error rate": "Error rate", "mean loss": loss, "share of the class": "Share of the class so confused"}
    confirmed = [row for row in classes(run).rows if row.verdict == "confirmed"]
    panels = dict[str, list[Line]]()
    for row in (*groups(run).rows, *confirmed):
        if row.estimate is None:
            continue
        name = f"Class {row.subject}"
        hue = colours.soft
        if row.measure == "share of the class":
            name = row.subject
        if row.rank is not None:
            name = f"{row.rank}. {row.subject}"
            hue = HUES[(row.rank - 1) % len(HUES)]
        against = nan if row.against is None else row.against
        panels.setdefault(titles[row.measure], []).append(Line(name, row.estimate, against, hue, row.text))
    for insight in insights_in_order(run):
        if not insight.confirmed:
            continue
        gap = tested_effect(insight)
        title = loss.replace("Mean loss", "Mean loss above the others")
        if in_shares(insight):
            gap = Estimate(100 * gap.value, 100 * gap.low, 100 * gap.high)
            title = POINTS
        hue = colours.soft
        if insight.cluster is not None:
            hue = HUES[insight.cluster % len(HUES)]
        text = f"{capital(figures(run, insight))}."
        panels.setdefault(title, []).append(Line(subject(run, insight), gap, nan, hue, text))
    return panels


def _marks(title: str, lines: Sequence[Line], suffix: str, colours: Look) -> list[Trace]:
    """A dot with its interval for each finding, and a tick where the others are."""
    places = list(range(len(lines)))
    axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "y": places, "mode": "markers"}
    in_shares = _in_shares(title)
    texts = list[str]()
    for line in lines:
        figure = with_interval(line.estimate, share=in_shares)
        texts.append(hover(line.label, f"{title}: {figure}.", line.text))
    others: Trace = {
        **axes,
        "x": [line.against for line in lines],
        "name": "the others",
        "marker": {"symbol": "line-ns", "size": 20, "line": {"width": 3, "color": colours.rest}},
        "hoverinfo": "skip",
    }
    traces = [others]
    for place, line in enumerate(lines):
        traces.append(
            {
                **axes,
                "x": [line.estimate.value],
                "y": [place],
                "name": plain(line.label),
                "error_x": error_bars([line.estimate]),
                "marker": {"size": 11, "color": line.hue},
                "hovertext": [texts[place]],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    return traces


def _axes(title: str, lines: Sequence[Line], suffix: str, domain: list[float], colours: Look) -> dict[str, Any]:
    x: dict[str, Any] = {"title": {"text": title}, "anchor": f"y{suffix}", "rangemode": "tozero"}
    if "above the others" in title:
        x |= {"zeroline": True, "zerolinecolor": colours.soft}
    if title == POINTS:
        x["tickformat"] = "+"
    elif _in_shares(title):
        x["tickformat"] = ".0%"
    y = {
        "domain": domain,
        "anchor": f"x{suffix}",
        "tickvals": list(range(len(lines))),
        "ticktext": [label(line.label) for line in lines],
        "range": [len(lines) - 0.5, -0.5],
        "showgrid": False,
    }
    return {f"xaxis{suffix}": x, f"yaxis{suffix}": y}


def _in_shares(title: str) -> bool:
    return title != POINTS and ("rate" in title or "Share" in title)
