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
    data sets of Hugging Face, whose images travel in their column), as a DataFrame.

    Raises:
        InvalidInput: it is none of these, its columns differ in length, or its own `to_pandas` fails.
    """
    if table is None or isinstance(table, (str, Path, pd.DataFrame)):
        return table
    made = _of_columns(table) if isinstance(table, Mapping) else _asked(table)
    if not isinstance(made, pd.DataFrame):
        raise InvalidInput(
            "A table is a path, a DataFrame, a dict of columns, or a table of Arrow, polars or Hugging Face datasets: "
            f"got {type(table).__name__}."
        )
    return made


def _of_columns(table: Mapping[str, Any]) -> pd.DataFrame:
    try:
        return pd.DataFrame(dict(table))
    except (TypeError, ValueError) as error:  # lengths, cells that are tables, a set, text that is cut
        raise InvalidInput(f"The dict is no table: {error}. Bring a list of one length for each column.") from error


def _asked(table: Any) -> Any:
    """What its `to_pandas` gives; None where it has none."""
    if isinstance(table, type) or not callable(convert := getattr(table, "to_pandas", None)):
        return None
    try:
        return convert()
    except Exception as error:  # another library's code: a package that it wants, a type that it cannot convert
        raise InvalidInput(
            f"The table ({type(table).__name__}) does not become a DataFrame: {error}. "
            "Bring what its to_pandas takes, or a file of it."
        ) from error
