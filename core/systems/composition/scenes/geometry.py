"""What the eye meets along each pixel's ray, for each shape: the surface's direction and where on the surface it is.

A shape is looked at from a little above and the side by parallel rays. Solids are met by solving the ray's equation;
the ring and the star face the eye. All arrays are cached by resolution, so that an image only has to be shaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.records import F32, F64, Bool

_PITCH = np.radians(27.0)
_YAW = np.radians(33.0)
STRIPE = 0.42
"""Length of a stripe and its gap, in half sides."""
_FINE = 3
"""Rays a pixel along each axis, for the outline's coverage."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A shape of n x n pixels whose longest side fills the square."""

    alpha: F32
    """(n, n) share of the pixel that the shape covers."""
    normal: F32
    """(3, n, n) unit: right, up, towards the eye."""
    across: F32
    """(n, n) place along the surface, in half sides: stripes run along its level lines."""
    around: F32
    """(n, n) place along the surface in the other direction."""
    gleam: F32
    """(n, n) place on a flat facet from 0 to 1, where a shiny thing shows a streak; -1 on round parts."""
    bend: float
    """1 for a surface that bends both ways; less for one that bends one way, where a highlight would run to a broad
    stripe."""


_Hit = tuple[Bool, F64, F64, F64, F64]
"""Inside (n, n), normal (3, n, n), across, around, gleam."""


@lru_cache(maxsize=64)
def surface(shape: str, n: int) -> Surface:
    """The surface of a shape in `core.systems.composition.scenes.shapes.SHAPES` at n x n pixels."""
    left, top, side = _bounds(shape)

    def rays(m: int) -> _Hit:
        steps = (np.arange(m) + 0.5) / m * side
        x, y = np.meshgrid(left + steps, top - steps)
        return _HITS[shape](x, y)

    _, normal, across, around, gleam = rays(n)
    inside = rays(n * _FINE)[0].reshape(n, _FINE, n, _FINE).mean((1, 3))
    scale = 2 / side  # half sides of the image of the shape
    return Surface(
        *(a.astype(np.float32) for a in (inside, normal, across * scale, around * scale, gleam)),
        bend=_BENDS.get(shape, 1.0),
    )


@lru_cache(maxsize=16)
def _bounds(shape: str) -> tuple[float, float, float]:
    """Left, top and side of the square around the shape, in the shape's own units."""
    steps = np.linspace(-2, 2, 801)
    inside = _HITS[shape](*np.meshgrid(steps, -steps))[0]
    columns = steps[inside.any(0)]
    rows = -steps[inside.any(1)]
    side = max(columns[-1] - columns[0], rows[0] - rows[-1])
    return float(columns.mean() - side / 2), float(rows.mean() + side / 2), float(side)


def _view(yaw: float) -> F64:
    """(3, 3) rows: the object's axes (right, up, depth) as seen by the eye."""
    turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(_PITCH), np.sin(_PITCH)], [0, -np.sin(_PITCH), np.cos(_PITCH)]])
    return turn @ nod


def _ball(x: F64, y: F64) -> _Hit:
    r = np.hypot(x, y)
    z = np.sqrt(np.clip(1 - r**2, 0, 1))
    unit = np.clip(r, 1e-6, None)
    rim = np.clip(unit, 1, None)  # the direction just outside is that of the rim
    bent = np.arcsin(np.clip(r, 0, 1)) / unit
    tilted = 0.8 * y + 0.35 * z + 0.35 * x
    return r <= 1, np.stack([x / rim, y / rim, z]), np.arcsin(np.clip(tilted / 0.94, -1, 1)), bent * x, _round(x)


def _cube(x: F64, y: F64) -> _Hit:
    axes = _view(float(_YAW))
    inside = np.zeros(x.shape, bool)
    normal = np.zeros((3, *x.shape))
    normal[2] = 1.0
    across = np.zeros_like(x)
    around = np.zeros_like(x)
    gleam = np.zeros_like(x)
    for k in range(3):
        sign = -1.0
        if axes[k, 2] > 0:
            sign = 1.0
        face = axes[k] * sign
        z = (0.7 - face[0] * x - face[1] * y) / face[2]
        u, v = (axes[i, 0] * x + axes[i, 1] * y + axes[i, 2] * z for i in range(3) if i != k)
        here = (np.abs(u) <= 0.7) & (np.abs(v) <= 0.7)
        inside |= here
        normal[:, here] = face[:, None]
        across[here], around[here] = u[here], v[here] + 3.0 * k  # the dots of two faces do not line up
        gleam[here] = ((u - v + 1.4) / 2.8)[here]
    return inside, normal, across, around, gleam


def _turned(x: F64, y: F64, z: F64) -> tuple[F64, F64, F64]:
    """Object coordinates (right, up, depth) of points that the eye sees at x, y, z."""
    axes = _view(0.0)
    return tuple(axes[i, 0] * x + axes[i, 1] * y + axes[i, 2] * z for i in range(3))  # type: ignore[return-value]


