"""Data sets in shards with a planted failure, for the tests of what is too large for one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.discovery.settings import Settings
from tests.support.pictures import blobs, encoded

QUICK = Settings(n_permutations=199, map=False, words=False, sensitivity=False)


def planted_rows(n: int = 1500, d: int = 8, seed: int = 0) -> pd.DataFrame:
    """Rows of two classes with vectors; where the first coordinate is large, a tenth, the loss is 1.5 higher."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, d)).astype(np.float32)
    fails = rng.random(n) < 0.1
    vectors[fails, 0] += 6
    return pd.DataFrame(
        {
            "id": [f"row{i}" for i in range(n)],
            "loss": rng.exponential(0.5, n) + 1.5 * fails,
            "label": np.where(rng.random(n) < 0.5, "cat", "dog"),
            "weather": np.where(rng.random(n) < 0.5, "fog", "sun"),
            "embedding": list(vectors),
        }
    )


def picture_rows(n: int) -> pd.DataFrame:
    """Rows with a small image each."""
    rng = np.random.default_rng(1)
    pictures = [encoded(blobs(i)) for i in range(n)]
    return pd.DataFrame({"id": [f"p{i}" for i in range(n)], "loss": rng.exponential(1, n), "image": pictures})


def write_shards(folder: Path, rows: pd.DataFrame, n: int = 3, **options: Any) -> Path:
    """The rows cut into n Parquet files."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, places in enumerate(np.array_split(np.arange(len(rows)), n)):
        table = pa.Table.from_pandas(rows.iloc[places], preserve_index=False)
        pq.write_table(table, folder / f"part-{i}.parquet", **options)
    return folder
