"""Where the finished runs lie: a visitor's under secret ids, the shipped examples under their names.

A run has two ids. Its own, 128 random bits, is kept by the visitor's page and browser alone: who has it may change and
delete the run. The other one stands in links, follows from the first by a hash that cannot be undone, and lets whoever
has it read the run and do no more.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from core import store
from core.errors import InvalidInput
from core.records import Diagnosis, Progress, no_progress
from webapp.state.downloads import files_of_run, ready_file
from webapp.state.notes import MAX_TITLE, Note, Notes, is_id, link_id
from webapp.state.offered import Offered
from webapp.state.quotas import quotas
from webapp.state.shelf import Shelf, left_s, note_of, stay
from webapp.state.visitor import visitor

READ_ONLY = (
    "This run was opened by a link: it can be read here, and only the page that made it can change it. "
    "Bring its data in Your data to have a run of your own."
)
MOST_ASKED = 200
"""Runs that a page may ask for at once."""


@dataclass(frozen=True, slots=True)
class HeldRun:
    """What this server alone knows of a visitor's run."""

    own: str
    """Its own id, or one that stands in for it as long as this server lives, where its user may list all runs."""
    visits: frozenset[str]
    """That made it or opened it again under its own id; none for a program's."""
    since: float
    """When this server first saw it, by a clock that does not jump."""


