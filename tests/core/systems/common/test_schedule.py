"""The step size over a training, as a share of the full one."""

from __future__ import annotations

import pytest

from core.systems.common.schedule import FLOOR, cosine, rate, warmed


def test_a_cosine_falls_from_the_whole_by_half_at_the_middle_to_the_floor() -> None:
    assert [cosine(done, 10) for done in (0, 5, 10)] == pytest.approx([1.0, 0.5, 0.0])
    assert [cosine(done, 10, 0.1) for done in (0, 5, 10)] == pytest.approx([1.0, 0.55, 0.1])


def test_the_rate_rises_in_a_twentieth_of_the_steps_then_falls_to_a_tenth() -> None:
    shares = [rate(step, 100) for step in range(100)]
    assert shares[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    assert shares[5:] == sorted(shares[5:], reverse=True)
    assert rate(100, 100) == pytest.approx(FLOOR)
    assert warmed(4, 100, 10) == pytest.approx(0.5 * cosine(4, 100))
    assert warmed(50, 100, 10, 0.02) == pytest.approx(cosine(50, 100, 0.02))
