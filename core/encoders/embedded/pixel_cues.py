"""What can be read off the pixels of the network's input: light, colour, sharpness, noise and where in the picture they
lie.

The cues are the raw material of the joint space's `conditions`; each picture is measured alone, so the values do not
depend on its batch.
"""

from __future__ import annotations

import numpy as np

from core.records import F32

GRID = 28
"""Side of the coarse picture; a cell is 8 x 8 pixels."""
HUES = {"red": 0, "orange": 30, "yellow": 58, "green": 120, "cyan": 180, "blue": 235, "purple": 290}
"""Degrees on the colour circle."""
_LOBE = 4
"""Power of the cosine around each hue: at 30 degrees from it a colour counts a half."""
_LIGHT = "luma mean, luma p5, luma p25, luma p50, luma p75, luma p95, luma deviation, log mean luma, dark channel"
_COLOUR = "bright share, dark share, chroma mean, chroma p25, chroma p95, saturation mean, log chroma p95"
_EDGES = "edge 1, edge 2, edge 4, edge ratio 1, edge ratio 2, peak ratio, edge p95"
_NOISE = "noise floor, noise p25, noise median, noise excess, chroma noise, bright dots, dot skew"
_STREAKS = "upright streaks, level streaks, streaks in flats"
_BORDER = "border deviation, border plain share, border edges, centre edges, centre over border"
_FLAT = "flat share, flat border share, border to centre"
_SIDES = "luma, left minus right luma, top minus bottom edges, top minus bottom blue, top minus bottom chroma"
_NAMES = (
    *f"{_LIGHT}, {_COLOUR}".split(", "),
    *(f"{hue} share" for hue in HUES),
    *(f"{hue} floor" for hue in HUES),
    *f"{_EDGES}, {_NOISE}, {_STREAKS}, {_BORDER}, {_FLAT}, top minus bottom {_SIDES}".split(", "),
)
_CELLS = [f"{row}{column}" for row in range(4) for column in range(4)]
CUES = (*_NAMES, *(f"grid {channel} {cell}" for channel in ("red", "green", "blue", "edges") for cell in _CELLS))
"""Name of each column of `measure_cues`."""
_RING = np.ones((GRID, GRID), np.bool_)
_RING[4:-4, 4:-4] = False


def measure_cues(batch: F32) -> F32:
    """(n, len(CUES)) of (n, 3, 224, 224) pictures in [-1, 1]. Shares and levels are in [0, 1], the rest logarithms or
    differences of these."""
    return np.array([_cues(picture) for picture in batch], np.float32).reshape(-1, len(CUES))


def _cues(picture: F32) -> F32:
    rgb = picture * np.float32(0.5) + np.float32(0.5)
    luma = rgb[0] * np.float32(0.299) + rgb[1] * np.float32(0.587) + rgb[2] * np.float32(0.114)
    coarse = _eighth(rgb)  # (3, 28, 28)
    across, down = np.abs(np.diff(luma, axis=1)), np.abs(np.diff(luma, axis=0))
    edges = _eighth(across[:-1] + down[:, :-1])  # (27, 27)
    edges = np.pad(edges, ((0, 1), (0, 1)), mode="edge")
    light = _light(luma, coarse)
    values = [*light, *_colour(coarse), *_sharpness(luma, across, down, rgb, edges), *_layout(coarse, edges)]
    grid = np.concatenate([coarse, np.log(edges + np.float32(0.01))[None]])
    return np.concatenate([np.array(values, np.float32), grid.reshape(4, 4, 7, 4, 7).mean((2, 4)).ravel()])


def _halve(planes: F32) -> F32:
    """Means over squares of two pixels; an odd last row or column is left out."""
    height, width = planes.shape[-2] // 2 * 2, planes.shape[-1] // 2 * 2
    rows = planes[..., 0:height:2, :width] + planes[..., 1:height:2, :width]
    return np.multiply(rows[..., 0::2] + rows[..., 1::2], np.float32(0.25), dtype=np.float32)


def _eighth(planes: F32) -> F32:
    """Means over squares of eight pixels."""
    return _halve(_halve(_halve(planes)))


