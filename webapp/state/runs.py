"""Finished runs: a visitor's under secret ids, the shipped examples under their names.

A run has two ids. Its own, 128 random bits, is known only to the visitor's page and browser, and allows changes and
deletion. The link id is a one-way hash of it and only allows reading.
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
from webapp.markup.images import serve_images
from webapp.state.downloads import files_of_run, ready_file
from webapp.state.notes import MAX_TITLE, Note, Notes, is_id, link_id
from webapp.state.offered import Offered
from webapp.state.quotas import quotas
from webapp.state.shelf import Shelf, left_s, note_of, stay
from webapp.state.visitor import visitor

READ_ONLY = (
    "This run is read-only, because a link opened it. Change it on the page that made it, or add its data in New run."
)
NOT_FOUND = "Run not found"
GONE = "The server no longer has this run: it was deleted, expired after a day, or went with a stopped server."
MAX_ASKED_RUNS = 200
"""Runs that a page can request at once."""


@dataclass(frozen=True, slots=True)
class HeldRun:
    """Data on a visitor's run that only this server has."""

    own_id: str
    """Its own id, or a substitute for the lifetime of this server, for a user who can list all runs."""
    visits: frozenset[str]
    """Visits that made it or opened it by its own id; empty for a program's run."""
    since: float
    """When this server first saw it, by a monotonic clock."""


