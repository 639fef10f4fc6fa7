"""Read the captions of one cell of a table: a text, or a list of texts."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np


def captions_in(cell: object) -> list[str]:
    """The non-empty captions of a cell, in single spaces.

    Args:
        cell: a text; a list or an array of texts, as in Parquet and JSON Lines; or a list written as text, by Python,
            JSON or NumPy (without commas), as in a CSV. Anything else has no captions.

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
    captions = (" ".join(text.split()) for text in texts if isinstance(text, str))
    return [caption for caption in captions if caption]


def _spelled(text: str) -> list[str] | None:
    """The texts of a list written as text; None for other texts. They are read one by one, since Python joins texts
    without a comma between them."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        strings = [token.string for token in tokens if token.type == tokenize.STRING]
        others = [token.string for token in tokens if token.type != tokenize.STRING and token.string.strip()]
        if others[:1] != ["["] or others[-1:] != ["]"] or set(others[1:-1]) - {","}:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in a caption is allowed
            values = [ast.literal_eval(string) for string in strings]
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    if not all(isinstance(value, str) for value in values):
        return None
    return values
