"""Clips of a cluster and others with one temporal property changed: files for the user's model to score.

Each change has a control that disturbs the clip as much but leaves the property. So a loss that drops after any
disturbance does not count as an explanation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from PIL import Image

from core.data.clips.decoding import every_frame
from core.data.clips.frames import WATCHED_SIDE, resize_rgb, small_size, stack_frames
from core.data.clips.properties import find_cuts
from core.data.images.archives import FileImages
from core.records import F64, Diagnosis, Progress, Reporter, no_progress
from core.systems.neuralizer.corrections.altered import UNCHANGED, AlteredItem
from core.systems.neuralizer.corrections.export import CorrectionPlan, RunFiles, Version
from core.systems.neuralizer.corrections.names import CHANGES, CONTROL
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes

Frames = list[Image.Image]
MAX_GAIN = 4.0
"""Largest change of a frame's brightness, as a factor."""


def backwards(frames: Frames, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """The frames in reverse; the control has them in random order."""
    return frames[::-1], [frames[i] for i in rng.permutation(len(frames)).tolist()]


def steady_light(frames: Frames, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """Every frame at the clip's median brightness; the control applies the same gains in reverse order."""
    means = np.array([np.asarray(frame.convert("L").resize((16, 16), Image.Resampling.BOX)).mean() for frame in frames])
    gains = np.clip(np.median(means) / np.maximum(means, 1), 1 / MAX_GAIN, MAX_GAIN)
    return _apply_gains(frames, gains), _apply_gains(frames, gains[::-1])


def longest_shot(frames: Frames, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """The longest shot between two cuts; the control has as many frames from the clip's start."""
    small = small_size(*frames[0].size, long=WATCHED_SIDE)
    cuts = np.flatnonzero(find_cuts(stack_frames([resize_rgb(frame, small) for frame in frames]))) + 1
    ends = [0, *cuts.tolist(), len(frames)]
    start, end = max(pairwise(ends), key=lambda shot: shot[1] - shot[0])
    if start == 0 and end < len(frames):  # the shot is the clip's start, so the control is its end
        return frames[:end], frames[-end:]
    return frames[start:end], frames[: end - start]


_CHANGES: dict[str, Callable[[Frames, np.random.Generator], tuple[Frames, Frames]]] = dict(
    zip(CHANGES, (backwards, steady_light, longest_shot), strict=True)
)
"""By name: function from a clip's frames to (changed frames, control frames)."""


def changed_clips(
    diagnosis: Diagnosis,
    clips: FileImages,
    plan: CorrectionPlan,
    names: Sequence[str] = CHANGES,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Iterator[tuple[AlteredItem, bytes]]:
    """Yield each clip unchanged, with each change, and with each control, as MP4 without sound.

    Args:
        clips: the diagnosed files.
        progress: called as ("change clips", done, total).

    Raises:
        InvalidInput: a clip is not among the files, is no longer readable, or needs too much memory as a whole.
    """

    def versions(read: tuple[Frames, float], row: int) -> Iterator[Version]:
        frames, rate = read
        rng = np.random.default_rng([seed, row])
        frames_of = {UNCHANGED: frames}
        for name in names:
            frames_of[name], frames_of[name + CONTROL] = _CHANGES[name](frames, rng)
        for name, changed in frames_of.items():
            yield name, ".mp4", video_bytes(changed, rate)

    report = partial(Reporter, progress, "change clips")
    yield from RunFiles(diagnosis, clips).altered(plan, every_frame, versions, report)


def _apply_gains(frames: Frames, gains: F64) -> Frames:
    lit = Frames()
    for frame, gain in zip(frames, gains, strict=True):
        table = [min(round(value * gain), 255) for value in range(256)]
        lit.append(frame.point(table * 3))
    return lit
