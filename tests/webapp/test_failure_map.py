"""What travels to the map and back: packed arrays out, a checked polygon in."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis, FailureMap
from tests.support.diagnoses import make_diagnosis
from webapp import failure_map
from webapp.explore.colours import colouring
from webapp.failure_map import map_points, map_selection, read_polygon, row_mask, rows_inside

SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def array(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def bits(text: str, n: int) -> list[int]:
    return np.flatnonzero(np.unpackbits(array(text, "u1"), bitorder="little")[:n]).tolist()


def test_points_survive_the_journey_to_less_than_half_a_pixel_at_the_closest_look(diagnosis: Diagnosis) -> None:
    sent = map_points(diagnosis, "run-7")
    for axis, (low, step), places in zip("xy", sent["box"], diagnosis.map.xy.T):
        assert np.abs(low + step * array(sent[axis], "<u2") - places).max() < np.ptp(places) / (700 * 40 * 2)
    np.testing.assert_array_equal(array(sent["cluster"], "u1").astype(int), diagnosis.cluster_of()[0] % 256)
    assert (sent["run"], sent["n"], sent["of"], sent["gaps"]) == ("run-7", 60, 60, "")


@pytest.mark.parametrize("xy", [np.zeros((60, 2), np.float32), np.full((60, 2), 7e5, np.float32)])
def test_points_on_one_place_stay_there(diagnosis: Diagnosis, xy: np.ndarray) -> None:
    sent = map_points(replace(diagnosis, map=FailureMap(xy, "pca")), "")
    for axis, (low, step) in zip("xy", sent["box"]):
        assert set(low + step * array(sent[axis], "<u2")) == {xy[0, 0]}


def test_of_many_rows_some_of_every_stretch_are_drawn(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = map_points(diagnosis, "")
    monkeypatch.setattr(failure_map, "MAX_DRAWN_POINTS", 12)
    sent = map_points(diagnosis, "")
    rows = np.cumsum(array(sent["gaps"], "<u2")).tolist()
    assert [row // 5 for row in rows] == list(range(12))
    assert len({row % 5 for row in rows}) > 1
    assert (sent["n"], sent["of"]) == (12, 60)
    low, step = sent["box"][0]
    np.testing.assert_allclose(low + step * array(sent["x"], "<u2"), diagnosis.map.xy[rows, 0], atol=step)
    np.testing.assert_array_equal(array(sent["cluster"], "u1"), array(whole["cluster"], "u1")[rows])
    assert map_points(diagnosis, "", every=True) == whole
    chosen = map_selection(diagnosis, np.array([rows[3], rows[4] + 1, rows[11]]))
    assert bits(chosen["mask"], 12) == [3, 11]
    assert chosen["count"] == 3
    lone = next(row for row in range(60) if row not in rows)
    assert map_selection(diagnosis, np.array([lone]))["at"] == diagnosis.map.xy[lone].tolist()
    assert "at" not in map_selection(diagnosis, np.array(rows[:1]))
    colours = colouring(diagnosis, "", "class")
    np.testing.assert_array_equal(
        array(colours["values"], "u1"), array(colouring(diagnosis, "", "class", every=True)["values"], "u1")[rows]
    )
    assert sum(entry["count"] for entry in colours["legend"]) == 60  # all are counted


def test_what_is_sent_of_a_map_does_not_grow_beyond_the_points_that_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_map, "MAX_DRAWN_POINTS", 200)
    of = [make_diagnosis(n, with_images=False) for n in (400, 4000)]
    few, many = (len(json.dumps([map_points(one, ""), map_selection(one, np.arange(99))])) for one in of)
    assert abs(few - many) < 30  # a digit more in a count


def test_a_selection_mask_has_one_bit_for_each_row() -> None:
    assert bits(row_mask(np.array([0, 9, 12]), 13), 13) == [0, 9, 12]


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
