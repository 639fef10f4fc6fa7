"""Images as an encoder's maps, with the captions of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.errors import InvalidInput
from core.records import F32, I64
from core.systems.common.tokens import PictureTokens

MIN_IMAGES = 8


@dataclass(frozen=True, slots=True, eq=False)
class CaptionedPictures:
    """n readable images and m captions."""

    pictures: PictureTokens
    rows: I64
    """(n,) indexes in `pictures`."""
    captions: tuple[str, ...]
    of: I64
    """(m,) index of each caption's image among the n, ascending."""

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, images: I64) -> torch.Tensor:
        """(b, P, w) cells of b images.

        Raises:
            InvalidInput: some are not finite.
        """
        cells = np.asarray(self.pictures.tokens[self.rows[images]], np.float32)
        if not np.isfinite(cells).all():
            n = int((~np.isfinite(cells)).any((1, 2)).sum())
            raise InvalidInput(f"Cells of {n:,} of {len(cells):,} images are not finite. Use another encoder.")
        return torch.from_numpy(cells)

    def joint(self) -> F32:
        """(n, j) unit rows of the encoder's own space."""
        return np.asarray(self.pictures.pooled[self.rows], np.float32)

    def keep(self, images: I64) -> CaptionedPictures:
        """Some images, by ascending index, with their captions."""
        new = np.full(len(self), -1, np.int64)
        new[images] = np.arange(len(images))
        of = new[self.of]
        rows = np.flatnonzero(of >= 0)
        return CaptionedPictures(
            self.pictures, self.rows[images], tuple(self.captions[i] for i in rows.tolist()), of[rows]
        )


def captioned(
    pictures: PictureTokens, captions: Sequence[tuple[str, ...]], least: int = MIN_IMAGES
) -> CaptionedPictures:
    """All readable images with a caption.

    Args:
        captions: those of each row of the images' store.

    Raises:
        InvalidInput: fewer than `least` remain.
    """
    rows = list[int]()
    texts = list[str]()
    of = list[int]()
    for index, row in enumerate(pictures.kept_rows.tolist()):
        if captions[row]:
            texts += captions[row]
            of += [len(rows)] * len(captions[row])
            rows.append(index)
    if len(rows) < least:
        raise InvalidInput(
            f"Only {len(rows)} images are readable and have a caption, and {least} are needed. Add images or captions."
        )
    return CaptionedPictures(pictures, np.array(rows, np.int64), tuple(texts), np.array(of, np.int64))
