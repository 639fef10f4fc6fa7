"""What is known of every sample as columns: for the map's colors, and for charts, filters and tables beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.data.modality import modality_of
from core.records import I64, OWN, SECOND_MODELS, Column, Diagnosis, other_models
from core.yours import MARKED, yours_of

LOSS = "loss"
"""Key of the column that is shown first."""
MAX_KEY = 200
"""Letters of a key; a column of the table whose name is longer has none, and is left out."""

BESIDE = ("both right", "fixed", "broken", "both wrong")
"""What two models make of a sample, by 2 x (the second is wrong) + (the first is wrong)."""
SHORT = ("loss", "predicted", "residual", "spread", "confused")
"""Keys that stand for their titles where there is little room."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ShownColumn:
    """One column over the rows of a run.

    key: stable, for addresses: "loss", "predicted", "residual", "spread", "cluster", "class", "prediction", "confused",
    "yours" of the sets that a person keeps, "beside:NAME" of another model, "meta:NAME" of the user's table,
    "property:NAME" of what Errata measured. Anybody's text: escape it.
    values: (n,) float64 with nan for missing where kind is "number"; (n,) object array of str or None otherwise.
    Shared between visitors: never written to.
    """

    key: str
    title: str
    """Plain words for the page, with the unit where there is one."""
    kind: Literal["number", "category"]
    values: npt.NDArray[Any]
    meaning: str = ""
    """Of a measured property, what it is, with its range."""
    form: str = ""
    """What its numbers are, as in `Column.form`."""

    @property
    def short(self) -> str:
        """What it is called where there is little room."""
        if self.key in SHORT:
            return self.key
        return self.title


_CODED: WeakKeyDictionary[ShownColumn, tuple[tuple[str, ...], I64]] = WeakKeyDictionary()
_KNOWN: WeakKeyDictionary[Diagnosis, tuple[ShownColumn, ...]] = WeakKeyDictionary()
"""Of the runs that are in memory: one that is let go takes its columns with it."""


def columns_of(diagnosis: Diagnosis) -> tuple[ShownColumn, ...]:
    """The columns of a run: the loss and what was found first, then the table's own, then what was measured. Columns of
    free text are left out, and of the table what the run shows already, as its predictions. Made once for each run in
    memory."""
    columns = _KNOWN.get(diagnosis)
    if columns is None:
        by_key: dict[str, ShownColumn] = {}
        for column in (*_of_run(diagnosis), *_yours(diagnosis), *_beside(diagnosis), *_of_table(diagnosis)):
            if len(column.key) <= MAX_KEY and not _is_shown_by(column, by_key.get(column.title)):
                by_key.setdefault(column.key, column)
        columns = tuple(by_key.values())
        _KNOWN[diagnosis] = columns
    return columns


def _is_shown_by(column: ShownColumn, shown: ShownColumn | None) -> bool:
    """Whether the run shows the very values of a column of the table under the same title, as of a prediction."""
    if shown is None or (column.title, column.kind) != (shown.title, shown.kind):
        return False
    return bool(np.all((column.values == shown.values) | (pd.isna(column.values) & pd.isna(shown.values))))


def column_of(diagnosis: Diagnosis, key: str) -> ShownColumn | None:
    """The column with that key, which may come from anybody: of one of the table that the run shows already, the run's
    own; None where the run has none."""
    columns = {column.key: column for column in columns_of(diagnosis)}
    samples = diagnosis.samples
    table = {key_of(c): c.name for c in (*samples.metadata, *samples.model_outputs) if c.kind != "text"}
    return columns.get(key) or columns.get(table.get(key, ""))


def coded(column: ShownColumn) -> tuple[tuple[str, ...], I64]:
    """The values of a category, the most frequent first, clusters in rank order; and (n,) the place of each row's, -1
    where it is missing."""
    if column not in _CODED:
        codes, names = pd.factorize(column.values)
        known = codes[codes >= 0]
        rank = -np.bincount(known, minlength=len(names))
        if column.key == "cluster":
            rank = names.astype(np.int64)
        order = np.argsort(rank, kind="stable")
        places = np.append(np.argsort(order), -1)  # the last: of code -1
        _CODED[column] = tuple(map(str, np.asarray(names, object)[order])), places[codes].astype(np.int64)
    return _CODED[column]


