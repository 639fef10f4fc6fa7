"""Which parts of a run's images fail, where a system looked: shown beside its samples and clusters, and kept for as
long as the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from core.errors import InvalidInput
from core.records import Diagnosis
from webapp.state.runs import RUNS


class PatchName(Protocol):
    """A cluster that such parts tell."""

    @property
    def said(self) -> str:
        """A sentence."""
        ...

    @property
    def crops(self) -> Sequence[Any]:
        """Crops of members, each with an `address`."""
        ...


class Patches(Protocol):
    """What a system found."""

    def name_of(self, cluster: int) -> PatchName | None:
        """How the parts tell the cluster of that id; None where they do not."""
        ...

    def map_of(self, diagnosis: Diagnosis, row: int) -> dict[str, Any] | None:
        """The row's image with the parts outlined: {"src", "alt", "legend", "said"}, of which `src` is "" where
        nothing is outlined and `said` says why; None where the row's image was not looked at."""
        ...


_OF_RUNS: dict[str, Patches] = {}
"""By id. An example's files stay as they are, and what was found of it holds for every visitor, as the search has one
seed."""


def keep_patches(run: str, patches: Patches) -> None:
    """Show them with the run from now on."""
    prune_patches()
    if _held(run):
        _OF_RUNS[run] = patches


def patches_of(run: str) -> Patches | None:
    """What was found of the run; None where nobody looked."""
    return _OF_RUNS.get(run)


def prune_patches() -> None:
    """Forget those of runs that are no longer held."""
    for run in list(_OF_RUNS):
        if not _held(run):
            _OF_RUNS.pop(run, None)


def _held(run: str) -> bool:
    try:
        RUNS.path(run)
    except InvalidInput:
        return False
    return True


def map_beside(run: str, diagnosis: Diagnosis, row: int) -> dict[str, Any] | None:
    """What `Patches.map_of` gives; None where nobody looked."""
    patches = patches_of(run)
    return None if patches is None or diagnosis.samples.items is None else patches.map_of(diagnosis, row)
