"""Texts and clips through a UniVL: scores of every text with every clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.errors import InvalidInput
from core.records import F32, Progress, no_progress
from core.systems.univl.network import joint_scores, pooled_frames, pooled_text
from core.systems.univl.weights import ReadUnivl

AT_ONCE = 64
"""Texts, or clips, that go through an encoder together."""


@dataclass(frozen=True, slots=True, eq=False)
class ShownClips:
    """m clips of at most F frames, w numbers each.

    Raises:
        InvalidInput: shapes do not fit, a number is not finite, or a clip has no frame.
    """

    features: F32
    """(m, F, w); what stands where no frame is counts for nothing."""
    there: F32
    """(m, F) 1 on frames, 0 on padding."""

    def __post_init__(self) -> None:
        if self.features.ndim != 3 or self.there.shape != self.features.shape[:2]:
            raise InvalidInput(
                f"Clips are (m, F, w) features with (m, F) marks: got {self.features.shape} and {self.there.shape}."
            )
        if not np.isfinite(self.features).all():
            bad = np.flatnonzero(~np.isfinite(self.features).all((1, 2)))
            raise InvalidInput(f"Features of {len(bad):,} clips are not all finite, the first of clip {bad[0]}.")
        if len(self.there) and not (self.there.sum(1) > 0).all():
            raise InvalidInput("A clip has no frame. Leave it out.")

    def __len__(self) -> int:
        return len(self.features)

    def parts(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """A few clips at a time."""
        for at in range(0, len(self), AT_ONCE):
            part = slice(at, at + AT_ONCE)
            yield torch.from_numpy(self.features[part]).float(), torch.from_numpy(self.there[part]).float()


def check_fits(found: ReadUnivl, clips: ShownClips) -> None:
    """See that the network can take the clips.

    Raises:
        InvalidInput: frames have another width, or there are more of them than it has places.
    """
    sizes, (_, frames, width) = found.network.sizes, clips.features.shape
    if width != sizes.features:
        raise InvalidInput(
            f"This UniVL takes {sizes.features:,} numbers a frame: the features have {width:,}. Bring those of the "
            "encoder that it was taught on."
        )
    most = min(sizes.video_positions, sizes.cross_positions - found.tokens)
    if frames > most:
        raise InvalidInput(f"This UniVL takes at most {most:,} frames a clip: one has {frames:,}. Take fewer.")


@torch.inference_mode()
def score_texts(
    found: ReadUnivl,
    texts: Sequence[str],
    clips: ShownClips,
    *,
    aligned: bool,
    cosine: bool = False,
    progress: Progress = no_progress,
) -> F32:
    """(n, m) scores of texts with clips.

    Args:
        aligned: each pair goes through the cross encoder; else pooled vectors are multiplied.
        cosine: of pooled vectors, for a network that was fine-tuned with a margin.
        progress: called as ("match", done, total) by texts.

    Raises:
        InvalidInput: as for `check_fits`, or the network has no cross encoder.
    """
    check_fits(found, clips)
    network = found.network
    videos = torch.cat([network.watch(network.normed(features), there) for features, there in clips.parts()])
    there = torch.from_numpy(clips.there).float()
    rows = list[torch.Tensor]()
    pooled = pooled_frames(videos, there)
    for at in range(0, len(texts), AT_ONCE):
        ids, seen = found.words.encode(texts[at : at + AT_ONCE], found.tokens)
        states = network.read_text(ids, seen)
        if aligned:
            rows.append(network.aligned_scores(states, seen, videos, there))
        else:
            rows.append(joint_scores(pooled_text(states, seen), pooled, cosine=cosine))
        progress("match", min(at + AT_ONCE, len(texts)), len(texts))
    return torch.cat(rows).numpy()
