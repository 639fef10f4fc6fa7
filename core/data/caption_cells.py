"""The captions of one cell of a table: a text, or a list of them."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np


def captions_in(cell: object) -> list[str]:
    """The captions of a cell in single spaces, none of them empty.

    Args:
        cell: a text; a list or an array of texts, as Parquet and JSON Lines hold them; or such a list spelled in a
            text, by Python, JSON or NumPy (which puts no commas), as a CSV holds it. Anything else has none.

    Example:
        >>> captions_in("A red  bus."), captions_in('["A red bus.", "A bus, parked."]'), captions_in("[blank]")
        (['A red bus.'], ['A red bus.', 'A bus, parked.'], ['[blank]'])
    """
    texts: Sequence[Any] = ()
    if isinstance(cell, str):
        spelled = _spelled(cell.strip())
        texts = (cell,) if spelled is None else spelled
    elif isinstance(cell, list | tuple | np.ndarray):
        texts = list(cell)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    found = (" ".join(text.split()) for text in texts if isinstance(text, str))
    return [text for text in found if text]


def _spelled(text: str) -> list[str] | None:
    """The texts of a spelled list; None where it is no such list. They are read one by one, since Python joins texts
    that have no comma between them."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        strings = [token.string for token in tokens if token.type == tokenize.STRING]
        others = [token.string for token in tokens if token.type != tokenize.STRING and token.string.strip()]
        if others[:1] != ["["] or others[-1:] != ["]"] or set(others[1:-1]) - {","}:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in a caption is no fault
            values = [ast.literal_eval(string) for string in strings]
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    return values if all(isinstance(value, str) for value in values) else None
