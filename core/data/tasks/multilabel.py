"""Read several labels per image: one row for each image and class, with the loss of that class alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.desk.several import check_several
from core.data.images.archives import open_images
from core.data.samples import DataSet, read_with_ledger
from core.data.tables.cells import as_numbers, finite_rows, stack_arrays
from core.data.tables.classes import class_of_columns
from core.data.tables.in_folder import open_table
from core.data.tables.read import Table, check_shape
from core.data.tables.roles import Roles
from core.data.tasks.options import FALSE_LABELS, MISSED_LABELS
from core.data.tasks.per_class import by_class
from core.errors import InvalidInput
from core.limits import Limits
from core.records import F64, I64, Bool, Column, Outcomes, Progress, no_progress
from core.records.ledger import Ledger
from core.statistics.losses import LOSS_UNITS, MIN_PROBABILITY, fitting_clip

LOSS_KINDS = ("cross-entropy", "0/1 error")
MAX_ROWS = 10_000_000
"""Rows of an image and a class."""
_LOSS = "loss of all classes"
_SEPARATORS = re.compile(r"[|;,]")


@dataclass(frozen=True, slots=True, eq=False)
class _Matrix:
    """Labels or predictions of n rows and k classes."""

    values: F64
    """(n, k)."""
    names: tuple[str, ...]
    """Of the classes; () if the columns have no class names."""
    reasons: list[str]
    """(n,) why a row cannot be used, or ""."""
    listed: bool = False
    """Each row lists its classes, so that a class in no list is always absent."""


def read_multilabel(
    table: str | Path | pd.DataFrame | None,
    labels: Sequence[str],
    *,
    images: str | Path | None = None,
    embeddings: str | Path | npt.NDArray[Any] | None = None,
    roles: Roles = Roles(),
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> DataSet:
    """Read a table of images with several classes each into rows (image, class).

    Args:
        labels: the true labels: one column of 0 and 1 for each class (a star stands for any text), or one column with a
            list in each row, of 0 and 1 for each class or of class names ("cat|dog").
        roles: `probabilities` or `logits` as one array column or one column for each class, or `prediction` as a list
            like the labels'. `class_names` orders the classes if the columns do not. `loss_kind` is "cross-entropy"
            (binary; the default with probabilities) or "0/1 error" (wrong at a threshold of 0.5).

    Returns:
        n x k rows. The label is the class and whether it is present ("cat" or "cat, absent"), since a rare class is
        always harder where it is present: each row is compared with rows of the same truth.

    Raises:
        InvalidInput: the columns do not fit together; see also `core.data.samples.read_data_set`.
    """
    store = None
    if table is None and images is not None:
        store = open_images(images, limits, progress)
    read = open_table(table, images, store, limits, progress=progress)
    losses = _losses(read, labels, roles)
    frame = read.frame.drop(columns=list(losses.columns)).assign(**{_LOSS: losses.loss.mean(axis=1)})
    role_names = ("id", "image", "label", "target", "masks", "group", "split", "embedding", "conditions")
    plain = Roles(loss=_LOSS, **{role: getattr(roles, role) for role in role_names})
    data, ledger = read_with_ledger(frame, images, embeddings, plain, limits, progress)
    dropped = np.flatnonzero(~ledger.standing()).tolist()
    excluded = tuple((name, losses.reasons[row] or reason) for (name, reason), row in zip(data.excluded, dropped))
    return _rows(replace(data, excluded=excluded), ledger.kept_rows(), read, roles, losses)


@dataclass(frozen=True, slots=True, eq=False)
class _ClassLosses:
    """Loss of each of k classes in each of the table's n rows."""

    names: tuple[str, ...]
    """Of the k classes."""
    present: Bool
    """(n, k) whether the image has the class."""
    loss: F64
    """(n, k) nan in rows that cannot be used."""
    wrong: Bool
    """(n, k)."""
    reasons: list[str]
    """(n,) why a row cannot be used, or ""."""
    kind: str
    source: str
    notes: list[str]
    columns: tuple[str, ...]
    """From which it was computed."""


