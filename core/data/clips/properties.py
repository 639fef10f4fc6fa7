"""Properties measured on a clip's frames: the plain causes of failure that embeddings do not name.

What is measured of an image is measured of four frames of the clip, evenly spread, and averaged (of categories the
most frequent is taken); what is said of time is measured on small frames, at most eight a second. `PROPERTIES` has the
unit of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.clips.frames import MOST_WATCHED, WATCHED, Clip, chosen
from core.data.images import properties as of_pictures
from core.data.images.decoding import DecodedPicture
from core.records import F32, Bool, Column

VERSION = "clip properties 2"
"""Change it with anything that changes a value: it is part of the cache's key."""
UNLIKE = 0.7
SUDDEN = 3.0
"""At a cut two frames have a correlation of at most the first, and differ so many times as much as frames of that clip
do: chosen on the drawn clips of `assets/examples/clips`, where nine cuts of ten are found and no other step is one."""
STILL = 0.004
"""Mean change of luma from one watched frame to the next up to which nothing moves: a gray level of 255."""
_MEASURED = 4
_SAME_AS_PICTURES = (
    *("brightness", "contrast", "colourfulness", "saturation", "grey", "dominant color", "blur", "noise", "tint"),
    *("tint strength", "edge density", "underexposed share", "overexposed share"),
)
PROPERTIES: dict[str, str] = {
    "length": "seconds",
    "frames a second": "of the file, the mean",
    "cuts": f"places where the image is another one within {1 / WATCHED:g} s",
    "motion": f"mean change of luma (0 to 1) within about {1 / WATCHED:g} s, cuts left out",
    "still share": f"share of those steps in which luma changes by less than {STILL:g}",
    "brightness change": "mean luma of the last third minus that of the first, -1 to 1",
    "flicker": "mean change of the whole frame's luma from step to step beyond its trend, 0 to 1",
    **{name: f"{of_pictures.PROPERTIES[name]}; over {_MEASURED} frames" for name in _SAME_AS_PICTURES},
    "width": "pixels, upright",
    "height": "pixels, upright",
    "aspect ratio": "width / height, upright",
    "file size": "kilobytes",
    "file format": "container and codec, as the file's bytes say",
    "sound": "'yes' or 'no', or 'none possible' of an animated image",
}
_CATEGORIES = frozenset({"grey", "dominant color", "tint", "file format", "sound"})
_OVER_TIME = ("cuts", "motion", "still share", "brightness change", "flicker")
"""What is left open where only single frames were decoded."""


def measure_clip(clip: Clip) -> dict[str, Any]:
    """One value for each of `PROPERTIES`: a str for a category, else a float, None where it is left open."""
    frames = [clip.frames[i] for i in chosen(clip.seconds, _MEASURED).tolist()]
    shown = [of_pictures.measure_properties(DecodedPicture(f, f.width, f.height, "", 0)) for f in frames]
    sound = {None: "none possible", True: "yes", False: "no"}[clip.has_sound]
    return {
        "length": clip.length,
        "frames a second": clip.n_frames / max(clip.length, 1e-3),
        **over_time(clip.watched),
        **{name: _together(name, [row[name] for row in shown]) for name in _SAME_AS_PICTURES},
        "width": float(clip.width),
        "height": float(clip.height),
        "aspect ratio": clip.width / clip.height,
        "file size": clip.file_bytes / 1e3,
        "file format": clip.file_format,
        "sound": sound,
    }


def _together(name: str, values: Sequence[Any]) -> Any:
    return Counter(values).most_common(1)[0][0] if name in _CATEGORIES else float(np.mean(values))


def over_time(watched: npt.NDArray[np.uint8]) -> dict[str, float | None]:
    """What is said of time, by name of the property.

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
    return {
        "cuts": float(cuts.sum()),
        "motion": float(steps[~cuts].mean()) if (~cuts).any() else None,
        "still share": float((steps < STILL).mean()),
        "brightness change": float(whole[-third:].mean() - whole[:third].mean()),
        "flicker": float(bend.mean()) if len(bend) else None,
    }


def find_cuts(frames: npt.NDArray[np.uint8]) -> Bool:
    """(n - 1,) whether a cut lies between a frame and the next: they are unlike (correlation of luma), and differ more
    than the clip's frames do. Frames are of one brightness first: a light that flickers or fades is no cut.

    Args:
        frames: (n, h, w, 3) small frames in equal steps.
    """
    luma = _luma(frames)
    even = luma * (luma.mean() / np.maximum(luma.mean((1, 2), keepdims=True), 1e-3))
    steps = np.abs(np.diff(even, axis=0)).mean((1, 2))
    flat = (even - even.mean((1, 2), keepdims=True)).reshape(len(even), -1)
    norms = np.linalg.norm(flat, axis=1)
    likeness = (flat[1:] * flat[:-1]).sum(1) / np.maximum(norms[1:] * norms[:-1], 1e-9)
    return (likeness <= UNLIKE) & (steps >= SUDDEN * np.maximum(np.median(steps), STILL))


def _luma(frames: npt.NDArray[np.uint8]) -> F32:
    luma = frames.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)  # (n, h, w), Rec. 601
    return luma / np.float32(255)


def columns(measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The measurements of many clips as columns, in the order of `PROPERTIES`."""

    def column(name: str) -> Column:
        values = [row[name] for row in measured]
        if name in _CATEGORIES:
            return Column(name, "category", np.array(values, object), measured=True)
        filled = [np.nan if value is None else value for value in values]
        return Column(name, "number", np.array(filled, np.float64), measured=True)

    return tuple(column(name) for name in PROPERTIES)


def notes(measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Sentences on what was left open, or measured in longer steps."""
    said = list[str]()
    n = len(measured)
    if open_ := sum(row["motion"] is None and row["cuts"] is None for row in measured):
        said.append(
            f"{open_:,} of {n:,} clips are too large to be decoded whole, or have two frames: what moves in them, and "
            "where they are cut, was not measured."
        )
    longest = MOST_WATCHED / WATCHED
    if sparse := sum(row["length"] > longest and row["cuts"] is not None for row in measured):
        said.append(
            f"{sparse:,} of {n:,} clips are longer than {longest:g} s: motion and cuts were looked for in "
            f"{MOST_WATCHED} frames of each, so in longer steps."
        )
    return tuple(said)
