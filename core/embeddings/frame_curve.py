"""When does a clip look like a text? The cosine of each frame that the encoder sees."""

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

HELD = 128
"""Clips of a run whose frames' vectors stay in memory as long as the run does, the latest: 12 KB each with the embedded
encoder."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameVectors:
    """The frames of one clip that the encoder sees."""

    seconds: F64
    """(SEEN,) of the frames, from the clip's start; of a clip of fewer frames some come twice."""
    joint: F32
    """(SEEN, d) unit rows, in the space that frames share with words."""
    length: float
    """Of the clip, in seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameCurve:
    """Of one clip and n texts."""

    seconds: F64
    """(SEEN,) as in `FrameVectors`."""
    cosines: F32
    """(n, SEEN) of each text with each frame, in the encoder's joint space."""

    def best(self, text: int) -> float:
        """The second at which the clip looks most like the text."""
        return float(self.seconds[int(self.cosines[text].argmax())])


_held: WeakKeyDictionary[ItemStore, OrderedDict[tuple[int, str], FrameVectors]] = WeakKeyDictionary()
_lock = threading.Lock()


def frame_vectors(store: ItemStore, row: int, encoder: ClipEncoder) -> FrameVectors:
    """The frames of a clip as the encoder sees them; of the last `HELD` clips of the store they are not made twice.

    Raises:
        InvalidInput: the clip cannot be read.
    """
    key = row, encoder.fingerprint
    with _lock:
        own = _held.setdefault(store, OrderedDict())
        if key in own:
            own.move_to_end(key)
            return own[key]
    try:
        clip = decode_clip(read_bytes(store, row))
    except Unreadable as error:
        raise InvalidInput(f"{store.name(row)} {error}") from error
    _, joint = encoder.encode_frames(encoder.preprocess(clip)[None])
    found = FrameVectors(clip.seconds[seen_frames(len(clip.frames))], joint[0], clip.length)
    with _lock:
        own[key] = found
        while len(own) > HELD:
            own.popitem(last=False)
    return found


def when_like(store: ItemStore, row: int, encoder: ClipEncoder, texts: Sequence[str]) -> FrameCurve:
    """How much each frame of a clip is like each text.

    Raises:
        InvalidInput: the clip cannot be read, or the encoder knows no words.
    """
    frames = frame_vectors(store, row, encoder)
    return FrameCurve(frames.seconds, encoder.encode_texts(texts) @ frames.joint.T)
