"""What was found of a run's visual words, as it stands beside its samples and clusters: kept for as long as the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput
from core.numbers import count
from core.records import Diagnosis
from webapp.state.runs import RUNS

if TYPE_CHECKING:
    from core.systems.visual_words.html import ShownName
    from core.systems.visual_words.maps import WordMaps


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """The confirmed words of a run on its pictures, and the clusters that a word tells."""

    maps: WordMaps
    names: tuple[ShownName, ...]

    def name_of(self, cluster: int) -> ShownName | None:
        return next((name for name in self.names if name.cluster == cluster), None)


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
        RUNS.folder(run)
    except InvalidInput:
        return False
    return True


def map_beside(run: str, diagnosis: Diagnosis, row: int) -> dict[str, Any] | None:
    """The row's picture with the cells of confirmed words outlined: {"src", "alt", "legend", "said"}, of which `src` is
    "" where nothing is outlined and `said` says why; None where nobody looked for words."""
    patches = patches_of(run)
    if patches is None or diagnosis.samples.items is None:
        return None
    from core.systems.visual_words.html import shown_map  # brings the encoder's runtime
    from core.systems.visual_words.wording import no_outline

    shown = shown_map(patches.maps, row, diagnosis.samples.items)
    if shown is None:
        cells = patches.maps.of_row(row)
        return {"src": "", "alt": "", "legend": [], "said": no_outline(patches.maps, cells)}
    address, legend = shown
    words = ", ".join(said.split(":")[0] for _, said in legend)
    more = patches.maps.left_out
    said = f"{count(more, 'more confirmed word')} not outlined." if more else ""
    return {"src": address, "alt": f"cells of {words} outlined", "legend": legend, "said": said}
