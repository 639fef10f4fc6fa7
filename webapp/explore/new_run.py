"""A finished run: opened if its visitor waited, otherwise offered above the tabs."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from webapp.explore.tab import View, show_run, skips
from webapp.markup.render import render
from webapp.state.events import event_data
from webapp.state.jobs import PRIVATE, QUICK
from webapp.state.picker import runs_to_open
from webapp.state.runs import RUNS
from webapp.state.session import Session, shows_errors

HERE = (
    "(...given) => [...given.slice(0, -1), "
    "document.querySelector('#tabs [role=tab][aria-selected=true]')?.dataset.tabId ?? '']"
)
"""Replaces the last input, the offer, with the id of the visible tab, which only the browser knows."""


def on_new_run(run: str, what: str, others: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Open a finished run: returns (tabs, picker, then what `show_run` fills); nothing changes without one.

    Args:
        run: its id, or "".
        what: its title in the picker, before the name of its samples.
        others: (title, id) of the runs that the picker lists after it.
    """
    if not run:
        return gr.skip(), gr.skip(), *skips()
    _entitle(run, what)
    return gr.update(selected="explore"), runs_to_open(run, others), *show_run(run)


def on_made(
    session: Session, run: str, here: str | None, *, began: str, what: str, others: list[tuple[str, str]]
) -> tuple[Any, ...]:
    """Open a finished run, or offer it if the visitor has left the tab: returns (offer, then what `on_new_run` gives).

    Args:
        here: id of the visible tab, "" or None without a browser.
        began: id of the tab in which the run was started.
    """
    if not run or not here or here == began:
        return gr.skip(), *on_new_run(run, what, others)
    title = _entitle(run, what)
    offer = render("explore/offer.html.j2", run=run, link=RUNS.link(run), title=title)
    return offer, gr.skip(), runs_to_open(session.run, others), *skips()


def _entitle(run: str, what: str) -> str:
    title = f"{what}: {RUNS.get(run).samples.name}"
    RUNS.entitle(run, title)
    return title


def wire_offer(session: gr.State, view: View, tabs: gr.Tabs, others: list[tuple[str, str]]) -> None:
    """Wire the button that opens the run."""

    def accept(event: gr.EventData) -> tuple[Any, ...]:
        run = str(event_data(event).get("run", ""))
        return gr.update(selected="explore"), runs_to_open(run, others), *show_run(run)

    view.offer.act(shows_errors(accept), None, [tabs, view.picker, *view.opened(session)], **QUICK)


def wire_made(
    created: Dependency, run: Any, parts: tuple[gr.State, View, gr.Tabs], *, began: str, what: str,
    others: list[tuple[str, str]],
) -> Dependency:  # fmt: skip
    """Open or offer the run of a finished event; returns the event that follows.

    Args:
        run: the component that holds its id, or "".
        parts: session, view and tabs of the page.
    """
    session, view, tabs = parts
    finish = partial(on_made, began=began, what=what, others=others)
    outputs = [view.offer, tabs, view.picker, *view.opened(session)]
    return created.success(shows_errors(finish), [session, run, view.offer], outputs, js=HERE, **PRIVATE)