def _losses(read: Table, labels: Sequence[str], roles: Roles) -> _ClassLosses:
    truth_columns = _expand(read, labels, "labels")
    role, columns = _predicted(read, roles)
    truth = _matrix(read.frame, truth_columns, roles.class_names)
    guess = _matrix(read.frame, columns, roles.class_names)
    truth, guess, names = _aligned(truth, guess, roles.class_names)
    present = truth.values > 0.5
    scores = guess.values
    notes = list[str]()
    if role == "logits":
        scores = 1 / (1 + np.exp(-np.clip(scores, -700, 700)))  # exp(710) exceeds a float
        notes.append("Each class's probability is the logistic function of its logit.")
    reasons = _reasons(truth, guess, scores, role)
    kind = roles.loss_kind
    if not kind:
        only_0_1 = np.isin(scores[np.isfinite(scores)], (0.0, 1.0)).all()
        kind = "0/1 error" if only_0_1 else "cross-entropy"
    if kind not in LOSS_KINDS:
        raise InvalidInput(f"With several labels, the loss must be one of {', '.join(LOSS_KINDS)}: got {kind!r}.")
    with np.errstate(invalid="ignore"):
        wrong = (scores >= 0.5) != present
    if kind == "0/1 error":
        loss = wrong.astype(np.float64)
    else:
        # in nats; a probability counts as at least 1e-12, so that one wrong certainty is not infinite
        loss = -np.log(np.clip(np.where(present, scores, 1 - scores), MIN_PROBABILITY, 1.0))
    usable = np.array([not reason for reason in reasons], np.bool_)
    loss[~usable] = np.nan
    ledger = Ledger(len(loss), as_is=roles.as_is)
    check_several(present[usable], guess.values[usable], role, names, ledger)
    source = f"{', '.join(truth_columns[:2])}, ... x {columns[0]!r}, ..."
    notes += ledger.notes
    return _ClassLosses(names, present, loss, wrong, reasons, kind, source, notes, (*truth_columns, *columns))


def _predicted(read: Table, roles: Roles) -> tuple[str, tuple[str, ...]]:
    """The named role of the model's output, and its columns."""
    for role in ("probabilities", "logits"):
        if getattr(roles, role):
            return role, _expand(read, getattr(roles, role), role)
    if not roles.prediction:
        raise InvalidInput(
            "Several labels per image need --probabilities, --logits or --prediction. "
            "Name one array column, or a column for each class."
        )
    return "prediction", _expand(read, (roles.prediction,), "prediction")


def _rows(data: DataSet, rows: I64, read: Table, roles: Roles, losses: _ClassLosses) -> DataSet:
    """`data` with one row for each image and class; `rows` are the table's rows in it."""
    names = losses.names
    k = len(names)
    if data.samples.items is None and read.images:
        column = roles.image or next(iter(read.images))
        data = replace(data, samples=replace(data.samples, items=read.images[column].keep(rows)))
    image_of = np.repeat(np.arange(len(rows)), k)
    class_of = np.tile(np.arange(k), len(rows))
    labels = (class_of + k * ~losses.present[rows].ravel()).astype(np.int64)
    classes = (*names, *(f"{name}, absent" for name in names))
    values = losses.loss[rows].ravel()
    clip = None
    if losses.kind == "cross-entropy":
        clip = fitting_clip(values)
    errors = losses.wrong[rows].ravel()
    outcomes = Outcomes(values, losses.kind, LOSS_UNITS[losses.kind], losses.source, clip, errors=errors)
    wrong = losses.wrong[rows]
    present = losses.present[rows]
    sides = {MISSED_LABELS: wrong & present, FALSE_LABELS: wrong & ~present}
    outputs = [column for column in data.samples.model_outputs if column.name not in (_LOSS, *sides)]
    outputs += [Column(name, "text", _names_of(side, names)) for name, side in sides.items()]
    data = replace(data, samples=replace(data.samples, model_outputs=tuple(outputs)))
    suffixes = [names[c] for c in class_of.tolist()]
    return by_class(data, image_of, labels, classes, outcomes, suffixes=suffixes, notes=losses.notes)


def _names_of(chosen: Bool, names: Sequence[str]) -> npt.NDArray[Any]:
    """(n,) the names of the (n, k) chosen classes, None where there are none."""
    listed = np.full(len(chosen), None, object)
    for row in np.flatnonzero(chosen.any(axis=1)).tolist():
        listed[row] = ", ".join(names[i] for i in np.flatnonzero(chosen[row]).tolist())
    return listed


def _expand(read: Table, columns: Sequence[str], role: str) -> tuple[str, ...]:
    """The table's columns that the patterns name."""
    expanded = list[str]()
    for pattern in columns:
        names = map(str, read.frame.columns)
        fitting = [name for name in names if name == pattern or ("*" in pattern and fnmatchcase(name, pattern))]
        if not fitting:
            listed = ", ".join(map(repr, list(read.frame.columns)[:12]))
            raise InvalidInput(f"The table has no column {pattern!r}, named as {role}. Use one of {listed}.")
        expanded += [name for name in fitting if name not in expanded]
    return tuple(expanded)


