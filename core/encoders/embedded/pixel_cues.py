"""Cues of the pixels of the network's input: light, color, sharpness, noise, and their position in the image.

The joint space's `conditions` are fitted on them. Each image is measured alone, so its values do not depend on its
batch.
"""

from __future__ import annotations

import numpy as np

from core.records import F32

GRID = 28
"""Side of the coarse image; a cell is 8 x 8 pixels."""
HUES = {"red": 0, "orange": 30, "yellow": 58, "green": 120, "cyan": 180, "blue": 235, "purple": 290}
"""Degrees on the color circle."""
_LOBE = 4
"""Power of the cosine around each hue: a color 30 degrees away counts about a half."""
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
    """(n, len(CUES)) of (n, 3, 224, 224) images in [-1, 1]. Shares and levels are in [0, 1], the others logarithms or
    differences of these."""
    if not len(batch):
        return np.zeros((0, len(CUES)), np.float32)
    light, sharpness, coarse, edges = (np.array(part, np.float32) for part in zip(*map(_measure_pixels, batch)))
    grid = np.concatenate([coarse, np.log(edges + np.float32(0.01))[:, None]], 1)
    cells = grid.reshape(-1, 4, 4, 7, 4, 7).mean((3, 5)).reshape(len(batch), -1)
    return np.concatenate([light, _colour(coarse), sharpness, _layout(coarse, edges), cells], 1, dtype=np.float32)


def _measure_pixels(pixels: F32) -> tuple[list[float], list[float], F32, F32]:
    """Cues of light and of sharpness, measured on all pixels; and (3, 28, 28) means of squares of eight pixels and
    (28, 28) of their edges, for the other cues."""
    rgb = pixels * np.float32(0.5) + np.float32(0.5)
    luma = _luma(rgb)
    half = _halve(rgb)
    coarse = _halve(_halve(half))
    across = np.abs(luma[:, 1:] - luma[:, :-1])
    down = np.abs(luma[1:] - luma[:-1])
    # (27, 27)
    wide = _eighth(across[:-1])
    tall = _eighth(down[:, :-1])
    edges = np.pad(wide + tall, ((0, 1), (0, 1)), mode="edge")
    steps = float(across.mean()), float(down.mean())
    sharpness = [*_sharpness(luma, _luma(half), across, sum(steps), rgb, edges), *_streaks(luma, *steps, wide, tall)]
    return _light(luma, coarse), sharpness, coarse, edges


def _luma(planes: F32) -> F32:
    return planes[0] * np.float32(0.299) + planes[1] * np.float32(0.587) + planes[2] * np.float32(0.114)


def _halve(planes: F32) -> F32:
    """Means over squares of two pixels, without an odd last row or column."""
    height = planes.shape[-2] // 2 * 2
    width = planes.shape[-1] // 2 * 2
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


