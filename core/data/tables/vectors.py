"""Embeddings that the user brings: npy, npz, safetensors, a Parquet column or an array; never a pickle."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.arrays import ArrayHeader, open_arrays
from core.data.images.matches import shifted
from core.data.parquet_files import is_list, open_parquet, readable
from core.data.tables.cells import finite_rows, stack_arrays, text_of
from core.data.tables.parquet import read_columns
from core.errors import InvalidInput
from core.limits import Limits
from core.options import check_text
from core.records import F32, I64, Progress, no_progress
from core.records.ledger import Ledger
from core.row_runs import row_runs

AT_ONCE = 16_384
"""Rows that are scaled at once."""
_ID_NAMES = ("ids", "id", "names", "files", "paths")
_VECTOR_NAMES = ("embeddings", "embedding", "features", "vectors", "image_embeds", "arr_0")


def read_vectors(
    source: str | Path | npt.NDArray[Any], limits: Limits = Limits(), progress: Progress = no_progress
) -> tuple[npt.NDArray[Any], list[str] | None]:
    """The (n, d) vectors, numbers of any kind, and, where the file names its rows, their ids.

    An npz or safetensors file may hold several arrays: "embeddings" (or another usual name) is taken, else the only
    two-dimensional one; "ids" names the rows. A Parquet file has an array column and may have an id column.

    Raises:
        InvalidInput: not found, refused (pickles), damaged, ambiguous, or not a table of numbers.
    """
    if isinstance(source, (str, Path)):
        path = Path(source)
        vectors, ids = _read_file(path, limits, progress)
        name = path.name
    else:
        vectors = np.asarray(source)
        ids = None
        name = "the embeddings"
    if (
        vectors.ndim != 2
        or vectors.shape[1] < 2
        or not (np.issubdtype(vectors.dtype, np.floating) or np.issubdtype(vectors.dtype, np.integer))
    ):
        raise InvalidInput(
            f"{name} must be numbers, one row of at least 2 for each sample: got shape {vectors.shape}, "
            f"{vectors.dtype}. Reshape it to (n, d)."
        )
    return vectors, ids


def align_vectors(
    vectors: npt.NDArray[Any], vector_ids: Sequence[str] | None, ids: Sequence[str], ledger: Ledger
) -> F32:
    """(n, d) unit rows in the order of `ids`, nan where a row has none; such rows are dropped.

    Raises:
        InvalidInput: without ids of their own, there are more or fewer vectors than rows; with them, none fits or one
        occurs twice.
    """
    if vector_ids is None:
        if len(vectors) != len(ids):
            raise InvalidInput(
                f"There must be one embedding for each of the {len(ids):,} rows of the table, in the same order: got "
                f"{len(vectors):,}. Save them again, or store an 'ids' array beside them (npz)."
            )
        return unit_rows(vectors, ledger)
    place = {name: i for i, name in enumerate(vector_ids)}
    if len(place) < len(vector_ids):
        twice = next(name for i, name in enumerate(vector_ids) if place[name] != i)
        raise InvalidInput(
            f"The embeddings' id {twice!r} occurs more than once; each must name one row. Remove the repetition."
        )
    found = np.array([place.get(name, -1) for name in ids])
    if (found < 0).all():
        raise InvalidInput(
            f"None of the embeddings' ids (such as {vector_ids[0]!r}) is an id of the table (such as "
            f"{ids[0]!r}). Use the same ids."
        )
    if (found < 0).any() and shifted(ids, vector_ids):
        ledger.doubt(
            f"{int((found < 0).sum()):,} ids of the table have no embedding, and all have one if each number is 1 more "
            "or less: one side counts from 0, the other from 1. Use the same ids."
        )
    ledger.drop(found < 0, "no embedding has this id")
    if len(place) > len(set(ids) & set(place)):
        ledger.note(
            f"{len(place) - len(set(ids) & set(place)):,} embeddings have ids that are not in the "
            "table and were not used."
        )
    return unit_rows(vectors, ledger, found)


def unit_rows(vectors: npt.NDArray[Any], ledger: Ledger, place: I64 | None = None) -> F32:
    """(m, d) the rows scaled to length 1, measured in double precision; those with nan, inf or zero length are dropped.

    A block at a time, so that a file in single precision takes its own size of memory once more and no more.

    Args:
        place: (m,) which row of `vectors` each is, -1 for none, which leaves nan; None takes all as they stand.
    """
    m = len(vectors) if place is None else len(place)
    out = np.empty((m, vectors.shape[1]), np.float32)
    finite = np.ones(m, bool)
    zero = np.zeros(m, bool)
    for run in row_runs(m, 1, AT_ONCE):
        some = (vectors[run] if place is None else vectors[place[run]]).astype(np.float64)
        if place is not None:
            some[place[run] < 0] = np.nan
        known = finite_rows(some)
        largest = np.abs(some).max(axis=1, initial=0.0, where=known[:, None])
        finite[run], zero[run] = known, known & (largest == 0)
        some /= np.where(largest > 0, largest, np.nan)[:, None]  # first, so that no square leaves the range of a float
        out[run] = some / np.linalg.norm(some, axis=1, keepdims=True)
    ledger.drop(~finite if place is None else ~finite & (place >= 0), "the embedding holds nan or inf")
    ledger.drop(zero, "the embedding is all zeros")
    return out


def _read_file(path: Path, limits: Limits, progress: Progress) -> tuple[npt.NDArray[Any], list[str] | None]:
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".npz", ".safetensors", ".parquet", ".pq"):
        pickled = suffix in (".pkl", ".pickle", ".pt", ".pth", ".joblib")
        why = " A pickle can run any program when it is opened." if pickled else ""
        raise InvalidInput(
            f"{path.name!r} is not read as embeddings.{why} Save them with np.save, np.savez, "
            "safetensors or as a Parquet column."
        )
    if not path.is_file():
        raise InvalidInput(f"The embeddings {str(path)!r} were not found. Check the path.")
    if suffix in (".parquet", ".pq"):
        return _from_parquet(path, limits, progress)
    arrays = open_arrays(path, limits)
    chosen, key = ("", None) if suffix == ".npy" else _choose(path.name, arrays)
    vectors = arrays[chosen].load(lambda done, total: progress("read embeddings", done, total))
    if key is None:
        return vectors, None
    ids: list[Any] = arrays[key].load(lambda *_: None).tolist()
    names = [text_of(value) or "" for value in ids]
    for name in names:
        check_text(name, f"{path.name}: an id")
    return vectors, names


def _choose(name: str, arrays: Mapping[str, ArrayHeader]) -> tuple[str, str | None]:
    """The array of vectors, and that of their ids."""
    tables = [key for key, array in arrays.items() if len(array.shape) == 2]
    usual = [key for key in _VECTOR_NAMES if key in tables]
    if not usual and len(tables) != 1:
        held = ", ".join(f"{key[:60]} {array.shape}" for key, array in list(arrays.items())[:10]) or "nothing"
        raise InvalidInput(
            f"{name!r} must hold one (n, d) array called 'embeddings': it holds {held}. Rename the one you mean."
        )
    chosen = usual[0] if usual else tables[0]
    shape = arrays[chosen].shape[:1]
    return chosen, next((k for k in _ID_NAMES if k in arrays and arrays[k].shape == shape), None)


def _from_parquet(path: Path, limits: Limits, progress: Progress) -> tuple[npt.NDArray[Any], list[str] | None]:
    with readable(path):
        schema = open_parquet(path, limits).schema_arrow
    lists = [f.name for f in schema if is_list(f.type)]
    usual = [name for name in _VECTOR_NAMES if name in lists]
    if not usual and len(lists) != 1:
        raise InvalidInput(
            f"{path.name!r} must have one array column called 'embedding': it has "
            f"{', '.join(lists) or 'none'}. Rename it."
        )
    chosen = (usual or lists)[0]
    key = next((name for name in _ID_NAMES if name in schema.names), None)
    frame = read_columns(path, [n for n in (key, chosen) if n], limits, progress)
    ids = None if key is None else [text_of(v) or "" for v in frame[key].tolist()]
    return stack_arrays(frame[chosen])[0], ids
