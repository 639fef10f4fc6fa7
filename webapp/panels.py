"""What systems add to the page: tabs of their own, and folds below the question in the tab Ask."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from core import extensions
from core.errors import DiagnosisError
from core.records import Diagnosis
from webapp.explore.tab import View
from webapp.state.query import tabs_after
from webapp.state.runs import RUNS
from webapp.state.session import Session

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """The page that is laid out, as a panel needs it."""

    session: gr.State
    """Holds the visitor's `webapp.state.session.Session`: the open run and what is picked."""
    view: View
    """Explore's components, which `webapp.explore.picked.show_selection` fills."""
    tabs: gr.Tabs
    examples: list[tuple[str, str]]
    """(title, run id) of what every visitor may open."""
    root: Path | None = None
    """The operator's folder of data sets."""
    at_home: bool = False
    """Whether the page is served to this machine alone."""

    @property
    def first(self) -> str:
        """Id of the run that is open at first; "" where there is none."""
        return self.examples[0][1] if self.examples else ""

    @staticmethod
    def open_run(session: Session) -> Diagnosis | None:
        """The run that the visitor has open, as a callback with `session` among its inputs asks; None without one."""
        return RUNS.get(session.run) if session.run else None

    @property
    def diagnosis(self) -> Diagnosis | None:
        """That run; None where there is none, or it cannot be read."""
        try:
            return RUNS.get(self.first) if self.first else None
        except DiagnosisError:
            return None


def add_tabs(page: Page, after: str) -> None:
    """Lay out the tabs that systems put behind the one of that id."""
    behind = tabs_after(after)
    for part in extensions.parts("panels"):
        if part.value.place == "tab" and part.value.name in behind:
            _guard(part, lambda part=part: _build_tab(part, page))


def add_folds(page: Page, tab: gr.Tab) -> None:
    """Lay out what systems add to the tab Ask."""
    for part in extensions.parts("panels"):
        if part.value.place == "ask":
            _guard(part, lambda part=part: extensions.load(part.value.build)(page, tab))


def add_endpoints() -> None:
    """The addresses for programs that systems add."""
    for part in extensions.parts("endpoints"):
        _guard(part, lambda part=part: extensions.load(part.value)())


def _build_tab(part: extensions.Part, page: Page) -> None:
    with gr.Tab(part.value.title, id=part.value.name) as tab:
        extensions.load(part.value.build)(page, tab)


def _guard(part: extensions.Part, build: Callable[[], Any]) -> None:
    """Build what a system adds; another package's may fail without taking the page along, and nothing half built is
    left."""
    around = Context.block
    before = len(around.children) if around else 0
    try:
        build()
    except Exception as error:
        if not part.foreign:
            raise
        Context.block = around  # a block that was entered and never left would take in the rest of the page
        if around:
            del around.children[before:]
        _log.warning("The system %r is left off the page. %s", part.system.name, extensions.why(error))
