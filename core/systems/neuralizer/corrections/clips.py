"""Clips of a cluster, and others beside them, with one thing about their time changed: files for the user's model to
score again.

Each change has a control that disturbs a clip as much and leaves the thing as it was: so a loss that only falls because
anything was done to the clip is not taken for an explanation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from PIL import Image

from core.data.clips.decoding import every_frame
from core.data.clips.frames import WATCHED_SIDE, sized, small_size, stacked
from core.data.clips.properties import find_cuts
from core.data.images.archives import FileImages
from core.records import F64, Diagnosis, Progress, Reporter, no_progress
from core.systems.neuralizer.corrections.altered import UNCHANGED, AlteredItem
from core.systems.neuralizer.corrections.export import CorrectionPlan, RunFiles, Version
from core.systems.neuralizer.corrections.names import CHANGES, CONTROL
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes

Frames = list[Image.Image]
_MOST_LIGHT = 4.0
"""Times that a frame is made lighter or darker at most."""


def backwards(frames: Frames, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """From its end to its start; the control has the same frames in an order drawn at random."""
    return frames[::-1], [frames[i] for i in rng.permutation(len(frames)).tolist()]


def steady_light(frames: Frames, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """Every frame in the clip's median light; the control has the same gains, the last first."""
    means = np.array([np.asarray(frame.convert("L").resize((16, 16), Image.Resampling.BOX)).mean() for frame in frames])
    gains = np.clip(np.median(means) / np.maximum(means, 1), 1 / _MOST_LIGHT, _MOST_LIGHT)
    return _lit(frames, gains), _lit(frames, gains[::-1])


def longest_shot(frames: Frames, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """What lies between two cuts and is longest; the control has as many frames from the clip's start."""
    small = small_size(*frames[0].size, long=WATCHED_SIDE)
    cuts = np.flatnonzero(find_cuts(stacked([sized(frame, small) for frame in frames]))) + 1
    ends = [0, *cuts.tolist(), len(frames)]
    start, end = max(pairwise(ends), key=lambda shot: shot[1] - shot[0])
    if start == 0 and end < len(frames):  # the clip's own start is the shot: the control is its end
        return frames[:end], frames[-end:]
    return frames[start:end], frames[: end - start]


_CHANGES: dict[str, Callable[[Frames, np.random.Generator], tuple[Frames, Frames]]] = dict(
    zip(CHANGES, (backwards, steady_light, longest_shot), strict=True)
)
"""By name: from a clip's frames to the changed ones and those of the control."""


def changed_clips(
    diagnosis: Diagnosis,
    clips: FileImages,
    plan: CorrectionPlan,
    names: Sequence[str] = CHANGES,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Iterator[tuple[AlteredItem, bytes]]:
    """Each clip unchanged, with each change, and with each control, as MP4 without sound; one at a time.

    Args:
        clips: the files that were diagnosed.
        progress: called as ("change clips", done, total).

    Raises:
        InvalidInput: a clip is not among the files, can no longer be read, or takes too much memory whole.
    """

    def versions(read: tuple[Frames, float], row: int) -> Iterator[Version]:
        frames, rate = read
        rng = np.random.default_rng([seed, row])
        shown = {UNCHANGED: frames}
        for name in names:
            shown[name], shown[name + CONTROL] = _CHANGES[name](frames, rng)
        for name, own in shown.items():
            yield name, ".mp4", video_bytes(own, rate)

    report = partial(Reporter, progress, "change clips")
    yield from RunFiles(diagnosis, clips).altered(plan, every_frame, versions, report)


def _lit(frames: Frames, gains: F64) -> Frames:
    return [
        frame.point([min(round(value * gain), 255) for value in range(256)] * 3) for frame, gain in zip(frames, gains)
    ]
