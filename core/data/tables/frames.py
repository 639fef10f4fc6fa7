"""Convert whatever Python code calls a table to a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import InvalidInput

TableLike = str | Path | pd.DataFrame | Mapping[str, Any] | Any


def as_frame(table: TableLike | None) -> str | Path | pd.DataFrame | None:
    """Return paths and DataFrames as they are; a dict of columns, and whatever has a `to_pandas` (Arrow's and polars'
    tables, data sets of Hugging Face, whose images stay in their column), as a DataFrame.

    Raises:
        InvalidInput: `table` is none of these, its columns differ in length, or its `to_pandas` fails.
    """
    if table is None or isinstance(table, (str, Path, pd.DataFrame)):
        return table
    if isinstance(table, Mapping):
        frame: Any = _of_columns(table)
    else:
        frame = _converted(table)
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput(
            f"Cannot read an object of type {type(table).__name__} as a table. "
            "Use a path, a DataFrame, a dict of columns, or a table of Arrow, polars, or Hugging Face datasets."
        )
    return frame


def _of_columns(table: Mapping[str, Any]) -> pd.DataFrame:
    try:
        return pd.DataFrame(dict(table))
    except (TypeError, ValueError) as error:  # lengths, cells that are tables, a set, text that is cut
        raise InvalidInput(f"The dict is not a table: {error}. Use one list per column, all of one length.") from error


def _converted(table: Any) -> Any:
    """The result of `to_pandas`; None for an object without it."""
    if isinstance(table, type) or not callable(convert := getattr(table, "to_pandas", None)):
        return None
    try:
        return convert()
    except Exception as error:  # another library's code: a package that it wants, a type that it cannot convert
        raise InvalidInput(
            f"Cannot convert the table ({type(table).__name__}) to a DataFrame: {error}. "
            "Fix what its to_pandas needs, or save it to a file."
        ) from error
