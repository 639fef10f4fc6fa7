"""Read the user's embeddings: npy, npz, safetensors, a Parquet column or an array; never a pickle."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.arrays import ArrayHeader, open_arrays
from core.data.images.matches import find_shift
from core.data.parquet_files import is_list, open_parquet, readable
from core.data.tables.batches import read_array
from core.data.tables.cells import finite_rows, stack_arrays, text_of
from core.data.tables.parquet import read_columns
from core.errors import InvalidInput
from core.limits import Limits
from core.options import check_text
from core.records import F32, I64, Progress, no_progress
from core.records.ledger import Ledger
from core.row_runs import row_runs

BATCH_ROWS = 16_384
"""Rows scaled at once; bounds memory."""
_ID_NAMES = ("ids", "id", "names", "files", "paths")
_VECTOR_NAMES = ("embeddings", "embedding", "features", "vectors", "image_embeds", "arr_0")


def read_vectors(
    source: str | Path | npt.NDArray[Any], limits: Limits = Limits(), progress: Progress = no_progress
) -> tuple[npt.NDArray[Any], list[str] | None]:
    """Read (n, d) vectors, numbers of any kind, and their ids, None where the file has none.

    An npz or safetensors file may hold several arrays: "embeddings" (or another usual name) is read, else the only
    two-dimensional one; "ids" names the rows. A Parquet file has an array column and may have an id column.

    Raises:
        InvalidInput: not found, refused (pickles), damaged, ambiguous, or not a table of numbers.
    """
    if isinstance(source, (str, Path)):
        path = Path(source)
        vectors, ids = _read_file(path, limits, progress)
        name = path.name
    else:
        vectors = read_array(source, "the embeddings")
        ids = None
        name = "the embeddings"
    if vectors.ndim in (1, 2) and vectors.dtype == object:  # one array a row, as a column of a frame holds them
        stacked, _ = stack_arrays(pd.Series(list(vectors)))
        if stacked.size:
            vectors = stacked
    if (
        vectors.ndim != 2
        or vectors.shape[1] < 2
        or not (np.issubdtype(vectors.dtype, np.floating) or np.issubdtype(vectors.dtype, np.integer))
    ):
        raise InvalidInput(
            f"{name} must hold one row of at least 2 numbers per sample: got shape {vectors.shape}, {vectors.dtype}. "
            "Reshape it to (n, d)."
        )
    return vectors, ids


def align_vectors(
    vectors: npt.NDArray[Any], vector_ids: Sequence[str] | None, ids: Sequence[str], ledger: Ledger
) -> F32:
    """(n, d) unit rows in the order of `ids`; a row without a vector is nan and dropped.

    Raises:
        InvalidInput: vectors without ids are not as many as the rows; or no id of the vectors fits, or one occurs
        twice.
    """
    if vector_ids is None:
        if len(vectors) != len(ids):
            raise InvalidInput(
                f"{len(vectors):,} embeddings for {len(ids):,} rows. "
                "Save one per row, in the same order, or add an 'ids' array (npz)."
            )
        return unit_rows(vectors, ledger)
    row_of_id = {name: i for i, name in enumerate(vector_ids)}
    if len(row_of_id) < len(vector_ids):
        twice = next(name for i, name in enumerate(vector_ids) if row_of_id[name] != i)
        raise InvalidInput(
            f"The embeddings' id {twice!r} occurs more than once: each must name one row. Remove the duplicate."
        )
    positions = np.array([row_of_id.get(name, -1) for name in ids])
    if (positions < 0).all():
        raise InvalidInput(
            f"The embeddings' ids ({vector_ids[0]!r}, ...) and the table's ids ({ids[0]!r}, ...) share no value. "
            "Use the same ids."
        )
    if (positions < 0).any() and find_shift(ids, vector_ids):
        ledger.doubt(
            f"{int((positions < 0).sum()):,} ids of the table lack an embedding. They match if one side counts "
            "from 0 and the other from 1. Use the same ids."
        )
    ledger.drop(positions < 0, "no embedding has this id")
    unused = len(row_of_id) - len(set(ids) & set(row_of_id))
    if unused:
        ledger.note(f"Ignored {unused:,} embeddings: their ids are not in the table.")
    return unit_rows(vectors, ledger, positions)


def unit_rows(vectors: npt.NDArray[Any], ledger: Ledger, positions: I64 | None = None) -> F32:
    """Scale rows to length 1, in double precision: (m, d); rows with nan, inf or zero length are dropped.

    Blocks of rows bound the memory: a file in single precision takes its size once more.

    Args:
        positions: (m,) the row of `vectors` for each result, -1 gives nan; None takes all rows in order.
    """
    m = len(vectors) if positions is None else len(positions)
    out = np.empty((m, vectors.shape[1]), np.float32)
    finite = np.ones(m, bool)
    zero = np.zeros(m, bool)
    for run in row_runs(m, 1, BATCH_ROWS):
        if positions is None:
            block = vectors[run].astype(np.float64)
        else:
            block = vectors[positions[run]].astype(np.float64)
            block[positions[run] < 0] = np.nan
        known = finite_rows(block)
        largest = np.abs(block).max(axis=1, initial=0.0, where=known[:, None])
        finite[run] = known
        zero[run] = known & (largest == 0)
        block /= np.where(largest > 0, largest, np.nan)[:, None]  # first, so that no square overflows
        out[run] = block / np.linalg.norm(block, axis=1, keepdims=True)
    bad = ~finite
    if positions is not None:
        bad &= positions >= 0
    ledger.drop(bad, "the embedding holds nan or inf")
    ledger.drop(zero, "the embedding is all zeros")
    return out


def _read_file(path: Path, limits: Limits, progress: Progress) -> tuple[npt.NDArray[Any], list[str] | None]:
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".npz", ".safetensors", ".parquet", ".pq"):
        why = ""
        if suffix in (".pkl", ".pickle", ".pt", ".pth", ".joblib"):
            why = " A pickle can run any program when it is opened."
        raise InvalidInput(
            f"Cannot read {path.name!r} as embeddings.{why} Save them with np.save, np.savez, or safetensors, "
            "or as a Parquet column."
        )
    if not path.is_file():
        raise InvalidInput(f"The embeddings {str(path)!r} were not found. Check the path.")
    if suffix in (".parquet", ".pq"):
        return _from_parquet(path, limits, progress)
    arrays = open_arrays(path, limits)
    chosen = ""
    key = None
    if suffix != ".npy":
        chosen, key = _choose(path.name, arrays)
    vectors = arrays[chosen].load(lambda done, total: progress("read embeddings", done, total))
    if key is None:
        return vectors, None
    ids: list[Any] = arrays[key].load(lambda *_: None).tolist()
    names = [text_of(value) or "" for value in ids]
    for name in names:
        check_text(name, f"{path.name}: an id")
    return vectors, names


def _choose(name: str, arrays: Mapping[str, ArrayHeader]) -> tuple[str, str | None]:
    """Choose the array of vectors and that of their ids, by name."""
    tables = [key for key, array in arrays.items() if len(array.shape) == 2]
    usual = [key for key in _VECTOR_NAMES if key in tables]
    if not usual and len(tables) != 1:
        content = ", ".join(f"{key[:60]} {array.shape}" for key, array in list(arrays.items())[:10]) or "nothing"
        raise InvalidInput(
            f"{name!r} must hold one (n, d) array called 'embeddings': it holds {content}. Rename the right one."
        )
    chosen = (usual or tables)[0]
    shape = arrays[chosen].shape[:1]
    return chosen, next((k for k in _ID_NAMES if k in arrays and arrays[k].shape == shape), None)


def _from_parquet(path: Path, limits: Limits, progress: Progress) -> tuple[npt.NDArray[Any], list[str] | None]:
    with readable(path):
        schema = open_parquet(path, limits).schema_arrow
    lists = [f.name for f in schema if is_list(f.type)]
    usual = [name for name in _VECTOR_NAMES if name in lists]
    if not usual and len(lists) != 1:
        raise InvalidInput(
            f"{path.name!r} must have one array column called 'embedding': it has {', '.join(lists) or 'none'}. "
            "Add or rename one."
        )
    chosen = (usual or lists)[0]
    key = next((name for name in _ID_NAMES if name in schema.names), None)
    frame = read_columns(path, [n for n in (key, chosen) if n], limits, progress)
    vectors, _ = stack_arrays(frame[chosen])
    if key is None:
        return vectors, None
    return vectors, [text_of(value) or "" for value in frame[key].tolist()]
