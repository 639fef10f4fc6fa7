"""Other models on a run: what a second one fixes and breaks, and the groups over checkpoints."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from core.checks.checkpoints.follow import FollowedCluster, FollowedRun
from core.checks.compare import compare as compare_models
from core.checks.paired_errors import MODEL
from core.errors import InvalidInput
from core.language.titles import capital
from core.numbers import bracketed, count, p_value, percent, points
from core.records import Comparison, Diagnosis, FourWay
from core.reports.figures.template import (
    BETTER,
    HUES,
    WORSE,
    Drawing,
    Look,
    Trace,
    drawing,
    error_bars,
    hover,
    label,
    look,
    plain,
    to_figure,
)
from core.reports.wording.comparison import model_name, overall_sentences, scope_title, share, verdict_words
from core.reports.wording.findings import cluster_title
from core.reports.wording.second_model import change_sentence

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LINE = 72
"""Pixels of a group: its title and counts above its interval, so that both fit a phone."""
SHIFT = 0.03
"""Between the intervals of two groups, as a share of the way to the next checkpoint."""
_LABEL = {"x": 0, "xref": "paper", "xanchor": "left", "yshift": 26, "align": "left", "showarrow": False}
"""Where a group's title and counts stand."""
COLOURS = {"fixed": BETTER, "partly": BETTER, "broken": WORSE}
"""Of verdicts; gray otherwise."""


def compare(run: Diagnosis, other: Any = None, *, dark: bool = False) -> Figure:
    """What another model gains over the first: all samples, each group, and the classes that differ, with intervals.

    Args:
        run: with the other model's results.
        other: what `errata.compare` gave, or the name of a probe's result or a second model; by default the latest.
        dark: draws on a dark background.

    Raises:
        InvalidInput: no other model is there, or none of that name.
    """
    comparison: Any = getattr(other, "record", other)
    if not isinstance(comparison, Comparison | str | None):
        raise InvalidInput(
            f"other must be what errata.compare gave, or a model's name: got {type(other).__name__}. Compare it first."
        )
    if not isinstance(comparison, Comparison):
        comparison = compare_models(run, MODEL, comparison)
    lead = overall_sentences(comparison, run)[0]
    title = f"{model_name(comparison.b, run)} beside {model_name(comparison.a, run)}"
    return to_figure(comparison_drawing(run, comparison, look(dark), title, lead))


def comparison_drawing(
    run: Diagnosis, comparison: Comparison, colours: Look, title: str = "", lead: str = ""
) -> Drawing:
    """What `compare` draws; without a title for the page."""
    differing = [scope for scope in comparison.classes if scope.verdict != "open"]
    scopes = [comparison.overall, *comparison.clusters, *differing]
    gains = [scope.difference for scope in scopes]
    hues = [COLOURS.get(scope.verdict, colours.soft) for scope in scopes]
    traces = list[Trace]()
    for place, (scope, hue) in enumerate(zip(scopes, hues)):
        traces.append(
            {
                "x": [100 * scope.difference.value],
                "y": [place],
                "mode": "markers",
                "name": plain(scope_title(run, scope)),
                "error_x": error_bars([gains[place]], 100),
                "marker": {"size": 11, "color": hue},
                "hovertext": [_scope_text(run, comparison, scope)],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    labels = list[dict[str, Any]]()
    for place, scope in enumerate(scopes):
        fixes = f"{scope.fixed:,} fixed, {scope.broken:,} broken of {scope.n:,}"
        text = f'{label(_title(run, scope), lines=1)}<br><span style="color:{colours.soft}">{fixes}</span>'
        labels.append({**_LABEL, "y": place, "text": text})
    ends = [end for gain in gains for end in (gain.low, gain.high, gain.value, 0.0) if isfinite(end)]
    most = 100 * max(map(abs, ends), default=0.1) or 10
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "worse ← points of error rate → better"}, "tickformat": "+"},
        "yaxis": {"range": [len(scopes) - 0.5, -0.8], "showgrid": False, "showticklabels": False},
        "annotations": labels,
        "shapes": [_line(colours)],
        "showlegend": False,
        "hovermode": "closest",
        "height": 90 + LINE * len(scopes),
    }
    if title:
        layout["height"] += 80
    layout["xaxis"]["range"] = [-1.08 * most, 1.08 * most]
    return drawing(traces, layout, colours, title, lead)


