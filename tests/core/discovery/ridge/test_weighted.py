from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.discovery.ridge import weighted
from core.discovery.ridge.heads import factor_heads, solve_heads, split_by_block
from core.discovery.ridge.weighted import weighted_heads
from core.records import F32
from core.statistics.groups import group_bootstrap


def _made(n: int, r: int, k: int, seed: int = 0) -> tuple[F32, list[Any], F32, Any]:
    rng = np.random.default_rng(seed)
    rows = (rng.standard_normal((n, r)) / np.sqrt(1 + np.arange(r))).astype(np.float32)
    losses = (rng.gamma(1.0, 1.0, (n, 6)) + 3 * rows[:, :1]).astype(np.float32)
    train = split_by_block(np.arange(n), rng.integers(0, k, n), k)
    return rows, train, losses - losses.mean(0), group_bootstrap(np.arange(n), 6, rng)


def _of_copies(rows: F32, train: list[Any], losses: F32, counts: Any, penalty: float, share: float) -> F32:
    """(k, r) heads of rows that are there as often as they count."""
    copied = np.repeat(np.arange(len(rows)), counts.astype(int))
    x: Any = rows[copied].astype(np.float64)
    t: Any = losses[copied, None].astype(np.float64)
    own = [np.flatnonzero(np.isin(copied, some)) for some in train]
    found = solve_heads(x, own, factor_heads(x, own, penalty, share), t, penalty, share)
    return np.stack([head[:, 0] for head in found]).astype(np.float32)


@pytest.mark.parametrize(
    ("n", "r", "k", "share", "penalty"),
    [(900, 64, 4, 2.0, 10.0), (300, 64, 6, 2.0, 1000.0), (400, 32, 3, 0.0, 10.0), (30, 29, 9, 2.0, 10.0)],
)
def test_a_row_that_weighs_two_counts_as_two_rows(n: int, r: int, k: int, share: float, penalty: float) -> None:
    rows, train, losses, weights = _made(n, r, k)
    found = weighted_heads(rows, train, losses, weights, penalty=penalty, share=share)
    assert found.shape == (6, k, r)
    for at, heads in enumerate(found):
        exact = _of_copies(rows, train, losses[:, at], weights[at], penalty, share)
        assert np.abs(heads - exact).max() < 1e-4 * np.abs(exact).max()


def test_equal_weights_give_the_heads_of_all_rows_to_the_last_bit() -> None:
    rows, train, losses, weights = _made(200, 16, 3)
    found = weighted_heads(rows, train, losses, np.ones_like(weights), penalty=10.0, share=2.0)
    exact = solve_heads(rows, train, factor_heads(rows, train, 10.0, 2.0), losses, 10.0, 2.0)
    assert np.array_equal(found, np.stack(exact).transpose(2, 0, 1).astype(np.float32))


def test_weightings_that_do_not_come_close_are_solved_by_factors_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, train, losses, weights = _made(300, 32, 3)
    usual = weighted_heads(rows, train, losses, weights, penalty=10.0, share=2.0)
    monkeypatch.setattr(weighted, "MAX_STEPS", 1)
    direct = weighted_heads(rows, train, losses, weights, penalty=10.0, share=2.0)
    assert not np.array_equal(usual, direct)
    assert np.abs(usual - direct).max() < 1e-4 * np.abs(direct).max()


def test_one_far_row_that_weighs_much_is_no_exception() -> None:
    rows, train, losses, weights = _made(300, 32, 3)
    rows[7] *= 30
    weights[:, 7] = [0, 1, 5, 50, 500, 0]
    found = weighted_heads(rows, train, losses, weights, penalty=10.0, share=2.0)
    exact = np.stack([_of_copies(rows, train, losses[:, at], weights[at], 10.0, 2.0) for at in range(6)])
    near = np.delete(rows, 7, axis=0)
    apart, expected = (near @ heads.transpose(0, 2, 1) for heads in (found - exact, exact))
    assert np.abs(apart).max() < 1e-3 * np.abs(expected).max()


def test_losses_without_any_difference_give_heads_of_nothing() -> None:
    rows, train, losses, weights = _made(100, 16, 2)
    assert not weighted_heads(rows, train, 0 * losses, weights, penalty=10.0, share=2.0).any()


@pytest.mark.parametrize("steps", range(1, 9))
def test_heads_are_far_while_what_their_equations_lack_is_more_than_a_hundred_thousandth(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the norm of the unweighted problem, against dense matrices; so few steps are made as are allowed."""
    rows, _, losses, weights = _made(300, 16, 1)
    monkeypatch.setattr(weighted, "MAX_STEPS", steps)
    made = weighted._Problem(rows, [np.arange(300)], np.ascontiguousarray(weights.T, np.float32), 10.0, 0.0)
    heads, far = made.descend(losses)
    x = rows.astype(np.float64)
    plain = x.T @ x + 10.0 * np.eye(16)
    for p in range(6):
        wanted = x.T @ (weights[p] * losses[:, p])
        lacks = wanted - (x.T @ (weights[p][:, None] * x) + 10.0 * np.eye(16)) @ heads[0, :, p].astype(np.float64)
        share = np.sqrt(lacks @ np.linalg.solve(plain, lacks) / (wanted @ np.linalg.solve(plain, wanted)))
        if not 0.5e-5 < share < 2e-5:  # else single precision decides
            assert far[p] == (share > 1e-5), share
    exact = np.stack([_of_copies(rows, [np.arange(300)], losses[:, p], weights[p], 10.0, 0.0)[0] for p in range(6)])
    apart = np.abs(heads[0].T - exact).max() / np.abs(exact).max()
    assert apart < 0.3**steps + 1e-5
