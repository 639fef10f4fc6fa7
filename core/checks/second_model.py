"""A second model's predictions on the samples of a run: a table with the same ids, read as the first one was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data.samples import read_data_set
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.records import I64, Diagnosis, Outcomes, ProbeResult
from core.statistics.intervals import UNDEFINED, accuracy_of


def read_second(diagnosis: Diagnosis, table: Path, roles: Roles = Roles()) -> tuple[Outcomes, I64, tuple[str, ...]]:
    """Outcomes of another model on samples of the run.

    Args:
        table: with the run's ids (or picture paths), the label, and predictions, probabilities or logits; pictures are
            not needed.
        roles: which column is which; usual names are recognised.

    Returns:
        The outcomes, the (m,) rows of the run that they belong to, ascending, and notes on what was left out.

    Raises:
        InvalidInput: the errors cannot be known from the table, or no id is one of the run's.
    """
    audit = read_data_set(table, roles=roles)
    if audit.outcomes.errors is None:
        raise InvalidInput(
            f"{table.name} does not say which answers are wrong. "
            "It needs a label, and predictions, probabilities or logits."
        )
    rows, order = rows_of_run(diagnosis, audit.samples.ids)
    if not len(order):
        raise InvalidInput(
            f"No id of {table.name} (such as {audit.samples.ids[0]!r}) is one of the run's (such as "
            f"{diagnosis.samples.ids[0]!r}). Name the id column with --id."
        )
    notes = [*audit.notes]
    strangers, absent = len(rows) - len(order), len(diagnosis.samples) - len(order)
    if strangers:
        notes.append(f"{strangers:,} rows of {table.name} have an id that the run does not know and are left out.")
    if absent:
        notes.append(f"{absent:,} samples of the run are not in {table.name} and are left out.")
    if disagree := _other_labels(diagnosis, audit.samples.labels, audit.samples.class_names, rows, order):
        notes.append(
            f"{disagree:,} samples have another label in {table.name} than in the run: "
            "each model is judged by its own table."
        )
    return audit.outcomes.keep(order), rows[order], tuple(notes)


def rows_of_run(diagnosis: Diagnosis, ids: Sequence[str]) -> tuple[I64, I64]:
    """(m,) the run's row of each id, -1 where it is none of the run's; and the places of the others in the order of the
    run."""
    place = {name: row for row, name in enumerate(diagnosis.samples.ids)}
    rows = np.array([place.get(name, -1) for name in ids], np.int64)
    known = np.flatnonzero(rows >= 0)
    return rows, known[np.argsort(rows[known], kind="stable")]


def with_outcomes(diagnosis: Diagnosis, name: str, model: str, outcomes: Outcomes, rows: I64, said: str) -> Diagnosis:
    """The run with another model's outcomes, whose errors are known, on its (m,) `rows` among its results.

    Args:
        said: where they come from, a sentence.
    """
    samples = diagnosis.samples
    assert outcomes.errors is not None
    groups = None if samples.groups is None else samples.groups[rows]
    labels = np.full(len(rows), -1, np.int64) if samples.labels is None else samples.labels[rows]
    names, accuracy = samples.class_names, accuracy_of(outcomes.errors, groups)
    result = ProbeResult(name, "table", {}, model, names, rows, labels, outcomes, accuracy, UNDEFINED, said)
    return replace(diagnosis, probes=(*diagnosis.probes, result))


def _other_labels(diagnosis: Diagnosis, labels: I64 | None, names: tuple[str, ...], rows: I64, order: I64) -> int:
    samples = diagnosis.samples
    if labels is None or samples.labels is None:
        return 0
    theirs = [names[c] for c in labels[order].tolist()]
    mine = [samples.class_names[c] for c in samples.labels[rows[order]].tolist()]
    return sum(a != b for a, b in zip(mine, theirs))


def with_second(diagnosis: Diagnosis, table: Path, roles: Roles = Roles()) -> tuple[Diagnosis, str, tuple[str, ...]]:
    """The run with the second model among its results, under the table's name, so that it can be compared; with that
    name and the notes."""
    outcomes, rows, notes = read_second(diagnosis, table, roles)
    taken = {p.name for p in diagnosis.probes} | {"model"}
    name = next(n for n in (table.stem, table.name, f"table {table.name}") if n not in taken)
    return with_outcomes(diagnosis, name, "given", outcomes, rows, "Read from a table."), name, notes
