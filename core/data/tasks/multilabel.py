"""Several classes in one image: one row for each image and class, with the loss of that class alone."""

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
from core.data.tasks.per_class import by_class
from core.errors import InvalidInput
from core.limits import Limits
from core.records import F64, I64, Bool, Outcomes, Progress, no_progress
from core.records.ledger import Ledger
from core.statistics.losses import LOSS_UNITS, MIN_PROBABILITY, fitting_clip

KINDS = ("cross-entropy", "0/1 error")
MAX_ROWS = 10_000_000
"""Rows of an image and a class."""
_LOSS = "loss of all classes"
_SEPARATORS = re.compile(r"[|;,]")


@dataclass(frozen=True, slots=True, eq=False)
class _Matrix:
    """values: (n, k); names: of the classes, () if the columns do not say; reasons: (n,) why a row cannot be used, or
    ""."""

    values: F64
    names: tuple[str, ...]
    reasons: list[str]
    listed: bool = False
    """Each row lists the classes that are there, so a class that is never listed is never there."""


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
        labels: the truth: one column of 0 and 1 for each class (a star stands for any text), or one column with a list
            in each row, of 0 and 1 for each class or of class names ("cat|dog").
        roles: `probabilities` or `logits` as one array column or one column for each class, or `prediction` as a list
            like the truth's. `class_names` gives the classes' order where the columns don't say it. `loss_kind` is
            "cross-entropy" (binary, the default where there are probabilities) or "0/1 error" (wrong at a threshold of
            0.5).

    Returns:
        n x k rows. The label says the class and whether it is there ("cat", "cat, absent"), since a rare class is
        always harder where it is there than where it is not: each row is compared with rows of the same truth.

    Raises:
        InvalidInput: the columns do not fit together, or see `core.data.samples.read_data_set`.
    """
    store = None if images is None or table is not None else open_images(images, limits, progress)
    read = open_table(table, images, store, limits, progress=progress)
    found = _losses(read, labels, roles)
    frame = read.frame.drop(columns=list(found.columns)).assign(**{_LOSS: found.loss.mean(axis=1)})
    kept = ("id", "image", "label", "target", "masks", "group", "split", "embedding", "conditions")
    plain = Roles(loss=_LOSS, **{role: getattr(roles, role) for role in kept})
    audit, ledger = read_with_ledger(frame, images, embeddings, plain, limits, progress)
    left = np.flatnonzero(~ledger.standing()).tolist()
    excluded = tuple((name, found.reasons[row] or reason) for (name, reason), row in zip(audit.excluded, left))
    return _rows(replace(audit, excluded=excluded), ledger.kept_rows(), read, roles, found)


@dataclass(frozen=True, slots=True, eq=False)
class _ClassLosses:
    """The loss of each class of each of the table's n rows."""

    names: tuple[str, ...]
    """k classes."""
    present: Bool
    """(n, k) the class is there."""
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
    """What it was computed from."""


def _losses(read: Table, labels: Sequence[str], roles: Roles) -> _ClassLosses:
    truth_columns = _expand(read, labels, "labels")
    role, columns = _predicted(read, roles)
    truth, guess = (_matrix(read.frame, found, roles.class_names) for found in (truth_columns, columns))
    truth, guess, names = _aligned(truth, guess, roles.class_names)
    present = truth.values > 0.5
    said, scores = _scores(guess.values, role)
    reasons = _reasons(truth, guess, scores, role)
    only_0_1 = bool(np.isin(scores[np.isfinite(scores)], (0.0, 1.0)).all())
    kind = roles.loss_kind or ("0/1 error" if only_0_1 else "cross-entropy")
    if kind not in KINDS:
        raise InvalidInput(f"The loss of several labels an image must be one of {', '.join(KINDS)}: got {kind!r}.")
    with np.errstate(invalid="ignore"):
        wrong = (scores >= 0.5) != present
    loss = wrong.astype(np.float64) if kind == "0/1 error" else _binary_cross_entropy(scores, present)
    usable = np.array([not reason for reason in reasons], np.bool_)
    loss[~usable] = np.nan
    ledger = Ledger(len(loss), as_is=roles.as_is)
    check_several(present[usable], guess.values[usable], role, names, ledger)
    source = f"{', '.join(truth_columns[:2])}, ... x {columns[0]!r}, ..."
    notes = [*said, *ledger.notes]
    return _ClassLosses(names, present, loss, wrong, reasons, kind, source, notes, (*truth_columns, *columns))


