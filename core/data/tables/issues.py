"""What cleanlab says of each sample, as columns of the table that may explain a failure."""

# pyright: basic
from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.data.parquet_files import readable
from core.data.tables.cells import texts_of
from core.data.tables.delimited import separator_of, text_of
from core.data.tables.frames import TableLike, as_frame
from core.data.tables.read import Table, read_table
from core.errors import InvalidInput, quoted
from core.limits import Limits

_COLUMNS = re.compile(r"is_\w+_issue|\w+_score|label_quality")
_OF_LABELS = ("given_label", "predicted_label")
_YES_OR_NO = dict.fromkeys(("true", "yes", "1", "1.0"), "yes") | dict.fromkeys(("false", "no", "0", "0.0"), "no")


def with_issues(read: Table, issues: TableLike, limits: Limits = Limits()) -> Table:
    """The table with the columns of `Datalab.get_issues()` or `CleanLearning.get_label_issues()`.

    Each `is_<kind>_issue` becomes yes or no; each `<kind>_score` becomes `<kind>_quality` (1 is good), as a score would
    be taken for what the diagnosed model wrote. Rows go together by a column of ids that both have, else by the row
    numbers that cleanlab's table has, else in order.

    Raises:
        InvalidInput: it has none of these columns, its rows are not those of the table, or an issue is neither yes nor
            no.
    """
    brought = as_frame(issues)
    assert brought is not None
    other = read_table(brought, limits=limits)
    if isinstance(brought, pd.DataFrame):
        other = replace(other, name="the table of issues")
    given = other.frame
    wanted = [name for name in map(str, given) if _COLUMNS.fullmatch(name)]
    if not wanted:
        raise InvalidInput(
            f"{other.name} has none of cleanlab's columns, such as 'is_label_issue' and 'label_score': it has "
            f"{quoted(*given)}. Write it with `lab.get_issues().to_csv(...)`."
        )
    names = {name: re.sub("_score$", "_quality", name) for name in wanted}
    if twice := {name for name in names.values() if list(names.values()).count(name) > 1}:
        raise InvalidInput(f"{other.name} would give {quoted(*sorted(twice))} twice. Leave one of its columns out.")
    if taken := [name for name in names.values() if name in read.frame]:
        raise InvalidInput(f"{quoted(*taken)} stands in the table and in {other.name}. Rename it in one of the two.")
    found = given[wanted].rename(columns=names)
    for name in names.values():
        if name.startswith("is_"):
            found[name] = _yes_or_no(found[name], other.name)
    shared, n_rows = _shared(read, given), len(read.frame)
    if shared is not None:
        aligned = found.set_axis(texts_of(given[shared])).reindex(texts_of(read.frame[shared]))
    else:
        places = _row_numbers(brought, other, n_rows, limits)
        _check_alike(read.frame, other, places)
        aligned = found.set_axis(places).reindex(range(n_rows))
    n = int(aligned.notna().any(axis=1).sum())
    if n == 0:
        raise InvalidInput(f"No row of {other.name} is one of the table. Give both the same column of ids.")
    notes = [
        f"{quoted(*names.values())} of cleanlab stand beside {n:,} of {len(aligned):,} rows. Label issues are found "
        "from a model's probabilities: where that was the model diagnosed, they repeat its errors."
    ]
    frame = pd.concat([read.frame, aligned.set_axis(read.frame.index)], axis=1)
    return replace(read, frame=frame, notes=(*read.notes, *notes))


def _yes_or_no(column: pd.Series, table: str) -> pd.Series:
    said = column.astype("string").str.lower()
    made = said.map(_YES_OR_NO)
    if (odd := said.notna() & made.isna()).any():
        raise InvalidInput(
            f"{column.name!r} of {table} must be true or false: got {quoted(*said[odd].unique(), most=3)}. "
            "Leave a cell empty where it is not known."
        )
    return made


def _in_both(read: pd.DataFrame, given: pd.DataFrame) -> list[str]:
    return [name for name in map(str, given) if name in read and name not in _OF_LABELS]


def _shared(read: Table, given: pd.DataFrame) -> str | None:
    """A column of ids that both have."""
    both = _in_both(read.frame, given)
    return next((name for name in both if given[name].is_unique and read.frame[name].is_unique), None)


def _check_alike(read: pd.DataFrame, other: Table, places: list[int]) -> None:
    """Refuse rows that were put together by their order although what names the table's rows says otherwise."""
    for name in _in_both(read, other.frame):
        if read[name].is_unique and not pd.api.types.is_float_dtype(read[name]):
            for ours, theirs in zip(texts_of(read[name])[places], texts_of(other.frame[name])):
                if ours != theirs:
                    raise InvalidInput(
                        f"A row of {other.name} has {theirs!r} in {name!r} where the table has {ours!r}. "
                        f"Give each row one {name!r}, and each {name!r} one row."
                    )


def _row_numbers(brought: str | Path | pd.DataFrame, other: Table, n: int, limits: Limits) -> list[int]:
    """(k,) which row of the table each row is of: the index, in a file its first column, that has no name."""
    index = _index(brought, limits)
    named = not str(index.name or "Unnamed").startswith("Unnamed")
    numbering = not named and len(index) == len(other.frame) > 0 and index.is_unique
    if numbering and pd.api.types.is_integer_dtype(index) and index.isin(range(n)).all():
        return [int(number) for number in index]
    if len(other.frame) != n:
        raise InvalidInput(
            f"{other.name} has {len(other.frame):,} rows and the table {n:,}, and they share no column of ids. "
            "Give both the same column 'id', or issues of every row."
        )
    if numbering:
        raise InvalidInput(
            f"The index of {other.name} is no row number of the table, 0 to {n - 1:,}: it has {quoted(index.iloc[0])}. "
            "If it holds ids, call it as the table does, `issues.rename_axis('id')`; else drop it with `reset_index`."
        )
    return list(range(n))


def _index(brought: str | Path | pd.DataFrame, limits: Limits) -> pd.Series:
    """What may number the rows."""
    if isinstance(brought, pd.DataFrame):
        return brought.index.to_series()
    path = Path(brought)
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        text, _ = text_of(path, limits)
        separator = "\t" if path.suffix.lower() == ".tsv" else separator_of(text[:65536])
        return pd.read_csv(io.StringIO(text), sep=separator, usecols=[0]).iloc[:, 0]
    if path.suffix.lower() in (".parquet", ".pq"):
        with readable(path):
            return pd.read_parquet(path, columns=[]).index.to_series()
    return pd.Series(dtype=float)
