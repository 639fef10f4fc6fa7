"""What the table's other columns may serve for: conditions, model outputs, groups and splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.tables.cells import as_column, texts_of
from core.data.tables.recognise import RecognisedColumns
from core.data.tables.roles import is_model_output
from core.errors import quoted
from core.records import I64, Column, Outcomes
from core.records.ledger import Ledger


def metadata_columns(
    frame: pd.DataFrame, found: RecognisedColumns, ledger: Ledger
) -> tuple[list[Column], list[Column]]:
    """(columns that may be conditions, columns that a model wrote), each over all n rows of the table.

    Columns that play another part (id, picture, label, group, ...) are neither, unless they were named as conditions.
    """
    roles = found.roles
    wanted = set(roles.conditions)
    outputs = {name for name in (roles.loss, roles.prediction, found.errors) if name is not None}
    arrays_and_keys = {roles.id, roles.image, roles.label, roles.group, roles.split, roles.embedding, found.class_names}
    elsewhere = arrays_and_keys | {*roles.probabilities, *roles.logits, *roles.texts, *(roles.masks or ())}
    metadata, model_outputs, unused = list[Column](), list[Column](), list[str]()
    for name in frame.columns:
        if name in elsewhere and name not in wanted:
            continue
        column, note = as_column(frame[name])
        if note:
            ledger.note(note)
        if column is None:
            continue
        if name in wanted or (name not in outputs and not is_model_output(name)):
            metadata.append(column)
        else:
            model_outputs.append(column)
            unused.append(name)
    others = [name for name in unused if name not in outputs]
    if others:
        listed = f"{', '.join(others[:6])}{', ...' if len(others) > 6 else ''}"
        ledger.note(
            f"{len(others)} columns look like model outputs and are no conditions unless you pick them: {listed}."
        )
    return metadata, model_outputs


MAX_VALUES = 1_000
"""Of a column that may repeat the prediction."""
REPEATS = 0.98
"""Share of the rows in which a column must go with the predicted class, one value with one class, to be taken for the
prediction itself."""
MIN_EACH = 5
"""Rows that are right, and that are wrong, by which a column is known to say which is which."""
FIRST = 1000
"""Rows that are looked at before all are."""


def without_repeats(
    metadata: Sequence[Column], outcomes: Outcomes, labels: I64 | None, wanted: Sequence[str], ledger: Ledger
) -> tuple[list[Column], list[Column]]:
    """(columns that may be conditions, columns that only repeat what the model predicted or whether it was right, under
    whatever name).

    Such a column would be a finding of itself: where the label is cat and the prediction is not, the model is wrong. A
    column that goes with the label as well as with the prediction is the label's, and stays.
    """
    own = [column for column in metadata if column.name not in wanted]
    verdicts = [column for column in own if _is_verdict(column, outcomes, labels)]
    predicted = [
        column
        for column in own
        if outcomes.predictions is not None
        and column not in verdicts
        and column.kind == "category"
        and (agreement := _agreement(column, outcomes.predictions)) >= REPEATS
        and (labels is None or agreement > _agreement(column, labels))
    ]
    for repeats, one, more, what in (
        (predicted, "repeats", "repeat", "the predicted class"),
        (verdicts, "says", "say", "whether the model was right"),
    ):
        if names := [column.name for column in repeats]:
            which = f"{quoted(*names)} {one if len(names) == 1 else more} {what}"
            ledger.note(f"{which}: no condition unless you name it as one (--conditions {names[0]}).")
    return [column for column in metadata if column not in verdicts + predicted], predicted + verdicts


def _is_verdict(column: Column, outcomes: Outcomes, labels: I64 | None) -> bool:
    """Whether it has one value for right and another for wrong, or, as where FiftyOne writes TP, FP, FN and TN, one for
    each pair of label and prediction that tells which. Rows without a value count as a value of their own, or, if they
    are fewer than half, not at all."""
    errors, n = outcomes.errors, len(column.values)
    if errors is None:
        return False

    def of_known(stop: int) -> I64:
        return np.array([i for i, v in enumerate(column.values[:stop].tolist()) if v is not None and v == v], np.int64)

    def is_enough(rows: I64) -> bool:
        return 2 * len(rows) > n and MIN_EACH <= errors[rows].sum() <= len(rows) - MIN_EACH

    def tells(rows: I64) -> bool:
        values, wrong = [None if v != v else v for v in column.values[rows].tolist()], errors[rows].tolist()
        if len(set(zip(values, wrong))) > len(set(values)):
            return False
        if len(set(values)) <= 2 or outcomes.predictions is None or labels is None:
            return len(set(values)) <= 2
        own, guessed = labels[rows].tolist(), outcomes.predictions[rows].tolist()
        is_labels = is_enough(rows) and len(set(zip(own, values))) == len(set(own))
        return not is_labels and len(set(zip(own, guessed, values))) == len(set(zip(own, guessed)))

    if not tells(np.arange(n)[:FIRST]) and not tells(of_known(FIRST)):
        return False
    return any(is_enough(rows) and tells(rows) for rows in (np.arange(n), of_known(n)))


def _agreement(column: Column, classes: I64) -> float:
    """Share of the rows in which the column has the value that goes with the row's class, one value for one class."""
    known = np.array([value is not None for value in column.values])
    values, codes = np.unique(column.values[known].astype(str), return_inverse=True)
    if not 2 <= len(values) <= MAX_VALUES:
        return 0.0
    counts = np.zeros((len(values), int(classes.max()) + 1))
    np.add.at(counts, (codes, classes[known]), 1)
    best = counts.argmax(1)
    return float(counts.max(1).sum() / len(classes)) if len(set(best.tolist())) == len(values) else 0.0


def group_numbers(frame: pd.DataFrame, found: RecognisedColumns, rows: I64, ledger: Ledger) -> I64 | None:
    """(len(rows),) the group of each row; a row without one is a group of its own. None if there is no group column."""
    if found.roles.group is None:
        return None
    texts = texts_of(frame[found.roles.group])[rows]
    missing = sum(text is None for text in texts)
    if missing:
        ledger.note(f"{found.roles.group!r} is missing in {missing:,} rows: each of them is a group of its own.")
    # a tuple cannot equal a text, so a nameless row never joins a group
    numbers: dict[Any, int] = {}
    keys = ((i,) if text is None else text for i, text in enumerate(texts))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def split_names(frame: pd.DataFrame, found: RecognisedColumns, rows: I64, ledger: Ledger) -> npt.NDArray[Any] | None:
    """(len(rows),) object array of str, "" where missing; a note warns of rows that the model was trained on."""
    if found.roles.split is None:
        return None
    names = np.array([text or "" for text in texts_of(frame[found.roles.split])[rows]], dtype=object)
    trained = sum(name.strip().lower().startswith("train") for name in names)
    if trained:
        ledger.note(
            f"{trained:,} of {len(names):,} rows are training data ({found.roles.split!r}): losses there are too low "
            "for a model that has seen them, so failures may be missed. Held-out rows are better."
        )
    return names
