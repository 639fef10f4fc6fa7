"""Small images of made-up runs that are drawn once, however often such a run is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from core.data.modality import Modality
from core.records import ItemStore
from tests.support.diagnoses import MemoryImages

Kept = Callable[[ItemStore, Modality], Iterator[list[bytes]]]


def drawn_once(draw: Kept) -> Kept:
    """What is kept of each row of a store, drawn once for images in memory."""
    made: dict[tuple[MemoryImages, Any], list[list[bytes]]] = {}

    def remembered(items: ItemStore, kind: Modality) -> Iterator[list[bytes]]:
        if not isinstance(items, MemoryImages):
            yield from draw(items, kind)
            return
        if (items, kind) not in made:
            made[items, kind] = list(draw(items, kind))
        yield from made[items, kind]

    return remembered
