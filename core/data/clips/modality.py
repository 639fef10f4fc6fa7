"""Clips: decoded to a few frames, measured over time, compared by the hash of a mosaic, drawn as storyboards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.data.clips import decoding, properties, storyboard
from core.data.clips.frames import Clip
from core.data.images import duplicates
from core.data.modality import Marks, measured_columns, refused
from core.records import Column


class ClipModality(duplicates.HashedDuplicates):
    """The row "clip" of `core.data.modality.MODALITIES`."""

    meanings = properties.PROPERTIES
    version = f"{decoding.VERSION}/{properties.VERSION}/{duplicates.VERSION}"

    def open(self, data: bytes) -> tuple[Clip, dict[str, Any]]:
        """Decode the clip's frames; measure its properties and its hash."""
        clip = decoding.decode_clip(data)
        measured = properties.measure_clip(clip)
        measured[duplicates.HASH] = duplicates.picture_hash(storyboard.mosaic(clip))
        return clip, measured

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        return measured_columns(properties.PROPERTIES, measured)

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        return properties.notes(measured)

    def keep(self, data: bytes, size: int) -> bytes:
        """Shrink the clip to a small animation at its speed."""
        with refused("The clip"):
            clip = decoding.decode_clip(data)
        return storyboard.animation(clip, size)

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        return ()

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        """Draw a storyboard of six frames."""
        with refused("The clip"):
            clip = decoding.decode_clip(data)
        return storyboard.storyboard(clip, size)
