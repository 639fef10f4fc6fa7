"""The 2-D map: for looking, never for testing. PCA at once, UMAP when it is ready."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from scipy import linalg

from core.embeddings.umap_library import METRIC, load_umap
from core.records import F32, F64, I64, Embeddings, FailureMap, Progress, no_progress
from core.row_runs import row_runs, some_rows

KEPT = (
    ("umap.umap_", "smooth_knn_dist"),
    ("umap.umap_", "compute_membership_strengths"),
    ("umap.layouts", "_nb_optimize_layout_euclidean_single_epoch"),
)
KEPT_OF_SEARCH = (
    ("pynndescent.utils", "build_candidates_owner"),
    ("pynndescent.utils", "sort_updates_by_block"),
    ("pynndescent.utils", "apply_sorted_graph_update_array"),
    ("pynndescent.kernels", "generate_graph_update_array_batched"),
)
"""Functions that cost seconds to compile and that their packages do not keep compiled, of UMAP and of its own search
for neighbors. None takes a function as its argument: numba would keep a copy of such a one from every process, and
find none again."""
NEIGHBOURS = 15
EXACT = 20_000
"""Of each row on the map, itself among them; up to how many rows they are exact. Of more rows UMAP seeks them itself,
by a search that costs 20 seconds to compile and less than all pairs then."""
SAME = 1e-6
"""Rounding gives a row such a distance to itself."""
MOST_MAPPED = 200_000
"""Of more rows UMAP would take longer than all the rest; of a sample of them it would show less than is there."""
AT_ONCE = 16_384
"""Rows that are centered at once."""
MOST_TURNED = 100_000
"""Of more rows the principal directions are those of so many that are drawn."""


def pca_map(embeddings: Embeddings) -> FailureMap:
    """The two leading principal directions, each scaled to unit spread; signs fixed so that the same rows give the same
    map. Of more than `MOST_TURNED` rows the directions are those of some of them."""
    vectors = embeddings.vectors
    mean = embeddings.vectors.mean(0, dtype=np.float64)
    leading = _two_leading(vectors[some_rows(len(vectors), MOST_TURNED)], mean)
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
    """UMAP of the embeddings (cosine, 15 neighbors, 0.1 apart), one thread, so that the same seed gives the same map.

    Source: McInnes, Healy & Melville 2018, arXiv 1802.03426. Fewer than 20 rows, or more than MOST_MAPPED, fall back to
    `pca_map`.
    """
    n = len(embeddings)
    if not 20 <= n <= MOST_MAPPED:
        return pca_map(embeddings)
    for package in ("numba", "sklearn.neighbors", *(["pynndescent"] if n > EXACT else [])):
        progress("map", 0, 1)  # heavy each: told of one by one
        import_module(package)
    progress("map", 0, 1)
    xy = _umap(embeddings.vectors, seed=seed)
    progress("map", 1, 1)
    return FailureMap(xy, "umap")


@cache
def keep_compiled(*, search: bool) -> None:
    """Have numba keep what UMAP compiles where it keeps the rest of it, so that the next process need not compile it:
    the same machine code, and a small map after half a second of work in place of fifteen. What another version of the
    packages does not have is left out."""
    for module, name in (*KEPT, *(KEPT_OF_SEARCH if search else ())):
        keep = getattr(getattr(import_module(module), name, None), "enable_caching", None)
        if keep is not None:
            with suppress(RuntimeError):  # no folder that numba may write to: then it is compiled anew
                keep()


def warm_up() -> None:
    """Compile UMAP's code but for its search, once a process: compiling costs more than mapping."""
    _umap(np.random.default_rng(0).standard_normal((200, 16)).astype(np.float32), seed=0, epochs=2)


def nearest_by_cosine(vectors: F32, k: int) -> tuple[I64, F32]:
    """(n, k) the rows that are nearest to each row by cosine, itself among them, nearest first, and 1 - cosine, 0
    where it is below SAME: UMAP takes the least distance above 0 for that of the nearest other row.

    A row of zeros lies half as far from all others as a row at a right angle does.
    """
    from sklearn.neighbors import NearestNeighbors  # type: ignore[import-untyped]

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    distances, rows = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(unit).kneighbors(unit)
    away = (distances**2 / 2).astype(np.float32)
    return rows, np.where(away < SAME, np.float32(0), away)


@contextmanager
def _same_threads() -> Generator[None]:
    """Leave OpenMP's number of threads as it was: UMAP sets numba's to all processors in the end, and torch shares it,
    whatever OMP_NUM_THREADS says."""
    controller: Any = import_module("threadpoolctl").ThreadpoolController()  # scikit-learn brings it
    libraries: list[Any] = controller.select(user_api="openmp").lib_controllers
    before = [library.num_threads for library in libraries]
    try:
        yield
    finally:
        for library, n in zip(libraries, before):
            library.set_num_threads(n)


def _umap(vectors: F32, *, seed: int, epochs: int | None = None) -> F32:
    n = len(vectors)
    k = min(NEIGHBOURS, len(vectors) - 1)
    known = (*nearest_by_cosine(vectors, k), None) if n <= EXACT else (None, None, None)
    with warnings.catch_warnings(), _same_threads():
        warnings.simplefilter("ignore")  # umap warns that a seed means one thread, which is what we want
        umap = load_umap(search=n > EXACT)
        keep_compiled(search=n > EXACT)
        reducer = umap.UMAP(
            n_neighbors=k,
            min_dist=0.1,
            metric=METRIC,
            random_state=seed,
            n_epochs=epochs,
            n_jobs=1,
            precomputed_knn=known,
            force_approximation_algorithm=True,  # the neighbors that are given, of few rows too
        )
        return np.asarray(reducer.fit_transform(vectors), dtype=np.float32)
