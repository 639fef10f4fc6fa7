"""What one visitor has done, and where the finished runs lie: a small record in Gradio's state, the arrays under a
secret id.

Whoever knows a run's id may see the run, so an id is 128 random bits and never leaves the visitor's own page.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from core import store
from core.errors import Cancelled, DiagnosisError, InvalidInput
from core.numbers import count
from core.records import EVERYTHING, I64, Diagnosis, FailureCluster, Progress, no_progress
from webapp.failure_map import rows_inside
from webapp.state.boxes import on_page
from webapp.state.downloads import files_of_run, ready_files
from webapp.state.home import part
from webapp.state.quotas import quotas
from webapp.state.visitor import visitor

PAGE = 12
"""Pictures shown at first, and added by "Show more"."""


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """The open run and what is picked in it; at most one of cluster, candidate, row, rows and polygon is set."""

    run: str = ""
    cluster: int | None = None
    candidate: int | None = None
    """Place in `Diagnosis.candidates`."""
    row: int | None = None
    rows: tuple[int, ...] = ()
    """The matches of a question, called `title`, that was answered within `scope`."""
    title: str = ""
    scope: str = EVERYTHING
    polygon: tuple[tuple[float, float], ...] = ()
    shown: int = PAGE

    @property
    def picked(self) -> bool:
        one = (self.cluster, self.candidate, self.row)
        return any(part is not None for part in one) or bool(self.polygon or self.rows)


def picked_cluster(session: Session, diagnosis: Diagnosis) -> FailureCluster | None:
    """The confirmed cluster or the candidate that is picked, or None.

    Raises:
        InvalidInput: the run has none of that number.
    """
    if session.cluster is not None:
        number, what, among = session.cluster, "cluster", {c.id: c for c in diagnosis.clusters}
    elif session.candidate is not None:
        number, what, among = session.candidate, "candidate", dict(enumerate(diagnosis.candidates))
    else:
        return None
    if number not in among:
        raise InvalidInput(
            f"This run has {count(len(among), what)}: number {number + 1} is not among them. Pick one from the list."
        )
    return among[number]


def selected_rows(session: Session, diagnosis: Diagnosis) -> I64:
    """Row numbers of the selection: a cluster's members, one row, or the rows whose map point lies inside the lasso."""
    if (cluster := picked_cluster(session, diagnosis)) is not None:
        return np.flatnonzero(cluster.membership >= 0.5).astype(np.int64)
    if session.row is not None:
        return np.array([session.row], np.int64)
    if session.rows:
        rows = np.array(session.rows, np.int64)
        return rows[(rows >= 0) & (rows < len(diagnosis.samples))]
    return rows_inside(diagnosis.map.xy, session.polygon)


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A visitor's run as it lies in the store."""

    name: str
    visitor: str
    """Whose visit made it; "" for a program's."""
    since: float
    """By a clock that does not jump."""
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
        self._own: store.RunStore | None = None
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self._holding = threading.Lock()
        """For a change of `_held`."""

    def offer(self, folder: Path) -> str:
        """Let every visitor open the stored run in `folder`; returns its public id."""
        self._examples[name := f"example-{folder.parent.name}"] = folder
        return name

    def is_example(self, run: str) -> bool:
        """Whether it came along, for every visitor."""
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
                self._held[run] = HeldRun(name, whose, time.monotonic())
        except BaseException:
            self._delete(name)
            raise
        own = [key for key, held in list(self._held.items()) if whose and held.visitor == whose]
        for old in own[: -quotas().max_own_runs]:
            self.remove(old)
        return run

    def get(self, run: str) -> Diagnosis:
        """The diagnosis with that id.

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
        if run not in self._examples:
            with self._changing:
                self.replace(run, change(self.get(run)), keep_files=True)

    def remove(self, run: str) -> None:
        """Delete a visitor's run, if it is there, and the files made of it; examples stay."""
        with self._holding:
            held = self._held.pop(run, None)
        if held is not None:
            self._delete(held.name)
            if held.former is not None:
                shutil.rmtree(held.former, ignore_errors=True)

    def forget(self, visit: str) -> int:
        """Delete all runs of one visit; returns how many."""
        with self._holding:
            own = [run for run, held in self._held.items() if visit and held.visitor == visit]
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
        held = self._held.get(run)
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


LEAST_SECONDS, LETTERS_A_SECOND = 10.0, 15.0
"""How long a message stands, and how fast a long one is read."""
NO_RUN = "No run is open. Open an example in Explore, or bring your own data."


def require_run(session: Session) -> Diagnosis:
    """The run that the visitor looks at; raises InvalidInput where none is open."""
    if not session.run:
        raise InvalidInput(NO_RUN)
    return RUNS.get(session.run)


def shows_errors(callback: Callable[..., Any], said: Callable[[str], str] = on_page) -> Callable[..., Any]:
    """The same callback, a DiagnosisError shown as one message on the page for as long as it takes to read, since it
    covers what lies under it; any other exception reaches the log.

    Plain and generator callbacks both work. The signature is kept, since Gradio reads it to pass the event. `said` puts
    the message into its reader's words.
    """

    def shown(error: DiagnosisError) -> gr.Error:
        title = "Stopped" if isinstance(error, Cancelled) else "This needs a change"
        text = said(str(error))
        seconds = max(LEAST_SECONDS, len(text) / LETTERS_A_SECOND)
        return gr.Error(text, title=title, duration=seconds, print_exception=False)

    if inspect.isgeneratorfunction(callback):

        @functools.wraps(callback)
        def stream(*args: Any, **kwargs: Any) -> Any:
            try:
                yield from callback(*args, **kwargs)
            except DiagnosisError as error:
                raise shown(error) from error

        return stream

    @functools.wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except DiagnosisError as error:
            raise shown(error) from error

    return call
