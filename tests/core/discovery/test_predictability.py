"""How much of the loss is predicted: against scikit-learn and scipy, with honest intervals and p."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import r2_score, roc_auc_score

from core.discovery.settings import Settings
from core.records import I64, Diagnosis
from research.arrays import diagnose_arrays

SETTINGS = Settings(map=False, sensitivity=False, n_members=3, n_permutations=199)


@cache
def diagnosed(*, signal: float = 1.0, classes: bool = False, grouped: bool = False, seed: int = 0) -> Diagnosis:
    rng = np.random.default_rng(seed)
    n = 300
    vectors = rng.normal(size=(n, 6)).astype(np.float32)
    losses = signal * vectors[:, 0] + rng.gamma(2.0, 0.5, n)
    labels: I64 | None = np.arange(n) % 2 if classes else None
    groups = np.arange(n) // 3 if grouped else None
    if labels is not None:
        losses += 2.0 * labels
    return diagnose_arrays(vectors, losses, labels=labels, errors=losses > 1.5, groups=groups, settings=SETTINGS)


def test_the_figures_are_those_of_scikit_learn_and_scipy() -> None:
    diagnosis = diagnosed()
    found, losses, predicted = (
        diagnosis.estimate.predictability,
        diagnosis.outcomes.fitted,
        diagnosis.estimate.predicted,
    )
    assert found.r2.value == pytest.approx(r2_score(losses, predicted))
    assert found.rank_correlation.value == pytest.approx(
        np.corrcoef(stats.rankdata(losses), stats.rankdata(predicted))[0, 1]
    )
    assert found.correlation.value == pytest.approx(np.corrcoef(losses, predicted)[0, 1])
    assert found.error_auroc is not None
    assert found.error_auroc.value == pytest.approx(roc_auc_score(diagnosis.outcomes.errors, predicted))
    for estimate in (found.r2, found.rank_correlation, found.correlation, found.error_auroc):
        assert estimate.low < estimate.value < estimate.high
    assert found.n_permutations == 199
    assert found.p == pytest.approx(1 / 200)


@pytest.mark.slow
def test_noise_is_not_called_predictable() -> None:
    ps = [diagnosed(signal=0.0, seed=seed).estimate.predictability.p or 0.0 for seed in range(8)]
    assert sum(p <= 0.05 for p in ps) <= 2
    assert diagnosed(signal=0.0).estimate.predictability.r2.value < 0.05


def test_a_difference_between_classes_counts_in_r2_and_not_in_p() -> None:
    found = diagnosed(signal=0.0, classes=True).estimate.predictability
    assert found.r2.value > 0.3
    assert found.p is not None
    assert found.p > 0.05
    assert [(name, n) for name, n, _, _ in found.by_class] == [("0", 150), ("1", 150)]


def test_each_class_has_its_own_correlation() -> None:
    diagnosis = diagnosed(classes=True)
    for c, (_, _, correlation, p) in enumerate(diagnosis.estimate.predictability.by_class):
        mine = np.arange(300) % 2 == c
        expected = np.corrcoef(diagnosis.outcomes.fitted[mine], diagnosis.estimate.predicted[mine])[0, 1]
        assert correlation.value == pytest.approx(expected)
        assert p is None


def test_errors_that_are_unknown_or_all_alike_have_no_auroc() -> None:
    rng = np.random.default_rng(1)
    vectors, losses = rng.normal(size=(60, 4)).astype(np.float32), rng.gamma(1.0, 1.0, 60)
    settings = Settings(map=False, sensitivity=False, n_members=2, n_permutations=100)
    for errors in (None, np.zeros(60, bool), np.ones(60, bool)):
        assert (
            diagnose_arrays(vectors, losses, errors=errors, settings=settings).estimate.predictability.error_auroc
            is None
        )


def test_groups_are_permuted_whole_and_too_few_give_no_p() -> None:
    diagnosis = diagnosed(grouped=True)
    assert diagnosis.estimate.predictability.p == pytest.approx(1 / 200)
    few = diagnose_arrays(
        diagnosis.embeddings.vectors,
        diagnosis.outcomes.loss,
        groups=np.arange(300) % 10,
        settings=Settings(map=False, sensitivity=False, n_members=2),
    )
    assert few.estimate.predictability.p is None
    assert few.estimate.predictability.n_permutations == 0
