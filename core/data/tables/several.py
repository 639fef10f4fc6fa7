"""Recognize the columns of a table with several labels per image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.data.tables.cells import holds_arrays, is_binary
from core.data.tables.roles import Roles, snake_case

_LABELS = "labels label true_labels tags y_true gold gt truth ground_truth".split()
_PREDICTIONS = "predictions prediction predicted_labels pred_labels preds pred predicted y_pred".split()
_LABEL_SERIES = re.compile(r"(y_true|true|labels?|gt|gold|target|y|has|is)[_\-. ](.+)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[|;]")
_MAX_CELLS = 1_000
"""First cells of a column that decide whether it holds lists."""


def find_several_labels(frame: pd.DataFrame, roles: Roles) -> tuple[tuple[str, ...], str, tuple[str, ...]] | None:
    """Find the true labels of a table with several labels per image.

    Args:
        roles: as recognized by `core.data.tables.recognise`.

    Returns:
        (columns of the labels, role of the model's output, its columns), as `read_multilabel` takes them; None for any
        other table, as where it has a loss, or one label per row.
    """
    if roles.loss is not None or roles.masks is not None or roles.target is not None:
        return None
    lists = _first(frame, _LABELS, holds_lists)
    if roles.label not in (None, lists):
        return None
    labels = _label_series(frame)
    if lists is not None:
        labels = (lists,)
    predicted = _predicted(frame, roles)
    if not labels or predicted is None:
        return None
    role, columns = predicted
    if len(labels) > 1 and len(columns) > 1 and len(labels) != len(columns):
        return None
    return labels, role, columns


def holds_lists(column: pd.Series[Any]) -> bool:
    """Whether cells are arrays, lists, or several names as in "cat|dog". Names with a bar in them are no lists: their
    parts do not come in other combinations."""
    if holds_arrays(column):
        return True
    cells = column.dropna().head(_MAX_CELLS).tolist()
    if not cells or not all(isinstance(cell, str) for cell in cells):
        return False
    distinct = set(cells)
    parts = {part.strip() for cell in distinct for part in _SEPARATORS.split(cell)}
    split = sum(bool(_SEPARATORS.search(cell)) for cell in distinct)
    return split > 0 and len(parts) < len(distinct)


def _first(frame: pd.DataFrame, names: Sequence[str], fits: Any) -> str | None:
    by_name = {snake_case(str(name)): str(name) for name in reversed(frame.columns)}
    for name in names:
        if name in by_name and fits(frame[by_name[name]]):
            return by_name[name]
    return None


def _predicted(frame: pd.DataFrame, roles: Roles) -> tuple[str, tuple[str, ...]] | None:
    """The role of the model's output and its columns."""
    if roles.probabilities:
        return "probabilities", roles.probabilities
    if roles.logits:
        return "logits", roles.logits
    column = _first(frame, _PREDICTIONS, holds_lists)
    if column is None:
        return None
    return "prediction", (column,)


def _label_series(frame: pd.DataFrame) -> tuple[str, ...]:
    """Columns such as true_cat and true_dog: two or more of 0 and 1, in which some row has not exactly one 1."""
    families = dict[str, list[str]]()
    for name in map(str, frame.columns):
        match = _LABEL_SERIES.fullmatch(name)
        if match and not holds_arrays(frame[name]) and is_binary(frame[name]):
            families.setdefault(match[1].lower(), []).append(name)
    labels = max(families.values(), key=len, default=[])
    if len(labels) < 2:
        return ()
    present = frame[labels].astype("float64").sum(axis=1)
    if bool(np.isclose(present, 1).all()):  # one label per row, written as columns
        return ()
    return tuple(labels)
