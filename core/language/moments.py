"""At which second does a clip look like a text, and is that more than happens with any text?

A cosine that rises and falls over a clip means nothing by itself: it does with every text. So the text is shown beside
the names of ordinary objects (`core.language.likeness`): their mean cosine with each frame, and for how many of them
the cosine moves less over the clip than the text's. This is for exploration; nothing is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.embeddings.frame_curve import frame_vectors
from core.encoders.clips import ClipEncoder
from core.language.competence import find_competence
from core.language.likeness import question_vectors, things_of
from core.records import F64, Competence, ItemStore

MOVING_SHARE = 0.95
"""Share of ordinary objects that must move less for the second to be reported. A convention, like a 5% level."""

NEAR_SHARE = 0.25
"""Share of the way from the highest cosine to the lowest: frames above it are nearly as much like the text. A
convention."""


@dataclass(frozen=True, slots=True, eq=False)
class TextMoments:
    """How much each frame of a clip looks like a text."""

    text: str
    seconds: F64
    """(t,) ascending, each once."""
    length: float
    """Of the clip, in seconds."""
    cosines: F64
    """(t,) of the text with each frame."""
    usual: F64
    """(t,) mean cosine of the names of ordinary objects with each frame."""
    n_less: int
    """Ordinary objects whose cosine moves less over the clip than the text's."""
    n_things: int
    competence: Competence | None = None
    """How well the image encoder knows the text, measured on single images: one phrase; None if this encoder was not
    measured."""

    @property
    def span(self) -> tuple[float, float]:
        """(from, to) in seconds: where the clip looks most like the text, with the adjacent frames that are nearly as
        much like it."""
        best = int(self.cosines.argmax())
        high = self.cosines >= self.cosines[best] - NEAR_SHARE * np.ptp(self.cosines)
        low_before = np.flatnonzero(~high[: best + 1])
        low_after = np.flatnonzero(~high[best:])
        first = 0
        last = len(high) - 1
        if len(low_before):
            first = int(low_before[-1]) + 1
        if len(low_after):
            last = best + int(low_after[0]) - 1
        return float(self.seconds[first]), float(self.seconds[last])

    @property
    def moves(self) -> bool:
        """Whether the cosine moves more over the clip than that of nearly all ordinary objects."""
        return self.n_less >= MOVING_SHARE * self.n_things


def moments_of(store: ItemStore, row: int, text: str, encoder: ClipEncoder) -> TextMoments:
    """Compare a text with ordinary objects, frame by frame.

    Args:
        store: the clips, or the small animations that a run keeps of them.

    Raises:
        InvalidInput: the clip cannot be read, or the encoder has no text tower.
    """
    frames = frame_vectors(store, row, encoder)
    seconds, first = np.unique(frames.seconds, return_index=True)
    joint = frames.joint[first]
    cosines = (joint @ question_vectors([text], encoder, None).T)[:, 0].astype(np.float64)
    things = (joint @ things_of(encoder).T).astype(np.float64)
    table, _ = find_competence(encoder.pictures, None)
    competence = None
    if table is not None:
        competence = table.of([text])
    return TextMoments(
        text,
        seconds,
        max(frames.length, float(seconds[-1])),
        cosines,
        things.mean(1),
        int((np.ptp(things, axis=0) < np.ptp(cosines)).sum()),
        things.shape[1],
        competence,
    )
