"""Where the finished runs lie: a visitor's under secret ids, the shipped examples under their names.

A run has two ids. Its own, 128 random bits, is kept by the visitor's page and browser alone: who has it may change and
delete the run. The other one stands in links, follows from the first by a hash that cannot be undone, and lets whoever
has it read the run and do no more.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from core import store
from core.errors import InvalidInput
from core.records import Diagnosis, Progress, no_progress
from webapp.state.downloads import files_of_run, ready_files
from webapp.state.home import part
from webapp.state.quotas import quotas
from webapp.state.visitor import visitor

READ_ONLY = (
    "This run was opened by a link: it can be read here, and only the page that made it can change it. "
    "Bring its data in Your data to have a run of your own."
)
MOST_ASKED = 200
"""Runs that a page may ask for at once."""


def link_id(run: str) -> str:
    """The id that stands in links to the run with that own id: 132 bits of a SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"errata link {run}".encode()).digest())[:22].decode()


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A visitor's run as it lies in the store."""

    name: str
    visits: frozenset[str]
    """That made it or opened it again under its own id; none for a program's."""
    since: float
    """By a clock that does not jump."""
    title: str = ""
    """What it is called in the list of runs."""
    former: Path | None = None
    """The files made of the version before: a page may still offer them."""


class Runs:
    """Where finished runs are found again: a visitor's own under a secret id, the shipped examples under their names.

    A visitor's runs lie in the server's own folder and go away with it, and earlier with `expire` and `forget`.
    """

    def __init__(self) -> None:
        self._examples: dict[str, Path] = {}
        self._loaded: dict[str, Diagnosis] = {}
        self._held: dict[str, HeldRun] = {}
        """By secret id, the earliest first."""
        self._linked: dict[str, str] = {}
        """The own ids by those of links."""
        self._own: store.RunStore | None = None
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self._holding = threading.Lock()
        """For a change of `_held`."""

    def offer(self, folder: Path, name: str = "") -> str:
        """Let every visitor open the stored run in `folder`; returns its public id: the name, or that of an example."""
        name = name or f"example-{folder.parent.name}"
        if self._examples.get(name) != folder:
            self._loaded.pop(name, None)
        self._examples[name] = folder
        return name

    def is_example(self, run: str) -> bool:
        """Whether it came along, or the operator opened it, for every visitor."""
        return run in self._examples

    def require_room(self) -> None:
        """Raises InvalidInput where the server can hold no further run; for before the work is begun."""
        if len(self._held) >= quotas().max_runs:
            raise InvalidInput(
                f"The server holds {quotas().max_runs} runs, which is the most it takes. "
                "Try again later: each is deleted within a day."
            )

    def add(self, diagnosis: Diagnosis, progress: Progress = no_progress) -> str:
        """Store a visitor's diagnosis; returns its secret id. Of too many of one visitor the earliest goes.

        Raises:
            InvalidInput: there is no room for it.
            Cancelled: by `progress`, however late; nothing is stored then.
        """
        self.require_room()
        whose, run = visitor(), secrets.token_urlsafe(16)
        name = self._visitors().put(diagnosis, secret=True, progress=progress)
        try:
            with self._holding:  # a visit that is forgotten has told its jobs to stop: none comes in between
                progress("keeping the run", 1, 1)
                mine = frozenset([whose] if whose else ())
                self._held[run] = HeldRun(name, mine, time.monotonic(), diagnosis.samples.name)
                self._linked[link_id(run)] = run
        except BaseException:
            self._delete(name)
            raise
        for old, _ in self.own()[: -quotas().max_own_runs]:
            self.remove(old)
        return run

    def own(self) -> list[tuple[str, str]]:
        """(own id, title) of the present visit's runs, the earliest first."""
        whose = visitor()
        return [(run, held.title) for run, held in list(self._held.items()) if whose in held.visits]

    def adopt(self, runs: Iterable[str]) -> None:
        """Take those of these own ids that are held for the present visit's too: its browser made them earlier."""
        whose = visitor()
        with self._holding:
            for run in list(runs)[:MOST_ASKED]:
                if whose and run in self._held:
                    held = self._held[run]
                    self._held[run] = replace(held, visits=held.visits | {whose})

    def entitle(self, run: str, title: str) -> None:
        """Call a visitor's run so in the list of runs."""
        with self._holding:
            if run in self._held:
                self._held[run] = replace(self._held[run], title=title)

    def link(self, run: str) -> str:
        """The id of an open run that may stand in a link: an example's name, or the id that only lets it be read."""
        return link_id(run) if run in self._held else run

    def is_linked(self, run: str) -> bool:
        """Whether that is the id of a link, by which a run may be read and not changed."""
        return run in self._linked

    def require_own(self, run: str) -> None:
        """Raises InvalidInput where that is the id of a link; for before work is begun whose result a run keeps."""
        if self.is_linked(run):
            raise InvalidInput(READ_ONLY)

    def get(self, run: str) -> Diagnosis:
        """The diagnosis with that id, its own or that of a link.

        Raises:
            InvalidInput: nothing is held under that id.
        """
        if run not in self._examples:
            return self._visitors().get(self._name(run))
        with self._lock:  # a second visitor waits for the first one's load instead of doing it twice
            if run not in self._loaded:
                self._loaded[run] = store.load(self._examples[run])
            return self._loaded[run]

    def folder(self, run: str) -> Path:
        """The folder of a run; raises InvalidInput where nothing is held under that id."""
        return self._examples[run] if run in self._examples else self._visitors().folder(self._name(run))

    def files(self, run: str) -> list[Path]:
        """The files that the visitor may take away of the run as it is now, in the order of `downloads.FILES`.

        Raises:
            InvalidInput: nothing is held under that id, or not any more.
        """
        while True:
            folder, made = self.folder(run), list[Path]()
            try:
                made = ready_files(self.get(run), folder)
            except (FileNotFoundError, InvalidInput):  # as where it is deleted or replaced meanwhile
                if self._is_at(run, folder):
                    raise
            if self._is_at(run, folder):
                return made
            shutil.rmtree(files_of_run(folder), ignore_errors=True)

    def replace(self, run: str, diagnosis: Diagnosis, *, keep_files: bool = False) -> None:
        """Store a new version of a visitor's run under the same id; the files made of the old one go with it.

        Args:
            keep_files: leave those until there is one version more, since a visitor may be about to take one.
        """
        self.require_own(run)
        old, name = self._name(run), self._visitors().put(diagnosis, secret=True)
        with self._holding:
            held = self._held.get(run)
            if held is not None:
                former = files_of_run(self._visitors().folder(old)) if keep_files else None
                self._held[run] = replace(held, name=name, former=former)
        if held is None:  # deleted meanwhile
            self._delete(name)
            return
        self._delete(old, keep_files=keep_files)
        if held.former is not None:
            shutil.rmtree(held.former, ignore_errors=True)

    def change(self, run: str, change: Callable[[Diagnosis], Diagnosis]) -> None:
        """Store a map, a prediction or probes with a visitor's run as it is now: one change at a time, so that none is
        lost. The examples are everybody's and stay as they are."""
        self.require_own(run)
        if run not in self._examples:
            with self._changing:
                self.replace(run, change(self.get(run)), keep_files=True)

    def remove(self, run: str) -> None:
        """Delete a visitor's run, if it is there, and the files made of it; examples stay."""
        with self._holding:
            held = self._held.pop(run, None)
            self._linked.pop(link_id(run), None)
        if held is not None:
            self._delete(held.name)
            if held.former is not None:
                shutil.rmtree(held.former, ignore_errors=True)

    def forget(self, visit: str) -> int:
        """Delete all runs of one visit; returns how many."""
        with self._holding:
            own = [run for run, held in self._held.items() if visit in held.visits]
        for run in own:
            self.remove(run)
        return len(own)

    def expire(self, max_age_s: float) -> int:
        """Delete the visitors' runs that are older; returns how many. A clock that was set anew makes none older."""
        before = time.monotonic() - max_age_s
        old = [run for run, held in list(self._held.items()) if held.since < before]
        for run in old:
            self.remove(run)
        return len(old)

    def _name(self, run: str) -> str:
        held = self._held.get(self._linked.get(run, run))
        if held is None:
            raise InvalidInput("This run is no longer held by the server. Run the diagnosis again, or open an example.")
        return held.name

    def _is_at(self, run: str, folder: Path) -> bool:
        try:
            return self.folder(run) == folder
        except InvalidInput:
            return False

    def _delete(self, name: str, *, keep_files: bool = False) -> None:
        with contextlib.suppress(InvalidInput):
            folder = self._visitors().folder(name)
            self._visitors().remove(name)
            if not keep_files:
                shutil.rmtree(files_of_run(folder), ignore_errors=True)

    def _visitors(self) -> store.RunStore:
        with self._lock:
            if self._own is None:
                self._own = store.RunStore(part("runs"), keep_loaded=12)
            return self._own


RUNS = Runs()
