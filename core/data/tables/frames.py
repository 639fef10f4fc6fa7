"""Convert whatever Python code calls a table to a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from core.data.tables.batches import vector
from core.errors import InvalidInput
from core.limits import Limits

TableLike = str | Path | pd.DataFrame | Mapping[str, Any] | Sequence[Any] | Any
"""A path, a DataFrame, a dict of columns, a list of rows, or a table of Arrow, polars or Hugging Face datasets; or the
losses alone."""
LOSS = "loss"
"""The column of losses that come alone."""


def as_frame(table: TableLike | None) -> str | Path | pd.DataFrame | None:
    """Convert a table of Python to a DataFrame; paths and DataFrames stay as they are.

    A dict is one of columns, a list of dicts one of rows. Whatever has a `to_pandas` (Arrow's and polars' tables, data
    sets of Hugging Face, whose images stay in their column) is converted by it, a lazy frame after `collect`; a
    streaming data set is read to its end. Floats alone (an array, a Series, a tensor, a list) are the losses; None
    among them is a missing one.

    Raises:
        InvalidInput: `table` is none of these, its columns differ in length, or its own conversion fails.
    """
    if table is None or isinstance(table, (str, Path, pd.DataFrame)):
        return table
    if isinstance(table, Mapping):
        try:
            return pd.DataFrame(dict(cast("Mapping[str, Any]", table)))
        except (TypeError, ValueError) as error:  # lengths, cells that are tables, a set, text that is cut
            message = f"The dict is not a table: {error}. Use one list per column, all of one length."
            raise InvalidInput(message) from error
    if isinstance(table, list | tuple) and table and all(isinstance(row, Mapping) for row in table):
        return pd.DataFrame(list(cast("Sequence[Any]", table)))
    if isinstance(table, type):
        raise _unknown(table)
    frame = _converted(table)
    if isinstance(frame, pd.DataFrame):
        return frame
    return _of_losses(table if frame is None else frame)


def _unknown(table: object) -> InvalidInput:
    return InvalidInput(
        f"Cannot read an object of type {type(table).__name__} as a table. Use a path, a DataFrame, a dict of columns, "
        "a table of Arrow, polars, or Hugging Face datasets, or the losses as a list of floats."
    )


def _converted(table: Any) -> Any:
    """The result of its own conversion to pandas; None for an object without one."""
    try:
        if callable(collect := getattr(table, "collect", None)):
            table = collect()
        if callable(convert := getattr(table, "to_pandas", None)):
            return convert()
        if callable(getattr(table, "cast_column", None)):
            data = table  # a streaming data set of Hugging Face; images stay encoded, as in its `to_pandas`
            for name, feature in (data.features or {}).items():
                if type(feature).__name__ == "Image":
                    data = data.cast_column(name, type(feature)(decode=False))
            most = Limits().max_rows
            rows = list(islice(iter(data), most + 1))
            if len(rows) > most:
                raise InvalidInput(
                    f"The data set has more than {most:,} rows, the limit. Take a part: data.take({most})."
                )
            return pd.DataFrame(rows)
        return None
    except InvalidInput:
        raise
    except Exception as error:  # another library's code: a package that it wants, a type that it cannot convert
        raise InvalidInput(
            f"Cannot convert the table ({type(table).__name__}) to a DataFrame: {error}. "
            "Fix what its to_pandas needs, or save it to a file."
        ) from error


def _of_losses(values: Any) -> pd.DataFrame:
    """The losses as a table of one column.

    Raises:
        InvalidInput: the values are not one float per sample; other numbers could be labels or predictions.
    """
    if not (isinstance(values, list | tuple) or hasattr(values, "__array__")):
        raise _unknown(values)
    array = vector(values, "losses")
    floats = array.dtype.kind == "f"
    if array.dtype == object:  # None among floats is a missing one
        floats = any(isinstance(value, float | np.floating) and value == value for value in array)
    given = getattr(getattr(values, "dtype", None), "kind", "f")  # a missing value makes floats of whole numbers
    if not floats or given in ("i", "u"):
        raise InvalidInput(
            f"Values that come alone are losses, one float per sample: got {getattr(values, 'dtype', array.dtype)} of "
            f"shape {array.shape}. "
            'Name what they are: {"loss": values}, or {"label": labels, "prediction": predictions}.'
        )
    return pd.DataFrame({LOSS: array})