def _cylinder(x: F64, y: F64) -> _Hit:
    radius = 0.66
    half = 0.72
    axes = _view(0.0)
    _, up, _ = axes  # the axis as the eye sees it
    # side: the point at distance `radius` from the axis that is nearest to the eye
    deep = np.sqrt(np.clip(radius**2 - x**2, 0, None))
    z = (deep - axes[2, 1] * y) / axes[2, 2]
    height = up[1] * y + up[2] * z
    side = (np.abs(x) <= radius) & (np.abs(height) <= half)
    bent = np.clip(x / radius, -1, 1)
    normal = _eyes(axes, np.stack([bent, 0 * x, np.sqrt(1 - bent**2)]))
    z_top = (half - up[1] * y) / up[2]
    right, _, depth = _turned(x, y, z_top)
    top = right**2 + depth**2 <= radius**2
    normal[:, top] = up[:, None]
    across = np.where(top, np.hypot(right, depth) + 0.14, height)
    around = np.where(top, right, np.arcsin(bent) * radius)
    return (
        side | top,
        normal,
        across,
        np.where(top, around + 9, around),
        np.where(top, (right - depth + 1.4) / 2.8, -1.0),
    )


def _cone(x: F64, y: F64) -> _Hit:
    radius = 0.86
    high = 1.75
    axes = _view(0.0)
    k = 0.86 / 1.75
    # points p + t d with right^2 + depth^2 = (k (high - up))^2
    _, up0, depth0 = _turned(x, y, 0 * x)
    du = axes[1, 2]
    dd = axes[2, 2]
    a = dd**2 - (k * du) ** 2
    b = depth0 * dd + k**2 * du * (high - up0)
    c = x**2 + depth0**2 - (k * (high - up0)) ** 2
    root = np.sqrt(np.clip(b**2 - a * c, 0, None))
    z = (-b + root) / a
    up = up0 + du * z
    depth = depth0 + dd * z
    inside = (b**2 >= a * c) & (up >= 0) & (up <= high)
    reach = np.clip(np.hypot(x, depth), 1e-6, None)
    slope = np.hypot(1, k)
    normal = _eyes(axes, np.stack([x / reach / slope, np.full_like(x, k / slope), depth / reach / slope]))
    return (
        inside,
        normal,
        up * np.hypot(1, k) * 0.8,
        np.arctan2(x, depth) * (0.25 + 0.75 * np.clip(1 - up / high, 0, 1)) * radius,
        _round(x),
    )


def _ring(x: F64, y: F64) -> _Hit:
    middle = 0.68
    tube = 0.29
    r = np.hypot(x, y)
    bent = np.clip((r - middle) / tube, -1, 1)
    unit = np.clip(r, 1e-6, None)
    normal = np.stack([bent * x / unit, bent * y / unit, np.sqrt(1 - bent**2)])
    angle = np.arctan2(y, x)
    # nine stripes round: a whole number, so that the seam does not show
    return np.abs(r - middle) <= tube, normal, angle / np.pi * STRIPE * 4.5, np.arcsin(bent) * tube, _round(x)


def _star(x: F64, y: F64) -> _Hit:
    """Five points; each has two facets that rise to a ridge, and the middle is the highest."""
    outer = 1.0
    inner = 0.5
    high = 0.34
    r = np.hypot(x, y)
    angle = np.arctan2(x, y)
    fold = np.pi / 5
    sector = np.round(angle / (2 * fold))
    local = angle - sector * 2 * fold
    # along the point, away from its ridge
    u = r * np.cos(local)
    v = r * np.abs(np.sin(local))
    tip = np.array([outer, 0.0])
    notch = inner * np.array([np.cos(fold), np.sin(fold)])
    edge = notch - tip
    inside = (tip[0] * edge[1] - tip[1] * edge[0]) - (u * edge[1] - v * edge[0]) >= 0
    # the facet through (0, 0, high), the tip and the notch
    facet = np.cross(np.array([*tip, -high]), np.array([*notch, -high]))
    facet /= np.linalg.norm(facet)
    side = np.where(local >= 0, 1.0, -1.0)
    turn = sector * 2 * fold
    nu = np.full_like(x, facet[0])
    nv = facet[1] * side
    normal = np.stack(
        [nu * np.sin(turn) + nv * np.cos(turn), nu * np.cos(turn) - nv * np.sin(turn), np.full_like(x, facet[2])]
    )
    return inside, normal, 0.8 * y + 0.6 * x, 0.8 * x - 0.6 * y, (sector * 0.37 + 0.5 + 0.25 * side + v) % 1


_BENDS = {"cone": 0.2, "cylinder": 0.45}


def _round(x: F64) -> F64:
    return np.full_like(x, -1.0)


def _eyes(axes: F64, normal: F64) -> F64:
    """Directions of the object's axes as the eye sees them."""
    return np.einsum("ki,k...->i...", axes, normal)


_HITS: Mapping[str, Callable[[F64, F64], _Hit]] = {
    "cube": _cube,
    "ball": _ball,
    "cylinder": _cylinder,
    "cone": _cone,
    "ring": _ring,
    "star": _star,
}
