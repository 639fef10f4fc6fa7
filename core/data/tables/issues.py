"""What cleanlab says of each sample, as columns of the table that may explain a failure."""

# pyright: basic
from __future__ import annotations

import io
import re
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
    """The table with the columns of `Datalab.get_issues()` or `CleanLearning.get_label_issues()`.

    Each `is_<kind>_issue` becomes yes or no; each `<kind>_score` becomes `<kind>_quality` (1 is good), as a score would
    be taken for what the diagnosed model wrote. Rows go together by the table's column of ids, else by that of its
    images' paths, if the issues have it too; else by the row numbers that cleanlab's table has, else in order. A note
    says by which.

    Raises:
        InvalidInput: it has none of these columns, its rows are not those of the table or might be several of its
            rows, or an issue is neither yes nor no.
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
    keys = [name for name in key_columns(read.frame, roles) if name in given]
    n_rows = len(read.frame)
    if keys:
        aligned = _by_key(read.frame, found, other, keys)
        how = f"the column {keys[0]!r}"
    else:
        places, how = _row_numbers(brought, other, n_rows, limits)
        _check_order(read.frame, other, places)
        aligned = found.set_axis(places).reindex(range(n_rows))
    n = int(aligned.notna().any(axis=1).sum())
    if n == 0:
        raise InvalidInput(f"No row of {other.name} is one of the table. Give both the same column of ids.")
    notes = [
        f"{quoted(*names.values())} of cleanlab stand beside {n:,} of {len(aligned):,} rows, put together by {how}. "
        "Label issues are found from a model's probabilities: where that was the model diagnosed, they repeat its "
        "errors."
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


def _by_key(read: pd.DataFrame, found: pd.DataFrame, other: Table, keys: list[str]) -> pd.DataFrame:
    """(n, c) the columns found: for each row of the table, those of the row of issues with its value of the first key.
    What both say of another key must then agree."""
    key, *others = keys
    ids = texts_of(other.frame[key])
    known = np.flatnonzero([each is not None for each in ids])
    if (again := pd.Index(ids[known]).duplicated()).any():
        raise InvalidInput(
            f"{other.name} has {ids[known][again][0]!r} twice in {key!r}, by which its rows go to the table's. "
            f"Give each {key!r} one row."
        )
    places = pd.Series(known, index=ids[known]).reindex(texts_of(read[key])).fillna(-1).to_numpy(np.int64)
    for name in others:
        pairs = zip(texts_of(read[name])[places >= 0], texts_of(other.frame[name])[places[places >= 0]])
        _check_alike(name, pairs, other.name, f"The rows go together by {key!r}: leave {name!r} out if it is no key.")
    return found.set_axis(range(len(found))).reindex(places)


def _check_order(read: pd.DataFrame, other: Table, places: list[int]) -> None:
    """Refuse rows that were put together by their order although what names the table's rows says otherwise."""
    for name in map(str, other.frame):
        if name not in read or name in _OF_LABELS or pd.api.types.is_float_dtype(read[name]):
            continue
        if read[name].is_unique:
            pairs = zip(texts_of(read[name])[places], texts_of(other.frame[name]))
            advice = f"If {name!r} says which rows belong together, name it as the id; else leave it out of the issues."
            _check_alike(name, pairs, other.name, advice)


def _check_alike(name: str, pairs: Iterable[tuple[str | None, str | None]], issues: str, advice: str) -> None:
    for ours, theirs in pairs:
        if ours != theirs:
            raise InvalidInput(f"A row of {issues} has {theirs!r} in {name!r} where the table has {ours!r}. {advice}")


def _row_numbers(brought: str | Path | pd.DataFrame, other: Table, n: int, limits: Limits) -> tuple[list[int], str]:
    """(k,) which row of the table each row is of, and how that is known: by the index, in a file its first column, that
    has no name, or by their order."""
    index = _index(brought, limits)
    named = not str(index.name or "Unnamed").startswith("Unnamed")
    numbering = not named and len(index) == len(other.frame) > 0 and index.is_unique
    if numbering and pd.api.types.is_integer_dtype(index) and index.isin(range(n)).all():
        return [int(number) for number in index], "the row numbers of the issues"
    if len(other.frame) != n:
        raise InvalidInput(
            f"{other.name} has {len(other.frame):,} rows and the table {n:,}, and they share no column of ids. "
            "Give both the same column of ids, 'id' or what --id names, or issues of every row."
        )
    if numbering:
        raise InvalidInput(
            f"The index of {other.name} is no row number of the table, 0 to {n - 1:,}: it has {quoted(index.iloc[0])}. "
            "If it holds ids, call it as the table does, `issues.rename_axis('id')`; else drop it with `reset_index`."
        )
    return list(range(n)), "their order"


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
