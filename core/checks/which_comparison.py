"""Decide by ids what tables hold beside a run: a new model's answers, those of checkpoints, or new data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from core.checks.matched import rows_of_run
from core.data.tables.cells import texts_of
from core.data.tables.read import read_table
from core.data.tables.recognise import key_columns, recognise
from core.data.tables.roles import Roles
from core.errors import InvalidInput, quoted
from core.numbers import count, percent
from core.records import Diagnosis, Progress, no_progress

ComparisonKind = Literal["new model", "checkpoints", "new data"]
KINDS: tuple[ComparisonKind, ...] = get_args(ComparisonKind)
MIN_KNOWN_SHARE = 0.9
"""A table answers the run's samples if at least this share of its ids are the run's."""
MAX_NEW_SHARE = 0.1
"""A table holds new samples if at most this share of its ids are the run's. Both are conventions."""
SAY_WHICH = "Say what they are under --these-are."


@dataclass(frozen=True, slots=True)
class WhichComparison:
    """What was brought, and how that was decided."""

    kind: ComparisonKind
    reason: str
    """A sentence."""


@dataclass(frozen=True, slots=True)
class _Ids:
    """The ids of one table."""

    table: str
    n: int
    """Distinct ids."""
    n_known: int
    """How many of them are the run's."""

    @property
    def share(self) -> float:
        return self.n_known / max(1, self.n)

    def __str__(self) -> str:
        return f"{self.table}: {self.n_known:,} of {count(self.n, 'id')} ({percent(self.share)})"


def which_comparison(
    diagnosis: Diagnosis,
    tables: Sequence[Path],
    roles: Roles = Roles(),
    *,
    chosen: ComparisonKind | None = None,
    with_items: bool = False,
    progress: Progress = no_progress,
) -> WhichComparison:
    """Decide what the tables are. Only their ids are compared.

    Args:
        diagnosis: the open run.
        tables: paths; empty if images come alone, with a table among them.
        roles: which column holds the ids; usual names are recognized.
        chosen: what the user says they are; ids are then not read.
        with_items: whether images or embeddings come with them, which only new data need.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: nothing was brought, a table cannot be read, or the ids do not decide it.
    """
    if not tables and not with_items:
        raise InvalidInput(
            "Nothing to compare. Add a new model's answers, tables of checkpoints, or new data, each with ids."
        )
    if chosen is not None:
        if chosen != "checkpoints" and len(tables) > 1:
            names = quoted(*(table.name for table in tables), most=4)
            raise InvalidInput(
                f"One table can be compared as {chosen}: got {len(tables)} ({names}). Remove the others."
            )
        if chosen == "checkpoints" and not tables:
            raise InvalidInput("Checkpoints need tables of answers: got none. Add one for each checkpoint.")
        if chosen == "new model" and not tables:
            raise InvalidInput("A new model needs a table of its answers: got none. Add it.")
        return WhichComparison(chosen, f"Compared as {chosen}, as you chose.")
    if not tables:
        return WhichComparison("new data", "Images without a table beside them: new data.")
    read = list[_Ids]()
    for at, table in enumerate(tables):
        progress("reading the ids", at, len(tables))
        read.append(_ids_of(diagnosis, table, roles))
    progress("reading the ids", len(tables), len(tables))
    return _decided(diagnosis, read, with_items)


def _ids_of(diagnosis: Diagnosis, table: Path, roles: Roles) -> _Ids:
    """Count a table's distinct ids, and those that the run knows; rows that it left out count as neither.

    Raises:
        InvalidInput: the table cannot be read, or has no ids.
    """
    read = read_table(table)
    recognized = recognise(read.frame, roles, list(read.images))
    columns = key_columns(read.frame, recognized.roles)
    if not columns:
        names = quoted(*map(str, read.frame.columns), most=6)
        raise InvalidInput(
            f"{table.name} has no column of ids ({names}), so nothing tells whether its rows are the run's. "
            f"Add a column 'id'. {SAY_WHICH}"
        )
    left_out = {name for name, _ in diagnosis.excluded}
    texts = texts_of(read.frame[columns[0]])
    ids = [name for name in dict.fromkeys(texts) if name is not None and name not in left_out]
    rows, _ = rows_of_run(diagnosis, ids)
    return _Ids(table.name, len(ids), int(np.count_nonzero(rows >= 0)))


def _decided(diagnosis: Diagnosis, read: Sequence[_Ids], with_items: bool) -> WhichComparison:
    known = [ids for ids in read if ids.share >= MIN_KNOWN_SHARE]
    new = [ids for ids in read if ids.share <= MAX_NEW_SHARE]
    partly = [ids for ids in read if ids not in known and ids not in new]
    if partly:
        raise InvalidInput(
            f"Only some ids are the run's, in {partly[0]}. Answers of another model need at least "
            f"{percent(MIN_KNOWN_SHARE)}, new data at most {percent(MAX_NEW_SHARE)}. Split the table. {SAY_WHICH}"
        )
    if known and new:
        raise InvalidInput(
            f"These tables do not belong together: {known[0].table} has the run's ids, {new[0].table} others. "
            "Compare one kind at a time: remove the others."
        )
    if len(new) > 1:
        names = quoted(*(ids.table for ids in new), most=4)
        raise InvalidInput(f"New data must be one table: got {len(new)} ({names}). Join them, or remove the others.")
    if new:
        reason = f"{new[0].table}: {new[0].n_known:,} of {count(new[0].n, 'id')} are the run's. New data."
        return WhichComparison("new data", reason)
    if with_items:
        raise InvalidInput(
            f"{known[0].table} has the run's ids, but images or embeddings came along, which only new data need. "
            f"Remove them. {SAY_WHICH}"
        )
    if len(known) > 1:
        return WhichComparison("checkpoints", f"{len(known)} tables have the run's ids. Checkpoints, in name order.")
    reason = f"{known[0].table}: {known[0].n_known:,} of {count(known[0].n, 'id')} are the run's. A new model."
    return WhichComparison("new model", reason)
