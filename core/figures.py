"""Figures of a run as `plotly.graph_objects.Figure`: hover, zoom, save; `errata.figures` from Python (docs/figures.md).

Each takes a run and draws what its records and tables hold; none computes a statistic. Systems add theirs
(`core.systems.contract.System.figures`). plotly is imported when a figure is made.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.extensions import parts
from core.run import answering

if TYPE_CHECKING:
    from core.reports.figures.findings import intervals
    from core.reports.figures.maps import browse, map, selected
    from core.reports.figures.models import checkpoints, compare
    from core.reports.figures.outcomes import confusion, loss_histogram

__all__ = ["browse", "checkpoints", "compare", "confusion", "intervals", "loss_histogram", "map", "selected"]

_FROM = {
    "browse": "core.reports.figures.maps",
    "checkpoints": "core.reports.figures.models",
    "compare": "core.reports.figures.models",
    "confusion": "core.reports.figures.outcomes",
    "intervals": "core.reports.figures.findings",
    "loss_histogram": "core.reports.figures.outcomes",
    "map": "core.reports.figures.maps",
    "selected": "core.reports.figures.maps",
}
"""The module of each figure of the kernel."""


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    source = _FROM.get(name) or _of_systems().get(name)
    if source is None:
        raise AttributeError(f"errata.figures has no {name!r}. It has: {', '.join(__dir__())}.")
    module, _, attribute = source.partition(":")
    return answering(getattr(import_module(module), attribute or name))


def __dir__() -> list[str]:
    return sorted([*_FROM, *_of_systems()])


def _of_systems() -> dict[str, str]:
    return {part.name: part.value for part in parts("figures")}
