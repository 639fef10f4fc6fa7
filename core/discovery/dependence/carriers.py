"""What may relate rows: orders (the table's, numbers, numbers in file names) and keys (names, folders, identities)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.records import F64, I64, Outcomes, SampleSet

MIN_NUMBERED = 0.9
"""Share of the rows that need a number for an order. A convention."""
MIN_DISTINCT_SHARE = 0.2
"""A number with fewer distinct values, as a share of the rows, is a grade and not an order. A convention."""
MIN_SEGMENT_ROWS = 4
"""Mean rows of a run of numbered names: shorter runs have no order to speak of. A convention."""
MAX_GROUP_SHARE = 0.1
"""A value with more of the rows is a kind, not one thing: its rows count singly. A convention."""
MIN_SHARED = 0.4
"""Share of the rows that share their value with another row, for a key. A convention."""
MAX_SAME_ORDER = 0.999
"""Rank correlation above which two orders are the same one."""
MIN_MONOTONE = 0.9
"""Share of the steps of one sign by which a table is sorted by an outcome. A convention."""
FEW_LEVELS = 10
"""An outcome with at most this many values is sorted if it changes at most LEVEL_CHANGES times as often."""
LEVEL_CHANGES = 3
_IDENTITY_WORDS = (
    "id patient subject case study scan series session clip scene user author speaker burst seq sequence track slide "
    "doc document source video recording participant image photo group parent original url person donor animal"
)
_IDENTITY = re.compile(rf"(^|_)({'|'.join(_IDENTITY_WORDS.split())})(_|$)", re.IGNORECASE)
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_FROM_END = re.compile(r"(\D*)(\d+)")
"""Of a reversed name: what stands after its last number, and that number."""
_PLACES = ("last", "last but one", "third last")
"""Numbers of a name that are cut off one after the other, from its end."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Rows in a sequence."""

    name: str
    rows: I64
    """(n,) row numbers in the order."""
    segments: I64
    """(n,) by row; rows of different segments are not beside each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """Rows that share a value."""

    name: str
    groups: I64
    """(n,) by row."""
    column: str = ""
    """The column that holds it; "" for names and folders."""

    @property
    def unit(self) -> str:
        """What one group is called."""
        return self.column or self.name.partition(" before")[0].partition(" up to")[0]


def orders(samples: SampleSet, outcomes: Outcomes, labels: I64) -> Iterator[Order]:
    """The table's order, numbers in file names, and columns of numbers and dates; without orders made from an outcome.

    A table sorted by its losses has similar losses side by side whatever its rows are.
    """
    n = len(samples)
    together = np.zeros(n, np.int64)
    found = [Order("the table's order", np.arange(n), together)]
    for names in _names_of(samples):
        found += _numbered(names)
    for column in samples.metadata:
        if column.measured or column.kind in ("category", "text"):
            continue
        values = np.asarray(column.values, np.float64)
        known = values[np.isfinite(values)]
        if len(known) > MIN_NUMBERED * n and len(np.unique(known)) > MIN_DISTINCT_SHARE * n:
            found.append(Order(f"the order of {column.name!r}", np.argsort(values, kind="stable"), together))
    known_ranks = list[F64]()
    for order in found:
        ranks = np.empty(n)
        ranks[order.rows] = np.arange(n)
        if any(abs(np.corrcoef(ranks, other)[0, 1]) > MAX_SAME_ORDER for other in known_ranks):
            continue
        known_ranks.append(ranks)
        if not _made_from_outcome(order.rows, samples, outcomes, labels):
            yield order


def keys(samples: SampleSet) -> Iterator[Key]:
    """Names up to a number, folders, and columns that look like identities."""
    for names in _names_of(samples):
        for name, texts in _prefixes(names):
            yield from _as_key(name, texts)
    for column in samples.metadata:
        if column.measured:
            continue
        values = column.values.tolist()
        named = _IDENTITY.search(column.name) is not None
        if column.kind == "number":
            if not named or any(value == value and value != round(value) for value in values):
                continue
            values = [None if value != value else str(int(value)) for value in values]
        yield from _as_key(repr(column.name), values, column.name)


def _as_key(name: str, values: Sequence[str | None], column: str = "") -> Iterator[Key]:
    """The values as a key, if most are identities (hold a digit) and enough rows share one."""
    n = len(values)
    numbers: dict[str, int] = {}
    groups = np.empty(n, np.int64)
    for row, value in enumerate(values):
        groups[row] = n + row if value is None else numbers.setdefault(value, len(numbers))
    with_digit = sum(any(map(str.isdigit, value)) for value in numbers)
    if 2 * with_digit <= len(numbers):
        return
    groups = np.unique(groups, return_inverse=True)[1]
    alone = np.bincount(groups)[groups] > MAX_GROUP_SHARE * n
    groups = np.unique(np.where(alone, n + np.arange(n), groups), return_inverse=True)[1]
    if (np.bincount(groups)[groups] > 1).mean() >= MIN_SHARED:
        yield Key(name, groups, column)


def _names_of(samples: SampleSet) -> Iterator[list[str]]:
    """The ids, and the names of the items where they differ from the ids, without endings."""
    names = [_ENDING.sub("", name) for name in samples.ids]
    yield names
    if samples.items is None:
        return
    others = [_ENDING.sub("", samples.items.name(row)) for row in range(len(samples))]
    if others != names:
        yield others


def _parted(name: str) -> tuple[str, str, str]:
    """What stands before the last number of a name, the number, and what stands after it; all before without one."""
    match = _FROM_END.match(name[::-1])
    if match is None:
        return name, "", ""
    end = len(name) - len(match[1])
    start = end - len(match[2])
    return name[:start], name[start:end], name[end:]


def _numbered(names: Sequence[str]) -> list[Order]:
    """The order of the last numbers in names, each run of names by itself; [] where names have none."""
    before = list[str]()
    numbers = np.full(len(names), np.nan)
    for row, name in enumerate(names):
        start, digits, _ = _parted(name)
        before.append(start)
        if 0 < len(digits) < 16:
            numbers[row] = float(digits)
    segments = np.unique(before, return_inverse=True)[1]
    if np.isfinite(numbers).mean() < MIN_NUMBERED or np.bincount(segments).mean() < MIN_SEGMENT_ROWS:
        return []
    return [Order("the numbers in file names", np.lexsort((numbers, segments)), segments)]


def _prefixes(names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """What names begin with, the finest first, as (what it is called, one for each name); then their folders."""
    parts = [_parted(name) for name in names]
    yield "file name up to its last number", [f"{before}{digits}" for before, digits, _ in parts]
    for place in _PLACES:
        texts = [before.rstrip("_-. #xyXYfF") if digits else before for before, digits, _ in parts]
        yield f"file name before its {place} number", texts
        parts = [_parted(text) for text in texts]
    folders = [name.rpartition("/")[0] for name in names]
    if any(folders):
        yield "folder", folders


def _made_from_outcome(rows: I64, samples: SampleSet, outcomes: Outcomes, labels: I64) -> bool:
    """Whether losses, predictions or scores rise or fall along the order, in all rows or inside most
    classes."""
    written: list[npt.NDArray[np.generic]] = [outcomes.loss]
    if outcomes.predictions is not None:
        written.append(outcomes.predictions)
    if outcomes.scores is not None:
        written.append(outcomes.scores.max(1))
    written += [column.values for column in samples.model_outputs if column.kind == "number"]
    for values in written:
        ordered = np.asarray(values, np.float64)[rows]
        if _is_sorted(ordered):
            return True
        by_class = np.argsort(labels[rows], kind="stable")
        parts = np.split(ordered[by_class], np.cumsum(np.bincount(labels))[:-1])
        if 2 * sum(len(part) for part in parts if _is_sorted(part)) > len(rows):
            return True
    return False


def _is_sorted(values: F64) -> bool:
    if len(values) < 30 or np.ptp(values) == 0:
        return False
    steps = np.diff(values)
    steps = steps[steps != 0]
    if max((steps > 0).mean(), (steps < 0).mean()) <= MIN_MONOTONE:
        return False
    levels = len(np.unique(values))
    return levels > FEW_LEVELS or len(steps) <= LEVEL_CHANGES * levels
