"""How figures look: one template in the colors of the page, and the door to plotly.

A drawing is what plotly.js draws, in plain dicts and lists, so that the page draws it where plotly is not installed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from core.program import missing_dependency
from core.records import Estimate

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Drawing = dict[str, Any]
"""{"data": traces, "layout": layout}."""
Trace = dict[str, Any]

HUES = ("#d55e00", "#0a9a76", "#c764a0", "#2f8fd0", "#c98a00", "#7a6ff0", "#b5443c", "#5d8a1d")
"""Cluster colors, distinguishable with the common colour-vision deficiencies; clusters also carry numbers. Must match
map_paint.js."""
BETTER, WORSE = HUES[1], HUES[0]
"""Of a model that is better, or worse; also of right and wrong samples."""
FONT = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif"
TITLE_WIDTH = 96
LABEL_WIDTH = 38
HOVER_WIDTH = 62
"""Characters in a line, as plotly breaks none: they fit a figure 800 pixels wide, its left margin, and a hover."""


@dataclass(frozen=True, slots=True)
class Look:
    """The colors beside the hues."""

    paper: str
    ink: str
    soft: str
    """Of axis titles and ticks."""
    line: str
    """Of the grid."""
    rest: str
    """Of what is in no group."""
    losses: tuple[str, ...]
    """From low to high."""


LIGHT = Look(
    "#ffffff",
    "#161a22",
    "#556070",
    "#dfe3e9",
    "#c9cfd8",
    ("#c9d3e6", "#93a9cf", "#7f8a9c", "#b39a5c", "#d98e2b", "#c2410c"),
)
DARK = Look(
    "#171b22",
    "#edf0f5",
    "#a5afbd",
    "#272d38",
    "#39414f",
    ("#34405a", "#4c6391", "#7a8498", "#b39a5c", "#eea03c", "#ff6a3d"),
)
PAGE = Look("rgba(0,0,0,0)", "#808080", "#808080", "#80808040", "#80808080", LIGHT.losses)
"""Of a chart that stands on light and dark pages."""


def look(dark: bool) -> Look:
    return DARK if dark else LIGHT


def plain(text: str, width: int = 0) -> str:
    """A text of the user's as plotly shows it: no markup; broken into lines of `width`, if given."""
    lines = [text]
    if width:
        lines = textwrap.wrap(text, width) or [""]
    return "<br>".join(escape(line, quote=False) for line in lines)


def label(text: str, lines: int = 2) -> str:
    """A text beside an axis or in a legend, in at most so many lines; the hover has all of it."""
    return "<br>".join(plain(line) for line in textwrap.wrap(text, LABEL_WIDTH, max_lines=lines, placeholder=" …"))


def hover(title: str, *lines: str) -> str:
    """What a point says under the pointer: a bold title, and lines below it."""
    wrapped = [plain(line, HOVER_WIDTH) for line in lines if line]
    return "<br>".join([f"<b>{plain(title, HOVER_WIDTH)}</b>", *wrapped])


def error_bars(estimates: Sequence[Estimate], scale: float = 1.0) -> dict[str, Any]:
    """The intervals around their values; plotly draws none where an end is undefined."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (e.high - e.value) for e in estimates],
        "arrayminus": [scale * (e.value - e.low) for e in estimates],
        "thickness": 2,
        "width": 0,
    }


def drawing(traces: Sequence[Trace], layout: dict[str, Any], colours: Look, title: str = "", lead: str = "") -> Drawing:
    """Traces in the template, below a title and a sentence."""
    above: dict[str, Any] = {}
    if title:
        lines = plain(lead, TITLE_WIDTH)
        # One text: plotly would put its own subtitle over the title of a figure that is drawn before it is shown, as
        # a notebook's widget is, since it measures the title then.
        text = f'<b style="font-size:20px">{plain(title, 80)}</b>'
        if lines:
            text += f'<br><span style="color:{colours.soft}">{lines}</span>'
        above = {"title": {"text": text, "y": 1, "yref": "container"}, "margin": {"t": 84 + 18 * lines.count("<br>")}}
    return {"data": list(traces), "layout": {"template": _template(colours), **above, **layout}}


def _template(colours: Look) -> dict[str, Any]:
    axis = {
        "gridcolor": colours.line,
        "linecolor": colours.line,
        "zeroline": False,
        "automargin": True,
        "tickfont": {"color": colours.soft},
        "title": {"font": {"color": colours.soft, "size": 14}, "standoff": 14},
        "ticks": "outside",
        "ticklen": 6,
        "tickcolor": "rgba(0,0,0,0)",
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 14, "color": colours.ink},
            "colorway": list(HUES),
            "paper_bgcolor": colours.paper,
            "plot_bgcolor": colours.paper,
            "title": {"x": 0, "xref": "container", "pad": {"l": 20, "t": 22}, "yanchor": "top", "font": {"size": 14}},
            "margin": {"l": 56, "r": 28, "t": 28, "b": 52},
            "hoverlabel": {
                "bgcolor": colours.paper,
                "bordercolor": colours.rest,
                "align": "left",
                "font": {"family": FONT, "size": 14, "color": colours.ink},
            },
            "legend": {"itemsizing": "constant"},
            "xaxis": axis,
            "yaxis": axis,
        }
    }


def to_figure(made: Drawing) -> Figure:
    """The drawing as a Figure.

    Raises:
        MissingDependency: plotly is not installed.
    """
    try:
        from plotly.graph_objects import Figure
    except ModuleNotFoundError as error:
        raise missing_dependency(error, "A figure") or error from error
    return Figure(data=made["data"], layout=made["layout"])
