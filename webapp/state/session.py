"""A visitor's open run and selection, a small record in Gradio's state."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.errors import Cancelled, DiagnosisError, InvalidInput
from core.numbers import count
from core.program import missing_dependency
from core.records import EVERYTHING, I64, Diagnosis, FailureCluster
from core.reports.tables.columns import LOSS, column_of
from core.yours import OwnSet, yours_of
from webapp.failure_map import rows_inside
from webapp.state.boxes import on_page
from webapp.state.events import as_int
from webapp.state.filters import TEXT, Filter, rows_kept
from webapp.state.runs import RUNS

if TYPE_CHECKING:
    from core.checks.clicks import Strip

PAGE = 24
"""Images shown at first, and added by "Show more"."""
MAX_UNDO_STEPS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Clicks:
    """Images of the open group and of others, to judge blind. They stay on the server, which knows the members."""

    claim: int
    """Index in `webapp.clicks.judging.claims_of` of the text that is judged."""
    seed: int
    """Draws the same strip again."""
    strip: Strip
    answers: str
    """y, n, or s for each sample, - until it is answered."""

    @property
    def judged(self) -> bool:
        """Whether every sample is answered."""
        return "-" not in self.answers


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """The open run and its selection: at most one of cluster, candidate, own_set, rows, and polygon, narrowed by the
    filters; and separately an open sample."""

    run: str = ""
    cluster: int | None = None
    candidate: int | None = None
    """Index in `Diagnosis.candidates`."""
    row: int | None = None
    """The open sample, shown alone whether or not it is selected."""
    own_set: str = ""
    """Id of a set of the user (`core.yours`)."""
    rows: tuple[int, ...] = ()
    """The matches of the question `title`, answered within `scope`."""
    title: str = ""
    scope: str = EVERYTHING
    polygon: tuple[tuple[float, float], ...] = ()
    filters: tuple[Filter, ...] = ()
    """Narrow the selection, or all samples."""
    shown: int = PAGE
    clicks: Clicks | None = None
    deleted: OwnSet | None = None
    """The set that was just deleted, while the list offers to restore it."""
    colour: str = LOSS
    """Key of the column that colors the map; it persists across selections."""
    beside: str = ""
    """Id of the open comparison with a second model (webapp/compare/work.py); it persists too."""
    past: tuple[Session, ...] = ()
    """Earlier selections, latest first, without their own pasts."""

    def only(self, **picked: Any) -> Session:
        """Return the run in the same view with only this selected."""
        return Session(self.run, colour=self.colour, beside=self.beside, past=self._passed, **picked)

    def filtered(self, filters: tuple[Filter, ...]) -> Session:
        """Return the session with other filters."""
        return replace(self, filters=filters, shown=PAGE, past=self._passed)

    def opened(self, row: int) -> Session:
        """Return the session with that sample open."""
        return replace(self, row=row, shown=PAGE, past=self._passed)

    @property
    def closed(self) -> Session:
        """The session without the open sample."""
        if self.row is None:
            return self
        return replace(self, row=None)

    def undone(self) -> Session:
        """Return the previous selection in the current view; unchanged without one."""
        if not self.past:
            return self
        return replace(self.past[0], colour=self.colour, beside=self.beside, past=self.past[1:])

    @property
    def _passed(self) -> tuple[Session, ...]:
        return (replace(self, past=()), *self.past)[:MAX_UNDO_STEPS]

    @property
    def based(self) -> bool:
        """Whether anything is selected besides filters and the open sample."""
        numbers = (self.cluster, self.candidate)
        return any(part is not None for part in numbers) or bool(self.polygon or self.rows or self.own_set)

    @property
    def picked(self) -> bool:
        return self.based or bool(self.filters) or self.row is not None


def picked_cluster(session: Session, diagnosis: Diagnosis) -> FailureCluster | None:
    """Return the selected confirmed cluster or candidate, or None.

    Raises:
        InvalidInput: the run has none with that number.
    """
    if session.cluster is not None:
        number = session.cluster
        what = "group"
        among = {c.id: c for c in diagnosis.clusters}
    elif session.candidate is not None:
        number = session.candidate
        what = "hint"
        among = dict(enumerate(diagnosis.candidates))
    else:
        return None
    if number not in among:
        raise InvalidInput(f"This run has {count(len(among), what)}, not number {number + 1}. Pick one from the list.")
    return among[number]


def row_of(diagnosis: Diagnosis, value: Any) -> int:
    """Read a row number from a browser; raises InvalidInput if the run has no such row."""
    row = as_int(value)
    if not 0 <= row < len(diagnosis.samples):
        raise InvalidInput(
            f"This run has rows 0 to {len(diagnosis.samples) - 1}: got {row}. Press a point of the map or a row."
        )
    return row


def selected_rows(session: Session, diagnosis: Diagnosis) -> I64:
    """Return the row numbers of the selection: the open sample; otherwise a cluster's members, a set, a question's
    matches, or the points inside the lasso; of these, or of all rows, those that pass the filters."""
    if session.row is not None:
        return np.array([session.row], np.int64)
    if not session.filters:
        return _base_rows(session, diagnosis)
    passing = rows_kept(diagnosis, session.filters)
    if not session.based:
        return np.flatnonzero(passing).astype(np.int64)
    rows = _base_rows(session, diagnosis)
    return rows[passing[rows]]


def _base_rows(session: Session, diagnosis: Diagnosis) -> I64:
    cluster = picked_cluster(session, diagnosis)
    if cluster is not None:
        return np.flatnonzero(cluster.membership >= 0.5).astype(np.int64)
    if session.own_set:
        own_set = yours_of(diagnosis).set_of(session.own_set)
        if own_set is None:
            raise InvalidInput("This set no longer exists. Pick another from the list.")
        return own_set.rows
    if session.rows:
        rows = np.array(session.rows, np.int64)
        return rows[(rows >= 0) & (rows < len(diagnosis.samples))]
    return rows_inside(diagnosis.map.xy, session.polygon)


def still_there(session: Session, diagnosis: Diagnosis) -> Session:
    """Return the session without a deleted set, filters on its column, and its color."""

    def known(key: str) -> bool:
        return key == TEXT or column_of(diagnosis, key) is not None

    filters = tuple(part for part in session.filters if known(part.key))
    own_set = ""
    if session.own_set and yours_of(diagnosis).set_of(session.own_set):
        own_set = session.own_set
    colour = LOSS
    if known(session.colour):
        colour = session.colour
    if (filters, own_set, colour) == (session.filters, session.own_set, session.colour):
        return session
    return replace(session, filters=filters, own_set=own_set, colour=colour)


MIN_MESSAGE_S = 10.0
LETTERS_A_SECOND = 15.0
"""Minimum seconds that a message stays, and reading speed for long ones; both are conventions."""
NO_RUN = "No run is open. Open an example in Findings, or add your data in New run."


def require_run(session: Session) -> Diagnosis:
    """Return the open run; raises InvalidInput without one."""
    if not session.run:
        raise InvalidInput(NO_RUN)
    return RUNS.get(session.run)


def require_own(session: Session) -> Diagnosis:
    """Return the open run for work whose result it stores; raises InvalidInput if a link opened it."""
    RUNS.require_own(session.run)
    return require_run(session)


def shows_errors(callback: Callable[..., Any], reword: Callable[[str], str] = on_page) -> Callable[..., Any]:
    """Wrap a callback so that a DiagnosisError, or a missing package, becomes one message on the page. Other exceptions
    reach the log. The message stays only as long as it takes to read, because it covers the page.

    Plain and generator callbacks both work. The signature is preserved, because Gradio reads it to pass the event.
    `reword` translates the message for its reader.
    """

    @contextmanager
    def errors_shown() -> Generator[None]:
        try:
            yield
        except ModuleNotFoundError as error:
            needed = missing_dependency(error)
            if needed is None:
                raise
            raise shown(needed) from error
        except DiagnosisError as error:
            raise shown(error) from error

    def shown(error: DiagnosisError) -> gr.Error:
        title = "Input needs a change"
        if isinstance(error, Cancelled):
            title = "Stopped"
        text = reword(str(error))
        seconds = max(MIN_MESSAGE_S, len(text) / LETTERS_A_SECOND)
        return gr.Error(text, title=title, duration=seconds, print_exception=False)

    if inspect.isgeneratorfunction(callback):

        @functools.wraps(callback)
        def stream(*args: Any, **kwargs: Any) -> Any:
            with errors_shown():
                yield from callback(*args, **kwargs)

        return stream

    @functools.wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        with errors_shown():
            return callback(*args, **kwargs)

    return call
