"""Frame features of a store's clips, for a UniVL that was trained on the embedded encoder's maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.data.clips.decoding import decode_clip
from core.data.modality import Unreadable
from core.embeddings.prefetch import none_readable, prefetch, read_bytes
from core.encoders import load_encoder
from core.encoders.clips import seen_frames
from core.encoders.embedded.lite0_runtime import usable_cores
from core.encoders.tokens import tower_of
from core.errors import InvalidInput
from core.records import F32, I64, ItemStore, Progress, no_progress
from core.systems.univl.features import cell_means, projected
from core.systems.univl.use import ShownClips


@dataclass(frozen=True, slots=True, eq=False)
class SeenClips:
    """The readable clips of a store."""

    clips: ShownClips
    """(m, SEEN_FRAMES, w)."""
    rows: I64
    """(m,) rows of the store."""
    unreadable: dict[int, str]
    """Row of the store -> why it could not be read, a sentence that begins with the clip's name."""


def read_frame_features(store: ItemStore, progress: Progress = no_progress) -> SeenClips:
    """Embed `SEEN_FRAMES` evenly spread frames of every clip with the embedded encoder.

    Args:
        progress: called as ("Embedding clips", done, total).

    Raises:
        InvalidInput: no clip could be read.
        Cancelled: from `progress`.
    """
    encoder = load_encoder("embedded")
    tower = tower_of(encoder)
    clips = list[F32]()
    rows = list[int]()
    unreadable = dict[int, str]()

    def prepare(row: int) -> F32 | str:
        try:
            frames = decode_clip(read_bytes(store, row)).frames
        except Unreadable as error:
            return f"{store.name(row)} {error}"
        return np.stack([encoder.preprocess(frames[index]) for index in seen_frames(len(frames))]).astype(np.float32)

    workers = usable_cores()
    for row, ready in enumerate(prefetch(prepare, range(len(store)), workers, window=2 * workers + 2)):
        if isinstance(ready, str):
            unreadable[row] = ready
        else:
            tokens = tower.image_tokens(ready).tokens
            clips.append(projected(cell_means(tokens, tower.grid)))
            rows.append(row)
        progress("Embedding clips", row + 1, len(store))
    if not clips:
        raise InvalidInput(none_readable(unreadable, "clips"))
    features = np.stack(clips)
    there = np.ones(features.shape[:2], np.float32)
    return SeenClips(ShownClips(features, there), np.array(rows, np.int64), unreadable)
