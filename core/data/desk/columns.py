"""Check columns that may explain errors: numbers read as texts, and columns that a model wrote."""

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

MIN_NAMED_SHARE = 0.85
"""Share of the rows beyond the commonest predicted class in which a column gives the prediction, from which it may be a
model's answer. Textures that networks rely on reach at most 0.73 (docs/evidence/desk.md)."""


def check_columns(frame: pd.DataFrame, metadata: Sequence[Column], ledger: Ledger) -> None:
    """Note numbers that are read as texts, and values that stand for missing ones.

    Args:
        metadata: the columns that may be conditions, of the rows that stay.
    """
    for column in metadata:
        if column.kind == "number":
            values = np.asarray(column.values, np.float64)
            odd = stand_in(values)
            if odd is not None:
                say_missing(column.name, values, odd, ledger, stop=False)
        elif column.name in frame and not holds_arrays(frame[column.name]):
            _note_written(frame[column.name], ledger)


def _note_written(column: pd.Series, ledger: Ledger) -> None:
    """Note a column of texts whose values are numbers but for commas, blanks and apostrophes between digits."""
    spoiled = unreadable(column)
    cleared = pd.Series(spoiled, dtype=object).str.replace(r"(?<=\d)[,'\s.](?=\d)", "", regex=True)
    if spoiled and bool(np.isfinite(as_numbers(cleared)).all()) and any("," in text for text in spoiled):
        readable = int(np.isfinite(as_numbers(column)).sum())
        if len(spoiled) + readable == int(column.notna().sum()):
            ledger.note(
                f"{column.name!r} is read as texts: {len(spoiled):,} cells are not plain numbers, for example "
                f"{spoiled[0][:40]!r}. Write numbers with a decimal point, like 1234.56."
            )


def check_leaks(
    metadata: Sequence[Column], outcomes: Outcomes, labels: I64 | None, wanted: Sequence[str], ledger: Ledger
) -> None:
    """Note columns that separate right from wrong in nearly all rows once the label is known, or that go with the
    predicted class in most rows, and not with the label where the two differ: a model may have written them.

    Columns that only repeat the prediction or the verdict were removed before
    (`core.data.tables.metadata.without_repeats`).

    Args:
        labels: (n,) or None, then all rows count as one label.
        wanted: columns that the user named as conditions, which are not noted.
    """
    errors = outcomes.errors
    predictions = outcomes.predictions
    if errors is None or not MIN_EACH_ROWS <= errors.sum() <= len(errors) - MIN_EACH_ROWS:
        return
    strata = np.zeros(len(errors), np.int64) if labels is None else labels
    verdict = errors.astype(np.int64)
    by_label = float((majority_of_cells(strata, verdict) == verdict).mean())
    telling = list[str]()
    suspicions = list[str]()
    for column in metadata:
        if column.name in wanted:
            continue
        if column.kind == "number":
            separated = _ordered(np.asarray(column.values, np.float64), strata, errors)
        else:
            _, codes = np.unique(column.values.astype(str), return_inverse=True)
            cells = codes * (int(strata.max()) + 1) + strata
            separated = float((majority_of_cells(cells, verdict) == verdict).mean())
            if predictions is not None:
                share = names_prediction(column, predictions, labels)
                if share >= MIN_NAMED_SHARE:
                    suspicions.append(f"{column.name!r} goes with the predicted class (kappa {number(share, 2)})")
        if by_label < MIN_PREDICTION_SHARE <= separated:
            telling.append(column.name)
    if telling:
        verb = "separates" if len(telling) == 1 else "separate"
        suspicions.append(f"Within a label, {quoted(*telling)} {verb} right from wrong in nearly every row")
    for suspicion in suspicions:
        ledger.note(f"{suspicion}. If a model wrote it, it explains nothing: remove it from the table.")


def _ordered(values: F64, labels: I64, errors: Bool) -> float:
    """Chance that the column ranks a wrong row of a class on one side of a right one, over classes with enough of
    both."""
    won = 0.0
    pairs = 0.0
    for label in np.unique(labels[errors]).tolist():
        rows = (labels == label) & np.isfinite(values)
        wrong = errors[rows]
        n1 = int(wrong.sum())
        n0 = int((~wrong).sum())
        if min(n1, n0) >= MIN_EACH_ROWS:
            above = float(rankdata(values[rows])[wrong].sum()) - n1 * (n1 + 1) / 2
            won += max(above, n1 * n0 - above)
            pairs += n1 * n0
    if not pairs:
        return 0.0
    return won / pairs
