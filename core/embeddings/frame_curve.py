"""Compute the cosine of a text with each frame of a clip that the encoder sees."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from core.data.clips.decoding import decode_clip
from core.data.modality import Unreadable
from core.embeddings.prefetch import read_bytes
from core.encoders.clips import ClipEncoder, seen_frames
from core.errors import InvalidInput
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


@dataclass(frozen=True, slots=True, eq=False)
class FrameCurve:
    """Cosines of one clip and n texts over time."""

    seconds: F64
    """(SEEN_FRAMES,) as in `FrameVectors`."""
    cosines: F32
    """(n, SEEN_FRAMES) of each text with each frame, in the encoder's joint space."""

    def best(self, text: int) -> float:
        """Return the second at which the clip matches the text best."""
        return float(self.seconds[int(self.cosines[text].argmax())])


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
    try:
        clip = decode_clip(read_bytes(store, row))
    except Unreadable as error:
        raise InvalidInput(f"{store.name(row)} {error}") from error
    _, joint = encoder.encode_frames(encoder.preprocess(clip)[None])
    vectors = FrameVectors(clip.seconds[seen_frames(len(clip.frames))], joint[0], clip.length)
    with _lock:
        cached[key] = vectors
        while len(cached) > MAX_CACHED_CLIPS:
            cached.popitem(last=False)
    return vectors


def when_like(store: ItemStore, row: int, encoder: ClipEncoder, texts: Sequence[str]) -> FrameCurve:
    """Compute the cosine of each frame of a clip with each text.

    Raises:
        InvalidInput: the clip cannot be read, or the encoder has no text tower.
    """
    frames = frame_vectors(store, row, encoder)
    return FrameCurve(frames.seconds, encoder.encode_texts(texts) @ frames.joint.T)
