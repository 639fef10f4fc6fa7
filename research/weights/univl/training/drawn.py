"""Drawn clips as material: two events on a ground, in either order, each forwards or backwards.

Frames of such a clip are those of its events, one after the other, so what an encoder saw of the two events serves all
eight clips; and the clip of the other order has the very same frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from core.errors import InvalidInput
from research.weights.univl.drawn_clips import OPPOSITE, THEN

LEAST = 2
"""Grounds of which a batch can be made."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnEvents:
    """n grounds with two events each, of k frames.

    Raises:
        InvalidInput: texts and features do not fit, or an event is none of `OPPOSITE`.
    """

    texts: tuple[tuple[str, str], ...]
    features: torch.Tensor
    """(n, 2, k, w)."""

    def __post_init__(self) -> None:
        if self.features.ndim != 4 or self.features.shape[:2] != (len(self.texts), 2) or len(self.texts) < LEAST:
            raise InvalidInput(
                f"Drawn events are (n, 2, k, w) features of n pairs of texts, at least {LEAST}: got "
                f"{tuple(self.features.shape)} and {len(self.texts):,}."
            )
        for text in (text for pair in self.texts for text in pair):
            backwards(text)

    def __len__(self) -> int:
        return len(self.texts)

    def clip(self, row: int, turned: Sequence[bool], swapped: bool) -> tuple[str, torch.Tensor]:
        """Text and (2 k, w) features of a ground's events, each turned or not, in their order or the other."""
        texts = [backwards(text) if back else text for text, back in zip(self.texts[row], turned, strict=True)]
        parts = [part.flip(0) if back else part for part, back in zip(self.features[row], turned, strict=True)]
        order = (1, 0) if swapped else (0, 1)
        return THEN.join(texts[k] for k in order), torch.cat([parts[k] for k in order])

    def relatives(
        self, rows: Sequence[int], generator: torch.Generator, ways: int = 2
    ) -> tuple[list[str], torch.Tensor]:
        """Of each ground, one after the other, its events turned at random, in both orders; and, with two ways, one of
        them turned the other way, in both orders. c texts and (c, 2 k, w), c being 2 * ways a ground."""
        texts = list[str]()
        clips = list[torch.Tensor]()
        turns = torch.rand(len(rows), 2, generator=generator) < 0.5
        which = torch.randint(2, (len(rows),), generator=generator)
        for row, turned, k in zip(rows, turns.tolist(), which.tolist(), strict=True):
            other = [back != (i == k) for i, back in enumerate(turned)]
            for way in (turned, other)[:ways]:
                for swapped in (False, True):
                    text, clip = self.clip(row, way, swapped)
                    texts.append(text)
                    clips.append(clip)
        return texts, torch.stack(clips)

    def every_text(self) -> Iterator[str]:
        """The texts of all clips."""
        for row in range(len(self)):
            for a in (False, True):
                for b in (False, True):
                    for swapped in (False, True):
                        yield self.clip(row, (a, b), swapped)[0]


def backwards(text: str) -> str:
    """What is seen of an event that is played from its end.

    Raises:
        InvalidInput: it is no drawn event.

    Example:
        >>> backwards("a red cube moves left")
        'a red cube moves right'
    """
    for verb, other in OPPOSITE.items():
        if text.endswith(f" {verb}"):
            return f"{text.removesuffix(verb)}{other}"
    raise InvalidInput(
        f"{text!r:.80} is no event of drawn clips. Draw the clips with `research.weights.univl.drawn_clips`."
    )
