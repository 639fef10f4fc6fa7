"""What travels to the map and back: packed arrays out, a checked polygon in."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from webapp.failure_map import map_points, map_selection, read_polygon, rows_inside

SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def test_points_survive_the_journey_bit_for_bit(diagnosis: Diagnosis) -> None:
    sent = map_points(diagnosis, "run-7")
    x = np.frombuffer(base64.b64decode(sent["x"]), "<f4")
    cluster = np.frombuffer(base64.b64decode(sent["cluster"]), "<i2")
    np.testing.assert_array_equal(x, diagnosis.map.xy[:, 0])
    np.testing.assert_array_equal(cluster, diagnosis.cluster_of()[0])
    assert sent["run"] == "run-7"


def test_a_selection_mask_has_one_bit_for_each_row() -> None:
    sent = map_selection(np.array([0, 9, 12]), 13)
    bits = np.unpackbits(np.frombuffer(base64.b64decode(sent["mask"]), np.uint8), bitorder="little")[:13]
    assert np.flatnonzero(bits).tolist() == [0, 9, 12]
    assert sent["count"] == 3


def test_points_inside_a_polygon_match_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    xy = rng.uniform(-1, 1, (500, 2)).astype(np.float32)
    polygon = [
        (float(np.cos(t) * r), float(np.sin(t) * r)) for t, r in zip(np.linspace(0, 6.2, 40), rng.uniform(0.2, 0.9, 40))
    ]

    def inside(px: float, py: float) -> bool:
        crossings = 0
        for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]]):
            if (y0 > py) != (y1 > py) and px < x0 + (py - y0) / (y1 - y0) * (x1 - x0):
                crossings += 1
        return crossings % 2 == 1

    assert rows_inside(xy, polygon).tolist() == [i for i, (x, y) in enumerate(xy.tolist()) if inside(x, y)]


def test_the_direction_and_the_first_corner_of_an_outline_do_not_matter() -> None:
    xy = np.random.default_rng(1).uniform(-0.5, 1.5, (300, 2)).astype(np.float32)
    expected = rows_inside(xy, SQUARE).tolist()
    assert expected
    assert rows_inside(xy, SQUARE[::-1]).tolist() == expected
    assert rows_inside(xy, SQUARE[2:] + SQUARE[:2]).tolist() == expected


@pytest.mark.parametrize("polygon", [[], [(0.0, 0.0)], [(0.0, 0.0), (1.0, 1.0)]])
def test_less_than_a_triangle_holds_nothing(polygon: list[tuple[float, float]]) -> None:
    assert not len(rows_inside(np.zeros((4, 2), np.float32), polygon))


@pytest.mark.parametrize(
    "payload",
    [
        None,
        "0,0 1,1",
        [[0, 0]] * 2001,
        [[0, 1, 2]],
        [["a", "b"]],
        [[0, float("nan")]],
        [[float("inf"), 0]],
        [0, 1],
        {"x": 1},
    ],
)
def test_a_hostile_polygon_is_refused_with_one_message(payload: Any) -> None:
    with pytest.raises(InvalidInput):
        read_polygon(payload)


def test_a_polygon_at_the_limit_is_read() -> None:
    assert len(read_polygon([[0.5, 1]] * 2000)) == 2000