class Runs:
    """Visitors' runs and notes, in the server's folder and deleted with it, or in a lasting one (`home.keep`). `expire`
    and `forget` delete them earlier."""

    def __init__(self) -> None:
        self.offered = Offered()
        self._held: dict[str, HeldRun] = {}
        """By link id."""
        self._stand_ins: dict[str, str] = {}
        """Link ids by substitute own ids."""
        self._before: dict[str, Path] = {}
        """Downloads of a run's previous version, by link id."""
        self.lists_all = False
        """Whether each page lists all kept runs."""
        self._opened: Shelf | None = None
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self._holding = threading.Lock()
        """Lock for changes of `_held`."""

    def begin(self, *, lists_all: bool = False) -> None:
        """Open the store in its folder (`home.keep`), tidy it, and delete old runs.

        Args:
            lists_all: whether each page can list and change all kept runs, because a single person uses it.
        """
        self._opened = None
        self.lists_all = lists_all
        self.offered.notable = lists_all
        self.expire()

    def offer(self, path: Path, name: str = "") -> str:
        """Share a stored run; returns its public id, the name or that of an example."""
        return self.offered.offer(path, name)

    def is_example(self, run: str) -> bool:
        """Whether the run is shipped or shared by the operator."""
        return run in self.offered

    def takes_notes(self, run: str) -> bool:
        """Whether the visitor can save notes on it (`say`)."""
        if run in self.offered:
            return self.offered.takes_notes(run)
        return not self.is_linked(run)

    def require_room(self) -> None:
        """Raise InvalidInput if the server cannot hold another run; call it before starting work."""
        self._shelf.require_room()

    def add(self, diagnosis: Diagnosis, progress: Progress = no_progress, run: str = "") -> str:
        """Store a visitor's diagnosis; returns its secret id. Beyond a visitor's limit, the earliest run is deleted,
        unless runs are kept for good.

        Args:
            run: its secret id, such as that of the job that made it; by default a new one.

        Raises:
            InvalidInput: the server has no room.
            Cancelled: by `progress`, however late; nothing is stored then.
        """
        self.require_room()
        run = run or secrets.token_urlsafe(16)
        notes = self._notes

        @contextmanager
        def placing(name: str) -> Generator[None]:
            # a deleted visit has stopped its jobs, so none can store a run in between
            with self._holding, notes.changing():
                progress("storing the run", 1, 1)
                try:
                    yield
                    notes.write(note_of(diagnosis, link_id(run), name))
                    self._hold(link_id(run), run, visitor())
                except BaseException:
                    self._shelf.delete(name)
                    raise

        self._shelf.runs.put(diagnosis, progress=progress, placing=placing)
        if not stay():
            for old, _ in self.list_own()[: -quotas().max_own_runs]:
                self.remove(old)
        return run

    def own_notes(self) -> list[tuple[str, Note]]:
        """Return (own id, note) of the current visit's runs, earliest first."""
        whose = visitor()
        shelf = self._shelf
        mine = [
            (held.own_id, shelf.notes.read(link)) for link, held in list(self._held.items()) if whose in held.visits
        ]
        there = [(run, note) for run, note in mine if note and shelf.runs.has(note.name)]
        return sorted(there, key=lambda run_and_note: (run_and_note[1].made, run_and_note[1].link))

    def list_own(self) -> list[tuple[str, str]]:
        """Return (own id, title) of the current visit's runs, earliest first."""
        return [(run, note.title) for run, note in self.own_notes()]

    def adopt(self, runs: Iterable[str], visit: str = "") -> None:
        """Add runs that a visit's browser made earlier, by their own ids; unknown ids are ignored. A server's only
        user gets all kept runs.

        Args:
            visit: by default the current one.
        """
        whose = visit or visitor()
        if not whose:
            return
        with self._holding:
            for run in list(runs)[:MAX_ASKED_RUNS]:
                note = self._owned(run)
                if note:
                    self._hold(note.link, run, whose)
            if self.lists_all:
                for note in self._notes.all():
                    self._hold(note.link, "", whose)

    def _hold(self, link: str, own_id: str, visit: str = "") -> None:
        """Record a run, and that a visit has it; without its own id it gets a substitute."""
        held = self._held.get(link)
        if not own_id and held:
            own_id = held.own_id
        own_id = own_id or secrets.token_urlsafe(16)
        if held is None:
            held = HeldRun(own_id, frozenset(), time.monotonic())
        if link_id(own_id) != link:
            self._stand_ins[own_id] = link
        if own_id in self._stand_ins:
            own_id = held.own_id
        visits = held.visits
        if visit:
            visits = visits | {visit}
        self._held[link] = replace(held, own_id=own_id, visits=visits)

    def entitle(self, run: str, title: str) -> None:
        """Set the title of a visitor's run; nothing changes without its own id or without a title."""
        title = " ".join(title.split())[:MAX_TITLE]
        with self._notes.changing():
            note = self._owned(run)
            if note and title:
                self._notes.write(replace(note, title=title))

    def link(self, run: str) -> str:
        """Return the link id of a run, which only allows reading; for an example, its name."""
        note = self._owned(run)
        if note:
            return note.link
        return run

    def own_id(self, link: str) -> str:
        """Return the own id of the visitor's run with a link id; the link id itself for another's."""
        return next((run for run, _ in self.list_own() if self.link(run) == link), link)

    def is_linked(self, run: str) -> bool:
        """Whether the id is a link id, which only allows reading."""
        return self._notes.read(run) is not None

    def require_own(self, run: str) -> None:
        """Raise InvalidInput for a link id; call it before work whose result the run stores."""
        if self.is_linked(run):
            raise InvalidInput(READ_ONLY)

    def get(self, run: str) -> Diagnosis:
        """Return the diagnosis by its own id or link id.

        Raises:
            InvalidInput: no run has that id.
        """
        if run in self.offered:
            link = run
            diagnosis = self.offered.get(run)
        else:
            note = self._note(run)
            link = note.link
            diagnosis = self._shelf.runs.get(note.name)
        serve_images(diagnosis, link)
        return diagnosis

    def path(self, run: str) -> Path:
        """Return the file of a run; raises InvalidInput if no run has that id."""
        if run in self.offered:
            return self.offered.path(run)
        return self._shelf.runs.path(self._note(run).name)

    def _said(self, run: str) -> tuple[int, int] | None:
        """Return a stamp that changes with the user's notes; None without notes."""
        if run in self.offered:
            own_file = self.offered.own_file(run)
            if own_file is None:
                return None
            return store.stamp(own_file)
        return store.stamp(self._shelf.runs.own_file(self._note(run).name))

    def file(self, run: str, name: str) -> Path:
        """Return one of `downloads.FILES` for the current version of a run.

        Raises:
            InvalidInput: no run has that id, or it was deleted meanwhile.
        """
        while True:
            path = self.path(run)
            stamp = self._said(run)
            try:
                file = ready_file(self.get(run), path, name, stamp)
            except (FileNotFoundError, InvalidInput):  # deleted or replaced meanwhile
                if self._is_at(run, path):
                    raise
            else:
                if self._is_at(run, path):
                    return file
            if files_of_run(path) not in list(self._before.values()):  # not the files of a previous version
                shutil.rmtree(files_of_run(path), ignore_errors=True)

    def replace(self, run: str, diagnosis: Diagnosis) -> None:
        """Store a new version of a visitor's run under the same id. Downloads of the old version stay until the next
        one, because a browser may be fetching them."""
        self.require_own(run)
        self._note(run)
        shelf = self._shelf

        @contextmanager
        def placing(name: str) -> Generator[None]:
            with self._holding, shelf.notes.changing():
                yield
                old = self._owned(run)
                if old is None:  # deleted meanwhile
                    shelf.delete(name)
                    return
                shelf.notes.write(replace(note_of(diagnosis, old.link, name), title=old.title, made=old.made))
                self._hold(old.link, "")
                _delete(self._before.get(old.link))
                self._before[old.link] = shelf.files_of(old.name)
                shelf.delete(old.name, files=False)

        shelf.runs.put(diagnosis, placing=placing)

    def change(self, run: str, change: Callable[[Diagnosis], Diagnosis]) -> None:
        """Change a visitor's run, such as its map, prediction, or probes, one change at a time so that none is lost.
        Examples are shared and do not change."""
        self.require_own(run)
        if run not in self.offered:
            with self._changing:
                self.replace(run, change(self.get(run)))

    def say(self, run: str, change: Callable[[Diagnosis], Diagnosis]) -> None:
        """Change the user's notes on a run, which have their own file."""
        self.require_own(run)
        with self._changing:
            if run in self.offered:
                self.offered.say(run, change)
            else:
                self._shelf.runs.say(self._note(run).name, change)

    def remove(self, run: str) -> None:
        """Delete a visitor's run and its downloads; nothing happens for examples and link ids."""
        with self._holding, self._notes.changing():
            note = self._owned(run)
            if note is None:
                return
            self._shelf.delete(note.name)  # before its note: tidying can restore a run without a note
            self._notes.remove(note.link)
            held = self._held.pop(note.link, None)
            _delete(self._before.pop(note.link, None))
        if held is not None:
            self._stand_ins.pop(held.own_id, None)

    def forget(self, visit: str) -> int:
        """Delete all runs of a visit, and its notes on shared ones; returns the number of runs."""
        self.offered.forget()
        with self._holding:
            own_ids = [held.own_id for held in self._held.values() if visit in held.visits]
        for run in own_ids:
            self.remove(run)
        return len(own_ids)

    def expire(self) -> int:
        """Delete runs older than `Quotas.kept_s`, unless they are kept for good, and leftovers of killed servers;
        returns the number of old runs."""
        self._shelf.tidy()
        if not stay():
            with self._holding:
                for note in self._notes.all():
                    self._hold(note.link, "")
        n_old = 0
        for note in self._notes.all():
            left = self.left_s(note)
            if left is None or left >= 0:
                continue
            n_old += 1
            held = self._held.get(note.link)
            if held:
                self.remove(held.own_id)
        return n_old

    def left_s(self, note: Note) -> float | None:
        """Return the seconds until a run is deleted; None if it is kept for good."""
        held = self._held.get(note.link)
        since = time.monotonic()
        if held:
            since = held.since
        return left_s(note, since)

    def _owned(self, run: str) -> Note | None:
        """Return the note of the run with that own id or substitute."""
        if not is_id(run):
            return None
        return self._notes.read(self._stand_ins.get(run) or link_id(run))

    def _note(self, run: str) -> Note:
        note = self._owned(run) or self._notes.read(run)
        if note is None:
            raise InvalidInput("The server no longer has this run. Run the diagnosis again, or open an example.")
        return note

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
