"""What cleanlab says of each sample, as columns of the table that may explain a failure."""

# pyright: basic
from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.data.tables.cells import texts_of
from core.data.tables.frames import TableLike, as_frame
from core.data.tables.read import Table, read_table
from core.errors import InvalidInput, quoted
from core.limits import Limits

_COLUMNS = re.compile(r"is_\w+_issue|\w+_score|label_quality")
_OF_LABELS = ("given_label", "predicted_label")


def with_issues(read: Table, issues: TableLike, limits: Limits = Limits()) -> Table:
    """The table with the columns of `Datalab.get_issues()` or `CleanLearning.get_label_issues()`.

    Each `is_<kind>_issue` becomes yes or no; each `<kind>_score` becomes `<kind>_quality` (1 is good), as a score would
    be taken for what the diagnosed model wrote. Rows go together by a column of ids that both have, else by the row
    numbers that cleanlab's table has, else in order.

    Raises:
        InvalidInput: it has none of these columns, or its rows are not those of the table.
    """
    brought = as_frame(issues)
    assert brought is not None
    other = read_table(brought, limits=limits)
    given = other.frame
    wanted = [name for name in map(str, given) if _COLUMNS.fullmatch(name)]
    if not wanted:
        raise InvalidInput(
            f"{other.name} has none of cleanlab's columns, such as 'is_label_issue' and 'label_score': it has "
            f"{quoted(*given)}. Write it with `lab.get_issues().to_csv(...)`."
        )
    names = {name: re.sub("_score$", "_quality", name) for name in wanted}
    if taken := [name for name in names.values() if name in read.frame]:
        raise InvalidInput(f"{quoted(*taken)} stands in the table and in {other.name}. Rename it in one of the two.")
    found = given[wanted].rename(columns=names)
    for name in names.values():
        if name.startswith("is_"):
            said = found[name].astype("string").str.lower()
            found[name] = said.map({"true": "yes", "1": "yes", "false": "no", "0": "no"})
    shared, n_rows = _shared(read, given), len(read.frame)
    if shared is not None:
        aligned = found.set_axis(texts_of(given[shared])).reindex(texts_of(read.frame[shared]))
    else:
        aligned = found.set_axis(_row_numbers(brought, other, n_rows)).reindex(range(n_rows))
    n = int(aligned.notna().any(axis=1).sum())
    if n == 0:
        raise InvalidInput(f"No row of {other.name} is one of the table. Give both the same column of ids.")
    notes = [
        f"{quoted(*names.values())} of cleanlab stand beside {n:,} of {len(aligned):,} rows. Label issues are found "
        "from a model's probabilities: where that was the model diagnosed, they repeat its errors."
    ]
    frame = pd.concat([read.frame, aligned.set_axis(read.frame.index)], axis=1)
    return replace(read, frame=frame, notes=(*read.notes, *notes))


def _shared(read: Table, given: pd.DataFrame) -> str | None:
    """A column of ids that both have."""
    both = [name for name in map(str, given) if name in read.frame and name not in _OF_LABELS]
    return next((name for name in both if given[name].is_unique and read.frame[name].is_unique), None)


def _row_numbers(brought: str | Path | pd.DataFrame, other: Table, n: int) -> list[int]:
    """(k,) which row of the table each row is of: the index, in a file its first column, that has no name."""
    if isinstance(brought, pd.DataFrame):
        index = brought.index.to_series()
    elif Path(brought).suffix.lower() == ".csv":
        index = pd.read_csv(brought, usecols=[0]).iloc[:, 0]
    else:
        index = pd.Series(dtype=float)
    named = str(index.name or "Unnamed").startswith("Unnamed")
    if named and len(index) == len(other.frame) and index.is_unique and index.isin(range(n)).all():
        return [int(number) for number in index]
    if len(other.frame) != n:
        raise InvalidInput(
            f"{other.name} has {len(other.frame):,} rows and the table {n:,}, and they share no column of ids. "
            "Give both the same column 'id', or issues of every row."
        )
    return list(range(n))
