"""Read and check class scores: probabilities or logits, from an array column or a column for each class."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.tables.cells import as_numbers, finite_rows, holds_arrays, stack_arrays
from core.data.tables.classes import class_of_columns
from core.data.tables.recognise import RecognizedColumns
from core.errors import InvalidInput
from core.records import F64, Bool
from core.records.ledger import Ledger
from core.statistics import losses

MAX_SUM_ERROR = 1e-3
"""How far from 1 the probabilities of a row may sum: enough for float16; rounding to decimals allows more
(`_tolerance`)."""

FLOAT32_ERROR = 1e-7
"""How far a share that was rounded may lie from its decimals: half the spacing of float32 below 1, doubled."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    values: F64
    """(n, k) probabilities, rows of nan where unusable."""
    logits: F64 | None
    classes: tuple[str, ...]
    """From the columns' names, () for an array."""
    source: str


def class_scores(
    frame: pd.DataFrame, recognized: RecognizedColumns, words: Collection[str | None], ledger: Ledger
) -> ClassScores | None:
    """Read probabilities from an array column or a column for each class; None without these columns.

    Args:
        words: the labels as written.

    Raises:
        InvalidInput: no row is finite, or most rows are not probabilities.
    """
    roles = recognized.roles
    columns = roles.probabilities or roles.logits
    if not columns:
        return None
    are_logits = not roles.probabilities
    what = "logits" if are_logits else "probabilities"
    named = what not in recognized.guessed
    raw, classes, source = _read(frame, columns, words, are_logits, ledger)
    ledger.drop(~finite_rows(raw), f"the {what} are missing or not finite")
    usable = finite_rows(raw)
    if not usable.any():
        raise InvalidInput(f"The {what} {source} hold no row of finite numbers. Name the right columns.")
    looks_right = usable & (raw >= 0).all(axis=1) & (np.abs(raw.sum(axis=1) - 1) <= _tolerance(raw[usable]))
    share = looks_right.sum() / usable.sum()
    alone = len(columns) == 1 and not holds_arrays(frame[columns[0]])
    if alone and are_logits and (raw[usable] >= 0).all() and (raw[usable] <= 1).all():
        ledger.note(f"{columns[0]!r} lies between 0 and 1 in all rows. If it is a probability, name it as one.")
    elif are_logits and not alone and share > 0.5 and named:
        ledger.doubt(
            f"The logits {source} look like probabilities: {int(looks_right.sum()):,} of {int(usable.sum()):,} rows "
            "sum to 1. Name them as probabilities."
        )
    elif are_logits and not alone and named and _are_percent(raw[usable]):
        ledger.doubt(
            f"The logits {source} look like probabilities in percent: most rows sum to 100. Name them as probabilities."
        )
    elif not named and not alone and (are_logits or holds_arrays(frame[columns[0]])):
        # the name was only a hint; what the rows hold decides
        outside = are_logits or ((raw[usable] < 0) | (raw[usable] > 1)).any()
        as_logits = bool(share <= 0.5 and outside and not _are_percent(raw[usable]))
        if as_logits != are_logits or len(columns) == 1:
            meaning = "logits, since its rows do not sum to 1" if as_logits else "probabilities, not logits"
            ledger.note(f"Read {source} as {meaning}.")
        are_logits = as_logits
    if not are_logits and _are_percent(raw[usable]):
        ledger.note(f"Divided the probabilities {source} by 100: they sum to 100 in each row.")
        raw = raw / 100
        looks_right = usable & (raw >= 0).all(axis=1) & (np.abs(raw.sum(axis=1) - 1) <= _tolerance(raw[usable]))
    if are_logits:
        values = np.full_like(raw, np.nan)
        values[usable] = losses.softmax(raw[usable])
        return ClassScores(values, raw, classes, source)
    return ClassScores(_probabilities(raw, usable, looks_right, source, ledger), None, classes, source)


def _read(
    frame: pd.DataFrame, columns: tuple[str, ...], words: Collection[str | None], are_logits: bool, ledger: Ledger
) -> tuple[F64, tuple[str, ...], str]:
    """Read the numbers as written, the classes from the columns' names, and the source for messages."""
    if len(columns) == 1 and holds_arrays(frame[columns[0]]):
        raw, reasons = stack_arrays(frame[columns[0]])
        ledger.drop(np.array([bool(r) for r in reasons]), reasons)
        return raw, (), f"{columns[0]!r} ({raw.shape[1]} classes)"
    if len(columns) == 1:
        positive = as_numbers(frame[columns[0]])
        if are_logits:
            negative = np.zeros_like(positive)
            what = "logit"
        else:
            negative = 1 - positive
            what = "probability"
        ledger.note(f"Read {columns[0]!r} as the {what} of the second class in order.")
        return np.stack([negative, positive], axis=1), (), f"{columns[0]!r} (of the second of two classes)"
    classes, order = class_of_columns(columns, words)
    raw = np.stack([as_numbers(frame[columns[i]]) for i in order], axis=1)
    return raw, classes, f"{columns[0]!r}, ... ({len(columns)} columns)"


def _are_percent(raw: F64) -> bool:
    """Whether most rows are shares of 100."""
    right = (raw >= 0).all(axis=1) & (np.abs(raw.sum(axis=1) - 100) <= 100 * _tolerance(raw / 100))
    return bool(len(raw)) and bool(right.mean() > 0.5)


def _tolerance(raw: F64) -> float:
    """How far the sum of a row of (m, k) shares may lie from 1: half a unit of the decimals they were rounded to, for
    each class, but never so far that the sum is nearer to 0 or 2 than to 1."""
    for decimals in (2, 3, 4):
        if (np.abs(np.round(raw, decimals) - raw) <= FLOAT32_ERROR).all() and (raw % 1 != 0).any():
            return min(max(MAX_SUM_ERROR, raw.shape[1] / 2 * 10.0**-decimals + 1e-9), 0.5)
    return MAX_SUM_ERROR


def _probabilities(raw: F64, usable: Bool, looks_right: Bool, source: str, ledger: Ledger) -> F64:
    bad = usable & ~looks_right
    if bad.sum() > 0.5 * usable.sum():
        example = raw[np.flatnonzero(bad)[0]]
        hint = "Divide each row by its sum."
        largest = raw[usable].max()
        if (
            1 < largest <= 100
            and raw.shape[1] == 2
            and (raw[usable, 1] >= 0).all()
            and (raw[usable].sum(axis=1) == 1).all()
        ):
            hint = "They look like percentages: divide them by 100."
        elif (raw[bad] < 0).any() or (largest > 1 and np.ptp(raw[usable].sum(axis=1)) > 0.05 * largest):
            hint = "They look like logits: name them as logits."
        raise InvalidInput(
            f"{int(bad.sum()):,} of {int(usable.sum()):,} rows of the probabilities {source} do not sum to 1 or are "
            f"negative: the first sums to {example.sum():.4g}. {hint}"
        )
    ledger.drop(bad & (raw < 0).any(axis=1), "a probability is negative")
    ledger.drop(bad, [f"the probabilities do not sum to 1: they sum to {total:.4g}" for total in raw.sum(axis=1)])
    values = np.where(usable[:, None], raw, np.nan)
    values[looks_right] /= values[looks_right].sum(axis=1, keepdims=True)
    return values