def _of_run(diagnosis: Diagnosis) -> Iterator[ShownColumn]:
    outcomes = diagnosis.outcomes
    estimate = diagnosis.estimate
    samples = diagnosis.samples
    unit = f" ({outcomes.said_unit})" if outcomes.said_unit else ""
    name = "loss"
    if outcomes.name != name:
        name = f"loss: {outcomes.name}"
    yield _number(LOSS, f"{name}{unit}", outcomes.loss)
    yield _number("predicted", f"predicted loss{unit}", estimate.predicted)
    yield _number("residual", f"residual: loss minus predicted loss{unit}", outcomes.loss - estimate.predicted)
    yield _number("spread", f"spread of the ensemble's predictions{unit}", estimate.spread)
    if diagnosis.clusters:
        numbers = np.array([*(str(i + 1) for i in range(max(c.id for c in diagnosis.clusters) + 1)), None], object)
        strongest = numbers[diagnosis.cluster_of()[0]]  # -1: the last, None
        yield ShownColumn("cluster", "strongest cluster", "category", strongest)
    if samples.labels is not None and samples.class_names:
        yield ShownColumn("class", "class", "category", _named(samples.class_names, samples.labels))
    if outcomes.predictions is not None and samples.class_names:
        yield ShownColumn("prediction", "prediction", "category", _named(samples.class_names, outcomes.predictions))
        if samples.labels is not None:
            pairs = confused_pairs(samples.class_names, samples.labels, outcomes.predictions)
            yield ShownColumn("confused", "class → prediction", "category", pairs)


def _yours(diagnosis: Diagnosis) -> Iterator[ShownColumn]:
    """In which of a person's own sets a sample is: their titles, where it is in several."""
    titles = dict[int, list[str]]()
    for chosen in yours_of(diagnosis).sets:
        for row in chosen.rows.tolist():
            titles.setdefault(row, []).append(chosen.title)
    if titles:
        values = np.full(len(diagnosis.samples), None, object)
        for row, names in titles.items():
            values[row] = " | ".join(names)[:MAX_KEY]
        yield ShownColumn("yours", f"sets ({MARKED})", "category", values)


def _beside(diagnosis: Diagnosis) -> Iterator[ShownColumn]:
    """What each other model or probe makes of the first model's answers."""
    first = diagnosis.outcomes.errors
    own_name = diagnosis.extras.get(OWN)
    if first is None:
        return
    others = {p.name: (p.rows, p.outcomes.errors) for p in other_models(diagnosis) if p.name != own_name}
    if SECOND_MODELS in diagnosis.extras:
        from core.checks.second_model import kept_errors  # scipy: not needed to start the page

        others |= kept_errors(diagnosis)
    for name, (rows, wrong) in others.items():
        if wrong is not None:
            values = np.full(len(diagnosis.samples), None, object)
            values[rows] = np.array(BESIDE, object)[2 * wrong + first[rows]]
            yield ShownColumn(f"beside:{name}", f"{name}: fixed, broken", "category", values)


def key_of(column: Column) -> str:
    """The key under which a column of the table, or of what was measured, is shown."""
    if column.measured:
        return f"property:{column.name}"
    return f"meta:{column.name}"


def _of_table(diagnosis: Diagnosis) -> Iterator[ShownColumn]:
    samples = diagnosis.samples
    meanings = modality_of(samples.modality).meanings
    both = (*samples.metadata, *samples.model_outputs)
    for column in sorted(both, key=lambda c: c.measured):  # stable: the table's own first
        if column.kind == "text":
            continue
        meaning = meanings.get(column.name, "") if column.measured else ""
        yield ShownColumn(key_of(column), column.name, column.kind, column.values, meaning, column.form)


def confused_pairs(names: tuple[str, ...], labels: I64, predictions: I64) -> npt.NDArray[Any]:
    """(n,) "class → prediction" where the two differ, else None."""
    pairs = np.full(len(labels), None, object)
    for row in np.flatnonzero((labels != predictions) & (np.minimum(labels, predictions) >= 0)).tolist():
        pairs[row] = f"{names[labels[row]]} → {names[predictions[row]]}"
    return pairs


def _number(key: str, title: str, values: npt.NDArray[Any]) -> ShownColumn:
    return ShownColumn(key, title, "number", np.asarray(values, np.float64))


def _named(names: tuple[str, ...], numbers: I64) -> npt.NDArray[Any]:
    """(n,) the name of each number; None for what is no number of a name, such as -1."""
    padded = np.array([*names, None], object)
    return padded[np.where((numbers >= 0) & (numbers < len(names)), numbers, len(names))]