def _predicted(read: Table, roles: Roles) -> tuple[str, tuple[str, ...]]:
    """The role that was named for what the model said, and its columns."""
    for role in ("probabilities", "logits"):
        if getattr(roles, role):
            return role, _expand(read, getattr(roles, role), role)
    if not roles.prediction:
        raise InvalidInput(
            "Several labels an image need --probabilities, --logits or --prediction: one array column, "
            "or a column for each class."
        )
    return "prediction", _expand(read, (roles.prediction,), "prediction")


def _rows(audit: DataSet, rows: I64, read: Table, roles: Roles, found: _ClassLosses) -> DataSet:
    """The audit, of the table's `rows`, with one row for each image and class."""
    names = found.names
    k = len(found.names)
    if audit.samples.items is None and read.images:
        column = roles.image or next(iter(read.images))
        audit = replace(audit, samples=replace(audit.samples, items=read.images[column].keep(rows)))
    picture_of, class_of = (array.ravel() for array in np.meshgrid(np.arange(len(rows)), np.arange(k), indexing="ij"))
    labels = (class_of + k * ~found.present[rows].ravel()).astype(np.int64)
    classes = (*names, *(f"{name}, absent" for name in names))
    values = found.loss[rows].ravel()
    clip = fitting_clip(values) if found.kind == "cross-entropy" else None
    outcomes = Outcomes(
        values, found.kind, LOSS_UNITS[found.kind], found.source, clip, errors=found.wrong[rows].ravel()
    )
    outputs = tuple(column for column in audit.samples.model_outputs if column.name != _LOSS)
    audit = replace(audit, samples=replace(audit.samples, model_outputs=outputs))
    suffixes = [names[int(c)] for c in class_of]
    return by_class(audit, picture_of, labels, classes, outcomes, suffixes=suffixes, notes=found.notes)


def _expand(read: Table, columns: Sequence[str], role: str) -> tuple[str, ...]:
    found = list[str]()
    for pattern in columns:
        names = map(str, read.frame.columns)
        fitting = [name for name in names if name == pattern or ("*" in pattern and fnmatchcase(name, pattern))]
        if not fitting:
            listed = ", ".join(map(repr, list(read.frame.columns)[:12]))
            raise InvalidInput(f"The table has no column {pattern!r}, which was named as {role}. It has {listed}.")
        found += [name for name in fitting if name not in found]
    return tuple(found)


def _matrix(frame: pd.DataFrame, columns: Sequence[str], given: Sequence[str]) -> _Matrix:
    """(n, k) from a column for each class, from arrays of one length, or from lists of names (then 0 and 1)."""
    if len(columns) > 1:
        names, order = class_of_columns(columns)
        return _Matrix(np.stack([as_numbers(frame[columns[i]]) for i in order], axis=1), names, [""] * len(frame))
    cells: list[Any] = frame[columns[0]].tolist()
    lists = [_names_in(cell) for cell in cells]
    if all(one is None for one in lists):
        values, reasons = stack_arrays(frame[columns[0]])
        if values.shape[1] == 0:
            raise InvalidInput(
                f"{columns[0]!r} must hold a list in each row, of numbers for each class or of class names."
            )
        return _Matrix(values, (), reasons)
    names = tuple(given) or tuple(sorted({name for one in lists for name in one or ()}))
    check_shape(f"{columns[0]!r}", len(cells), len(names), Limits())
    if len(cells) * len(names) > MAX_ROWS:
        raise InvalidInput(
            f"{columns[0]!r} names {len(names):,} classes in {len(cells):,} rows, which makes more than {MAX_ROWS:,} "
            "rows of an image and a class. Bring fewer of either."
        )
    place = {name: i for i, name in enumerate(names)}
    values = np.zeros((len(cells), len(names)))
    reasons = [""] * len(cells)
    for row, one in enumerate(lists):
        unknown = [name for name in one or () if name not in place]
        if one is None or unknown:
            why = f"names no class that is known: {unknown[0]!r}" if unknown else "is not a list of class names"
            reasons[row] = f"{columns[0]!r} {why}"
        else:
            values[row, [place[name] for name in one]] = 1
    return _Matrix(values, names, reasons, listed=True)


