"""Images as an encoder's maps, with the captions of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from core.errors import InvalidInput
from core.records import F32, I64
from core.systems.common.tokens import PictureTokens

LEAST = 8
"""Images of a pretraining."""


@dataclass(frozen=True, slots=True, eq=False)
class CaptionedPictures:
    """n images that could be read, and m captions."""

    pictures: PictureTokens
    rows: I64
    """(n,) places in `pictures`."""
    captions: tuple[str, ...]
    of: I64
    """(m,) place among the n of each caption's image, ascending."""

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, places: I64) -> torch.Tensor:
        """(b, P, w) of those images.

        Raises:
            InvalidInput: some are no finite numbers.
        """
        found = np.asarray(self.pictures.tokens[self.rows[places]], np.float32)
        if not np.isfinite(found).all():
            n = int((~np.isfinite(found)).any((1, 2)).sum())
            raise InvalidInput(
                f"Cells of {n:,} of {len(found):,} images are no finite numbers. Choose another encoder."
            )
        return torch.from_numpy(found)

    def joint(self) -> F32:
        """(n, j) unit rows of the encoder's own space."""
        return np.asarray(self.pictures.pooled[self.rows], np.float32)

    def keep(self, places: I64) -> CaptionedPictures:
        """Those images with their captions, in that order of places, ascending."""
        new = np.full(len(self), -1, np.int64)
        new[places] = np.arange(len(places))
        of = new[self.of]
        kept = np.flatnonzero(of >= 0)
        return CaptionedPictures(
            self.pictures, self.rows[places], tuple(self.captions[i] for i in kept.tolist()), of[kept]
        )


def captioned(pictures: PictureTokens, captions: list[tuple[str, ...]]) -> CaptionedPictures:
    """All images that could be read and have a caption.

    Args:
        captions: of each row of the store that the images were read from.

    Raises:
        InvalidInput: there are fewer than `LEAST`.
    """
    own = [captions[int(row)] for row in pictures.kept]
    rows = np.array([i for i, texts in enumerate(own) if texts], np.int64)
    if len(rows) < LEAST:
        raise InvalidInput(f"{len(rows)} images could be read and have a caption; at least {LEAST} are needed.")
    texts = [(place, text) for place, i in enumerate(rows.tolist()) for text in own[i]]
    return CaptionedPictures(
        pictures, rows, tuple(text for _, text in texts), np.array([place for place, _ in texts], np.int64)
    )
