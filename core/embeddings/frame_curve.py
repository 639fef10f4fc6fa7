"""When does a clip look like a text? The cosine of each frame that the encoder sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.data.clips.decoding import decode_clip
from core.data.modality import Unreadable
from core.embeddings.prefetch import read_bytes
from core.encoders.clips import ClipEncoder, seen_frames
from core.errors import InvalidInput
from core.records import F32, F64, ItemStore


@dataclass(frozen=True, slots=True, eq=False)
class FrameCurve:
    """Of one clip and n texts."""

    seconds: F64
    """(SEEN,) of the frames, from the clip's start; of a clip of fewer frames some come twice."""
    cosines: F32
    """(n, SEEN) of each text with each frame, in the encoder's joint space."""

    def best(self, text: int) -> float:
        """The second at which the clip looks most like the text."""
        return float(self.seconds[int(self.cosines[text].argmax())])


def when_like(store: ItemStore, row: int, encoder: ClipEncoder, texts: Sequence[str]) -> FrameCurve:
    """How much each frame of a clip is like each text.

    Raises:
        InvalidInput: the clip cannot be read, or the encoder knows no words.
    """
    try:
        clip = decode_clip(read_bytes(store, row))
    except Unreadable as error:
        raise InvalidInput(f"{store.name(row)} {error}") from error
    _, joint = encoder.encode_frames(encoder.preprocess(clip)[None])
    return FrameCurve(clip.seconds[seen_frames(len(clip.frames))], encoder.encode_texts(texts) @ joint[0].T)
