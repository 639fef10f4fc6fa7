"""Planted outcomes: of the user's own rows, as many failures or as high a mean as asked for."""

from __future__ import annotations

import numpy as np
import pytest

from core.discovery.design import Design, make_design, measures
from core.discovery.sensitivity.strengths import ErrorRates, MeanLosses, strengths_of, tilted
from core.records import I64, Outcomes, SampleSet

N = 4000


def design(labels: I64 | None = None) -> Design:
    names = () if labels is None else tuple(map(str, range(int(labels.max()) + 1)))
    return make_design(SampleSet(tuple(map(str, range(N))), labels=labels, class_names=names))


@pytest.mark.parametrize("values", [[0.0, 1.0, 2.0, 10.0], [-3.0, -1.0, 0.0, 0.5]])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_tilted_weights_have_the_mean_that_is_asked_for(values: list[float], share: float) -> None:
    x = np.array(values)
    target = x.mean() + share * (x.max() - x.mean())
    weights = tilted(x, target)
    assert weights.sum() == pytest.approx(1)
    assert weights @ x == pytest.approx(target)
    assert (np.diff(weights) > 0).all()


def test_gamma_losses_are_scaled_by_a_tilt() -> None:
    x = np.random.default_rng(0).gamma(2.0, 1.0, 200_000)
    weights = tilted(x, 2 * float(x.mean()))
    assert np.sqrt(weights @ x**2 - (weights @ x) ** 2) == pytest.approx(2 * x.std(), rel=0.05)


def test_rows_take_failing_outcomes_of_their_class_at_the_rate() -> None:
    rng = np.random.default_rng(0)
    labels, errors = np.arange(N) % 2, rng.random(N) < 0.1
    found = strengths_of(
        Outcomes(errors * 1.0 + rng.random(N), "loss", "loss", "given", errors=errors), design(labels), ("error rate",)
    )
    assert isinstance(found, ErrorRates)
    rows, draws = np.flatnonzero(labels == 1)[:1000], rng.random((2, 1000))
    weak, strong = (found.sources(rows, rows, draws, rate) for rate in (0.35, 0.75))
    assert errors[weak].mean() == pytest.approx(0.35, abs=0.04)
    assert errors[strong].mean() == pytest.approx(0.75, abs=0.04)
    assert (errors[strong] >= errors[weak]).all()
    assert (labels[strong] == 1).all()


def test_strengths_start_above_the_rate_of_all_samples() -> None:
    rng = np.random.default_rng(0)
    for base, first in ((0.05, 0.2), (0.3, 0.5), (0.97, 1.0)):
        errors = rng.random(N) < base
        assert ErrorRates.of(errors, design().blocks).values[0] == first


@pytest.mark.parametrize(
    ("losses", "unit"),
    [("gamma", "times the mean loss"), ("normal", "deviations of the loss"), ("bounded", "deviations of the loss")],
)
def test_mean_losses_reach_what_they_promise_within_the_users_own_losses(losses: str, unit: str) -> None:
    rng = np.random.default_rng(0)
    values = {"gamma": rng.gamma(1, 1, N), "normal": rng.normal(size=N), "bounded": 0.8 + 0.2 * rng.random(N)}[losses]
    outcomes = Outcomes(values, "loss", "loss", "given")
    found = strengths_of(outcomes, design(), measures(outcomes, design()).names)
    assert isinstance(found, MeanLosses)
    assert found.unit == unit
    rows, draws = np.arange(N), rng.random((2, N))
    for strength in found.values:
        source = found.sources(rows, rows, draws, strength)
        step = (strength - 1) * values.mean() if unit.startswith("times") else strength * values.std()
        assert values[source].mean() == pytest.approx(values.mean() + step, rel=0.1)


def test_each_class_is_raised_from_its_own_mean() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 2
    losses = rng.gamma(1, 1, N) * np.array([1.0, 3.0])[labels]
    found = MeanLosses.of(losses, labels)
    source = found.sources(np.arange(N), np.arange(N), rng.random((2, N)), 2.0)
    assert (labels[source] == labels).all()
    for c in (0, 1):
        assert losses[source][labels == c].mean() == pytest.approx(2 * losses[labels == c].mean(), rel=0.1)
