"""The places of the page, each built when it is first opened, and the parts that systems add to them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.base import FormComponent
from gradio.context import get_blocks_context, get_render_context, set_render_context
from gradio.events import Dependency

from core import extensions
from core.errors import DiagnosisError
from core.records import Diagnosis
from webapp.explore.tab import View
from webapp.markup.render import empty
from webapp.state.jobs import PLAIN
from webapp.state.query import foreign_tabs
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
    addressed: gr.State
    """Changes each time that an address is opened."""
    question: gr.State
    """(text, compared text) that the last opened address asks."""
    followed: gr.State
    """Link id of the job that the page's address names, or ""."""
    root: Path | None = None
    """The operator's folder of data sets."""
    at_home: bool = False
    """Whether the page is served to this machine alone."""
    files_from: tuple[str, ...] = ()
    """Addresses below which visitors may name a table."""

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


class Opening:
    """A place that is being built; its callbacks run each time that it is opened."""

    def __init__(self, *reopened: Any) -> None:
        """Begin a place. reopened: events that open it again, such as `gr.Tab.select`."""
        self._ready = gr.HTML("", html_template="<i hidden></i>", js_on_load=READY, elem_classes="signal", **PLAIN)
        self.reopened = reopened
        self._triggers = [self._ready.select, *reopened]

    def select(self, callback: Callable[..., Any], inputs: Any = None, outputs: Any = None, **how: Any) -> Dependency:
        """Call back when the place is opened, now and later, and when an address is opened meanwhile; arguments as of
        `gr.Tab.select`."""
        return gr.on(self._triggers, callback, inputs, outputs, **how)

    def first(self, callback: Callable[..., Any], inputs: Any = None, outputs: Any = None, **how: Any) -> Dependency:
        """Call back once, when the place has been built."""
        return self._ready.select(callback, inputs, outputs, **how)


READY = "setTimeout(() => trigger('select'), 0);"
"""Tells the server that the place stands in the browser, once every part of it listens."""


def add_place(page: Page, tab: gr.Tab, build: Callable[[Page, Opening], Any]) -> None:
    """Lay out a place in its tab when it is first opened: components that are never opened cost no first view."""
    _lay_out_later(tab.select, lambda: build(page, Opening(tab.select, page.addressed.change)))


def add_fold(page: Page, tab: gr.Tab, title: str, build: Callable[[Page, Opening], Any], elem_id: str) -> None:
    """Lay out a fold of a tab when it is first unfolded; it opens again with the tab, and with another run."""
    with tab, gr.Accordion(title, open=False, elem_id=elem_id) as fold:
        reopened = tab.select, page.addressed.change, page.view.picker.change
        _lay_out_later(fold.expand, lambda: build(page, Opening(*reopened)))


def _lay_out_later(first: Any, build: Callable[[], Any]) -> None:
    """Build once, where the open block is, when the event `first` comes."""
    opened = gr.State(False)

    @gr.render(triggers=[opened.change])
    def place() -> None:
        build()
        _let_inputs_change()

    # in the queue, since Gradio tells a browser of changed states only there
    first(lambda: True, None, [opened], show_progress="hidden", api_visibility="private")


def _let_inputs_change() -> None:
    """Make the fields that were just built editable: in what is built later, Gradio takes a field with a value for one
    that only shows it."""
    context = get_blocks_context()
    assert context is not None
    for event in context.fns.values():
        for block in event.inputs:
            if event.rendered_in and isinstance(block, FormComponent) and block.interactive is None:
                block.interactive = True


def add_tabs(page: Page) -> None:
    """Lay out the places that systems add after the page's own."""
    names = foreign_tabs()
    for part in _parts_of("tab"):
        if part.value.name in names:
            _build_tab(part, page)


def add_parts(place: str, page: Page, opening: Opening) -> None:
    """Lay out the parts that systems add to a place."""
    for part in _parts_of(place):
        _guarded_build(part, page, opening)


def add_switch(place: str, page: Page, opening: Opening) -> None:
    """Lay out the parts of a place, one of which is shown at a time."""
    with gr.Tabs(elem_id=f"{place}-parts"):
        for part in _parts_of(place):
            with gr.Tab(part.value.title, id=part.value.name) as tab:
                _guarded_build(part, page, Opening(tab.select, *opening.reopened))


def add_endpoints() -> None:
    """Add the endpoints of systems."""
    for part in extensions.parts("endpoints"):
        _guard(part, lambda part=part: extensions.load(part.value)())


def _build_tab(part: extensions.Part, page: Page) -> None:
    def build(page: Page, opening: Opening) -> None:
        if not _guarded_build(part, page, opening):
            gr.HTML(empty("This part of another package failed. The server's log says why."), **PLAIN)

    with gr.Tab(part.value.title, id=part.value.name) as tab:
        add_place(page, tab, build)


def _parts_of(place: str) -> list[extensions.Part]:
    """Return the parts that systems add to a place, ours first."""
    return [part for part in extensions.parts("panels") if part.value.place == place]


def _guarded_build(part: extensions.Part, page: Page, opening: Opening) -> bool:
    """Build a part of a place, as `_guard` does."""
    return _guard(part, lambda: extensions.load(part.value.build)(page, opening))


def _guard(part: extensions.Part, build: Callable[[], Any]) -> bool:
    """Build a system's part. If a part of another package fails, remove what it built, keep the page, and return
    False."""
    around = get_render_context()
    before = 0
    if around:
        before = len(around.children)
    try:
        build()
    except Exception as error:
        if not part.foreign:
            raise
        set_render_context(around)  # a block that was entered and not left would contain the remaining page
        if around:
            del around.children[before:]
        _log.warning("The page leaves out the system %r. %s", part.system.name, extensions.why(error))
        return False
    return True
