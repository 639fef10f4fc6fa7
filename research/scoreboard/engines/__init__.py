"""Every engine that the scoreboard and the published problems measure: those of `peers`, and baselines beside them."""

from __future__ import annotations

from typing import Any

from core.registry import Registry
from core.systems.peers.engines import ENGINES, Engine

MEASURED = Registry(
    "engine",
    {
        **ENGINES,
        "cleanlab groups": "research.scoreboard.engines.reported_groups:ReportedGroups",
        "raw loss": "research.scoreboard.engines.raw_loss:RawLoss",
        "svm directions": "research.scoreboard.engines.svm_directions:SvmDirections",
        "class ridge": "research.scoreboard.engines.class_ridge:ClassRidge",
        "error logistic": "research.scoreboard.engines.error_logistic:ErrorLogistic",
        "error tree": "research.scoreboard.engines.error_tree:ErrorTree",
        "planespot": "research.scoreboard.engines.planespot:PlaneSpot",
    },
)


def load_measured(name: str, **settings: Any) -> Engine:
    """A new, unfitted engine of the table, with the given settings.

    Raises:
        InvalidInput: no engine has this name.
    """
    return MEASURED.load(name)(**settings)
