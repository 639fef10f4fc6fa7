"""Parts that systems add to the page: tabs, and folds below the question in the tab Ask."""

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
    """The laid-out page, as panels use it."""

    session: gr.State
    """Holds the visitor's `webapp.state.session.Session`: the open run and what is picked."""
    view: View
    """The components of Findings, which `webapp.explore.picked.show_selection` fills."""
    tabs: gr.Tabs
    examples: list[tuple[str, str]]
    """(title, run id) of what every visitor may open."""
    root: Path | None = None
    """The operator's folder of data sets."""
    at_home: bool = False
    """Whether the page is served to this machine alone."""

    @property
    def first(self) -> str:
        """Id of the run that opens first, or ""."""
        if not self.examples:
            return ""
        return self.examples[0][1]

    @staticmethod
    def open_run(session: Session) -> Diagnosis | None:
        """Return the visitor's open run, or None; for callbacks with `session` among their inputs."""
        if not session.run:
            return None
        return RUNS.get(session.run)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The first run, or None if it is missing or unreadable."""
        try:
            if not self.first:
                return None
            return RUNS.get(self.first)
        except DiagnosisError:
            return None


def add_tabs(page: Page, after: str) -> None:
    """Lay out the tabs that systems place after the tab with this id."""
    behind = tabs_after(after)
    for part in extensions.parts("panels"):
        if part.value.place == "tab" and part.value.name in behind:
            _guard(part, lambda part=part: _build_tab(part, page))


def add_folds(page: Page, tab: gr.Tab) -> None:
    """Lay out the parts that systems add to the tab Ask."""
    for part in extensions.parts("panels"):
        if part.value.place == "ask":
            _guard(part, lambda part=part: extensions.load(part.value.build)(page, tab))


def add_endpoints() -> None:
    """Add the endpoints of systems."""
    for part in extensions.parts("endpoints"):
        _guard(part, lambda part=part: extensions.load(part.value)())


def _build_tab(part: extensions.Part, page: Page) -> None:
    with gr.Tab(part.value.title, id=part.value.name) as tab:
        extensions.load(part.value.build)(page, tab)


def _guard(part: extensions.Part, build: Callable[[], Any]) -> None:
    """Build a system's part. If a part of another package fails, remove what it built and keep the page."""
    around = Context.block
    before = 0
    if around:
        before = len(around.children)
    try:
        build()
    except Exception as error:
        if not part.foreign:
            raise
        Context.block = around  # a block that was entered and not left would contain the remaining page
        if around:
            del around.children[before:]
        _log.warning("The page leaves out the system %r. %s", part.system.name, extensions.why(error))
