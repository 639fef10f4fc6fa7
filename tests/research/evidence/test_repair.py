"""The driver of repair deals the same extra weight to each arm, and sums up by world."""

from __future__ import annotations

import numpy as np
import pytest

from research.evidence.repair import PLACES, read, shared_out, table


def test_each_arm_holds_the_same_extra_weight_and_rows_in_no_cluster_none():
    rng = np.random.default_rng(0)
    raw = np.where(np.arange(50) < 10, 3.0, 1.0)
    arms = shared_out(raw / raw.mean(), rng.random(50), 2.0, rng)
    assert (arms.pop("plain") == 1).all()
    np.testing.assert_allclose([np.sum(given) for given in arms.values()], 50 + 10 * 2 * 2.0)
    np.testing.assert_allclose(arms["clusters"], np.where(np.arange(50) < 10, 5.0, 1.0))
    assert sorted(arms["random"]) == pytest.approx(sorted(arms["clusters"]))
    assert not np.array_equal(arms["random"], arms["clusters"])


def test_error_and_loss_are_read_in_each_place_and_an_empty_one_says_so():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    found = read(probabilities, np.array([0, 0, 1]), {"inside": np.array([0, 1, 1], bool), "none": np.zeros(3, bool)})
    assert found["inside"] == {"error": 0.5, "loss": pytest.approx(-np.log([0.2, 0.6]).mean())}
    assert found["none"] == {"error": None, "loss": None}


def test_the_table_pairs_arms_by_world_and_counts_worlds_without_a_cluster():
    def line(seed: int, error: float):
        arms = {"before": 0.5, "plain": error + 0.1, "clusters": error, "loss": error, "random": error + 0.2}
        shown = {name: {place: {"error": v, "loss": v} for place in PLACES} for name, v in arms.items()}
        return {"tier": "clothing", "seed": seed, "dose": 1.0, "n": dict.fromkeys(PLACES, 5), "most": 2.0} | shown

    lines = [line(seed, 0.1 * seed) | {"n_weighted": 7} for seed in range(4)]
    lines += [{"tier": "clothing", "seed": 9, "dose": 1.0, "left_out": "why"}, {**lines[0], "seed": 10}]
    del lines[-1]["plain"]
    text = table(lines)
    assert "| clothing | 1 | 4 | inside | error | 0.500 | 0.250 | 0.150 |" in text
    assert "| -0.100 [-0.100, -0.100] | 0.000 [0.000, 0.000] | -0.200 [-0.200, -0.200] |" in text
    assert "6 seeds, 1 left out" in text
    assert "1 with no cluster to weigh, 4 told" in text