def _colour(coarse: F32) -> F32:
    """(n, 5 and two for each hue) of (n, 3, 28, 28)."""
    red, green, blue = coarse.reshape(len(coarse), 3, -1).transpose(1, 0, 2)
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    chroma = high - low
    ordered = np.sort(chroma, axis=1)
    p25 = ordered[:, GRID * GRID // 4]
    p95 = ordered[:, GRID * GRID * 95 // 100]
    saturation = chroma / (high + np.float32(0.05))
    alpha = red - (green + blue) / 2
    beta = np.float32(0.8660254) * (green - blue)
    length = np.sqrt(alpha * alpha + beta * beta) + np.float32(1e-6)
    shares: list[F32] = []
    floors: list[F32] = []
    for degrees in HUES.values():
        angle = np.float32(np.deg2rad(degrees))
        along = (alpha * np.cos(angle) + beta * np.sin(angle)) / length
        strength: F32 = np.maximum(along, 0) ** _LOBE * saturation
        shares.append(strength.mean(1))
        floors.append(np.sort(strength, axis=1)[:, GRID * GRID // 4])
    return np.stack([chroma.mean(1), p25, p95, saturation.mean(1), np.log(p95 + 0.01), *shares, *floors], 1)


def _sharpness(luma: F32, half: F32, across: F32, step: float, rgb: F32, edges: F32) -> list[float]:
    steps = [step, *(float(np.abs(p[1:] - p[:-1]).mean() + _mean_step(p)) for p in (half, _halve(half)))]
    e1, e2, e4 = (float(np.log(step + 1e-3)) for step in steps)
    peak1 = float(np.partition(across[::2, ::2].ravel(), -200)[-200])
    peak2 = float(np.partition(np.abs(np.diff(half, axis=1)).ravel(), -200)[-200])
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    bend = luma[1:-1, 1:-1] - around * np.float32(0.25)  # (222, 222)
    rough = bend[:, 1:-1] - (bend[:, :-2] + bend[:, 2:]) * np.float32(0.5)
    local = np.sort(_eighth(np.abs(rough)), axis=None)  # (27 * 27,)
    floor, p25, p50 = (float(np.log(local[int(q * len(local))] + 1e-3)) for q in (0.05, 0.25, 0.5))
    tint_noise = float(np.log(_mean_step(rgb[0, ::2] - rgb[2, ::2]) + 1e-3))
    square = bend * bend
    spread = float(np.sqrt(square.mean())) + 1e-3
    dots = float(np.log(np.count_nonzero(bend > 0.08) / bend.size + 1e-3))
    skew = float((square * bend).mean()) / spread**3
    flat = np.sort(edges, axis=None)
    peaks = np.log((peak1 + 0.01) / (peak2 + 0.01))
    steep = np.log(flat[len(flat) * 95 // 100] + 1e-3)
    steps = [e1, e2, e4, e1 - e2, e2 - e4, float(peaks), float(steep)]
    noise = [floor, p25, p50, floor - e4, tint_noise, dots, float(np.tanh(skew / 3))]
    return [*steps, *noise]


def _mean_step(plane: F32, far: int = 1) -> float:
    """Mean change from a pixel to the one `far` to the right."""
    return float(np.abs(plane[:, far:] - plane[:, :-far]).mean())


def _streaks(luma: F32, across: float, down: float, wide: F32, tall: F32) -> list[float]:
    """Log ratio of changes across and along an upright line, at one and at eight pixels, and in calm cells."""
    near = float(np.log((across + 1e-3) / (down + 1e-3)))
    far = float(np.log((np.abs(luma[8:] - luma[:-8]).mean() + 1e-3) / (_mean_step(luma, 8) + 1e-3)))
    edges = wide + tall
    calm = edges <= np.median(np.pad(edges, ((0, 1), (0, 1)), mode="edge"))
    return [near, far, float(np.log((wide[calm].mean() + 1e-3) / (tall[calm].mean() + 1e-3)))]


def _layout(coarse: F32, edges: F32) -> F32:
    """(n, 13) of (n, 3, 28, 28) and (n, 28, 28)."""
    (ring, middle), (border, centre) = _parted(coarse), _parted(edges)
    apart = np.abs(ring - np.median(ring, 2, keepdims=True)).max(1)
    around = border.mean(1)
    inside = centre.mean(1)
    luma = coarse.mean(1)
    chroma = coarse.max(1) - coarse.min(1)
    blue = coarse[:, 2] - coarse[:, 0]
    upper, lower = _halves(edges)
    values = (
        *(ring.std(2).mean(1), (apart < 0.08).mean(1), np.log(around + 0.01), np.log(inside + 0.01)),
        *(np.log((inside + 0.01) / (around + 0.01)), (edges < 0.03).mean((1, 2)), (border < 0.03).mean(1)),
        np.abs(middle.mean(2) - ring.mean(2)).max(1),
        *(np.subtract(*_halves(luma)), np.subtract(*_halves(luma.transpose(0, 2, 1)))),
        np.log((upper + 0.01) / (lower + 0.01)),
        *(np.subtract(*_halves(blue)), np.subtract(*_halves(chroma))),
    )
    return np.stack(values, 1)


def _parted(planes: F32) -> tuple[F32, F32]:
    """(..., cells) on the border of (..., 28, 28), and inside it, in a fixed order: an image's sums are the same in any
    batch."""
    flat = planes.reshape(*planes.shape[:-2], -1)
    return np.compress(_RING.ravel(), flat, axis=-1), np.compress(~_RING.ravel(), flat, axis=-1)


def _halves(planes: F32) -> tuple[F32, F32]:
    """(n,) and (n,) means of the upper and of the lower half of (n, 28, 28)."""
    rows = planes.reshape(len(planes), 2, -1).mean(2)
    return rows[:, 0], rows[:, 1]