def _light(luma: F32, coarse: F32) -> list[float]:
    sample = np.sort(luma[2::4, 2::4], axis=None)
    p5, p25, p50, p75, p95 = (float(sample[int(q * (len(sample) - 1))]) for q in (0.05, 0.25, 0.5, 0.75, 0.95))
    mean = float(sample.mean())
    darkest = np.sort(coarse.min(0), axis=None)
    levels = [mean, p5, p25, p50, p75, p95, float(sample.std()), float(np.log(mean + 0.03))]
    return [*levels, float(darkest[len(darkest) // 20]), float((sample > 0.9).mean()), float((sample < 0.1).mean())]


def _colour(coarse: F32) -> list[float]:
    red, green, blue = coarse.reshape(3, -1)
    high, low = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    chroma = high - low
    ordered = np.sort(chroma)
    p25, p95 = float(ordered[len(ordered) // 4]), float(ordered[len(ordered) * 95 // 100])
    saturation = chroma / (high + np.float32(0.05))
    alpha, beta = red - (green + blue) / 2, np.float32(0.8660254) * (green - blue)
    length = np.sqrt(alpha * alpha + beta * beta) + np.float32(1e-6)
    shares: list[float] = []
    floors: list[float] = []
    for degrees in HUES.values():
        angle = np.float32(np.deg2rad(degrees))
        along = (alpha * np.cos(angle) + beta * np.sin(angle)) / length
        strength: F32 = np.maximum(along, 0) ** _LOBE * saturation
        shares.append(float(strength.mean()))
        floors.append(float(np.sort(strength)[len(strength) // 4]))
    return [float(chroma.mean()), p25, p95, float(saturation.mean()), float(np.log(p95 + 0.01)), *shares, *floors]


def _sharpness(luma: F32, across: F32, down: F32, rgb: F32, edges: F32) -> list[float]:
    half = _halve(luma)
    quarter = _halve(half)
    steps = [float(across.mean() + down.mean())]
    steps += [float(np.abs(np.diff(p, axis=0)).mean() + np.abs(np.diff(p, axis=1)).mean()) for p in (half, quarter)]
    e1, e2, e4 = (float(np.log(step + 1e-3)) for step in steps)
    peak1 = float(np.partition(across[::2, ::2].ravel(), -200)[-200])
    peak2 = float(np.partition(np.abs(np.diff(half, axis=1)).ravel(), -200)[-200])
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    bend = luma[1:-1, 1:-1] - around * np.float32(0.25)  # (222, 222)
    rough = bend[:, 1:-1] - (bend[:, :-2] + bend[:, 2:]) * np.float32(0.5)
    local = np.sort(_eighth(np.abs(rough)), axis=None)  # (27 * 27,)
    floor, p25, p50 = (float(np.log(local[int(q * len(local))] + 1e-3)) for q in (0.05, 0.25, 0.5))
    tint = rgb[0, ::2] - rgb[2, ::2]
    tint_noise = float(np.log(np.abs(np.diff(tint, axis=1)).mean() + 1e-3))
    square = bend * bend
    spread = float(np.sqrt(square.mean())) + 1e-3
    dots = float(np.log((bend > 0.08).mean() + 1e-3))
    skew = float((square * bend).mean()) / spread**3
    flat = np.sort(edges, axis=None)
    peaks, steep = np.log((peak1 + 0.01) / (peak2 + 0.01)), np.log(flat[len(flat) * 95 // 100] + 1e-3)
    steps = [e1, e2, e4, e1 - e2, e2 - e4, float(peaks), float(steep)]
    noise = [floor, p25, p50, floor - e4, tint_noise, dots, float(np.tanh(skew / 3))]
    return [*steps, *noise, *_streaks(luma, across, down, edges)]


def _streaks(luma: F32, across: F32, down: F32, edges: F32) -> list[float]:
    """How much more changes across than along an upright line, at one and at eight pixels, and where little else
    happens."""
    near = float(np.log((across.mean() + 1e-3) / (down.mean() + 1e-3)))
    along = np.abs(luma[8:] - luma[:-8])
    far = float(np.log((along.mean() + 1e-3) / (np.abs(luma[:, 8:] - luma[:, :-8]).mean() + 1e-3)))
    wide, tall = _eighth(across[:-1]), _eighth(down[:, :-1])
    calm = edges[:27, :27] <= np.median(edges)
    return [near, far, float(np.log((wide[calm].mean() + 1e-3) / (tall[calm].mean() + 1e-3)))]


def _layout(coarse: F32, edges: F32) -> list[float]:
    ring, middle = coarse[:, _RING], coarse[:, ~_RING]
    median = np.median(ring, 1, keepdims=True)
    apart = np.abs(ring - median).max(0)
    border, centre = float(edges[_RING].mean()), float(edges[~_RING].mean())
    luma = coarse.mean(0)
    half = GRID // 2
    chroma = coarse.max(0) - coarse.min(0)
    blue = coarse[2] - coarse[0]
    values = (
        *(ring.std(1).mean(), (apart < 0.08).mean(), np.log(border + 0.01), np.log(centre + 0.01)),
        *(np.log((centre + 0.01) / (border + 0.01)), (edges < 0.03).mean(), (edges[_RING] < 0.03).mean()),
        np.abs(middle.mean(1) - ring.mean(1)).max(),
        *(luma[:half].mean() - luma[half:].mean(), luma[:, :half].mean() - luma[:, half:].mean()),
        np.log((edges[:half].mean() + 0.01) / (edges[half:].mean() + 0.01)),
        *(blue[:half].mean() - blue[half:].mean(), chroma[:half].mean() - chroma[half:].mean()),
    )
    return [float(value) for value in values]
