"""Measure properties of a clip's frames: the plain causes of failure that embeddings do not name.

Properties of images are measured on four frames, evenly spread, and averaged (of categories the most frequent counts).
Properties over time are measured on small frames, at most eight a second. `PROPERTIES` has the unit of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.clips.frames import MAX_WATCHED_FRAMES, WATCHED_PER_SECOND, Clip, choose_frames
from core.data.images import properties as of_pictures
from core.data.images.decoding import DecodedPicture
from core.data.modality import CATEGORIES
from core.numbers import count
from core.records import F32, Bool

VERSION = "clip properties 2"
"""Change it with anything that changes a value: it is part of the cache's key."""
MAX_CUT_CORRELATION = 0.7
MIN_CUT_RATIO = 3.0
"""At a cut two frames correlate at most by the first, and differ at least by the second times the clip's median step.
Chosen on the drawn clips of `assets/examples/clips`: they find nine of ten cuts there, and no false one."""
STILL_CHANGE = 0.004
"""Mean change of luma between watched frames up to which nothing moves: one gray level of 255."""
_MEASURED_FRAMES = 4
_SAME_AS_PICTURES = (
    *("brightness", "contrast", "colourfulness", "saturation", "grey", "dominant color", "blur", "noise", "tint"),
    *("tint strength", "edge density", "underexposed share", "overexposed share"),
)
PROPERTIES: dict[str, str] = {
    "length": "seconds",
    "frames a second": "of the file, the mean",
    "cuts": f"places where the image changes entirely within {1 / WATCHED_PER_SECOND:g} s",
    "motion": f"mean change of luma (0 to 1) within about {1 / WATCHED_PER_SECOND:g} s, cuts left out",
    "still share": f"share of those steps in which luma changes by less than {STILL_CHANGE:g}",
    "brightness change": "mean luma of the last third minus that of the first, -1 to 1",
    "flicker": "mean change of the whole frame's luma from step to step beyond its trend, 0 to 1",
    **{name: f"{of_pictures.PROPERTIES[name]}; over {_MEASURED_FRAMES} frames" for name in _SAME_AS_PICTURES},
    "width": "pixels, upright",
    "height": "pixels, upright",
    "aspect ratio": "width / height, upright",
    "file size": "kilobytes",
    "file format": "container and codec, from the file's bytes",
    "sound": "'yes' or 'no', or 'none possible' for an animated image",
}
_OVER_TIME = ("cuts", "motion", "still share", "brightness change", "flicker")
"""Left open if only single frames were decoded."""


def measure_clip(clip: Clip) -> dict[str, Any]:
    """Measure each of `PROPERTIES`: a str for a category, else a float, None where it is left open."""
    frames = [clip.frames[i] for i in choose_frames(clip.seconds, _MEASURED_FRAMES).tolist()]
    measured = [of_pictures.measure_properties(DecodedPicture(f, f.width, f.height, "", 0)) for f in frames]
    sound = {None: "none possible", True: "yes", False: "no"}[clip.has_sound]
    return {
        "length": clip.length,
        "frames a second": clip.n_frames / max(clip.length, 1e-3),
        **measure_over_time(clip.watched),
        **{name: _combine(name, [row[name] for row in measured]) for name in _SAME_AS_PICTURES},
        "width": float(clip.width),
        "height": float(clip.height),
        "aspect ratio": clip.width / clip.height,
        "file size": clip.file_bytes / 1e3,
        "file format": clip.file_format,
        "sound": sound,
    }


def _combine(name: str, values: Sequence[Any]) -> Any:
    if name in CATEGORIES:
        return Counter(values).most_common(1)[0][0]
    return float(np.mean(values))


def measure_over_time(watched: npt.NDArray[np.uint8]) -> dict[str, float | None]:
    """Measure the properties over time, by name.

    Args:
        watched: (n, h, w, 3) small frames in equal steps.
    """
    if len(watched) < 3:
        return dict.fromkeys(_OVER_TIME)
    luma = _luma(watched)
    steps = np.abs(np.diff(luma, axis=0)).mean((1, 2))
    cuts = find_cuts(watched)
    whole = luma.mean((1, 2)).astype(np.float64)
    third = max(len(whole) // 3, 1)
    uncut = ~cuts[1:] & ~cuts[:-1]
    bend = np.abs(np.diff(whole, 2))[uncut] / 2
    motion = None
    if not cuts.all():
        motion = float(steps[~cuts].mean())
    flicker = None
    if len(bend):
        flicker = float(bend.mean())
    return {
        "cuts": float(cuts.sum()),
        "motion": motion,
        "still share": float((steps < STILL_CHANGE).mean()),
        "brightness change": float(whole[-third:].mean() - whole[:third].mean()),
        "flicker": flicker,
    }


def find_cuts(frames: npt.NDArray[np.uint8]) -> Bool:
    """Find cuts: (n - 1,) whether a frame and the next have a low correlation of luma, and differ more than frames of
    this clip usually do. Brightness is equalized first, so that a light that flickers or fades does not count as a cut.

    Args:
        frames: (n, h, w, 3) small frames in equal steps.
    """
    luma = _luma(frames)
    even = luma * (luma.mean() / np.maximum(luma.mean((1, 2), keepdims=True), 1e-3))
    steps = np.abs(np.diff(even, axis=0)).mean((1, 2))
    flat = (even - even.mean((1, 2), keepdims=True)).reshape(len(even), -1)
    norms = np.linalg.norm(flat, axis=1)
    correlation = (flat[1:] * flat[:-1]).sum(1) / np.maximum(norms[1:] * norms[:-1], 1e-9)
    return (correlation <= MAX_CUT_CORRELATION) & (steps >= MIN_CUT_RATIO * np.maximum(np.median(steps), STILL_CHANGE))


def _luma(frames: npt.NDArray[np.uint8]) -> F32:
    luma = frames.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)  # (n, h, w), Rec. 601
    return luma / np.float32(255)


def notes(measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Write notes on clips whose motion was left open, or measured in longer steps."""
    sentences = list[str]()
    n = len(measured)
    unmeasured = sum(row["motion"] is None and row["cuts"] is None for row in measured)
    if unmeasured:
        sentences.append(
            f"Motion and cuts were not measured in {unmeasured:,} of {count(n, 'clip')}: they are too large to decode "
            "whole, or have two frames."
        )
    longest = MAX_WATCHED_FRAMES / WATCHED_PER_SECOND
    sparse = sum(row["length"] > longest and row["cuts"] is not None for row in measured)
    if sparse:
        sentences.append(
            f"Motion and cuts were measured in longer steps in {sparse:,} of {count(n, 'clip')}: they are longer than "
            f"{longest:g} s, and {MAX_WATCHED_FRAMES} frames of each were read."
        )
    return tuple(sentences)
