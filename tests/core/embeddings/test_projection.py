"""The map: the same rows give the same image, and neighbors stay neighbors."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from sklearn.decomposition import PCA

from core.discovery.settings import Settings
from core.embeddings.projection import (
    CACHED_FUNCTIONS,
    CACHED_SEARCH_FUNCTIONS,
    keep_compiled,
    nearest_by_cosine,
    pca_map,
    umap_map,
)
from core.records import F32, Embeddings
from research.arrays import diagnose_arrays


def embeddings(vectors: np.ndarray) -> Embeddings:
    return Embeddings(vectors.astype(np.float32), "given", "given")


def blobs(n: int = 120) -> tuple[F32, np.ndarray]:
    rng = np.random.default_rng(0)
    which = np.arange(n) % 3
    vectors = rng.normal(size=(n, 8)) + 8 * np.eye(8)[which]
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), which


@pytest.mark.slow  # it compiles the map where nobody did
def test_a_map_leaves_the_number_of_torchs_threads_as_it_was() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        umap_map(embeddings(blobs()[0]))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_the_pca_view_is_scikit_learns_up_to_scale_and_sign() -> None:
    vectors = np.random.default_rng(1).normal(size=(80, 10)) * np.linspace(3, 1, 10)
    found = pca_map(embeddings(vectors))
    reference = PCA(2).fit_transform(vectors)
    assert found.method == "pca"
    assert found.xy.shape == (80, 2)
    assert found.xy.dtype == np.float32
    for axis in range(2):
        assert abs(np.corrcoef(found.xy[:, axis], reference[:, axis])[0, 1]) > 0.9999
    np.testing.assert_allclose(found.xy.std(0), 1, rtol=1e-4)


def test_the_pca_view_follows_its_rows_when_they_are_shuffled() -> None:
    vectors, _ = blobs()
    order = np.random.default_rng(2).permutation(len(vectors))
    np.testing.assert_allclose(
        pca_map(embeddings(vectors[order])).xy, pca_map(embeddings(vectors)).xy[order], atol=1e-3
    )


@pytest.mark.parametrize(
    "vectors",
    [np.ones((30, 5)), np.arange(30.0)[:, None], np.zeros((30, 1))],
    ids=["constant", "one wide", "one wide zero"],
)
def test_flat_vectors_still_make_a_finite_map(vectors: np.ndarray) -> None:
    found = pca_map(embeddings(vectors)).xy
    assert found.shape == (30, 2)
    assert np.isfinite(found).all()


def test_too_few_rows_for_umap_fall_back_to_pca() -> None:
    assert umap_map(embeddings(np.random.default_rng(3).normal(size=(19, 4)))).method == "pca"


@pytest.mark.parametrize(("module", "name"), CACHED_FUNCTIONS + CACHED_SEARCH_FUNCTIONS)
def test_what_umap_compiles_slowly_is_kept_for_the_next_process(module: str, name: str) -> None:
    keep_compiled(search=True)
    assert getattr(import_module(module), name).stats.cache_path


def test_the_neighbours_of_the_map_are_those_of_all_cosines() -> None:
    vectors = np.random.default_rng(5).normal(size=(200, 6)).astype(np.float32)
    vectors[7] = 0
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    away = 1 - unit @ unit.T
    rows, distances = nearest_by_cosine(3 * vectors, 9)
    known = np.delete(np.arange(200), 7)  # all are as far from the row of zeros
    np.testing.assert_array_equal(rows[known], np.argsort(away[known], axis=1)[:, :9])
    np.testing.assert_allclose(distances[known], np.sort(away[known], axis=1)[:, :9], atol=1e-6)
    assert distances.dtype == np.float32
    assert (distances[:, 0] == 0).all()


@pytest.mark.slow
def test_umap_is_the_same_for_the_same_seed_and_keeps_neighbours_together() -> None:
    vectors, which = blobs()
    seen: list[tuple[str, int, int]] = []
    one = umap_map(embeddings(vectors), seed=4, progress=lambda *a: seen.append(a))
    again = umap_map(embeddings(vectors), seed=4)
    assert one.method == "umap"
    np.testing.assert_array_equal(one.xy, again.xy)
    assert set(seen[:-1]) == {("map", 0, 1)}  # also between the packages that it imports, so that it may be stopped
    assert seen[-1] == ("map", 1, 1)
    distances = np.linalg.norm(one.xy[:, None] - one.xy[None], axis=2) + np.diag(np.full(len(one.xy), np.inf))
    assert (which[distances.argmin(1)] == which).mean() > 0.95


def test_many_samples_get_the_pca_map_and_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for module in ("core.embeddings.projection", "core.discovery.method"):
        monkeypatch.setattr(f"{module}.MAX_UMAP_ROWS", 90)
    vectors, losses = rng.normal(size=(91, 4)).astype(np.float32), rng.gamma(1.0, 1.0, 91)
    found = diagnose_arrays(vectors, losses, settings=Settings(n_permutations=199, n_members=2, sensitivity=False))
    assert found.map.method == "pca"
    assert any("Errata draws UMAP for up to 90 samples" in note for note in found.notes)


def test_the_pca_map_does_not_depend_on_how_many_rows_are_centred_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(300, 7)).astype(np.float32)
    whole = pca_map(Embeddings(vectors, "given", "given")).xy
    monkeypatch.setattr("core.embeddings.projection.BATCH_ROWS", 37)
    np.testing.assert_allclose(pca_map(Embeddings(vectors, "given", "given")).xy, whole, atol=1e-5)


def test_the_directions_of_many_rows_are_those_of_some_whatever_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    kinds = np.array([[9.0, 0, 0, 0, 0], [-9, 4, 0, 0, 0], [0, -4, 0, 0, 0]])
    vectors = (kinds[np.arange(3000) % 3] + rng.normal(size=(3000, 5))).astype(np.float32)
    whole = pca_map(Embeddings(vectors, "given", "given")).xy
    monkeypatch.setattr("core.embeddings.projection.MAX_PCA_ROWS", 1000)
    some = pca_map(Embeddings(vectors, "given", "given")).xy
    for axis in range(2):
        assert abs(np.corrcoef(whole[:, axis], some[:, axis])[0, 1]) > 0.99
