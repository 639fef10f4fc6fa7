"""What the table's other columns may serve for: conditions, model outputs, groups and splits."""

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
    frame: pd.DataFrame, found: RecognizedColumns, ledger: Ledger
) -> tuple[list[Column], list[Column]]:
    """(columns that may be conditions, columns that a model wrote), each over all n rows of the table.

    Columns that play another part (id, image, label, group, ...) are neither, unless they were named as conditions.
    """
    roles = found.roles
    wanted = set(roles.conditions)
    outputs = {name for name in (roles.loss, roles.prediction, found.errors) if name is not None}
    arrays_and_keys = {roles.id, roles.image, roles.label, roles.group, roles.split, roles.embedding, found.class_names}
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
        listed = f"{', '.join(others[:6])}{', ...' if len(others) > 6 else ''}"
        ledger.note(
            f"{len(others)} columns look like model outputs and are no conditions unless you pick them: {listed}."
        )
    return metadata, model_outputs


REPEATS = 0.98
"""Share of the rows in which a column must go with the predicted class to be taken for the prediction itself
(`names_prediction`)."""
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
        and names_prediction(column, outcomes.predictions, labels) >= REPEATS
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
    errors = outcomes.errors
    n = len(column.values)
    if errors is None:
        return False

    def of_known(stop: int) -> I64:
        return np.array([i for i, v in enumerate(column.values[:stop].tolist()) if v is not None and v == v], np.int64)

    def is_enough(rows: I64) -> bool:
        return 2 * len(rows) > n and MIN_EACH <= errors[rows].sum() <= len(rows) - MIN_EACH

    def tells(rows: I64) -> bool:
        values = [None if v != v else v for v in column.values[rows].tolist()]
        wrong = errors[rows].tolist()
        if len(set(zip(values, wrong))) > len(set(values)):
            return False
        if len(set(values)) <= 2 or outcomes.predictions is None or labels is None:
            return len(set(values)) <= 2
        own = labels[rows].tolist()
        guessed = outcomes.predictions[rows].tolist()
        is_labels = is_enough(rows) and len(set(zip(own, values))) == len(set(own))
        return not is_labels and len(set(zip(own, guessed, values))) == len(set(zip(own, guessed)))

    if not tells(np.arange(n)[:FIRST]) and not tells(of_known(FIRST)):
        return False
    return any(is_enough(rows) and tells(rows) for rows in (np.arange(n), of_known(n)))


def foretold(cells: I64, classes: I64) -> I64:
    """(n,) the class that most rows of the same cell have, by the rows of the other half; -1 where it is unknown or two
    are as many."""
    _, codes = np.unique(cells, return_inverse=True)
    half = np.random.default_rng(0).permutation(len(codes)) % 2
    told = np.full(len(codes), -1, np.int64)
    for side in (0, 1):
        pairs, counts = np.unique(np.stack([codes, classes])[:, half != side], axis=1, return_counts=True)
        most = np.zeros(int(codes.max()) + 1, np.int64)
        np.maximum.at(most, pairs[0], counts)
        top = pairs[:, counts == most[pairs[0]]]
        best = np.full(len(most), -1, np.int64)
        best[top[0]] = np.where(np.bincount(top[0])[top[0]] == 1, top[1], -1)
        told[half == side] = best[codes[half == side]]
    return told


def names_prediction(column: Column, predictions: I64, labels: I64 | None) -> float:
    """In how many rows the column tells the predicted class, beyond those that have the commonest, as a share; 0 where
    it tells the label as often of rows in which the two differ."""
    _, codes = np.unique(column.values.astype(str), return_inverse=True)
    told = foretold(codes, predictions)
    common = float(np.unique(predictions, return_counts=True)[1].max())
    own = told == predictions
    n = len(predictions)
    if common == n or (
        labels is not None
        and ((told == labels) & (labels != predictions)).sum() >= (own & (labels != predictions)).sum()
    ):
        return 0.0
    return float((own.sum() - common) / (n - common))


def group_numbers(frame: pd.DataFrame, found: RecognizedColumns, rows: I64, ledger: Ledger) -> I64 | None:
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


def split_names(frame: pd.DataFrame, found: RecognizedColumns, rows: I64, ledger: Ledger) -> npt.NDArray[Any] | None:
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
