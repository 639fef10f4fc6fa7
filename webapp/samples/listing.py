"""The samples of a selection in order: as a grid of images, as a table, and as a file."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core import numbers
from core.numbers import number
from core.records import I64, Diagnosis
from core.reports.tables.columns import LOSS, ShownColumn, coded, column_of
from webapp.markup.html import classes_said, shortened, shown
from webapp.samples.charts import chart_keys
from webapp.state.downloads import csv_of
from webapp.state.filters import shown_column
from webapp.state.session import Session, selected_rows, still_there

CELLS = 72
"""Samples sent at a time."""
MAX_CELL_LETTERS = 90
"""Letters of a value in the table."""
MAX_LISTINGS = 64
"""Listings held for all visitors; of 100,000 samples each takes 0.8 MB."""
LIKE = "likeness"
"""Key of the similarity column of a search by words."""
ALWAYS = ("class", "prediction", "loss", "predicted", "spread", "cluster", "yours")
MAX_CHARTED = 8
"""Columns of every table that the run has, and the first charts' columns that it adds."""


@dataclass(frozen=True, slots=True)
class Order:
    """How a visitor lists the samples of one run."""

    run: str = ""
    sort: str = LOSS
    falling: bool = True
    as_table: bool = False
    matches: ShownColumn | None = field(default=None, compare=False)
    """Similarity of each sample to the words of the last search, in standard deviations; `meaning` is the selection's
    title."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The samples that a visitor sees."""

    session: Session
    """Without an open sample and past selections."""
    order: Order
    rows: I64
    """Row numbers in order."""
    alike: ShownColumn | None
    """The similarity column while its matches are the selection."""


def list_samples(session: Session, order: Order, diagnosis: Diagnosis) -> Listing:
    """List the selection, or all samples, in that order; by loss if its column is gone."""
    session = replace(still_there(session.closed, diagnosis), past=())
    rows = np.arange(len(diagnosis.samples), dtype=np.int64)
    if session.picked:
        rows = selected_rows(session, diagnosis)
    alike = None
    if order.matches is not None and session.rows and session.title == order.matches.meaning:
        alike = order.matches
    column = column_of(diagnosis, order.sort)
    if order.sort == LIKE:
        column = alike
    if column is None:
        order = replace(order, sort=LOSS)
        column = shown_column(diagnosis, LOSS)
    return Listing(session, order, sorted_rows(column, rows, falling=order.falling), alike)


class Listings:
    """The latest listings by secret tokens, so that a browser can fetch the samples of one in parts."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Listing] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, listing: Listing) -> str:
        """Hold a listing and return its token; the one unused for longest is dropped."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._held[token] = listing
            if len(self._held) > MAX_LISTINGS:
                self._held.popitem(last=False)
        return token

    def get(self, token: Any) -> Listing | None:
        """Return the listing of a token from a browser; None if there is none."""
        if not isinstance(token, str):
            return None
        with self._lock:
            if token in self._held:
                self._held.move_to_end(token)
            return self._held.get(token)


LISTINGS = Listings()


@dataclass(frozen=True, slots=True)
class Cell:
    """A sample in the grid or the table, as plain texts."""

    row: int
    name: str
    picture: str
    text: str
    """Of a sample that is a text: its start, in place of a picture."""
    answer: str
    """Label and wrong prediction, or the loss without labels."""
    mark: str
    """"right", "wrong", or "" where that is unknown."""
    values: tuple[tuple[str, bool], ...]
    """(text, whether it is a number) of each column of the table; () in the grid."""


def cells(diagnosis: Diagnosis, listing: Listing, first: int = 0) -> list[Cell]:
    """Return `CELLS` samples of a listing from position `first` on."""
    columns = list[ShownColumn]()
    if listing.order.as_table:
        columns = table_columns(diagnosis, listing)
    errors = diagnosis.outcomes.errors
    shown_cells = list[Cell]()
    for row in listing.rows[first : first + CELLS].tolist():
        picture, text = shown(diagnosis, row)
        answer = ", model: ".join(classes_said(diagnosis, row))
        mark = ""
        if errors is not None:
            mark = "wrong" if errors[row] else "right"
        if not answer:
            answer = f"loss {number(float(diagnosis.outcomes.loss[row]))}"
        values = tuple((value_text(diagnosis, column, row), column.kind == "number") for column in columns)
        shown_cells.append(Cell(row, diagnosis.samples.ids[row], picture, text, answer, mark, values))
    return shown_cells


def table_columns(diagnosis: Diagnosis, listing: Listing) -> list[ShownColumn]:
    """Return the columns of the table: a search's similarity, the standard ones, then those of the first charts."""
    keys = dict.fromkeys([*ALWAYS, *chart_keys(diagnosis)[:MAX_CHARTED]])
    columns = [listing.alike, *(column_of(diagnosis, key) for key in keys)]
    return [column for column in columns if column is not None]


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


def value_text(diagnosis: Diagnosis, column: ShownColumn, row: int) -> str:
    """Return the text of a value; "" for a missing one."""
    if column.key == "cluster":
        return ", ".join(clusters_of(diagnosis, column, row))
    value = column.values[row]
    if column.kind == "number":
        if np.isnan(value):
            return ""
        return numbers.value_text(float(value), column.form)
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


def listing_csv(diagnosis: Diagnosis, listing: Listing) -> bytes:
    """Return the samples as CSV with the table's columns and full figures. Missing values are empty; the clusters of a
    sample share one cell, separated by " | "."""
    rows = listing.rows.tolist()
    keys = ["id"]
    lists: list[list[Any]] = [[diagnosis.samples.ids[row] for row in rows]]
    for column in table_columns(diagnosis, listing):
        if column.key == "cluster":
            values: list[Any] = [clusters_of(diagnosis, column, row) for row in rows]
        else:
            values = [None if value != value else value for value in column.values[listing.rows].tolist()]  # nan
        keys.append(column.key)
        lists.append(values)
    return csv_of(keys, zip(*lists, strict=True))
