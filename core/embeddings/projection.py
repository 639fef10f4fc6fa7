"""The 2-D map: for looking, never for testing. PCA at once, UMAP when it is ready."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from scipy import linalg

from core.records import F32, F64, Embeddings, FailureMap, Progress, no_progress
from core.row_runs import row_runs

KEPT = (
    ("umap.umap_", "smooth_knn_dist"),
    ("umap.umap_", "compute_membership_strengths"),
    ("umap.utils", "fast_knn_indices"),
    ("pynndescent.utils", "build_candidates_owner"),
    ("pynndescent.utils", "sort_updates_by_block"),
    ("pynndescent.utils", "apply_sorted_graph_update_array"),
    ("pynndescent.kernels", "generate_graph_update_array_batched"),
)
"""Functions that cost seconds to compile and that their packages do not keep compiled. None takes a function as its
argument: numba would keep a copy of such a one from every process, and find none again."""
MOST_MAPPED = 200_000
"""Of more rows UMAP would take longer than all the rest; of a sample of them it would show less than is there."""
AT_ONCE = 16_384
"""Rows that are centred at once."""


def pca_map(embeddings: Embeddings) -> FailureMap:
    """The two leading principal directions, each scaled to unit spread; signs fixed so that the same rows give the same
    map."""
    vectors, mean = embeddings.vectors, embeddings.vectors.mean(0, dtype=np.float64)
    leading = _two_leading(vectors, mean)
    if leading.shape[1] < 2:
        leading = np.c_[leading, np.zeros(len(leading))]
    leading = leading * np.where(leading[np.abs(leading).argmax(0), [0, 1]] < 0, -1, 1)
    xy = np.concatenate([block @ leading for block in _centred(vectors, mean)])
    return FailureMap((xy / np.maximum(xy.std(0), 1e-9)).astype(np.float32), "pca")


def _centred(vectors: F32, mean: F64) -> Iterator[F64]:
    """The rows without their mean, a block at a time, which bounds memory."""
    return (vectors[at] - mean for at in row_runs(len(vectors), 1, AT_ONCE))


def _two_leading(vectors: F32, mean: F64) -> F64:
    """(d, 2) the two leading principal directions, or (d, 1); by way of the rows where they are fewer than d."""
    n, d = vectors.shape
    if n < d:
        centred = vectors - mean
        return _leading(centred, centred @ centred.T)
    gram = np.zeros((d, d))
    for block in _centred(vectors, mean):
        gram += block.T @ block
    return _leading(None, gram)


def _leading(rows: F64 | None, gram: F64) -> F64:
    """The two leading eigenvectors of a Gram matrix; of one of rows the directions that those stand for."""
    size = len(gram)
    _, vectors = linalg.eigh(gram, subset_by_index=[max(size - 2, 0), size - 1])
    leading = vectors[:, ::-1] if rows is None else rows.T @ vectors[:, ::-1]
    return leading / np.maximum(np.linalg.norm(leading, axis=0), 1e-12)


def umap_map(embeddings: Embeddings, *, seed: int = 0, progress: Progress = no_progress) -> FailureMap:
    """UMAP of the embeddings (cosine, 15 neighbours, 0.1 apart), one thread, so that the same seed gives the same map.

    Source: McInnes, Healy & Melville 2018, arXiv 1802.03426. Fewer than 20 rows, or more than MOST_MAPPED, fall back to
    `pca_map`.
    """
    n = len(embeddings)
    if not 20 <= n <= MOST_MAPPED:
        return pca_map(embeddings)
    for package in ("numba", "sklearn.neighbors", "pynndescent", "umap"):  # heavy each: told of one by one
        progress("map", 0, 1)
        import_module(package)
    progress("map", 0, 1)
    xy = _umap(embeddings.vectors, n_neighbors=min(15, n - 1), seed=seed)
    progress("map", 1, 1)
    return FailureMap(xy, "umap")


@cache
def keep_compiled() -> None:
    """Have numba keep what UMAP compiles where it keeps the rest of it, so that the next process need not compile it:
    the same machine code, and a small map after half a second of work in place of fifteen. What another version of the
    packages does not have is left out."""
    for module, name in KEPT:
        keep = getattr(getattr(import_module(module), name, None), "enable_caching", None)
        if keep is not None:
            with suppress(RuntimeError):  # no folder that numba may write to: then it is compiled anew
                keep()


def warm_up() -> None:
    """Compile UMAP's code for small and for large inputs, once a process: compiling costs more than mapping.

    Sizes above 4,096 take another code path (an approximate neighbour search), so both are run.
    """
    rng = np.random.default_rng(0)
    for n in (200, 4_200):
        _umap(rng.standard_normal((n, 16)).astype(np.float32), n_neighbors=15, seed=0, epochs=2)


def _umap(vectors: F32, *, n_neighbors: int, seed: int, epochs: int | None = None) -> F32:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # umap warns that a seed means one thread, which is what we want
        umap: Any = import_module("umap")  # late, since it compiles on import; of its types nothing can be told
        keep_compiled()
        reducer = umap.UMAP(
            n_neighbors=n_neighbors, min_dist=0.1, metric="cosine", random_state=seed, n_epochs=epochs, n_jobs=1
        )
        return np.asarray(reducer.fit_transform(vectors), dtype=np.float32)
