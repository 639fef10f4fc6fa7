"""The charts of the report: every sample once, in equal steps, with every member."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from core.records import FailureMap
from core.reports.html import charts
from core.reports.html.charts import LossScale, map_by_cluster, observed_by_predicted
from tests.support.diagnoses import make_diagnosis


def test_the_map_draws_every_sample_once_and_keeps_its_shape() -> None:
    diagnosis = make_diagnosis()
    corners = np.zeros((60, 2), np.float32)
    corners[1], corners[2] = (2, 0), (0, 1)
    svg = str(charts.map_by_loss(replace(diagnosis, map=FailureMap(corners, "pca"))))
    points = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h0", svg)}
    assert len(re.findall(r"h0", svg)) == 60
    assert points == {(20, 540), (980, 540), (20, 60)}  # the x axis is twice as long, and y points up


def test_beyond_the_bound_the_map_keeps_every_member(monkeypatch: pytest.MonkeyPatch) -> None:
    diagnosis = make_diagnosis()
    monkeypatch.setattr(charts, "MAX_POINTS", 10)
    members = int((diagnosis.cluster_of()[0] >= 0).sum())
    svg = str(map_by_cluster(diagnosis))
    coloured = re.findall(r'class="cluster-\d" d="([^"]*)"', svg)
    assert sum(path.count("h0") for path in coloured) == members
    assert charts.n_left_off(diagnosis) == 60 - svg.count("h0") > 0


def test_the_loss_scale_has_equal_steps_and_holds_a_constant_loss() -> None:
    scale = LossScale.of(np.linspace(0, 100, 1001))
    assert (scale.low, scale.high) == pytest.approx((2.0, 98.0))
    assert scale.step(np.array([-5.0, 2.0, 50.1, 97.9, 1e9])).tolist() == [0, 0, 3, 5, 5]
    assert LossScale.of(np.ones(10)).step(np.ones(10)).tolist() == [0] * 10


def test_observed_by_predicted_matches_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    predicted, loss = rng.normal(size=100), rng.normal(size=100)
    ranked = sorted(zip(predicted, loss, strict=True))
    expected = [
        (np.mean([p for p, _ in ranked[i : i + 10]]), np.mean([v for _, v in ranked[i : i + 10]]))
        for i in range(0, 100, 10)
    ]
    np.testing.assert_allclose(observed_by_predicted(predicted, loss), expected)