def _names_in(cell: Any) -> list[str] | None:
    """The class names in a list cell or in "cat|dog"; [] for an empty one; None for numbers and arrays of numbers."""
    if isinstance(cell, (list, tuple, np.ndarray)):
        items = list(cast("Sequence[Any]", cell))
        return [str(item) for item in items] if all(isinstance(item, str) for item in items) else None
    if cell is None or (isinstance(cell, float) and cell != cell):
        return []
    if isinstance(cell, str) and not re.fullmatch(r"\s*\[[-+\d.,eE\s]*\]\s*", cell):
        return [
            name
            for name in (part.strip().strip(" '\"") for part in _SEPARATORS.split(cell.strip().strip("[]")))
            if name
        ]
    return None


def _aligned(truth: _Matrix, guess: _Matrix, given: Sequence[str]) -> tuple[_Matrix, _Matrix, tuple[str, ...]]:
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
                    f"The {what} have no column for {', '.join(lacking[:4])}, which the other side has. "
                    "Name one for each class."
                )
        return _spread(truth, names), _spread(guess, names), names
    k = truth.values.shape[1]
    other = guess.values.shape[1]
    if k != other:
        raise InvalidInput(
            f"The labels have {k} classes but the predictions have {other}. Give one for each class, in the same order."
        )
    names = tuple(given) or truth.names or guess.names or tuple(f"class {i}" for i in range(k))
    if len(names) != k:
        raise InvalidInput(
            f"class_names has {len(names)} names but there are {k} classes. Give one for each, in their order."
        )
    return truth, guess, names


def _spread(matrix: _Matrix, names: Sequence[str]) -> _Matrix:
    """The columns in the order of `names`; a class that the matrix does not name is nowhere in it."""
    values = np.zeros((len(matrix.values), len(names)))
    for i, name in enumerate(names):
        if name in matrix.names:
            values[:, i] = matrix.values[:, matrix.names.index(name)]
    return _Matrix(values, tuple(names), matrix.reasons, matrix.listed)


def _scores(values: F64, role: str) -> tuple[list[str], F64]:
    if role != "logits":
        return [], values
    note = "The probability of a class is the logistic function of its logit, each class apart."
    return [note], 1 / (1 + np.exp(-np.clip(values, -700, 700)))


def _reasons(truth: _Matrix, guess: _Matrix, scores: F64, role: str) -> list[str]:
    """(n,) why a row cannot be used.

    Raises:
        InvalidInput: it is so for more than half of the rows.
    """
    with np.errstate(invalid="ignore"):
        bad_truth = ~finite_rows(np.where(np.isin(truth.values, (0.0, 1.0)), 0.0, np.nan))
        bad_guess = ~finite_rows(np.where((scores >= 0) & (scores <= 1), 0.0, np.nan))
    reasons = [
        a or b or ("a label is neither 0 nor 1" if c else f"the {role} are not all between 0 and 1" if d else "")
        for a, b, c, d in zip(truth.reasons, guess.reasons, bad_truth, bad_guess)
    ]
    for bad, what in (
        (bad_truth, "labels must be 0 or 1 for each class"),
        (bad_guess, f"{role} must lie between 0 and 1 for each class"),
    ):
        if bad.mean() > 0.5:
            percent = bool(np.nanmin(scores) >= 0 and 1 < np.nanmax(scores) <= 100)
            mend = "They look like percent: divide them by 100." if percent else "Name them as logits if they are."
            hint = f" {mend}" if what.startswith("prob") else ""
            raise InvalidInput(
                f"The {what}: {int(bad.sum()):,} of {len(bad):,} rows do not.{hint} Name the right columns."
            )
    return reasons


def _binary_cross_entropy(scores: F64, present: Bool) -> F64:
    """(n, k) -log of the probability given to what is so, in nats; probabilities count as at least 1e-12."""
    return -np.log(np.clip(np.where(present, scores, 1 - scores), MIN_PROBABILITY, 1.0))
