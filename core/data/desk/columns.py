"""Whether columns that may explain a failure are what they seem to: numbers, and not the model's own answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from core.data.desk.numbers import say_missing, stand_in, unreadable
from core.data.tables.cells import as_numbers, holds_arrays
from core.data.tables.metadata import MIN_EACH_ROWS, MIN_PREDICTION_SHARE, majority_of_cells, names_prediction
from core.errors import quoted
from core.numbers import number
from core.records import F64, I64, Bool, Column, Outcomes
from core.records.ledger import Ledger

NAMED = 0.85
"""Share of the rows without the commonest predicted class in which a column tells it, from which it may be a model's
answer. Textures that networks go by do so in at most 0.73 (docs/evidence/desk.md)."""


def check_columns(frame: pd.DataFrame, metadata: Sequence[Column], ledger: Ledger) -> None:
    """Note numbers that are read as texts, and values that stand for missing ones.

    Args:
        metadata: the columns that may be conditions, of the rows that stand.
    """
    for column in metadata:
        if column.kind == "number" and (odd := stand_in(np.asarray(column.values, np.float64))) is not None:
            say_missing(column.name, np.asarray(column.values, np.float64), odd, ledger, stop=False)
        if column.kind != "number" and column.name in frame and not holds_arrays(frame[column.name]):
            _note_written(frame[column.name], ledger)


def _note_written(column: pd.Series, ledger: Ledger) -> None:
    """Note a column of texts whose values are numbers but for commas, blanks and apostrophes between digits."""
    spoiled = unreadable(column)
    cleared = pd.Series(spoiled, dtype=object).str.replace(r"(?<=\d)[,'\s.](?=\d)", "", regex=True)
    if spoiled and bool(np.isfinite(as_numbers(cleared)).all()) and any("," in text for text in spoiled):
        readable = int(np.isfinite(as_numbers(column)).sum())
        if len(spoiled) + readable == int(column.notna().sum()):
            ledger.note(
                f"{column.name!r} is read as texts: {len(spoiled):,} of its cells, such as {spoiled[0][:40]!r}, are no "
                "numbers as written. Write numbers with a decimal point and nothing else, such as 1234.56."
            )


def check_leaks(
    metadata: Sequence[Column], outcomes: Outcomes, labels: I64 | None, wanted: Sequence[str], ledger: Ledger
) -> None:
    """Note columns that tell right from wrong almost wholly once the label is known, or that go with the predicted
    class in most rows, and rather than with the label where it is wrong: a model may have written them.

    Columns that repeat the prediction or the verdict itself left before (`core.data.tables.metadata.without_repeats`).

    Args:
        labels: (n,) or None, then all rows count as of one label.
        wanted: columns that the user named as conditions; nothing is said of them.
    """
    errors = outcomes.errors
    predictions = outcomes.predictions
    if errors is None or not MIN_EACH_ROWS <= errors.sum() <= len(errors) - MIN_EACH_ROWS:
        return
    of = np.zeros(len(errors), np.int64) if labels is None else labels
    verdict = errors.astype(np.int64)
    plain = float((majority_of_cells(of, verdict) == verdict).mean())
    telling = list[str]()
    naming = list[str]()
    for column in metadata:
        if column.name in wanted:
            continue
        if column.kind == "number":
            told = _ordered(np.asarray(column.values, np.float64), of, errors)
        else:
            _, codes = np.unique(column.values.astype(str), return_inverse=True)
            told = float((majority_of_cells(codes * (int(of.max()) + 1) + of, verdict) == verdict).mean())
            if predictions is not None and (share := names_prediction(column, predictions, labels)) >= NAMED:
                naming.append(f"{column.name!r} goes with the predicted class (kappa {number(share, 2)})")
        if plain < MIN_PREDICTION_SHARE <= told:
            telling.append(column.name)
    if telling:
        naming.append(
            f"{quoted(*telling)} {'tells' if len(telling) == 1 else 'tell'} right from wrong in nearly every row once "
            "the label is known"
        )
    for said in naming:
        ledger.note(f"{said}. If a model's answer is in it, it explains nothing: leave it out of the table.")


def _ordered(values: F64, labels: I64, errors: Bool) -> float:
    """Chance that the column puts a wrong row of a class on one side of a right one, over classes with enough of
    both."""
    won = pairs = 0.0
    for label in np.unique(labels[errors]).tolist():
        rows = (labels == label) & np.isfinite(values)
        wrong = errors[rows]
        n1 = int(wrong.sum())
        n0 = int((~wrong).sum())
        if min(n1, n0) >= MIN_EACH_ROWS:
            above = float(rankdata(values[rows])[wrong].sum()) - n1 * (n1 + 1) / 2
            won += max(above, n1 * n0 - above)
            pairs += n1 * n0
    return won / pairs if pairs else 0.0
