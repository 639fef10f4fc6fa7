"""The smallest effect that would have been found: smaller for larger clusters, and really found at twice its size."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from core.discovery.engines.planted_losses import plant_region
from core.discovery.method import diagnose_arrays
from core.discovery.sensitivity import SHARES
from core.discovery.settings import Settings
from core.records import F32, F64, Bool, Detectable

SETTINGS = Settings(map=False, n_members=2, n_permutations=199)


def draw(seed: int, n: int = 500) -> tuple[F32, F64, Bool]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 8)) * np.array([3, 2, 1, 1, 0.5, 0.5, 0.5, 0.5])
    errors = rng.random(n) < 0.15
    return vectors.astype(np.float32), np.where(errors, 1.5, 0.2) + rng.gamma(1.0, 0.2, n), errors


@cache
def measured() -> tuple[Detectable, ...]:
    vectors, losses, errors = draw(0)
    return diagnose_arrays(vectors, losses, errors=errors, settings=SETTINGS).detectable


def test_larger_clusters_need_no_larger_effect_and_power_is_eight_in_ten() -> None:
    found = measured()
    assert len(found) >= 2
    assert [d.size for d in found] == sorted({d.size for d in found})
    assert all(d.power == 0.8 for d in found)
    effects = [np.inf if d.excess_loss is None else d.excess_loss for d in found]
    assert np.isfinite(effects[-1])
    assert all(later <= earlier + 0.15 for earlier, later in pairwise(effects))  # 30 plants a size: some noise
    for d in found:
        assert (d.excess_loss is None) == (d.error_difference is None)
        assert d.error_difference is None or 0 < d.error_difference <= max(SHARES)


def test_without_errors_only_the_loss_is_given() -> None:
    vectors, losses, _ = draw(0)
    assert all(d.error_difference is None for d in diagnose_arrays(vectors, losses, settings=SETTINGS).detectable)


@pytest.mark.slow
def test_a_plant_of_twice_the_detectable_effect_is_found_in_most_runs() -> None:
    largest = measured()[-1]
    assert largest.error_difference is not None
    failing = min(0.9, 0.15 + 2 * largest.error_difference)
    found = 0
    for seed in range(6):
        vectors, losses, errors = draw(seed)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        share = min(failing, errors.sum() / largest.size)  # no more failures than there are to give
        changed, wrong, members = plant_region(
            unit.astype(np.float32), losses, None, errors, size=largest.size, failing=share, seed=seed
        )
        diagnosis = diagnose_arrays(vectors, changed, errors=wrong, settings=SETTINGS)
        found += any((members & (c.membership >= 0.5)).sum() * 2 >= c.size for c in diagnosis.clusters)
    assert found >= 4


def test_where_no_effect_would_do_none_is_given() -> None:
    rng = np.random.default_rng(3)
    vectors, losses = rng.normal(size=(60, 30)).astype(np.float32), rng.gamma(1.0, 1.0, 60)
    found = diagnose_arrays(
        vectors, losses, settings=Settings(map=False, n_members=2, n_permutations=500, alpha=0.005)
    ).detectable
    assert found[0].size == 10
    assert found[0].excess_loss is None


@pytest.mark.parametrize("n_groups", [12])
def test_nothing_is_said_where_nothing_can_be_tested(n_groups: int) -> None:
    vectors, losses, errors = draw(0)
    assert (
        diagnose_arrays(vectors, losses, errors=errors, groups=np.arange(500) % n_groups, settings=SETTINGS).detectable
        == ()
    )
