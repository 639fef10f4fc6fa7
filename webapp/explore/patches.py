"""Image regions that a system associates with errors, shown beside samples and clusters for as long as the run is
kept."""

from __future__ import annotations

from typing import Any, Protocol

from core.errors import InvalidInput
from core.records import Diagnosis
from webapp.state.runs import RUNS


class Patches(Protocol):
    """The regions of a run."""

    def name_of(self, cluster: int) -> Any:
        """Return what describes the cluster with that id: `said`, a sentence, and `crops` of members, each with an
        `address`; or None."""
        ...

    def map_of(self, diagnosis: Diagnosis, row: int) -> dict[str, Any] | None:
        """Return the row's image with outlined regions: {"src", "alt", "legend", "said"}. Without regions, `src` is ""
        and `said` gives the reason. None if the image was not analyzed."""
        ...


_OF_RUNS: dict[str, Patches] = {}
"""By run id. Results on an example serve every visitor, since its files and the search's seed are fixed."""


def keep_patches(run: str, patches: Patches) -> None:
    """Show the regions with the run from now on."""
    prune_patches()
    if _held(run):
        _OF_RUNS[run] = patches


def patches_of(run: str) -> Patches | None:
    """Return the regions of a run, or None."""
    return _OF_RUNS.get(run)


def prune_patches() -> None:
    """Forget the regions of deleted runs."""
    for run in list(_OF_RUNS):
        if not _held(run):
            _OF_RUNS.pop(run, None)


def _held(run: str) -> bool:
    try:
        RUNS.path(run)
    except InvalidInput:
        return False
    return True
