"""Add cleanlab's issues to the table, as columns that may explain errors."""

# pyright: basic
from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.parquet_files import readable
from core.data.tables.cells import texts_of
from core.data.tables.delimited import separator_of, text_of
from core.data.tables.frames import TableLike, as_frame
from core.data.tables.read import Table, read_table
from core.data.tables.recognise import key_columns
from core.data.tables.roles import Roles
from core.errors import InvalidInput, quoted
from core.limits import Limits

_COLUMNS = re.compile(r"is_\w+_issue|\w+_score|label_quality")
_OF_LABELS = ("given_label", "predicted_label")
_YES_OR_NO = dict.fromkeys(("true", "yes", "1", "1.0"), "yes") | dict.fromkeys(("false", "no", "0", "0.0"), "no")


def with_issues(read: Table, issues: TableLike, roles: Roles = Roles(), limits: Limits = Limits()) -> Table:
    """Add the columns of `Datalab.get_issues()` or `CleanLearning.get_label_issues()` to the table.

    Each `is_<kind>_issue` becomes yes or no; each `<kind>_score` becomes `<kind>_quality` (1 is good), since a score
    would count as an output of the diagnosed model. Rows are matched by the table's column of ids, else by its images'
    paths, if the issues have that column too; else by the row numbers in cleanlab's table, else in order. A note names
    the way.

    Raises:
        InvalidInput: `issues` has none of these columns, its rows do not match the table's or match several, or an
            issue is neither yes nor no.
    """
    brought = as_frame(issues)
    assert brought is not None
    issue_table = read_table(brought, limits=limits)
    if isinstance(brought, pd.DataFrame):
        issue_table = replace(issue_table, name="the table of issues")
    issue_frame = issue_table.frame
    wanted = [name for name in map(str, issue_frame) if _COLUMNS.fullmatch(name)]
    if not wanted:
        raise InvalidInput(
            f"{issue_table.name} lacks cleanlab's columns ('is_label_issue', 'label_score', ...): it has "
            f"{quoted(*issue_frame)}. Write it with `lab.get_issues().to_csv(...)`."
        )
    names = {name: re.sub("_score$", "_quality", name) for name in wanted}
    twice = sorted(name for name, count in Counter(names.values()).items() if count > 1)
    if twice:
        raise InvalidInput(f"{issue_table.name} gives {quoted(*twice)} twice. Remove one of its columns.")
    taken = [name for name in names.values() if name in read.frame]
    if taken:
        raise InvalidInput(f"Both the table and {issue_table.name} have {quoted(*taken)}. Rename it in one of them.")
    columns = issue_frame[wanted].rename(columns=names)
    for name in names.values():
        if name.startswith("is_"):
            columns[name] = _yes_or_no(columns[name], issue_table.name)
    keys = [name for name in key_columns(read.frame, roles) if name in issue_frame]
    n_rows = len(read.frame)
    if keys:
        aligned = _by_key(read.frame, columns, issue_table, keys)
        how = f"the column {keys[0]!r}"
    else:
        positions, how = _row_numbers(brought, issue_table, n_rows, limits)
        _check_order(read.frame, issue_table, positions)
        aligned = columns.set_axis(positions).reindex(range(n_rows))
    n = int(aligned.notna().any(axis=1).sum())
    if n == 0:
        raise InvalidInput(f"No row of {issue_table.name} is in the table. Add the same column of ids to both.")
    note = (
        f"Added cleanlab's {quoted(*names.values())} to {n:,} of {len(aligned):,} rows, matched by {how}. "
        "If cleanlab used the diagnosed model's probabilities, its label issues repeat that model's errors."
    )
    frame = pd.concat([read.frame, aligned.set_axis(read.frame.index)], axis=1)
    return replace(read, frame=frame, notes=(*read.notes, note))


def _yes_or_no(column: pd.Series, table: str) -> pd.Series:
    words = column.astype("string").str.lower()
    answers = words.map(_YES_OR_NO)
    odd = words.notna() & answers.isna()
    if odd.any():
        raise InvalidInput(
            f"{column.name!r} of {table} must be true or false: got {quoted(*words[odd].unique(), most=3)}. "
            "Leave unknown cells empty."
        )
    return answers


def _by_key(read: pd.DataFrame, columns: pd.DataFrame, issue_table: Table, keys: list[str]) -> pd.DataFrame:
    """(n, c) the columns in the order of the table's rows, matched by the first key. Other keys must then agree."""
    key, *others = keys
    ids = texts_of(issue_table.frame[key])
    known = np.flatnonzero([each is not None for each in ids])
    repeated = pd.Index(ids[known]).duplicated()
    if repeated.any():
        raise InvalidInput(
            f"{issue_table.name} has {ids[known][repeated][0]!r} twice in {key!r}. Keep one row for each {key!r}."
        )
    positions = pd.Series(known, index=ids[known]).reindex(texts_of(read[key])).fillna(-1).to_numpy(np.int64)
    matched = positions >= 0
    for name in others:
        pairs = zip(texts_of(read[name])[matched], texts_of(issue_table.frame[name])[positions[matched]])
        advice = f"Rows are matched by {key!r}: remove {name!r} if it is not an id."
        _check_alike(name, pairs, issue_table.name, advice)
    return columns.set_axis(range(len(columns))).reindex(positions)


def _check_order(read: pd.DataFrame, issue_table: Table, positions: list[int]) -> None:
    """Refuse rows that were matched by their order although a shared column of unique values contradicts it."""
    for name in map(str, issue_table.frame):
        if name not in read or name in _OF_LABELS or pd.api.types.is_float_dtype(read[name]):
            continue
        if read[name].is_unique:
            pairs = zip(texts_of(read[name])[positions], texts_of(issue_table.frame[name]))
            advice = f"If {name!r} identifies the rows, name it as the id; otherwise remove it from the issues."
            _check_alike(name, pairs, issue_table.name, advice)


def _check_alike(name: str, pairs: Iterable[tuple[str | None, str | None]], issues: str, advice: str) -> None:
    for ours, theirs in pairs:
        if ours != theirs:
            raise InvalidInput(f"A row of {issues} has {theirs!r} in {name!r} where the table has {ours!r}. {advice}")


def _row_numbers(
    brought: str | Path | pd.DataFrame, issue_table: Table, n: int, limits: Limits
) -> tuple[list[int], str]:
    """(k,) the row of the table for each row of issues, and what it was matched by: the index (in a file its first,
    unnamed column) or the order."""
    index = _index(brought, limits)
    named = not str(index.name or "Unnamed").startswith("Unnamed")
    numbering = not named and len(index) == len(issue_table.frame) > 0 and index.is_unique
    if numbering and pd.api.types.is_integer_dtype(index) and index.isin(range(n)).all():
        return [int(number) for number in index], "the row numbers of the issues"
    if len(issue_table.frame) != n:
        raise InvalidInput(
            f"{issue_table.name} has {len(issue_table.frame):,} rows, the table {n:,}, and no column of ids is shared. "
            "Add one column of ids to both ('id', or the one --id names), or issues for every row."
        )
    if numbering:
        raise InvalidInput(
            f"The index of {issue_table.name} must hold row numbers, 0 to {n - 1:,}: it has {quoted(index.iloc[0])}. "
            "If it holds ids, use `issues.rename_axis('id')`; otherwise use `issues.reset_index(drop=True)`."
        )
    return list(range(n)), "order"


def _index(brought: str | Path | pd.DataFrame, limits: Limits) -> pd.Series:
    """The index, or the first column of a text file, which may number the rows."""
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
