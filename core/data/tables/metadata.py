"""Sort the table's other columns into conditions, model outputs, groups and splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.tables.cells import as_column, texts_of
from core.data.tables.recognise import RecognizedColumns
from core.data.tables.roles import is_model_output
from core.errors import quoted
from core.records import I64, Column, Outcomes
from core.records.ledger import Ledger


def metadata_columns(
    frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger
) -> tuple[list[Column], list[Column]]:
    """(columns that may be conditions, columns that a model wrote), each over all n rows of the table.

    Columns with another role (id, image, label, group, ...) are neither, unless they were named as conditions.
    """
    roles = recognized.roles
    wanted = set(roles.conditions)
    outputs = {name for name in (roles.loss, roles.prediction, recognized.errors) if name is not None}
    arrays_and_keys = {
        roles.id,
        roles.image,
        roles.label,
        roles.group,
        roles.split,
        roles.embedding,
        recognized.class_names,
    }
    elsewhere = arrays_and_keys | {*roles.probabilities, *roles.logits, *roles.texts, *(roles.masks or ())}
    metadata = list[Column]()
    model_outputs = list[Column]()
    unused = list[str]()
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
        listed = ", ".join(others[:6])
        if len(others) > 6:
            listed += ", ..."
        ledger.note(
            f"{len(others)} columns look like model outputs: {listed}. Errata does not test them unless you pick them."
        )
    return metadata, model_outputs


MIN_PREDICTION_SHARE = 0.98
"""Share of the rows in which a column must go with the predicted class to count as the prediction itself
(`names_prediction`), a convention."""
MIN_EACH_ROWS = 5
"""Right rows, and wrong rows, needed to see that a column tells them apart, a convention."""
FIRST_ROWS = 1000
"""Rows checked before all are, to save time."""


def without_repeats(
    metadata: Sequence[Column], outcomes: Outcomes, labels: I64 | None, wanted: Sequence[str], ledger: Ledger
) -> tuple[list[Column], list[Column]]:
    """(columns that may be conditions, columns that only repeat the prediction or whether it was right, by any name).

    A condition on these columns would repeat the error itself: where the label is cat and the prediction is not, the
    model is wrong. A column that goes with the label as well as with the prediction is the label's, and stays.
    """
    verdicts = list[Column]()
    predicted = list[Column]()
    for column in metadata:
        if column.name in wanted:
            continue
        if _is_verdict(column, outcomes, labels):
            verdicts.append(column)
        elif (
            outcomes.predictions is not None
            and column.kind == "category"
            and names_prediction(column, outcomes.predictions, labels) >= MIN_PREDICTION_SHARE
        ):
            predicted.append(column)
    for repeats, what in ((predicted, "the predicted class"), (verdicts, "whether the model was right")):
        if repeats:
            names = [column.name for column in repeats]
            verb = "repeats" if len(names) == 1 else "repeat"
            ledger.note(f"{quoted(*names)} only {verb} {what}, so not tested. To test it, use --conditions {names[0]}.")
    return [column for column in metadata if column not in verdicts + predicted], predicted + verdicts


def _is_verdict(column: Column, outcomes: Outcomes, labels: I64 | None) -> bool:
    """Whether a column has one value for right and another for wrong; or one for each pair of label and prediction
    that shows which, like FiftyOne's TP, FP, FN and TN. Rows without a value count as a separate value or, if they are
    fewer than half, not at all."""
    errors = outcomes.errors
    n = len(column.values)
    if errors is None:
        return False

    def of_known(stop: int) -> I64:
        return np.array([i for i, v in enumerate(column.values[:stop].tolist()) if v is not None and v == v], np.int64)

    def is_enough(rows: I64) -> bool:
        return 2 * len(rows) > n and MIN_EACH_ROWS <= errors[rows].sum() <= len(rows) - MIN_EACH_ROWS

    def tells(rows: I64) -> bool:
        values = [None if v != v else v for v in column.values[rows].tolist()]
        wrong = errors[rows].tolist()
        if len(set(zip(values, wrong))) > len(set(values)):
            return False
        if len(set(values)) <= 2 or outcomes.predictions is None or labels is None:
            return len(set(values)) <= 2
        true_classes = labels[rows].tolist()
        guessed = outcomes.predictions[rows].tolist()
        is_labels = is_enough(rows) and len(set(zip(true_classes, values))) == len(set(true_classes))
        return not is_labels and len(set(zip(true_classes, guessed, values))) == len(set(zip(true_classes, guessed)))

    if not tells(np.arange(n)[:FIRST_ROWS]) and not tells(of_known(FIRST_ROWS)):
        return False
    return any(is_enough(rows) and tells(rows) for rows in (np.arange(n), of_known(n)))


def majority_of_cells(cells: I64, classes: I64) -> I64:
    """(n,) the class of most rows with the same cell, learned from the other half of the rows; -1 where it is unknown
    or tied.

    Two halves, since a column with a value per row would otherwise predict every class.
    """
    _, codes = np.unique(cells, return_inverse=True)
    half = np.random.default_rng(0).permutation(len(codes)) % 2
    majority = np.full(len(codes), -1, np.int64)
    for side in (0, 1):
        pairs, counts = np.unique(np.stack([codes, classes])[:, half != side], axis=1, return_counts=True)
        most = np.zeros(int(codes.max()) + 1, np.int64)
        np.maximum.at(most, pairs[0], counts)
        top = pairs[:, counts == most[pairs[0]]]
        best = np.full(len(most), -1, np.int64)
        best[top[0]] = np.where(np.bincount(top[0])[top[0]] == 1, top[1], -1)
        majority[half == side] = best[codes[half == side]]
    return majority


def names_prediction(column: Column, predictions: I64, labels: I64 | None) -> float:
    """Share of rows whose predicted class the column gives, beyond always guessing the commonest class; 0 where the
    column gives the label as often in the rows in which the two differ."""
    _, codes = np.unique(column.values.astype(str), return_inverse=True)
    majority = majority_of_cells(codes, predictions)
    common = float(np.unique(predictions, return_counts=True)[1].max())
    matches = majority == predictions
    n = len(predictions)
    if common == n:
        return 0.0
    if labels is not None:
        differing = labels != predictions
        if ((majority == labels) & differing).sum() >= (matches & differing).sum():
            return 0.0
    return float((matches.sum() - common) / (n - common))


def group_numbers(frame: pd.DataFrame, recognized: RecognizedColumns, rows: I64, ledger: Ledger) -> I64 | None:
    """(len(rows),) the group number of each row; a row without a group forms one by itself. None without a group
    column."""
    if recognized.roles.group is None:
        return None
    texts = texts_of(frame[recognized.roles.group])[rows]
    missing = sum(text is None for text in texts)
    if missing:
        ledger.note(f"{recognized.roles.group!r} is missing in {missing:,} rows: each counts as unrelated to others.")
    numbers: dict[Any, int] = {}
    groups = np.empty(len(texts), np.int64)
    for i, text in enumerate(texts):
        # a tuple cannot equal a text, so a nameless row never joins a group
        key = (i,) if text is None else text
        groups[i] = numbers.setdefault(key, len(numbers))
    return groups


def split_names(
    frame: pd.DataFrame, recognized: RecognizedColumns, rows: I64, ledger: Ledger
) -> npt.NDArray[Any] | None:
    """(len(rows),) object array of str, "" where missing; a note warns of rows that the model was trained on."""
    if recognized.roles.split is None:
        return None
    names = np.array([text or "" for text in texts_of(frame[recognized.roles.split])[rows]], dtype=object)
    trained = sum(name.strip().lower().startswith("train") for name in names)
    if trained:
        ledger.note(
            f"{trained:,} of {len(names):,} rows are training data ({recognized.roles.split!r}). "
            "The model has seen them, so errors can be missed. Use held-out rows."
        )
    return names