class Runs:
    """A visitor's runs lie with their notes in the server's own folder and go away with it, or outlive it where they
    are kept (`home.keep`); and go earlier with `expire` and `forget`."""

    def __init__(self) -> None:
        self.offered = Offered()
        self._held: dict[str, HeldRun] = {}
        """By the ids of links."""
        self._stand_ins: dict[str, str] = {}
        """Ids of links by what stands in for the own ones."""
        self._before: dict[str, Path] = {}
        """Files made of a run's version before this one, by the ids of links."""
        self.lists_all = False
        """Whether each page lists all that is kept."""
        self._opened: Shelf | None = None
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self._holding = threading.Lock()
        """For a change of `_held`."""

    def begin(self, *, lists_all: bool = False) -> None:
        """Open the store where it is to lie from now on (`home.keep`), tidy it, and delete what is too old.

        Args:
            lists_all: whether each page may list and change all that is kept, since one person alone uses this server.
        """
        self._opened = None
        self.lists_all = lists_all
        self.offered.notable = lists_all
        self.expire()

    def offer(self, path: Path, name: str = "") -> str:
        """Let every visitor open the stored run; returns its public id: the name, or that of an example."""
        return self.offered.offer(path, name)

    def is_example(self, run: str) -> bool:
        """Whether it came along, or the operator opened it, for every visitor."""
        return run in self.offered

    def takes_notes(self, run: str) -> bool:
        """Whether the visitor may say something of it, and keep it (`say`)."""
        return self.offered.takes_notes(run) if run in self.offered else not self.is_linked(run)

    def require_room(self) -> None:
        """Raises InvalidInput where the server can hold no further run; for before the work is begun."""
        self._shelf.require_room()

    def add(self, diagnosis: Diagnosis, progress: Progress = no_progress) -> str:
        """Store a visitor's diagnosis; returns its secret id. Of too many of one visitor the earliest goes, where runs
        do not stay for good.

        Raises:
            InvalidInput: there is no room for it.
            Cancelled: by `progress`, however late; nothing is stored then.
        """
        self.require_room()
        run = secrets.token_urlsafe(16)
        notes = self._notes

        @contextmanager
        def placing(name: str) -> Generator[None]:
            # a visit that is forgotten has told its jobs to stop: none comes in between
            with self._holding, notes.changing():
                progress("keeping the run", 1, 1)
                try:
                    yield
                    notes.write(note_of(diagnosis, link_id(run), name))
                    self._hold(link_id(run), run, visitor())
                except BaseException:
                    self._shelf.delete(name)
                    raise

        self._shelf.runs.put(diagnosis, progress=progress, placing=placing)
        for old, _ in [] if stay() else self.own()[: -quotas().max_own_runs]:
            self.remove(old)
        return run

    def own_notes(self) -> list[tuple[str, Note]]:
        """(own id, note) of the present visit's runs that are there, the earliest first."""
        whose = visitor()
        shelf = self._shelf
        mine = [(held.own, shelf.notes.read(link)) for link, held in list(self._held.items()) if whose in held.visits]
        there = [(run, note) for run, note in mine if note and shelf.runs.has(note.name)]
        return sorted(there, key=lambda one: (one[1].made, one[1].link))

    def own(self) -> list[tuple[str, str]]:
        """(own id, title) of the present visit's runs, the earliest first."""
        return [(run, note.title) for run, note in self.own_notes()]

    def adopt(self, runs: Iterable[str]) -> None:
        """Take those of these own ids that are held for the present visit's too: its browser made them earlier. Where
        one person alone uses the server, all that it keeps is theirs."""
        whose = visitor()
        if not whose:
            return
        with self._holding:
            for run in list(runs)[:MOST_ASKED]:
                if note := self._owned(run):
                    self._hold(note.link, run, whose)
            for note in self._notes.all() if self.lists_all else ():
                self._hold(note.link, "", whose)

    def _hold(self, link: str, own: str, visit: str = "") -> None:
        """Know a run for a visit's too; without its own id another stands in for that."""
        held = self._held.get(link)
        if not own:
            own = held.own if held else secrets.token_urlsafe(16)
        if held is None:
            held = HeldRun(own, frozenset(), time.monotonic())
        if link_id(own) != link:
            self._stand_ins[own] = link
        visits = held.visits | ({visit} if visit else set())
        self._held[link] = replace(held, own=held.own if own in self._stand_ins else own, visits=visits)

    def entitle(self, run: str, title: str) -> None:
        """Call a visitor's run so in the list of runs; nothing changes without its own id, or without a title."""
        title = " ".join(title.split())[:MAX_TITLE]
        with self._notes.changing():
            note = self._owned(run)
            if note and title:
                self._notes.write(replace(note, title=title))

    def link(self, run: str) -> str:
        """The id of an open run that may stand in a link: an example's name, or the id that only lets it be read."""
        note = self._owned(run)
        return note.link if note else run

    def is_linked(self, run: str) -> bool:
        """Whether that is the id of a link, by which a run may be read and not changed."""
        return self._notes.read(run) is not None

    def require_own(self, run: str) -> None:
        """Raises InvalidInput where that is the id of a link; for before work is begun whose result a run keeps."""
        if self.is_linked(run):
            raise InvalidInput(READ_ONLY)

    def get(self, run: str) -> Diagnosis:
        """The diagnosis with that id, its own or that of a link.

        Raises:
            InvalidInput: nothing is held under that id.
        """
        return self.offered.get(run) if run in self.offered else self._shelf.runs.get(self._name(run))

    def path(self, run: str) -> Path:
        """The file of a run; raises InvalidInput where nothing is held under that id."""
        return self.offered.path(run) if run in self.offered else self._shelf.runs.path(self._name(run))

    def _said(self, run: str) -> tuple[int, int] | None:
        """Changes with what a person says of a run beside its file; None where they say nothing there."""
        own = self.offered.own_file(run) if run in self.offered else self._shelf.runs.own_file(self._name(run))
        return None if own is None else store.stamp(own)

    def file(self, run: str, name: str) -> Path:
        """One of `downloads.FILES`, of the run as it is now.

        Raises:
            InvalidInput: nothing is held under that id, or not any more.
        """
        while True:
            path = self.path(run)
            said = self._said(run)
            try:
                made = ready_file(self.get(run), path, name, said)
            except (FileNotFoundError, InvalidInput):  # as where it is deleted or replaced meanwhile
                if self._is_at(run, path):
                    raise
            else:
                if self._is_at(run, path):
                    return made
            if files_of_run(path) not in list(self._before.values()):  # other runs get new versions
                shutil.rmtree(files_of_run(path), ignore_errors=True)

    def replace(self, run: str, diagnosis: Diagnosis) -> None:
        """Store a new version of a visitor's run under the same id. The files made of the old one go with the next, as
        they may be on their way to a browser."""
        self.require_own(run)
        self._name(run)
        shelf = self._shelf

        @contextmanager
        def placing(name: str) -> Generator[None]:
            with self._holding, shelf.notes.changing():
                yield
                old = self._owned(run)
                if old is None:  # it was deleted meanwhile
                    shelf.delete(name)
                    return
                shelf.notes.write(replace(note_of(diagnosis, old.link, name), title=old.title, made=old.made))
                self._hold(old.link, "")
                _delete(self._before.get(old.link))
                self._before[old.link] = shelf.files_of(old.name)
                shelf.delete(old.name, files=False)

        shelf.runs.put(diagnosis, placing=placing)

    def change(self, run: str, change: Callable[[Diagnosis], Diagnosis]) -> None:
        """Store a map, a prediction or probes with a visitor's run as it is now: one at a time, so that none is lost.
        The examples are everybody's and stay as they are."""
        self.require_own(run)
        if run not in self.offered:
            with self._changing:
                self.replace(run, change(self.get(run)))

    def say(self, run: str, change: Callable[[Diagnosis], Diagnosis]) -> None:
        """Change what a person says of a run that takes notes, which is kept in a file of its own."""
        self.require_own(run)
        with self._changing:
            if run in self.offered:
                self.offered.say(run, change)
            else:
                self._shelf.runs.say(self._name(run), change)

    def remove(self, run: str) -> None:
        """Delete a visitor's run, if it is there, and the files made of it; examples stay, and so does a run of which
        that is the id for links."""
        with self._holding, self._notes.changing():
            note = self._owned(run)
            if note is None:
                return
            self._shelf.delete(note.name)  # first: a run without a note may be found once more
            self._notes.remove(note.link)
            held = self._held.pop(note.link, None)
            _delete(self._before.pop(note.link, None))
        if held is not None:
            self._stand_ins.pop(held.own, None)

    def forget(self, visit: str) -> int:
        """Delete all runs of one visit, and what it said of opened ones; returns how many runs."""
        self.offered.forget()
        with self._holding:
            own = [held.own for held in self._held.values() if visit in held.visits]
        for run in own:
            self.remove(run)
        return len(own)

    def expire(self) -> int:
        """Delete the visitors' runs that are older than `Quotas.kept_s`, where they do not stay for good, and what
        killed servers left; returns how many runs that were."""
        self._shelf.tidy()
        with self._holding:
            for note in () if stay() else self._notes.all():
                self._hold(note.link, "")
        old = [note.link for note in self._notes.all() if (left := self.left_s(note)) is not None and left < 0]
        for link in old:
            if held := self._held.get(link):
                self.remove(held.own)
        return len(old)

    def left_s(self, note: Note) -> float | None:
        """Seconds until a run is deleted; None where it stays until its maker deletes it."""
        held = self._held.get(note.link)
        return left_s(note, held.since if held else time.monotonic())

    def _owned(self, run: str) -> Note | None:
        """The note of the run with that own id, or what stands in for it."""
        return self._notes.read(self._stand_ins.get(run) or link_id(run)) if is_id(run) else None

    def _name(self, run: str) -> str:
        note = self._owned(run) or self._notes.read(run)
        if note is None:
            raise InvalidInput("This run is no longer held by the server. Run the diagnosis again, or open an example.")
        return note.name

    def _is_at(self, run: str, path: Path) -> bool:
        try:
            return self.path(run) == path
        except InvalidInput:
            return False

    @property
    def _notes(self) -> Notes:
        return self._shelf.notes

    @property
    def _shelf(self) -> Shelf:
        with self._lock:
            if self._opened is None:
                self._opened = Shelf()
            return self._opened


def _delete(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


RUNS = Runs()
