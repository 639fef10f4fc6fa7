"""Vectors of the frames of a clip that the encoder sees."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from core.data.clips.decoding import decode_clip
from core.data.modality import refused
from core.embeddings.prefetch import read_bytes
from core.encoders.clips import ClipEncoder, seen_frames
from core.records import F32, F64, ItemStore

MAX_CACHED_CLIPS = 128
"""Most recent clips of a run whose frame vectors stay in memory with the run: 12 KB each with the embedded encoder."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameVectors:
    """Vectors of the frames of one clip that the encoder sees."""

    seconds: F64
    """(SEEN_FRAMES,) times of the frames from the start; a clip with fewer frames repeats some."""
    joint: F32
    """(SEEN_FRAMES, d) unit rows in the joint space of frames and words."""
    length: float
    """Length of the clip in seconds."""


_cached: WeakKeyDictionary[ItemStore, OrderedDict[tuple[int, str], FrameVectors]] = WeakKeyDictionary()
_lock = threading.Lock()


def frame_vectors(store: ItemStore, row: int, encoder: ClipEncoder) -> FrameVectors:
    """Encode the frames of a clip; the last `MAX_CACHED_CLIPS` clips of the store are cached.

    Raises:
        InvalidInput: the clip cannot be read.
    """
    key = row, encoder.fingerprint
    with _lock:
        cached = _cached.setdefault(store, OrderedDict())
        if key in cached:
            cached.move_to_end(key)
            return cached[key]
    with refused(store.name(row)):
        clip = decode_clip(read_bytes(store, row))
    _, joint = encoder.encode_frames(encoder.preprocess(clip)[None])
    vectors = FrameVectors(clip.seconds[seen_frames(len(clip.frames))], joint[0], clip.length)
    with _lock:
        cached[key] = vectors
        while len(cached) > MAX_CACHED_CLIPS:
            cached.popitem(last=False)
    return vectors
