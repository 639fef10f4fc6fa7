"""The linear smoothers against kernel ridge written out, and the rule that no row predicts itself."""

from __future__ import annotations

import numpy as np
import pytest

from core.discovery.ridge.features import Features
from core.discovery.ridge.heads import HeadSmoother, factor_heads, inverse_of, rows_at, solve_heads, split_by_block
from core.records import F32, F64, I64
from core.statistics.groups import assign_folds


def draw(n: int = 60, d: int = 7, k: int = 3, seed: int = 0) -> tuple[F32, I64, I64, F32]:
    """(n, d) features, (n,) classes, (n,) folds, (n, 4) losses."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, k, n)
    folds = assign_folds(n, blocks, None, 4, rng)
    return rng.normal(size=(n, d)).astype(np.float32), blocks, folds, rng.normal(size=(n, 4)).astype(np.float32)


def kernel_ridge(features: F32, blocks: I64, folds: I64, losses: F32, penalty: float, share: float) -> F64:
    """The dual: out-of-fold kernel ridge with the kernel (1 + share [same class]) x.x', one fold and one pair at a
    time."""
    n = len(features)
    kernel = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            kernel[i, j] = (1 + share * (blocks[i] == blocks[j])) * float(
                features[i].astype(float) @ features[j].astype(float)
            )
    predicted = np.empty(losses.shape)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        alpha = np.linalg.solve(kernel[np.ix_(train, train)] + penalty * np.eye(train.sum()), losses[train])
        predicted[test] = kernel[np.ix_(test, train)] @ alpha
    return predicted


@pytest.mark.parametrize("penalty", [3.0, 300.0])
@pytest.mark.parametrize("share", [0.0, 0.5, 2.0])
def test_head_predictions_are_out_of_fold_kernel_ridge(penalty: float, share: float) -> None:
    features, blocks, folds, losses = draw()
    found = HeadSmoother(features, blocks, folds, penalty=penalty, share=share).predict(losses)
    expected = kernel_ridge(features, blocks, folds, losses, penalty, share)
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("share", [0.0, 2.0])
def test_the_dense_matrix_and_the_factors_agree(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    features, blocks, folds, losses = draw(80)
    dense = HeadSmoother(features, blocks, folds, penalty=30.0, share=share)
    monkeypatch.setattr("core.discovery.ridge.heads.MAX_DENSE_ROWS", 0)
    factored = HeadSmoother(features, blocks, folds, penalty=30.0, share=share)
    assert dense.matrix is not None
    assert factored.matrix is None
    np.testing.assert_allclose(dense.predict(losses), factored.predict(losses), atol=2e-6)


@pytest.mark.parametrize("share", [0.0, 2.0])
def test_a_rows_own_loss_and_its_folds_losses_do_not_move_its_prediction(share: float) -> None:
    features, blocks, folds, losses = draw()
    smoother = HeadSmoother(features, blocks, folds, penalty=10.0, share=share)
    before = smoother.predict(losses)
    mine = folds == folds[5]
    changed = losses.copy()
    changed[mine] += 100
    after = smoother.predict(changed)
    np.testing.assert_array_equal(after[mine], before[mine])
    assert np.abs(after[~mine] - before[~mine]).max() > 1


def test_a_class_that_the_training_folds_lack_is_read_from_the_shared_head() -> None:
    features, _, folds, losses = draw()
    blocks = (folds == 0).astype(np.int64)  # class 1 lies wholly in fold 0
    found = HeadSmoother(features, blocks, folds, penalty=10.0, share=2.0).predict(losses)
    np.testing.assert_allclose(found, kernel_ridge(features, blocks, folds, losses, 10.0, 2.0), atol=2e-5)


@pytest.mark.parametrize("share", [0.0, 2.0])
def test_the_weights_for_new_rows_are_ridge_on_all_rows(share: float) -> None:
    features, blocks, folds, losses = draw()
    weights = HeadSmoother(features, blocks, folds, penalty=30.0, share=share).weights(losses[:, 0].astype(np.float64))
    assert weights.shape == (3, 7)
    same = blocks[:, None] == blocks[None]
    kernel = (1 + share * same) * (features @ features.T)
    expected = kernel @ np.linalg.solve(kernel + 30.0 * np.eye(60), losses[:, 0])
    np.testing.assert_allclose(np.einsum("nr,nr->n", features, weights[blocks]), expected, atol=2e-5)


def test_features_of_the_same_vectors_are_the_rows() -> None:
    rng = np.random.default_rng(1)
    vectors, blocks = rng.normal(size=(90, 12)).astype(np.float32), rng.integers(0, 3, 90)
    features = Features(vectors, blocks, max_dimensions=8)
    assert features.rows.shape == (90, 8)
    np.testing.assert_allclose(features.of(vectors, blocks), features.rows, atol=1e-5)
    again = Features.from_arrays(features.to_arrays())
    np.testing.assert_allclose(again.of(vectors, blocks), features.rows, atol=1e-5)
    assert again.rows.shape == (0, 8)


def test_features_are_class_centred_of_mean_squared_norm_one_and_ordered_by_variance() -> None:
    rng = np.random.default_rng(2)
    blocks = rng.integers(0, 3, 300)
    vectors = (rng.normal(size=(300, 10)) * np.linspace(3, 0.1, 10) + 5 * blocks[:, None]).astype(np.float32)
    rows = Features(vectors, blocks).rows
    for block in range(3):
        np.testing.assert_allclose(rows[blocks == block].mean(0), 0, atol=1e-5)
    assert (rows**2).sum(1).mean() == pytest.approx(1, rel=1e-4)
    assert (np.diff(rows.var(0)) <= 1e-6).all()
    # centering and turning keep the distances between rows of one class, up to one scale
    inside = vectors[blocks == 1].astype(float)
    before, after = (
        np.linalg.norm(v[:20, None] - v[None, :20], axis=2) for v in (inside, rows[blocks == 1].astype(float))
    )
    ratio = after[np.triu_indices(20, 1)] / before[np.triu_indices(20, 1)]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


def test_a_class_of_few_rows_and_an_unknown_class_are_centred_on_all_rows() -> None:
    rng = np.random.default_rng(3)
    blocks = np.r_[np.zeros(40, np.int64), np.ones(3, np.int64)]
    vectors = rng.normal(size=(43, 6)).astype(np.float32)
    features = Features(vectors, blocks)
    np.testing.assert_allclose(features.block_means[1], vectors.mean(0), atol=1e-6)
    np.testing.assert_allclose(features.of(vectors[40:], np.full(3, -1)), features.rows[40:], atol=1e-5)


def test_constant_vectors_give_finite_features() -> None:
    assert np.isfinite(Features(np.ones((20, 4), np.float32), np.zeros(20, np.int64)).rows).all()


@pytest.mark.parametrize("share", [0.5, 2.0])
def test_heads_of_few_rows_in_their_dual_form_are_the_same_kernel_ridge(share: float) -> None:
    rng = np.random.default_rng(5)
    blocks = np.r_[
        np.zeros(50, np.int64), rng.integers(1, 12, 150)
    ]  # one head of more rows than features, eleven of fewer
    features, losses = rng.normal(size=(200, 30)).astype(np.float32), rng.normal(size=(200, 3)).astype(np.float32)
    folds = assign_folds(200, blocks, None, 4, rng)
    smoother = HeadSmoother(features, blocks, folds, penalty=3.0, share=share)
    assert (smoother.n_many, smoother.n_heads) == (1, 12)
    np.testing.assert_allclose(
        smoother.predict(losses), kernel_ridge(features, blocks, folds, losses, 3.0, share), atol=1e-4
    )
    same = blocks[:, None] == blocks[None]
    kernel = (1 + share * same) * (features.astype(float) @ features.astype(float).T)
    expected = kernel @ np.linalg.solve(kernel + 3.0 * np.eye(200), losses[:, 0])
    weights = smoother.weights(losses[:, 0].astype(np.float64))
    np.testing.assert_allclose(np.einsum("nr,nr->n", features, weights[blocks]), expected, atol=1e-4)


def test_classes_may_share_a_head_and_each_still_has_its_weights() -> None:
    features, _, folds, losses = draw()
    blocks = np.arange(60) % 6
    shared = HeadSmoother(features, blocks, folds, penalty=10.0, share=2.0, heads=blocks // 3)
    np.testing.assert_array_equal(
        shared.predict(losses), HeadSmoother(features, blocks // 3, folds, penalty=10.0, share=2.0).predict(losses)
    )
    weights = shared.weights(losses[:, 0].astype(np.float64))
    assert weights.shape == (6, 7)
    np.testing.assert_array_equal(weights[0], weights[2])
    assert np.abs(weights[0] - weights[3]).max() > 1e-3


def test_many_classes_of_few_rows_keep_no_matrix_of_the_features_for_each_class_and_fold() -> None:
    rng = np.random.default_rng(6)
    n, r = 5000, 64
    features = rng.normal(size=(n, r)).astype(np.float32)
    blocks = np.arange(n) % 100
    smoother = HeadSmoother(features, blocks, assign_folds(n, blocks, None, 5, rng), penalty=30.0, share=2.0)
    kept = sum(
        a.nbytes
        for a in (
            smoother.rows,
            smoother.reduced,
            smoother.upper,
            *smoother.dual_maps,
            *smoother.inverses,
            *smoother.shared,
        )
    )
    assert kept <= 4 * (n * 50 + n * r * 7 + 5 * r * r)  # P, then X, Z and U, then S: not 100 x 5 x r x r


def test_features_do_not_depend_on_how_many_rows_are_worked_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    vectors, blocks = rng.normal(size=(200, 9)).astype(np.float32), rng.integers(0, 4, 200)
    whole = Features(vectors, blocks)
    monkeypatch.setattr("core.discovery.ridge.features.BATCH_ROWS", 33)
    parts = Features(vectors, blocks)
    np.testing.assert_allclose(parts.rows, whole.rows, atol=1e-5)
    np.testing.assert_allclose(parts.block_means, whole.block_means, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 50])
def test_an_inverse_by_its_cholesky_factor_is_the_inverse_and_a_singular_matrix_is_left_to_the_general_one(
    n: int,
) -> None:
    root = np.random.default_rng(0).normal(size=(n, n + 3))
    np.testing.assert_allclose(inverse_of(root @ root.T), np.linalg.inv(root @ root.T), rtol=1e-6, atol=1e-9)
    indefinite = np.diag(np.r_[-1.0, np.ones(n - 1)])
    np.testing.assert_allclose(inverse_of(indefinite), indefinite)


def test_rows_side_by_side_are_looked_at_and_others_are_copied() -> None:
    values = np.arange(20, dtype=np.float32).reshape(10, 2)
    run = rows_at(values, np.arange(3, 7))
    assert np.shares_memory(run, values)
    np.testing.assert_array_equal(run, values[3:7])
    for rows in ([0, 0, 2], [2, 1, 0], [5], [9, 3], []):
        np.testing.assert_array_equal(rows_at(values, np.array(rows, np.int64)), values[rows].reshape(-1, 2))


@pytest.mark.parametrize("share", [0.0, 2.0])
@pytest.mark.parametrize("n", [24, 90])
def test_heads_do_not_depend_on_whether_classes_lie_side_by_side(n: int, share: float) -> None:
    features, blocks, _, losses = draw(n, d=9)  # of 24 rows a class has fewer than dimensions
    order = np.argsort(blocks, kind="stable")

    def heads(rows: I64) -> F64:
        train = split_by_block(np.arange(n), blocks[rows], 3)
        factors = factor_heads(features[rows], train, 10.0, share)
        return np.array(solve_heads(features[rows], train, factors, losses[rows], 10.0, share), np.float64)

    np.testing.assert_allclose(heads(np.arange(n)), heads(order), atol=1e-6)
