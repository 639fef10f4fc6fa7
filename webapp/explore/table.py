"""The samples of a selection as a table: sorted by any column, in pages, and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.inline import text_of
from core.numbers import number
from core.records import I64, Diagnosis
from core.reports.tables.columns import ShownColumn, coded, column_of
from webapp.markup.html import shortened
from webapp.state.downloads import csv_of
from webapp.state.filters import shown_column

PAGE_ROWS = 20
MAX_CELL_LETTERS = 90
"""Samples per page, and letters of a text in a cell."""
ALWAYS = ("class", "prediction", "loss", "predicted", "spread", "cluster", "yours")
"""Columns of every table that the run has."""


@dataclass(frozen=True, slots=True)
class TableRow:
    row: int
    name: str
    text: str
    cells: tuple[tuple[str, bool], ...]
    """(text, whether it is a number) of each column."""


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
    """Return the keys of the table's columns: the standard ones, then those of `more` that the run has."""
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
    """Return a page of the samples `rows`.

    Args:
        more: keys of columns besides the standard ones.
        sort: key of a column; missing values come last.
        page: from 0; beyond the last page, the last one.
        first: a column outside the run, shown before the others.

    Raises:
        InvalidInput: the run has no column with a given key.
    """
    extra = []
    if first is not None:
        extra = [first]
    by = next((column for column in extra if column.key == sort), None)
    ordered = sorted_rows(by or shown_column(diagnosis, sort), rows, falling=falling)
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    page = min(max(0, page), pages - 1)
    columns = extra + [shown_column(diagnosis, key) for key in keys_shown(diagnosis, more)]
    order = "ascending"
    if falling:
        order = "descending"
    orders = {sort: order}
    heads = [(c.key, c.short, orders.get(c.key, "")) for c in columns]
    lines = [
        TableRow(
            row,
            diagnosis.samples.ids[row],
            shortened(text_of(diagnosis.samples, row), MAX_CELL_LETTERS),
            tuple((cell(diagnosis, column, row), column.kind == "number") for column in columns),
        )
        for row in ordered[page * PAGE_ROWS :][:PAGE_ROWS].tolist()
    ]
    return TablePage(tuple(heads), tuple(lines), page, pages, len(rows), diagnosis.samples.modality == "text")


def sorted_rows(column: ShownColumn, rows: I64, *, falling: bool) -> I64:
    """Sort rows by the column's value: numbers by size, names by alphabet, missing values last."""
    if column.kind == "number":
        values = column.values[rows]
        missing = np.isnan(values)
    else:
        names, codes = coded(column)
        keys = [name.casefold() for name in names]
        if column.key == "cluster":
            keys = [int(name) for name in names]
        places = np.append(np.argsort(sorted(range(len(names)), key=keys.__getitem__)), -1)
        values = places[codes[rows]].astype(np.float64)
        missing = values < 0
    if falling:
        values = -values
    return rows[np.argsort(np.where(missing, np.inf, values), kind="stable")]


def cell(diagnosis: Diagnosis, column: ShownColumn, row: int) -> str:
    """Return the text of a cell; "" for a missing value."""
    if column.key == "cluster":
        return ", ".join(clusters_of(diagnosis, column, row))
    value = column.values[row]
    if column.kind == "number":
        if np.isnan(value):
            return ""
        return number(float(value))
    if value is None:
        return ""
    return shortened(str(value), MAX_CELL_LETTERS)


def clusters_of(diagnosis: Diagnosis, column: ShownColumn, row: int) -> list[str]:
    """Return the numbers of all confirmed clusters that contain the sample: first the one of its highest membership, by
    which it is colored, counted, and sorted, then the others in rank order.

    Args:
        column: the column of first clusters.
    """
    first = column.values[row]
    others = [str(c.id + 1) for c in diagnosis.clusters if c.membership[row] >= 0.5]
    if first is None:
        return []
    return [str(first), *(number for number in others if number != first)]


def selection_csv(diagnosis: Diagnosis, rows: I64, more: Sequence[str]) -> bytes:
    """Return the samples `rows` as CSV with the table's columns and full figures. Missing values are empty; a sample's
    clusters share one cell, separated by " | "."""
    columns = [shown_column(diagnosis, key) for key in keys_shown(diagnosis, more)]
    places = rows.tolist()
    lists = list[list[Any]]()
    for column in columns:
        values: list[Any] = [clusters_of(diagnosis, column, row) for row in places]
        if column.key != "cluster":
            values = [None if value != value else value for value in column.values[rows].tolist()]  # nan is not itself
        lists.append(values)
    names = [diagnosis.samples.ids[row] for row in places]
    return csv_of(["id", *(column.key for column in columns)], zip(names, *lists, strict=True))
