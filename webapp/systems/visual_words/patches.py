"""A run's visual words on its images and clusters, as Explore shows them beside its own."""

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
    """The confirmed words of a run on its images, and the clusters that a word tells
    (`webapp.explore.patches.Patches`)."""

    maps: WordMaps
    names: tuple[ShownName, ...]

    def name_of(self, cluster: int) -> ShownName | None:
        """How a word tells the cluster; None where none does."""
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
        words = ", ".join(said.split(":")[0] for _, said in legend)
        more = self.maps.left_out
        said = f"{count(more, 'more confirmed word')} not outlined." if more else ""
        return {"src": address, "alt": f"cells of {words} outlined", "legend": legend, "said": said}