def _line(colours: Look) -> dict[str, Any]:
    """No difference."""
    line = {"color": colours.soft, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "layer": "below", "line": line}


def _title(run: Diagnosis, scope: FourWay) -> str:
    title = scope_title(run, scope)
    if scope.kind == "class":
        return f"Class {title}"
    return capital(title)


def _scope_text(run: Diagnosis, comparison: Comparison, scope: FourWay) -> str:
    gain = f"Gain {points(scope.difference.value, sign=True)} {bracketed(scope.difference, points=True)}"
    if scope.p is not None:
        gain += f", adjusted {p_value(scope.p)}"
    counts = (
        f"{count(scope.n, 'sample')}: {scope.fixed:,} fixed, {scope.broken:,} broken, {scope.both:,} wrong in both."
    )
    return hover(_title(run, scope), counts, f"{gain}.", f"{capital(verdict_words(comparison, scope, run))}.")


def checkpoints(run: Diagnosis, followed: FollowedRun, *, dark: bool = False) -> Figure:
    """The error rate of each group, and of all samples, over checkpoints, with 95% intervals.

    Args:
        run: the run whose groups were followed.
        followed: what `core.checks.checkpoints.follow.follow` gave.
        dark: draws on a dark background.
    """
    colours = look(dark)
    lead = f"All samples: {change_sentence(followed.names, followed.everything)} Hollow: the run's model."
    title = f"Groups over {count(len(followed.names), 'checkpoint')}"
    return to_figure(checkpoints_drawing(run, followed, colours, title, lead))


def checkpoints_drawing(
    run: Diagnosis, followed: FollowedRun, colours: Look, title: str = "", lead: str = ""
) -> Drawing:
    """What `checkpoints` draws; without a title for the page."""
    scopes = [*followed.clusters, followed.everything]
    traces = list[Trace]()
    for index, scope in enumerate(scopes):
        # Side by side, so that the intervals of two groups do not cover each other.
        traces += _curve(run, followed, scope, SHIFT * (index - (len(scopes) - 1) / 2), colours)
    names = ["this run's model", *followed.names]
    layout: dict[str, Any] = {
        "xaxis": {
            "tickvals": list(range(len(names))),
            "ticktext": [plain(name, 10) for name in names],
            "showgrid": False,
        },
        "yaxis": {"title": {"text": "error rate"}, "tickformat": ".0%", "rangemode": "tozero"},
        "legend": {"x": 1.01, "y": 1},
        "hovermode": "closest",
        "height": 480,
    }
    return drawing(traces, layout, colours, title, lead)


def _curve(run: Diagnosis, followed: FollowedRun, scope: FollowedCluster, shift: float, colours: Look) -> list[Trace]:
    """The run's own model as a hollow dot, and the checkpoints as a line."""
    title = "All samples"
    hue = colours.soft
    dash = "dot"
    if scope.cluster is not None:
        title = f"{scope.cluster.id + 1}. {cluster_title(run, scope.cluster)}"
        hue = HUES[scope.cluster.id % len(HUES)]
        dash = "solid"
    texts = list[str]()
    for name, rate, n, rest in zip(followed.names, scope.rates, scope.n, scope.rest, strict=True):
        others = f"Others in its scope: {percent(rest)} wrong." if isfinite(rest) else ""
        texts.append(hover(title, f"{name}: {share(rate)} of {n:,} wrong.", others))
    both: Trace = {
        "hovertemplate": "%{hovertext}<extra></extra>",
        "line": {"color": hue, "width": 2, "dash": dash},
        "legendgroup": title,
        "name": label(title),
    }
    own: Trace = {
        **both,
        "x": [shift],
        "y": [scope.baseline.value],
        "mode": "markers",
        "error_y": error_bars([scope.baseline]),
        "marker": {"size": 9, "symbol": "circle-open", "color": hue, "line": {"width": 2}},
        "hovertext": [hover(title, f"This run's model: {share(scope.baseline)} wrong.")],
        "showlegend": False,
    }
    line: Trace = {
        **both,
        "x": [1 + shift + place for place in range(len(scope.rates))],
        "y": [rate.value for rate in scope.rates],
        "mode": "lines+markers",
        "error_y": error_bars(scope.rates),
        "marker": {"size": 9, "color": hue},
        "hovertext": texts,
    }
    return [own, line]
