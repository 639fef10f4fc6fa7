"""Project embeddings to the 2-D map, for display only: PCA at once, UMAP later. No test uses the map."""

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

CACHED_FUNCTIONS = (
    ("umap.umap_", "smooth_knn_dist"),
    ("umap.umap_", "compute_membership_strengths"),
    ("umap.layouts", "_nb_optimize_layout_euclidean_single_epoch"),
)
CACHED_SEARCH_FUNCTIONS = (
    ("pynndescent.utils", "build_candidates_owner"),
    ("pynndescent.utils", "sort_updates_by_block"),
    ("pynndescent.utils", "apply_sorted_graph_update_array"),
    ("pynndescent.kernels", "generate_graph_update_array_batched"),
)
"""Functions of UMAP, and of its neighbor search, that take seconds to compile and that their packages do not cache.
None takes a function as an argument: numba would cache a copy per process and never find it again."""
NEIGHBOURS = 15
"""Neighbors of each row on the map, itself included."""
MAX_EXACT_ROWS = 20_000
"""Rows up to which neighbors are exact. Above, UMAP searches them: that takes 20 seconds to compile, then less time
than all pairs."""
MIN_DISTANCE = 1e-6
"""Smaller distances count as 0; rounding gives a row such a distance to itself."""
MAX_UMAP_ROWS = 200_000
"""Above, UMAP would take longer than the rest of a run, and UMAP of a sample would hide rows."""
BATCH_ROWS = 16_384
"""Rows centered at a time."""
MAX_PCA_ROWS = 100_000
"""Above, the principal directions come from a random sample of this many rows."""


def pca_map(embeddings: Embeddings) -> FailureMap:
    """Project on the two leading principal directions, each scaled to unit spread; fixed signs, so that the same rows
    give the same map. Above `MAX_PCA_ROWS` rows the directions come from a sample."""
    vectors = embeddings.vectors
    mean = embeddings.vectors.mean(0, dtype=np.float64)
    leading = _two_leading(vectors[some_rows(len(vectors), MAX_PCA_ROWS)], mean)
    if leading.shape[1] < 2:
        leading = np.c_[leading, np.zeros(len(leading))]
    leading = leading * np.where(leading[np.abs(leading).argmax(0), [0, 1]] < 0, -1, 1)
    xy = np.concatenate([block @ leading for block in _centred(vectors, mean)])
    return FailureMap((xy / np.maximum(xy.std(0), 1e-9)).astype(np.float32), "pca")


def _centred(vectors: F32, mean: F64) -> Iterator[F64]:
    """Yield the rows minus their mean in blocks, which bounds memory."""
    return (vectors[at] - mean for at in row_runs(len(vectors), 1, BATCH_ROWS))


def _two_leading(vectors: F32, mean: F64) -> F64:
    """Compute (d, 2) or (d, 1) leading principal directions; from the Gram matrix of the rows if those are fewer than
    d."""
    n, d = vectors.shape
    if n < d:
        centred = vectors - mean
        return _leading(centred, centred @ centred.T)
    gram = np.zeros((d, d))
    for block in _centred(vectors, mean):
        gram += block.T @ block
    return _leading(None, gram)


def _leading(rows: F64 | None, gram: F64) -> F64:
    """Compute the two leading eigenvectors of a Gram matrix; for a Gram matrix of rows, convert them to directions."""
    size = len(gram)
    _, vectors = linalg.eigh(gram, subset_by_index=[max(size - 2, 0), size - 1])
    leading = vectors[:, ::-1]
    if rows is not None:
        leading = rows.T @ leading
    return leading / np.maximum(np.linalg.norm(leading, axis=0), 1e-12)


def umap_map(embeddings: Embeddings, *, seed: int = 0, progress: Progress = no_progress) -> FailureMap:
    """Compute UMAP of the embeddings (cosine, 15 neighbors, min_dist 0.1) in one thread, so that the same seed gives
    the same map.

    Source: McInnes, Healy & Melville 2018, arXiv 1802.03426. Below 20 rows or above MAX_UMAP_ROWS this is `pca_map`.
    """
    n = len(embeddings)
    if not 20 <= n <= MAX_UMAP_ROWS:
        return pca_map(embeddings)
    packages = ["numba", "sklearn.neighbors"]
    if n > MAX_EXACT_ROWS:
        packages.append("pynndescent")
    for package in packages:  # slow imports, with a report before each
        progress("map", 0, 1)
        import_module(package)
    progress("map", 0, 1)
    xy = _umap(embeddings.vectors, seed=seed)
    progress("map", 1, 1)
    return FailureMap(xy, "umap")


@cache
def keep_compiled(*, search: bool) -> None:
    """Let numba cache the functions that UMAP compiles, so that the next process does not compile them again: the same
    machine code, and a small map after half a second instead of fifteen. Functions missing in another version of the
    packages are skipped."""
    functions = CACHED_FUNCTIONS
    if search:
        functions += CACHED_SEARCH_FUNCTIONS
    for module, name in functions:
        keep = getattr(getattr(import_module(module), name, None), "enable_caching", None)
        if keep is not None:
            with suppress(RuntimeError):  # numba has no writable folder, so it compiles again
                keep()


def warm_up() -> None:
    """Compile UMAP's code except its search, once per process: compiling takes longer than mapping."""
    _umap(np.random.default_rng(0).standard_normal((200, 16)).astype(np.float32), seed=0, epochs=2)


def nearest_by_cosine(vectors: F32, k: int) -> tuple[I64, F32]:
    """Return (n, k) the nearest rows of each row by cosine, itself included, nearest first, and 1 - cosine, 0 if below
    MIN_DISTANCE: UMAP takes the smallest distance above 0 for that of the nearest other row.

    A row of zeros has half the distance to all others that an orthogonal row has.
    """
    from sklearn.neighbors import NearestNeighbors  # type: ignore[import-untyped]

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    distances, rows = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(unit).kneighbors(unit)
    away = (distances**2 / 2).astype(np.float32)
    return rows, np.where(away < MIN_DISTANCE, np.float32(0), away)


@contextmanager
def _same_threads() -> Generator[None]:
    """Restore OpenMP's number of threads: UMAP finally sets numba's to all processors, which torch shares, whatever
    OMP_NUM_THREADS is."""
    controller: Any = import_module("threadpoolctl").ThreadpoolController()  # installed with scikit-learn
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
    known: tuple[Any, ...] = (None, None, None)
    if n <= MAX_EXACT_ROWS:
        known = (*nearest_by_cosine(vectors, k), None)
    with warnings.catch_warnings(), _same_threads():
        warnings.simplefilter("ignore")  # umap warns that a seed means one thread, which is intended
        umap = load_umap(search=n > MAX_EXACT_ROWS)
        keep_compiled(search=n > MAX_EXACT_ROWS)
        reducer = umap.UMAP(
            n_neighbors=k,
            min_dist=0.1,
            metric=METRIC,
            random_state=seed,
            n_epochs=epochs,
            n_jobs=1,
            precomputed_knn=known,
            force_approximation_algorithm=True,  # use the given neighbors for few rows too
        )
        return np.asarray(reducer.fit_transform(vectors), dtype=np.float32)
