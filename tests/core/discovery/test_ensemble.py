"""The ensemble: a scikit-learn estimator that never reads a row with a member that saw it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from core.discovery import ensemble
from core.discovery.ensemble import LossRegressor, out_of_fold
from core.discovery.settings import FAMILIES
from core.errors import InvalidInput, MissingDependency
from core.records import F32, F64, I64
from core.statistics.groups import assign_folds

Family = Literal["ridge", "kernel", "mlp"]


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_scikit_learn_accepts_the_estimator(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "MIN_STEPS", 60)  # it is asked to behave, not to be right
    results: Any = check_estimator(LossRegressor(family=family, n_members=2), on_fail=None, on_skip=None)
    failed = {r["check_name"]: str(r["exception"]) for r in results if r["status"] == "failed"}
    assert failed == {}
    assert sum(r["status"] == "passed" for r in results) > 30


@dataclass
class Rows:
    vectors: F32
    blocks: I64
    groups: I64
    folds: I64
    losses: F64


def draw(n: int = 120, d: int = 6, seed: int = 0, n_blocks: int = 3) -> Rows:
    rng = np.random.default_rng(seed)
    blocks, groups = rng.integers(0, n_blocks, n), np.arange(n) // 2
    folds = assign_folds(n, blocks, groups, 4, rng)
    return Rows(rng.normal(size=(n, d)).astype(np.float32), blocks, groups, folds, rng.gamma(1.0, 1.0, n))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_rows_own_loss_does_not_move_its_reading(family: Family) -> None:
    rows, changed = draw(), draw()
    regressor = LossRegressor(family=family, n_members=3, epochs=3)
    mine = rows.folds == rows.folds[7]
    changed.losses[mine] += 50
    before = out_of_fold(regressor, rows.vectors, rows.losses, rows.blocks, rows.groups, rows.folds)
    after = out_of_fold(regressor, rows.vectors, changed.losses, rows.blocks, rows.groups, rows.folds)
    for a, b in zip(before, after):
        np.testing.assert_array_equal(a[mine], b[mine])
        assert np.abs(a[~mine] - b[~mine]).max() > 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_arrays_and_settings_bring_the_same_ensemble_back(family: Family) -> None:
    rows = draw()
    fitted = LossRegressor(family=family, n_members=4, epochs=3).fit(
        rows.vectors, rows.losses, rows.blocks, rows.groups
    )
    again = LossRegressor.from_arrays(fitted.to_arrays(), fitted.get_params())
    fresh = draw(seed=1).vectors
    blocks = np.where(np.arange(120) % 4 == 0, -1, rows.blocks)  # some of unknown class
    for a, b in zip(fitted.predict(fresh, blocks, return_std=True), again.predict(fresh, blocks, return_std=True)):
        np.testing.assert_array_equal(a, b)
    assert all(a.dtype != object for a in fitted.to_arrays().values())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_state_gives_the_same_members_and_another_does_not(family: Family) -> None:
    rows = draw()
    one, same, other = (
        LossRegressor(family=family, n_members=3, epochs=3, random_state=s).fit(rows.vectors, rows.losses)
        for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.predict(rows.vectors), same.predict(rows.vectors))
    assert np.abs(one.predict(rows.vectors) - other.predict(rows.vectors)).max() > 1e-4


def held_out_r2(family: Family, vectors: F32, losses: F64, seed: int = 0) -> float:
    rng = np.random.default_rng(seed)
    blocks = np.zeros(len(losses), np.int64)
    folds = assign_folds(len(losses), blocks, None, 4, rng)
    predicted, _ = out_of_fold(LossRegressor(family=family, n_members=2), vectors, losses, blocks, None, folds)
    return 1 - float(((losses - predicted) ** 2).sum() / ((losses - losses.mean()) ** 2).sum())


def test_the_ridge_family_recovers_a_linear_loss() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(500, 8)).astype(np.float32)
    signal = vectors[:, 0] - vectors[:, 3]
    losses = signal + rng.normal(0, 1, 500)  # two thirds of the variance can be explained
    assert 0.5 < held_out_r2("ridge", vectors, losses) < 0.75


@pytest.mark.slow
def test_the_non_linear_families_recover_a_ball_that_ridge_cannot_see() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(900, 3)).astype(np.float32)
    losses = (np.linalg.norm(vectors, axis=1) < 1.2).astype(float) + rng.normal(0, 0.2, 900)
    assert held_out_r2("ridge", vectors, losses) < 0.05
    assert held_out_r2("kernel", vectors, losses) > 0.3
    assert held_out_r2("mlp", vectors, losses) > 0.3


@pytest.mark.slow
def test_the_non_linear_families_recover_an_exclusive_or() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(900, 3)).astype(np.float32)
    losses = (vectors[:, 0] * vectors[:, 1] > 0) + rng.normal(0, 0.2, 900)
    assert held_out_r2("ridge", vectors, losses) < 0.05
    assert held_out_r2("kernel", vectors, losses) > 0.3
    assert held_out_r2("mlp", vectors, losses) > 0.3


def test_the_mlp_family_without_torch_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    rng = np.random.default_rng(0)
    with pytest.raises(MissingDependency, match="pip install torch"):
        LossRegressor(family="mlp").fit(rng.normal(size=(40, 4)), rng.random(40))


def test_the_mlp_family_learns_from_few_rows_too() -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(200, 8)).astype(np.float32)
    assert held_out_r2("mlp", vectors, vectors[:, 0] + rng.normal(0, 0.5, 200)) > 0.4  # 0.8 could be explained


@pytest.mark.parametrize("family", FAMILIES)
def test_noise_is_not_predicted(family: Family) -> None:
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(400, 6)).astype(np.float32)
    assert -0.25 < held_out_r2(family, vectors, rng.gamma(1.0, 1.0, 400)) < 0.03


def test_class_heads_see_a_slope_that_turns_with_the_class() -> None:
    rng = np.random.default_rng(5)
    vectors, blocks = rng.normal(size=(600, 5)).astype(np.float32), rng.integers(0, 2, 600)
    losses = np.where(blocks == 1, 1.0, -1.0) * vectors[:, 0] + rng.normal(0, 0.5, 600)
    folds = assign_folds(600, blocks, None, 4, rng)
    spread = ((losses - losses.mean()) ** 2).sum()
    r2 = {}
    for share in (0.0, 2.0):
        predicted, _ = out_of_fold(LossRegressor(n_members=5, share=share), vectors, losses, blocks, None, folds)
        r2[share] = 1 - ((losses - predicted) ** 2).sum() / spread
    assert r2[0.0] < 0.05
    assert r2[2.0] > 0.6


def test_an_unknown_class_is_read_as_the_mean_over_classes() -> None:
    rows = draw(n=300)
    fitted = LossRegressor(n_members=4).fit(rows.vectors, rows.losses, rows.blocks)
    shares = np.bincount(rows.blocks) / 300
    features = rows.vectors[:5]
    unknown = fitted._predict_members(fitted.features_.of(features, np.full(5, -1)), np.full(5, -1, np.int64))
    each = [
        fitted._predict_members(fitted.features_.of(features, np.full(5, -1)), np.full(5, c, np.int64))
        for c in range(3)
    ]
    np.testing.assert_allclose(unknown, np.tensordot(shares, each, 1), atol=1e-5)


def test_a_class_that_a_training_part_lacks_is_still_predicted() -> None:
    rows = draw()
    lone = np.where(rows.folds == 0, 3, rows.blocks)  # class 3 lies in fold 0 alone
    predicted, spread = out_of_fold(
        LossRegressor(n_members=3), rows.vectors, rows.losses, lone, rows.groups, rows.folds
    )
    assert np.isfinite(predicted).all()
    assert (spread > 0).all()


def test_members_disagree_more_where_groups_are_few() -> None:
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(30), 10)
    vectors = (rng.normal(size=(30, 4))[groups] + 0.1 * rng.normal(size=(300, 4))).astype(np.float32)
    losses = rng.normal(size=30)[groups] + 0.1 * rng.normal(size=300)
    _, by_row = LossRegressor(n_members=20).fit(vectors, losses).predict(vectors, return_std=True)
    _, by_group = LossRegressor(n_members=20).fit(vectors, losses, groups=groups).predict(vectors, return_std=True)
    assert by_group.mean() > 1.5 * by_row.mean()


def test_progress_counts_the_folds() -> None:
    rows, seen = draw(), list[tuple[str, int, int]]()
    out_of_fold(
        LossRegressor(n_members=2), rows.vectors, rows.losses, rows.blocks, None, rows.folds, lambda *a: seen.append(a)
    )
    assert seen == [("Fitting the loss model", i + 1, 5) for i in range(4)]


@pytest.mark.parametrize(("x", "y", "named"), [(1e30, 1, "values of X"), (1, 1e300, "losses y")])
def test_numbers_beyond_a_float32_are_refused_and_predict_no_constant(x: float, y: float, named: str) -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 3))
    with pytest.raises(InvalidInput, match=f"{named} must lie within 1e\\+15 of 0"):
        LossRegressor().fit(vectors * x, vectors[:, 0] * y)


def test_an_unknown_family_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"'ridge' or 'kernel' or 'mlp': got 'forest'"):
        LossRegressor(family="forest").fit(np.ones((5, 2)), np.arange(5.0))  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["ridge", "kernel"])
def test_members_that_see_some_of_many_rows_agree_with_members_that_see_all(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    vectors, blocks, new = rng.normal(size=(4000, 8)), rng.integers(0, 3, 4000), rng.normal(size=(300, 8))
    losses = vectors[:, 0] + 0.5 * vectors[:, 1] * (blocks == 1) + rng.gamma(1.0, 1.0, 4000)
    of_new = rng.integers(-1, 3, 300)
    all_rows = LossRegressor(family=family, n_members=40).fit(vectors, losses, blocks)
    whole, spread = all_rows.predict(new, of_new, return_std=True)
    monkeypatch.setattr(ensemble, "MAX_MEMBER_ROWS", 1000)
    fitted = LossRegressor(family=family, n_members=40).fit(vectors, losses, blocks)
    found, narrow = fitted.predict(new, of_new, return_std=True)
    assert np.corrcoef(found, whole)[0, 1] > 0.995
    assert np.abs(found - whole).max() < 0.15 * whole.std()
    assert 0.85 < np.median(narrow / spread) < 1.15
    kept = LossRegressor.from_arrays(fitted.to_arrays(), fitted.get_params())
    np.testing.assert_allclose(kept.predict(new, of_new), found, atol=1e-5)


def test_members_that_see_some_of_many_rows_never_see_part_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "MAX_MEMBER_ROWS", 60)
    rows, seen = draw(n=240), list[int]()
    plain = LossRegressor._fit_heads

    def watched(self: LossRegressor, given: F32, *rest: Any) -> F32:
        seen.append(len(given))
        return plain(self, given, *rest)

    monkeypatch.setattr(LossRegressor, "_fit_heads", watched)
    LossRegressor(n_members=5).fit(rows.vectors, rows.losses, rows.blocks, rows.groups)
    assert seen[0] == 240  # the fit to all
    assert len(seen) == 6
    assert all(size % 2 == 0 and 50 <= size <= 60 for size in seen[1:])


def test_of_two_groups_with_many_rows_each_member_draws_whole_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "MAX_MEMBER_ROWS", 60)
    rows = draw(n=240)
    fitted = LossRegressor(n_members=5).fit(rows.vectors, rows.losses, groups=np.arange(240) % 2)
    assert np.isfinite(fitted.predict(rows.vectors, return_std=True)).all()


def test_classes_and_groups_that_do_not_fit_the_rows_are_refused() -> None:
    rows, fit = draw(n=240), LossRegressor(n_members=2).fit
    with pytest.raises(InvalidInput, match=r"groups must be one for each of the 240 rows: got the shape \(3,\)"):
        fit(rows.vectors, rows.losses, groups=np.arange(3))
    with pytest.raises(InvalidInput, match="classes must be one whole number for each of the 240 rows: got float64"):
        fit(rows.vectors, rows.losses, np.full(240, 0.5))
    with pytest.raises(InvalidInput, match="classes must be numbered from 0: got -1 to -1"):
        fit(rows.vectors, rows.losses, np.full(240, -1))
    with pytest.raises(InvalidInput, match="classes must be numbered from -1 to 0: got 1 to 1"):
        fit(rows.vectors, rows.losses).predict(rows.vectors, np.ones(240, int))


@pytest.mark.parametrize("share", [0.0, 2.0])
def test_a_class_that_a_member_does_not_see_is_read_from_the_shared_head(
    share: float, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ensemble, "MAX_MEMBER_ROWS", 60)
    rows = draw(n=400, n_blocks=90)
    found, spread = (
        LossRegressor(n_members=4, share=share)
        .fit(rows.vectors, rows.losses, rows.blocks)
        .predict(rows.vectors, rows.blocks, return_std=True)
    )
    assert np.isfinite(found).all()
    assert (spread > 0).all()
    assert capfd.readouterr().err == ""  # LAPACK writes there what it is handed wrongly
