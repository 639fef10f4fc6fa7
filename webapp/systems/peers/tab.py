"""Scoreboard tab: what other engines propose on the open run, and how all do on failures that were planted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.files import ASSETS
from core.records import Diagnosis
from core.systems.peers.engines import ENGINES
from webapp.markup.render import empty, renderer
from webapp.panels import Page
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, follow, wire_cancel
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session, require_run, shows_errors

FIRST = ("domino", "sliceguard", "spotlight")
"""Engines that are ticked at first."""
SHIPPED = ASSETS / "scoreboard.html"
"""The board as it was measured, drawn by `python -m research.scoreboard`."""
render = renderer(Path(__file__).parent / "templates")


def on_open(session: Session, asked: str) -> tuple[Any, ...]:
    """The tab is shown: returns (the run that the result is of, result, board); another run's result goes."""
    if not session.run:
        return "", empty(NO_RUN), SHIPPED.read_text("utf-8")
    return session.run, gr.skip() if asked == session.run else render("waiting.html.j2"), SHIPPED.read_text("utf-8")


def on_ask(session: Session, engines: list[str]) -> Iterator[tuple[Any, ...]]:
    """Ask the engines about the open run; yields (job id, status, run, result)."""
    diagnosis = require_run(session)
    if not engines:
        raise InvalidInput("Tick at least one engine to ask.")
    from core.systems.peers.ask_peers import PeerReport, ask_peers

    # the boxes' order says nothing, so the table's is taken
    chosen = [name for name in ENGINES if name in engines]
    job = Job(lambda progress: ask_peers(RUNS.get(session.run), chosen, progress=progress))

    def made(found: PeerReport) -> tuple[str, str]:
        return session.run, peers_view(diagnosis, found)

    yield from follow(job, "The engines were not asked", gr.skip(), gr.skip(), outputs=made)


def peers_view(diagnosis: Diagnosis, report: Any) -> str:
    """Where two agree, then each engine's slices."""
    from core.systems.peers.wording import match_text, opinion_sentence

    opinions = [
        (opinion, opinion_sentence(opinion), [(s, match_text(diagnosis, s)) for s in opinion.slices])
        for opinion in report.opinions
    ]
    return render("peers.html.j2", opinions=opinions, agreements=report.agreements)


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    session = page.session
    asked = gr.State("")
    job = gr.State("")
    gr.HTML(render("intro.html.j2"), **PLAIN)
    engines = gr.CheckboxGroup(list(ENGINES), value=list(FIRST), label="Engines", elem_id="peer-engines")
    with gr.Row():
        run = gr.Button("Ask them", variant="primary", elem_id="peers")
        cancel = gr.Button("Cancel", elem_id="peers-cancel", scale=0, min_width=110, interactive=False)
    line = gr.HTML("", elem_id="peers-status", **PLAIN)
    result = gr.HTML(render("waiting.html.j2"), elem_id="peers-result", **PLAIN)
    board = gr.HTML("", elem_id="board", **PLAIN)
    tab.select(shows_errors(on_open), [session, asked], [asked, result, board], **QUICK)
    run.click(shows_errors(on_ask), [session, engines], [job, line, asked, result], **HEAVY, **PRIVATE)
    wire_cancel(cancel, job)