def _matrix(frame: pd.DataFrame, columns: Sequence[str], class_names: Sequence[str]) -> _Matrix:
    """(n, k) from a column for each class, from arrays of one length, or from lists of names (then 0 and 1)."""
    if len(columns) > 1:
        names, order = class_of_columns(columns)
        return _Matrix(np.stack([as_numbers(frame[columns[i]]) for i in order], axis=1), names, [""] * len(frame))
    column = columns[0]
    cells: list[Any] = frame[column].tolist()
    lists = [_names_in(cell) for cell in cells]
    if all(listed is None for listed in lists):
        values, reasons = stack_arrays(frame[column])
        if values.shape[1] == 0:
            raise InvalidInput(
                f"{column!r} must hold a list in each row: numbers for each class, or class names. Name another column."
            )
        return _Matrix(values, (), reasons)
    names = tuple(class_names)
    if not names:
        distinct = set[str]()
        for listed in lists:
            distinct.update(listed or ())
        names = tuple(sorted(distinct))
    check_shape(f"{column!r}", len(cells), len(names), Limits())
    if len(cells) * len(names) > MAX_ROWS:
        raise InvalidInput(
            f"{column!r} names {len(names):,} classes in {len(cells):,} rows. "
            f"Images times classes may be at most {MAX_ROWS:,}. Remove some of either."
        )
    index = {name: i for i, name in enumerate(names)}
    values = np.zeros((len(cells), len(names)))
    reasons = [""] * len(cells)
    for row, listed in enumerate(lists):
        if listed is None:
            reasons[row] = f"{column!r} is not a list of class names"
            continue
        unknown = [name for name in listed if name not in index]
        if unknown:
            reasons[row] = f"{column!r} has an unknown class: {unknown[0]!r}"
        else:
            values[row, [index[name] for name in listed]] = 1
    return _Matrix(values, names, reasons, listed=True)


def _names_in(cell: Any) -> list[str] | None:
    """The class names in a list cell or in "cat|dog"; [] for an empty one; None for numbers and arrays of numbers."""
    if isinstance(cell, (list, tuple, np.ndarray)):
        items = list(cast("Sequence[Any]", cell))
        if not all(isinstance(item, str) for item in items):
            return None
        return [str(item) for item in items]
    if cell is None or (isinstance(cell, float) and cell != cell):
        return []
    if isinstance(cell, str) and not re.fullmatch(r"\s*\[[-+\d.,eE\s]*\]\s*", cell):
        parts = _SEPARATORS.split(cell.strip().strip("[]"))
        names = [part.strip().strip(" '\"") for part in parts]
        return [name for name in names if name]
    return None


def _aligned(truth: _Matrix, guess: _Matrix, class_names: Sequence[str]) -> tuple[_Matrix, _Matrix, tuple[str, ...]]:
    """Both with their columns in one order, and the classes' names.

    Raises:
        InvalidInput: the two have different classes.
    """
    if truth.names and guess.names and truth.names != guess.names:
        names = tuple(dict.fromkeys([*guess.names, *truth.names]))
        for matrix, what in ((truth, "labels"), (guess, "predictions")):
            lacking = [name for name in names if name not in matrix.names]
            if lacking and not matrix.listed:
                raise InvalidInput(
                    f"The {what} have no column for {', '.join(lacking[:4])}, but the other side has. "
                    "Name one column for each class."
                )
        return _reordered(truth, names), _reordered(guess, names), names
    k = truth.values.shape[1]
    k_guess = guess.values.shape[1]
    if k != k_guess:
        raise InvalidInput(
            f"The labels have {k} classes, the predictions {k_guess}. Use the same classes, in the same order."
        )
    names = tuple(class_names) or truth.names or guess.names or tuple(f"class {i}" for i in range(k))
    if len(names) != k:
        raise InvalidInput(f"class_names has {len(names)} names for {k} classes. Add one for each, in their order.")
    return truth, guess, names


def _reordered(matrix: _Matrix, names: Sequence[str]) -> _Matrix:
    """The columns in the order of `names`; a class that the matrix lacks is 0 in every row."""
    values = np.zeros((len(matrix.values), len(names)))
    for i, name in enumerate(names):
        if name in matrix.names:
            values[:, i] = matrix.values[:, matrix.names.index(name)]
    return _Matrix(values, tuple(names), matrix.reasons, matrix.listed)


def _reasons(truth: _Matrix, guess: _Matrix, scores: F64, role: str) -> list[str]:
    """(n,) why a row cannot be used.

    Raises:
        InvalidInput: more than half of the rows cannot be used.
    """
    with np.errstate(invalid="ignore"):
        bad_truth = ~finite_rows(np.where(np.isin(truth.values, (0.0, 1.0)), 0.0, np.nan))
        bad_guess = ~finite_rows(np.where((scores >= 0) & (scores <= 1), 0.0, np.nan))
    reasons = [a or b for a, b in zip(truth.reasons, guess.reasons)]
    for row, reason in enumerate(reasons):
        if reason:
            continue
        if bad_truth[row]:
            reasons[row] = "a label is neither 0 nor 1"
        elif bad_guess[row]:
            reasons[row] = f"the {role} are not all between 0 and 1"
    n = len(reasons)
    if bad_truth.mean() > 0.5:
        raise InvalidInput(
            f"The labels must be 0 or 1 for each class: in {int(bad_truth.sum()):,} of {n:,} rows they are not. "
            "Name the right columns."
        )
    if bad_guess.mean() > 0.5:
        next_step = "Name the right columns."
        if role == "probabilities":
            next_step = "Name the right columns, or name them as logits."
            if np.nanmin(scores) >= 0 and 1 < np.nanmax(scores) <= 100:
                next_step = "They look like percent: divide them by 100."
        raise InvalidInput(
            f"The {role} must lie between 0 and 1: in {int(bad_guess.sum()):,} of {n:,} rows they do not. {next_step}"
        )
    return reasons
