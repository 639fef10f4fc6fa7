"""The user's titles, notes, and sets: the line under a title, the form below the images, and the list. They are not
tested and stay beside the tested findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.numbers import count
from core.records import I64, Diagnosis
from core.reports.html.yours import marked
from core.reports.wording.findings import cluster_title
from core.yours import MARKED, OwnSet, OwnWords, Yours, yours_of
from webapp.markup.render import render
from webapp.state.filters import describe_filter
from webapp.state.runs import READ_ONLY, RUNS
from webapp.state.session import Session, picked_cluster

OF_ALL = "This run is shared, so it takes no notes. Copy it to your runs, or add your data in New run."
MAX_LISTED_SETS = 6
MAX_SPLIT_CLUSTERS = 12
"""Marks and sets listed unfolded, and clusters that a selection can be split by, as fit the pane."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnForm:
    """The form for the selection."""

    of: str
    """Its subject: "cluster:0", "candidate:0", "sample:0", "set:ID", or "" for unsaved samples."""
    mark: OwnWords | None
    """The current mark; None where `of` is ""."""
    read_only: str
    """Why the form is disabled, or ""."""
    can_copy: bool
    others: tuple[tuple[str, str], ...] = ()
    """(key, title) of what it can be merged with."""
    parts: tuple[tuple[str, str], ...] = ()
    """(key, words with counts) of the clusters that contain some of the samples."""

    @property
    def own_set(self) -> OwnSet | None:
        if isinstance(self.mark, OwnSet):
            return self.mark
        return None

    @property
    def has_title(self) -> bool:
        """Whether the user can title it; a sample keeps its id."""
        return not self.of.startswith("sample:")


def read_only(run: str) -> str:
    """Return why the current visitor cannot add notes to this run, or ""."""
    if RUNS.takes_notes(run):
        return ""
    if RUNS.is_example(run):
        return OF_ALL
    return READ_ONLY


def target(session: Session) -> str:
    """Return the subject of the selection, as in `OwnForm.of`; filtered members of a cluster are only a selection."""
    if session.row is not None:
        return f"sample:{session.row}"
    if session.filters:
        return ""
    for kind, number in (("cluster", session.cluster), ("candidate", session.candidate)):
        if number is not None:
            return f"{kind}:{number}"
    if session.own_set:
        return f"set:{session.own_set}"
    return ""


def form_of(session: Session, diagnosis: Diagnosis, rows: I64) -> OwnForm:
    """Return the form for the selection `rows`."""
    of = target(session)
    yours = yours_of(diagnosis)
    kind, _, number = of.partition(":")
    mark: Any = None
    if kind == "set":
        mark = yours.set_of(number)
    elif of:
        mark = yours.mark_of(kind, int(number))  # type: ignore[arg-type] - one of the three
    others = ()
    if kind not in ("", "sample"):
        others = tuple(part for part in mergeable(diagnosis, yours) if part[0] != of)
    parts = ()
    if not of:
        parts = parts_of(diagnosis, rows)
    return OwnForm(of, mark, read_only(session.run), RUNS.is_example(session.run), others, parts)


def mergeable(diagnosis: Diagnosis, yours: Yours) -> list[tuple[str, str]]:
    """Return (key, title) of everything that can be merged."""
    return [
        *((f"cluster:{c.id}", f"{c.id + 1}. {cluster_title(diagnosis, c)}") for c in diagnosis.clusters),
        *((f"candidate:{at}", f"Hint: {cluster_title(diagnosis, c)}") for at, c in enumerate(diagnosis.candidates)),
        *((f"set:{own_set.id}", f"Yours: {own_set.title}") for own_set in yours.sets),
    ]


def rows_of(diagnosis: Diagnosis, yours: Yours, key: str) -> I64 | None:
    """Return the rows of a mergeable part by its untrusted key; None for an unknown key."""
    if key not in dict(mergeable(diagnosis, yours)):
        return None
    kind, _, number = key.partition(":")
    if kind == "set":
        own_set = yours.set_of(number)
        if own_set is None:
            return None
        return own_set.rows
    among = dict(enumerate(diagnosis.candidates))
    if kind == "cluster":
        among = {c.id: c for c in diagnosis.clusters}
    return np.flatnonzero(among[int(number)].membership >= 0.5).astype(np.int64)


def parts_of(diagnosis: Diagnosis, rows: I64) -> tuple[tuple[str, str], ...]:
    """Return (key, words) of each cluster that contains some of the rows, which can become a set."""
    parts = list[tuple[str, str]]()
    for cluster in diagnosis.clusters:
        inside = int((cluster.membership[rows] >= 0.5).sum())
        if inside:
            words = f"the {count(inside, 'sample')} of {cluster.size:,} in group {cluster.id + 1}"
            parts.append((f"cluster:{cluster.id}", words))
    return tuple(parts[:MAX_SPLIT_CLUSTERS])


def made_of(session: Session, diagnosis: Diagnosis) -> str:
    """Describe the selection in words that stay true after it changes."""
    if session.row is not None:
        return diagnosis.samples.ids[session.row]
    parts = list[str]()
    cluster = picked_cluster(session, diagnosis)
    if cluster is not None:
        name = cluster_title(diagnosis, cluster)
        words = f"the hint {name}"
        if cluster.confirmed:
            words = f"group {cluster.id + 1} ({name})"
        parts.append(words)
    elif session.rows:
        parts.append(f"matches of the question {session.title}")
    elif session.polygon:
        parts.append("an outline on the map")
    elif session.own_set:
        own_set = yours_of(diagnosis).set_of(session.own_set)
        if own_set:
            parts.append(f"the set {own_set.title}")
    return ", ".join([*parts, *(describe_filter(diagnosis, part) for part in session.filters)]) or "all samples"


def own_list(diagnosis: Diagnosis, undo: str = "") -> str:
    """Render the user's sets and marks above the clusters, pinned ones first; "" without any.

    Args:
        undo: title of a set that was just deleted and can be restored.
    """
    yours = yours_of(diagnosis)
    lines = [
        (f"set:{mark.id}", mark.title, count(len(mark.rows), "sample"), mark)
        for mark in sorted(yours.sets, key=lambda mark: not mark.pinned)
    ]
    marks = [
        (f"{mark.kind}:{mark.number}", mark.title or marked(diagnosis, mark), marked(diagnosis, mark), mark)
        for mark in yours.marks
        if mark.pinned or mark.kind == "sample"
    ]
    lines = sorted([*marks, *lines], key=lambda line: not line[3].pinned)
    if not lines and not undo:
        return ""
    return render("explore/own_list.html.j2", lines=lines, first=MAX_LISTED_SETS, label=MARKED, undo=undo)
