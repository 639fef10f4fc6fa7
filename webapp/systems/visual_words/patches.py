"""A run's visual words on its images and clusters, for Findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.numbers import count
from core.records import Diagnosis

if TYPE_CHECKING:
    from core.systems.visual_words.html import ShownName
    from core.systems.visual_words.maps import WordMaps


@dataclass(frozen=True, slots=True, eq=False)
class WordPatches:
    """The confirmed words of a run on its images, and the clusters named by a word
    (`webapp.explore.patches.Patches`)."""

    maps: WordMaps
    names: tuple[ShownName, ...]

    def name_of(self, cluster: int) -> ShownName | None:
        """The word name of the cluster, or None."""
        return next((name for name in self.names if name.cluster == cluster), None)

    def map_of(self, diagnosis: Diagnosis, row: int) -> dict[str, Any] | None:
        """The row's image with the cells of confirmed words outlined."""
        from core.systems.visual_words.html import shown_map  # brings the encoder's runtime
        from core.systems.visual_words.wording import no_outline

        assert diagnosis.samples.items is not None
        shown = shown_map(self.maps, row, diagnosis.samples.items)
        if shown is None:
            cells = self.maps.of_row(row)
            return {"src": "", "alt": "", "legend": [], "said": no_outline(self.maps, cells)}
        address, legend = shown
        words = ", ".join(text.split(":")[0] for _, text in legend)
        note = ""
        if self.maps.left_out:
            note = f"{count(self.maps.left_out, 'more confirmed word')} not outlined."
        return {"src": address, "alt": f"cells of {words} outlined", "legend": legend, "said": note}
