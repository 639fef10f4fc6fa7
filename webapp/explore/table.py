"""The samples of a selection as a table: sorted by any column, a page at a time, and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.data.inline import text_of
from core.numbers import number
from core.records import I64, Diagnosis
from core.reports.tables.columns import ShownColumn, coded, column_of
from webapp.markup.html import shortened
from webapp.state.downloads import csv_of
from webapp.state.filters import shown_column

PAGE_ROWS = 20
MOST_LETTERS = 90
"""Samples on a page of the table, and letters of a text in a cell."""
ALWAYS = ("class", "prediction", "loss", "predicted", "spread", "cluster", "yours")
"""Columns of every table, where the run has them."""


@dataclass(frozen=True, slots=True)
class TableRow:
    row: int
    name: str
    text: str
    cells: tuple[tuple[str, bool], ...]
    """What stands in each column, and whether it is a number."""


@dataclass(frozen=True, slots=True)
class TablePage:
    """One page."""

    heads: tuple[tuple[str, str, str], ...]
    """(key, title, "ascending", "descending" or "") of each column."""
    rows: tuple[TableRow, ...]
    page: int
    pages: int
    n: int
    has_text: bool


def keys_shown(diagnosis: Diagnosis, more: Sequence[str]) -> list[str]:
    """The table's columns: those of every run, then those of `more` that it has."""
    return [key for key in dict.fromkeys([*ALWAYS, *more]) if column_of(diagnosis, key) is not None]


def table(
    diagnosis: Diagnosis,
    rows: I64,
    more: Sequence[str],
    sort: str,
    *,
    falling: bool = True,
    page: int = 0,
    first: ShownColumn | None = None,
) -> TablePage:
    """A page of the samples `rows`.

    Args:
        more: keys of columns beside those of every table.
        sort: key of a column; missing values come last.
        page: from 0; the last one where there are fewer.
        first: a column that the run itself does not have, to stand before the others.

    Raises:
        InvalidInput: the run has no column of such a key.
    """
    own = [] if first is None else [first]
    by = next((column for column in own if column.key == sort), None)
    ordered = sorted_rows(by or shown_column(diagnosis, sort), rows, falling=falling)
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    page = min(max(0, page), pages - 1)
    columns = own + [shown_column(diagnosis, key) for key in keys_shown(diagnosis, more)]
    heads = [(c.key, c.short, "" if c.key != sort else "descending" if falling else "ascending") for c in columns]
    made = [
        TableRow(
            row,
            diagnosis.samples.ids[row],
            shortened(text_of(diagnosis.samples, row), MOST_LETTERS),
            tuple((cell(diagnosis, column, row), column.kind == "number") for column in columns),
        )
        for row in ordered[page * PAGE_ROWS :][:PAGE_ROWS].tolist()
    ]
    return TablePage(tuple(heads), tuple(made), page, pages, len(rows), diagnosis.samples.modality == "text")


def sorted_rows(column: ShownColumn, rows: I64, *, falling: bool) -> I64:
    """The rows by the column's value: numbers by size, names by the alphabet, missing ones last."""
    if column.kind == "number":
        values = column.values[rows]
        missing = np.isnan(values)
    else:
        names, codes = coded(column)
        by = (lambda place: int(names[place])) if column.key == "cluster" else (lambda place: names[place].casefold())
        places = np.append(np.argsort(sorted(range(len(names)), key=by)), -1)
        values = places[codes[rows]].astype(np.float64)
        missing = values < 0
    keys = np.where(missing, np.inf, -values if falling else values)
    return rows[np.argsort(keys, kind="stable")]


def cell(diagnosis: Diagnosis, column: ShownColumn, row: int) -> str:
    """What stands in the table; "" where it is missing."""
    if column.key == "cluster":
        return ", ".join(clusters_of(diagnosis, column, row))
    value = column.values[row]
    if column.kind == "number":
        return "" if np.isnan(value) else number(float(value))
    return "" if value is None else shortened(str(value), MOST_LETTERS)


def clusters_of(diagnosis: Diagnosis, column: ShownColumn, row: int) -> list[str]:
    """The numbers of all confirmed clusters that the sample is a member of: first the one of its highest membership, by
    which it is colored, counted and sorted, then the others in rank order.

    Args:
        column: that of the first ones.
    """
    first = column.values[row]
    others = [str(c.id + 1) for c in diagnosis.clusters if c.membership[row] >= 0.5]
    return [] if first is None else [str(first), *(number for number in others if number != first)]


def selection_csv(diagnosis: Diagnosis, rows: I64, more: Sequence[str]) -> bytes:
    """The samples `rows` with the columns of the table, figures in full; a cell is empty where a value is missing, and
    all clusters of a sample stand in one, with a line between them."""
    columns = [shown_column(diagnosis, key) for key in keys_shown(diagnosis, more)]
    places = rows.tolist()
    lists = [
        [clusters_of(diagnosis, column, row) for row in places]
        if column.key == "cluster"
        else [None if value != value else value for value in column.values[rows].tolist()]  # nan is not itself
        for column in columns
    ]
    names = [diagnosis.samples.ids[row] for row in places]
    return csv_of(["id", *(column.key for column in columns)], zip(names, *lists, strict=True))
