"""What the pane shows of a person's own hand: the line under a title, the form below the images, and the list of what
they keep. All of it is theirs and exploratory, and stands beside what was tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.numbers import count
from core.records import I64, Diagnosis
from core.reports.html.yours import marked
from core.reports.wording.findings import cluster_title
from core.yours import MARKED, MAX_NOTE, MAX_TITLE, WORDS, OwnSet, OwnWords, Yours, yours_of
from webapp.markup.render import render
from webapp.state.filters import said
from webapp.state.runs import READ_ONLY, RUNS
from webapp.state.session import Session, picked_cluster

OF_ALL = (
    "This run is everybody's, so your notes have no place in it. "
    "Copy it, or bring data in Your data, to have a run of your own."
)
MOST_LISTED = 6
MOST_PARTS = 12
"""Marks and sets that are listed at once; clusters that a selection can be split by."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnForm:
    """What can be said of what is picked."""

    of: str
    """What it speaks of: "cluster:0", "candidate:0", "sample:0", "set:ID", or "" for samples that are not kept."""
    one: OwnWords | None
    """What is said of it already; None where `of` is ""."""
    read_only: str
    """Why nothing can be said of it, else ""."""
    can_copy: bool
    others: tuple[tuple[str, str], ...] = ()
    """(what it can be merged with, its title)."""
    parts: tuple[tuple[str, str], ...] = ()
    """(cluster, title with how many) of those that the samples are in, and not alone in."""

    @property
    def kept(self) -> OwnSet | None:
        return self.one if isinstance(self.one, OwnSet) else None

    @property
    def has_title(self) -> bool:
        """Whether a title of theirs can stand beside its name: a sample has its id."""
        return not self.of.startswith("sample:")


def read_only(run: str) -> str:
    """Why this run takes no notes of the present visitor, "" where it does."""
    if RUNS.takes_notes(run):
        return ""
    return OF_ALL if RUNS.is_example(run) else READ_ONLY


def target(session: Session) -> str:
    """What is picked, as `OwnForm.of`: of some members of a cluster nothing is said, they are a selection."""
    if session.row is not None:
        return f"sample:{session.row}"
    if session.filters:
        return ""
    for kind, number in (("cluster", session.cluster), ("candidate", session.candidate)):
        if number is not None:
            return f"{kind}:{number}"
    return f"set:{session.own}" if session.own else ""


def form_of(session: Session, diagnosis: Diagnosis, rows: I64) -> OwnForm:
    """The form for what is picked, its samples being `rows`."""
    of = target(session)
    yours = yours_of(diagnosis)
    kind, _, number = of.partition(":")
    one: Any = None
    if kind == "set":
        one = yours.set_of(number)
    elif of:
        one = yours.mark_of(kind, int(number))  # type: ignore[arg-type] - one of the three
    others = () if kind in ("", "sample") else tuple(part for part in mergeable(diagnosis, yours) if part[0] != of)
    parts = () if of else parts_of(diagnosis, rows)
    return OwnForm(of, one, read_only(session.run), RUNS.is_example(session.run), others, parts)


def mergeable(diagnosis: Diagnosis, yours: Yours) -> list[tuple[str, str]]:
    """(key, title) of all that can be merged."""
    return [
        *((f"cluster:{c.id}", f"{c.id + 1}. {cluster_title(diagnosis, c)}") for c in diagnosis.clusters),
        *(
            (f"candidate:{at}", f"Worth a look: {cluster_title(diagnosis, c)}")
            for at, c in enumerate(diagnosis.candidates)
        ),
        *((f"set:{one.id}", f"Yours: {one.title}") for one in yours.sets),
    ]


def rows_of(diagnosis: Diagnosis, yours: Yours, key: str) -> I64 | None:
    """The rows of what can be merged, by its key, which may come from anybody; None where there is no such thing."""
    if key not in dict(mergeable(diagnosis, yours)):
        return None
    kind, _, number = key.partition(":")
    if kind == "set":
        one = yours.set_of(number)
        return None if one is None else one.rows
    among = {c.id: c for c in diagnosis.clusters} if kind == "cluster" else dict(enumerate(diagnosis.candidates))
    return np.flatnonzero(among[int(number)].membership >= 0.5).astype(np.int64)


def parts_of(diagnosis: Diagnosis, rows: I64) -> tuple[tuple[str, str], ...]:
    """(key, words) of each cluster that holds some of the rows: what of it is picked may be kept apart."""
    found = list[tuple[str, str]]()
    for cluster in diagnosis.clusters:
        inside = int((cluster.membership[rows] >= 0.5).sum())
        if inside:
            said = f"the {count(inside, 'sample')} of {cluster.size:,} in cluster {cluster.id + 1}"
            found.append((f"cluster:{cluster.id}", said))
    return tuple(found[:MOST_PARTS])


def made_of(session: Session, diagnosis: Diagnosis) -> str:
    """What is picked, in words that stay true when it is gone."""
    if session.row is not None:
        return diagnosis.samples.ids[session.row]
    parts = list[str]()
    cluster = picked_cluster(session, diagnosis)
    if cluster is not None:
        name = cluster_title(diagnosis, cluster)
        parts.append(f"cluster {cluster.id + 1} ({name})" if cluster.confirmed else f"the candidate {name}")
    elif session.rows:
        parts.append(f"samples of the question {session.title}")
    elif session.polygon:
        parts.append("an outline on the map")
    elif session.own and (one := yours_of(diagnosis).set_of(session.own)):
        parts.append(f"the set {one.title}")
    return ", ".join([*parts, *(said(diagnosis, one) for one in session.filters)]) or "all samples"


def own_line(form: OwnForm) -> str:
    """What is said already, under the title; "" where nothing is."""
    return render("explore/own_line.html.j2", one=form.one, kept=form.kept, label=WORDS) if form.one else ""


def own_form(form: OwnForm) -> str:
    """The form itself, folded."""
    return render("explore/own_form.html.j2", form=form, label=WORDS, most_title=MAX_TITLE, most_note=MAX_NOTE)


def own_list(diagnosis: Diagnosis, undo: str = "") -> str:
    """What is kept, above the clusters: the pinned first; "" where nothing is. undo: title of a set that was just
    deleted and can come back."""
    yours = yours_of(diagnosis)
    lines = [
        (f"set:{one.id}", one.title, count(len(one.rows), "sample"), one)
        for one in sorted(yours.sets, key=lambda one: not one.pinned)
    ]
    marks = [
        (f"{one.kind}:{one.number}", one.title or marked(diagnosis, one), marked(diagnosis, one), one)
        for one in yours.marks
        if one.pinned or one.kind == "sample"
    ]
    lines = sorted([*marks, *lines], key=lambda line: not line[3].pinned)
    if not lines and not undo:
        return ""
    return render("explore/own_list.html.j2", lines=lines, first=MOST_LISTED, label=MARKED, undo=undo)
