"""At which second does a clip look like a text, and is that more than happens with any text?

A cosine that rises and falls over a clip means nothing by itself: with every text it does. So beside the text stand the
names of ordinary things (`core.language.likeness`): their mean cosine with each frame, and for how many of them the
cosine moves less over the clip than the text's. That is for looking; nothing is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.embeddings.frame_curve import frame_vectors
from core.encoders.clips import ClipEncoder
from core.language.competence import find_competence
from core.language.likeness import question_vectors, things_of
from core.records import F64, Competence, ItemStore

MOVES = 0.95
"""Share of ordinary things that move less, from which on the second is worth saying."""

NEARLY = 0.25
"""Of the way from the highest cosine down to the lowest: frames above it are nearly as much like the text."""


@dataclass(frozen=True, slots=True, eq=False)
class TextMoments:
    """How much each frame of one clip looks like one text."""

    text: str
    seconds: F64
    """(t,) in rising order, each once."""
    length: float
    """Of the clip, in seconds."""
    cosines: F64
    """(t,) of the text with each frame."""
    usual: F64
    """(t,) mean cosine of the names of ordinary things with each frame."""
    n_less: int
    """Ordinary things whose cosine moves less over the clip than the text's."""
    n_things: int
    competence: Competence | None = None
    """How well the encoder of images knows the text, measured on single images: of one phrase; None where nothing
    was measured of this encoder."""

    @property
    def span(self) -> tuple[float, float]:
        """(from, to) in seconds: where the clip looks most like the text, with the frames beside that one that are
        nearly as much like it."""
        best = int(self.cosines.argmax())
        high = self.cosines >= self.cosines[best] - NEARLY * np.ptp(self.cosines)
        low_ends = np.flatnonzero(~high[: best + 1])
        high_ends = np.flatnonzero(~high[best:])
        first = int(low_ends[-1]) + 1 if len(low_ends) else 0
        last = best + int(high_ends[0]) - 1 if len(high_ends) else len(high) - 1
        return float(self.seconds[first]), float(self.seconds[last])

    @property
    def moves(self) -> bool:
        """Whether the cosine moves more over the clip than nearly all ordinary things' do."""
        return self.n_less >= MOVES * self.n_things


def moments_of(store: ItemStore, row: int, text: str, encoder: ClipEncoder) -> TextMoments:
    """The text beside ordinary things, frame by frame.

    Args:
        store: the clips, or the small animations that a run keeps of them.

    Raises:
        InvalidInput: the clip cannot be read, or the encoder knows no words.
    """
    frames = frame_vectors(store, row, encoder)
    seconds, first = np.unique(frames.seconds, return_index=True)
    joint = frames.joint[first]
    cosines = (joint @ question_vectors([text], encoder, None).T)[:, 0].astype(np.float64)
    things = (joint @ things_of(encoder).T).astype(np.float64)
    table, _ = find_competence(encoder.pictures, None)
    return TextMoments(
        text,
        seconds,
        max(frames.length, float(seconds[-1])),
        cosines,
        things.mean(1),
        int((np.ptp(things, axis=0) < np.ptp(cosines)).sum()),
        things.shape[1],
        None if table is None else table.of([text]),
    )
