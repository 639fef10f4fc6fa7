"""What one visitor has open and has picked: a small record in Gradio's state."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import numpy as np

from core.errors import Cancelled, DiagnosisError, InvalidInput
from core.numbers import count
from core.program import missing_dependency
from core.records import EVERYTHING, I64, Diagnosis, FailureCluster
from core.reports.tables.columns import LOSS, column_of
from core.yours import yours_of
from webapp.failure_map import rows_inside
from webapp.state.boxes import on_page
from webapp.state.events import as_int
from webapp.state.filters import TEXT, Filter, rows_kept
from webapp.state.runs import RUNS

PAGE = 8
"""Images shown at first, and added by "Show more"."""
MOST_UNDONE = 20


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """The open run and what is picked in it: at most one of cluster, candidate, own, rows and polygon, of it what
    passes the filters; and beside that a sample that is open."""

    run: str = ""
    cluster: int | None = None
    candidate: int | None = None
    """Place in `Diagnosis.candidates`."""
    row: int | None = None
    """The open sample: it is shown alone, whether it is picked or not, and nothing else changes."""
    own: str = ""
    """Id of a set that a person keeps (`core.yours`)."""
    rows: tuple[int, ...] = ()
    """The matches of a question, called `title`, that was answered within `scope`."""
    title: str = ""
    scope: str = EVERYTHING
    polygon: tuple[tuple[float, float], ...] = ()
    filters: tuple[Filter, ...] = ()
    """What of that, or of all samples, is kept."""
    shown: int = PAGE
    colour: str = LOSS
    """Key of the column that colors the map; it stays when something else is picked."""
    beside: str = ""
    """Id of the comparison with a second model that is open (webapp/second/kept.py); it stays, too."""
    past: tuple[Session, ...] = ()
    """What was picked before, the latest first, without pasts of their own."""

    def only(self, **picked: Any) -> Session:
        """The same run, seen in the same way, with that picked and nothing else."""
        return Session(self.run, colour=self.colour, beside=self.beside, past=self._passed, **picked)

    def filtered(self, filters: tuple[Filter, ...]) -> Session:
        """The same with other filters."""
        return replace(self, filters=filters, shown=PAGE, past=self._passed)

    def opened(self, row: int) -> Session:
        """The same with that sample open."""
        return replace(self, row=row, shown=PAGE, past=self._passed)

    @property
    def closed(self) -> Session:
        """The same without the open sample."""
        return self if self.row is None else replace(self, row=None)

    def undone(self) -> Session:
        """What was picked before, seen as now; the same where nothing was."""
        if not self.past:
            return self
        return replace(self.past[0], colour=self.colour, beside=self.beside, past=self.past[1:])

    @property
    def _passed(self) -> tuple[Session, ...]:
        return (replace(self, past=()), *self.past)[:MOST_UNDONE]

    @property
    def based(self) -> bool:
        """Whether anything is picked beside filters and the open sample."""
        one = (self.cluster, self.candidate)
        return any(part is not None for part in one) or bool(self.polygon or self.rows or self.own)

    @property
    def picked(self) -> bool:
        return self.based or bool(self.filters) or self.row is not None


def picked_cluster(session: Session, diagnosis: Diagnosis) -> FailureCluster | None:
    """The confirmed cluster or the candidate that is picked, or None.

    Raises:
        InvalidInput: the run has none of that number.
    """
    if session.cluster is not None:
        number = session.cluster
        what = "cluster"
        among = {c.id: c for c in diagnosis.clusters}
    elif session.candidate is not None:
        number = session.candidate
        what = "candidate"
        among = dict(enumerate(diagnosis.candidates))
    else:
        return None
    if number not in among:
        raise InvalidInput(
            f"This run has {count(len(among), what)}: number {number + 1} is not among them. Pick one from the list."
        )
    return among[number]


def row_of(diagnosis: Diagnosis, said: Any) -> int:
    """The row that a browser speaks of; raises InvalidInput where the run has none of that number."""
    row = as_int(said)
    if not 0 <= row < len(diagnosis.samples):
        raise InvalidInput(
            f"This run has samples 0 to {len(diagnosis.samples) - 1}: got {row}. Press a point of the map or a row."
        )
    return row


def selected_rows(session: Session, diagnosis: Diagnosis) -> I64:
    """Row numbers of the selection: the open sample; else a cluster's members, or the rows whose map point lies inside
    the lasso; of these, or of all rows, those that pass the filters."""
    if session.row is not None:
        return np.array([session.row], np.int64)
    if not session.filters:
        return _base_rows(session, diagnosis)
    kept = rows_kept(diagnosis, session.filters)
    if not session.based:
        return np.flatnonzero(kept).astype(np.int64)
    rows = _base_rows(session, diagnosis)
    return rows[kept[rows]]


def _base_rows(session: Session, diagnosis: Diagnosis) -> I64:
    if (cluster := picked_cluster(session, diagnosis)) is not None:
        return np.flatnonzero(cluster.membership >= 0.5).astype(np.int64)
    if session.own:
        if (kept := yours_of(diagnosis).set_of(session.own)) is None:
            raise InvalidInput("This set is no longer kept with the run. Pick another one from the list.")
        return kept.rows
    if session.rows:
        rows = np.array(session.rows, np.int64)
        return rows[(rows >= 0) & (rows < len(diagnosis.samples))]
    return rows_inside(diagnosis.map.xy, session.polygon)


def still_there(session: Session, diagnosis: Diagnosis) -> Session:
    """The same without what went with a set that was deleted: it, filters by its column, and its color."""

    def known(key: str) -> bool:
        return key == TEXT or column_of(diagnosis, key) is not None

    filters = tuple(one for one in session.filters if known(one.key))
    own = session.own if session.own and yours_of(diagnosis).set_of(session.own) else ""
    colour = session.colour if known(session.colour) else LOSS
    if (filters, own, colour) == (session.filters, session.own, session.colour):
        return session
    return replace(session, filters=filters, own=own, colour=colour)


LEAST_SECONDS = 10.0
LETTERS_A_SECOND = 15.0
"""How long a message stands, and how fast a long one is read."""
NO_RUN = "No run is open. Open an example in Explore, or bring your own data."


def require_run(session: Session) -> Diagnosis:
    """The run that the visitor looks at; raises InvalidInput where none is open."""
    if not session.run:
        raise InvalidInput(NO_RUN)
    return RUNS.get(session.run)


def require_own(session: Session) -> Diagnosis:
    """The same, for work whose result stays with the run: raises InvalidInput where it was opened by a link."""
    RUNS.require_own(session.run)
    return require_run(session)


def shows_errors(callback: Callable[..., Any], said: Callable[[str], str] = on_page) -> Callable[..., Any]:
    """The same callback, a DiagnosisError shown as one message on the page for as long as it takes to read, since it
    covers what lies under it, and so a package that is not installed; any other exception reaches the log.

    Plain and generator callbacks both work. The signature is kept, since Gradio reads it to pass the event. `said` puts
    the message into its reader's words.
    """

    @contextmanager
    def told() -> Generator[None]:
        try:
            yield
        except ModuleNotFoundError as error:
            if (needed := missing_dependency(error)) is None:
                raise
            raise shown(needed) from error
        except DiagnosisError as error:
            raise shown(error) from error

    def shown(error: DiagnosisError) -> gr.Error:
        title = "Stopped" if isinstance(error, Cancelled) else "This needs a change"
        text = said(str(error))
        seconds = max(LEAST_SECONDS, len(text) / LETTERS_A_SECOND)
        return gr.Error(text, title=title, duration=seconds, print_exception=False)

    if inspect.isgeneratorfunction(callback):

        @functools.wraps(callback)
        def stream(*args: Any, **kwargs: Any) -> Any:
            with told():
                yield from callback(*args, **kwargs)

        return stream

    @functools.wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        with told():
            return callback(*args, **kwargs)

    return call
