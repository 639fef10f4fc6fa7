"""When does a clip look like a text? The cosine of each frame that the encoder sees."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from core.data.clips.decoding import decode_clip
from core.data.modality import Unreadable
from core.embeddings.prefetch import read_bytes
from core.encoders.clips import ClipEncoder, seen_frames
from core.errors import InvalidInput
from core.records import F32, F64, ItemStore

HELD = 128
"""Clips whose frames' vectors stay in memory, the latest: 12 KB each with the embedded encoder."""


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


_held: OrderedDict[tuple[bytes, str], FrameVectors] = OrderedDict()
_lock = threading.Lock()


def frame_vectors(store: ItemStore, row: int, encoder: ClipEncoder) -> FrameVectors:
    """The frames of a clip as the encoder sees them; of the last `HELD` clips they are not made twice.

    Raises:
        InvalidInput: the clip cannot be read.
    """
    try:
        data = read_bytes(store, row)
        key = hashlib.sha256(data).digest(), encoder.fingerprint
        with _lock:
            if key in _held:
                _held.move_to_end(key)
                return _held[key]
        clip = decode_clip(data)
    except Unreadable as error:
        raise InvalidInput(f"{store.name(row)} {error}") from error
    _, joint = encoder.encode_frames(encoder.preprocess(clip)[None])
    found = FrameVectors(clip.seconds[seen_frames(len(clip.frames))], joint[0], clip.length)
    with _lock:
        _held[key] = found
        while len(_held) > HELD:
            _held.popitem(last=False)
    return found


def when_like(store: ItemStore, row: int, encoder: ClipEncoder, texts: Sequence[str]) -> FrameCurve:
    """How much each frame of a clip is like each text.

    Raises:
        InvalidInput: the clip cannot be read, or the encoder knows no words.
    """
    frames = frame_vectors(store, row, encoder)
    return FrameCurve(frames.seconds, encoder.encode_texts(texts) @ frames.joint.T)
