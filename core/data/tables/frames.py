"""What Python calls a table, as a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import InvalidInput

TableLike = str | Path | pd.DataFrame | Mapping[str, Any] | Any


def as_frame(table: TableLike | None) -> str | Path | pd.DataFrame | None:
    """Paths and DataFrames as they are; a dict of columns, and whatever has a `to_pandas` (Arrow's and polars' tables,
    data sets of Hugging Face, whose pictures travel in their column), as a DataFrame.

    Raises:
        InvalidInput: it is none of these, or its columns differ in length.
    """
    if table is None or isinstance(table, (str, Path, pd.DataFrame)):
        return table
    try:
        made = pd.DataFrame(dict(table)) if isinstance(table, Mapping) else table.to_pandas()
    except AttributeError:
        made = None
    except ValueError as error:
        raise InvalidInput(f"The dict is no table: {error}. Bring a list of one length for each column.") from error
    if not isinstance(made, pd.DataFrame):
        raise InvalidInput(
            "A table is a path, a DataFrame, a dict of columns, or a table of Arrow, polars or Hugging Face datasets: "
            f"got {type(table).__name__}."
        )
    return made
