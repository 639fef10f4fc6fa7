"""How a table was read: five rows in words, by which a person sees at once whether label, prediction and loss are what
they were taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.tables.roles import Roles
from core.numbers import count, number
from core.records import Diagnosis, Outcomes, SampleSet
from core.records.ledger import TAKEN_AS_IS

if TYPE_CHECKING:
    from core.data.samples import DataSet
    from core.data.tables.frames import TableLike

ROWS_SHOWN = 5
MAX_NAMES = 8
"""Columns or classes that one line lists."""
AS_UNDERSTOOD = "Rows as read, from the largest loss to the smallest"


def rows_as_understood(samples: SampleSet, outcomes: Outcomes, read: Mapping[str, Sequence[str]]) -> list[str]:
    """Up to five rows, at even steps from the largest loss to the smallest, such as "17.png: cat, predicted dog, loss
    2.30: wrong".

    Args:
        read: the columns of each role (`core.data.samples.DataSet.read`).
    """
    values = {column.name: column.values for column in (*samples.metadata, *samples.model_outputs)}
    numbers = dict[str, Any]()
    if read.get("target"):
        for role in ("target", "prediction"):
            for name in read.get(role, ()):
                if name in values:
                    numbers[role] = values[name]
    order = np.argsort(-outcomes.loss, kind="stable")
    at = np.unique(np.linspace(0, len(order) - 1, ROWS_SHOWN).round().astype(int))
    names = samples.class_names
    lines = list[str]()
    for row in order[at].tolist():
        parts = [f"{role} {number(float(column[row]))}" for role, column in numbers.items()]
        if samples.labels is not None:
            parts.append(_name(names, int(samples.labels[row])))
        if outcomes.predictions is not None:
            parts.append(f"predicted {_name(names, int(outcomes.predictions[row]))}")
        if outcomes.name != "0/1 error":
            parts.append(f"loss {number(float(outcomes.loss[row]))}")
        line = samples.ids[row]
        if parts:
            line = f"{line[-60:]}: {', '.join(parts)}"
        if outcomes.errors is not None:
            line += ": wrong" if outcomes.errors[row] else ": right"
        lines.append(line)
    return lines


def taken_as_is(diagnosis: Diagnosis) -> list[str]:
    """What looked like a mistake in the table, and was said to be none."""
    return [note for note in diagnosis.notes if note.startswith(TAKEN_AS_IS)]


def _name(names: Sequence[str], number: int) -> str:
    if 0 <= number < len(names):
        return names[number][:60]
    return str(number)


def as_understood(data: DataSet) -> list[str]:
    """The reading of a table in lines: what the loss is, classes, columns that may explain a failure, five rows, and
    the notes."""
    samples = data.samples
    outcomes = data.outcomes
    left_out = f", {len(data.excluded):,} left out" if data.excluded else ""
    lines = [
        f"{count(len(samples), 'row')}{left_out}. The loss is {outcomes.name} from {outcomes.source}: mean "
        f"{number(float(outcomes.loss.mean()))}, {number(float(outcomes.loss.min()))} to "
        f"{number(float(outcomes.loss.max()))}."
    ]
    if outcomes.errors is not None:
        lines.append(f"{int(outcomes.errors.sum()):,} of {len(samples):,} are wrong.")
    if samples.labels is not None:
        sizes = np.bincount(samples.labels, minlength=len(samples.class_names))
        classes = [f"{name} ({n:,})" for name, n in zip(samples.class_names, sizes.tolist())]
        lines.append(f"Classes: {_first(classes)}.")
    for columns, what in (
        (samples.metadata, "May explain failures"),
        (samples.model_outputs, "Written by the model, so no conditions"),
    ):
        if columns:
            lines.append(f"{what}: {_first([column.name for column in columns])}.")
    if samples.groups is not None:
        lines.append(f"Rows of one {samples.group_name!r} are kept together.")
    rows = [f"  {row}" for row in rows_as_understood(samples, outcomes, data.read)]
    return [*lines, f"{AS_UNDERSTOOD}:", *rows, *(f"Note: {note}" for note in data.notes)]


def _first(names: Sequence[str]) -> str:
    left = len(names) - MAX_NAMES
    text = ", ".join(names[:MAX_NAMES])
    if left > 0:
        text = f"{text} and {left:,} more"
    return text


def check(table: TableLike, *, images: str | Path | None = None, roles: Roles | None = None) -> list[str]:
    """How a table is read, in lines, without a diagnosis.

    Args:
        table: as `errata.diagnose` takes it.
        images: zip, tar or folder of the images, if the table names files.
        roles: which column plays which part; usual names are recognized.

    Raises:
        InvalidInput: it cannot be read, or what it says does not fit together; the message says what to do.
    """
    from core.data.samples import read_data_set  # reads tables with pandas: not before it is needed

    return as_understood(read_data_set(table, images=images, roles=roles or Roles()))
