"""Small pictures of made-up runs that are drawn once, however often such a run is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.records import ItemStore, Progress, no_progress
from tests.support.diagnoses import MemoryImages

if TYPE_CHECKING:
    from collections.abc import Callable


def drawn_once(write: Callable[..., int]) -> Callable[..., int]:
    """`write_thumbnails`, which draws pictures in memory once and writes the same bytes for the same ones again."""
    made: dict[tuple[MemoryImages, str], tuple[bytes, int]] = {}

    def remembered(items: ItemStore, path: Path, progress: Progress = no_progress, *, modality: str = "image") -> int:
        if not isinstance(items, MemoryImages):
            return write(items, path, progress, modality=modality)
        if (items, modality) not in made:
            failed = write(items, path, modality=modality)
            made[items, modality] = path.read_bytes(), failed
        payload, failed = made[items, modality]
        path.write_bytes(payload)
        for row in range(len(items)):
            progress("thumbnails", row + 1, len(items))
        return failed

    return remembered
