"""Score texts with clips by a UniVL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.errors import InvalidInput
from core.records import F32, Progress, no_progress
from core.systems.univl.network import joint_scores, pooled_frames, pooled_text
from core.systems.univl.weights import ReadUnivl

BATCH_ITEMS = 64
"""Texts, or clips, that go through an encoder together."""


@dataclass(frozen=True, slots=True, eq=False)
class ShownClips:
    """m clips of at most F frames, w numbers each.

    Raises:
        InvalidInput: shapes do not fit, a number is not finite, or a clip has no frame.
    """

    features: F32
    """(m, F, w); numbers on padding are ignored."""
    there: F32
    """(m, F) 1 on frames, 0 on padding."""

    def __post_init__(self) -> None:
        if self.features.ndim != 3 or self.there.shape != self.features.shape[:2]:
            raise InvalidInput(
                f"Clips must be (m, F, w) features with (m, F) marks: got {self.features.shape} and {self.there.shape}."
            )
        if not np.isfinite(self.features).all():
            bad = np.flatnonzero(~np.isfinite(self.features).all((1, 2)))
            raise InvalidInput(f"{len(bad):,} clips have features that are not finite, first clip {bad[0]}. Fix them.")
        if len(self.there) and not (self.there.sum(1) > 0).all():
            raise InvalidInput("A clip has no frames. Remove it.")

    def __len__(self) -> int:
        return len(self.features)

    def parts(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Batches of (k, F, w) features and (k, F) marks, at most `BATCH_ITEMS` clips each."""
        for start in range(0, len(self), BATCH_ITEMS):
            part = slice(start, start + BATCH_ITEMS)
            yield torch.from_numpy(self.features[part]).float(), torch.from_numpy(self.there[part]).float()


def check_fits(model: ReadUnivl, clips: ShownClips) -> None:
    """Check that the network can take the clips.

    Raises:
        InvalidInput: frames have another width, or clips have more frames than the network has positions.
    """
    sizes = model.network.sizes
    _, frames, width = clips.features.shape
    if width != sizes.features:
        raise InvalidInput(
            f"The features have {width:,} numbers per frame, this UniVL takes {sizes.features:,}. Use features of the "
            "encoder that it was trained on."
        )
    most = min(sizes.video_positions, sizes.cross_positions - model.tokens)
    if frames > most:
        raise InvalidInput(f"A clip has {frames:,} frames, this UniVL takes at most {most:,}. Use fewer.")


@torch.inference_mode()
def score_texts(
    model: ReadUnivl,
    texts: Sequence[str],
    clips: ShownClips,
    *,
    aligned: bool,
    cosine: bool = False,
    progress: Progress = no_progress,
) -> F32:
    """(n, m) scores of texts with clips.

    Args:
        aligned: sends each pair through the cross encoder; else multiplies pooled vectors.
        cosine: takes cosines of pooled vectors, for a network that was fine-tuned with a margin.
        progress: called as ("Matching texts", done, total) by texts.

    Raises:
        InvalidInput: as for `check_fits`, or the network has no cross encoder.
    """
    check_fits(model, clips)
    network = model.network
    videos = torch.cat([network.watch(network.normed(features), there) for features, there in clips.parts()])
    there = torch.from_numpy(clips.there).float()
    scores = list[torch.Tensor]()
    pooled = pooled_frames(videos, there)
    for start in range(0, len(texts), BATCH_ITEMS):
        ids, seen = model.words.encode(texts[start : start + BATCH_ITEMS], model.tokens)
        states = network.read_text(ids, seen)
        if aligned:
            scores.append(network.aligned_scores(states, seen, videos, there))
        else:
            scores.append(joint_scores(pooled_text(states, seen), pooled, cosine=cosine))
        progress("Matching texts", min(start + BATCH_ITEMS, len(texts)), len(texts))
    return torch.cat(scores).numpy()
