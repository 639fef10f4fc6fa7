"""Scoreboard tab: slices of other engines on the open run, and every method measured on planted failures."""

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
"""Engines ticked by default."""
SHIPPED = ASSETS / "scoreboard.html"
"""The measured scoreboard, drawn by `python -m research.scoreboard`."""
render = renderer(Path(__file__).parent / "templates")


def on_open(session: Session, asked: str) -> tuple[Any, ...]:
    """Fill the tab when it is shown; returns (run of the result, result, board). Another run's result is cleared."""
    board = SHIPPED.read_text("utf-8")
    if not session.run:
        return "", empty(NO_RUN), board
    if asked == session.run:
        return session.run, gr.skip(), board
    return session.run, render("waiting.html.j2"), board


def on_ask(session: Session, engines: list[str]) -> Iterator[tuple[Any, ...]]:
    """Ask the engines about the open run; yields (job id, status, run, result)."""
    diagnosis = require_run(session)
    if not engines:
        raise InvalidInput("Select at least one engine.")
    from core.systems.peers.ask_peers import PeerReport, ask_peers

    # the order of the ticks means nothing, so engines run in the registry's order
    chosen = [name for name in ENGINES if name in engines]
    job = Job(lambda progress: ask_peers(RUNS.get(session.run), chosen, progress=progress))

    def outputs(report: PeerReport) -> tuple[str, str]:
        return session.run, peers_view(diagnosis, report)

    yield from follow(job, "The engines were not asked", gr.skip(), gr.skip(), outputs=outputs)


def peers_view(diagnosis: Diagnosis, report: Any) -> str:
    """Render the pairs that agree, then each engine's slices."""
    from core.systems.peers.wording import NO_AGREEMENT, match_text, opinion_sentence

    opinions: list[Any] = []
    for opinion in report.opinions:
        slices = [(s, match_text(diagnosis, s)) for s in opinion.slices]
        opinions.append((opinion, opinion_sentence(opinion), slices))
    return render("peers.html.j2", opinions=opinions, agreements=report.agreements, nothing=NO_AGREEMENT)


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    session = page.session
    asked = gr.State("")
    job = gr.State("")
    gr.HTML(render("intro.html.j2"), **PLAIN)
    engines = gr.CheckboxGroup(list(ENGINES), value=list(FIRST), label="Engines", elem_id="peer-engines")
    with gr.Row():
        run = gr.Button("Ask the engines", variant="primary", elem_id="peers")
        cancel = gr.Button("Cancel", elem_id="peers-cancel", scale=0, min_width=110, interactive=False)
    line = gr.HTML("", elem_id="peers-status", **PLAIN)
    result = gr.HTML(render("waiting.html.j2"), elem_id="peers-result", **PLAIN)
    board = gr.HTML("", elem_id="board", **PLAIN)
    tab.select(shows_errors(on_open), [session, asked], [asked, result, board], **QUICK)
    run.click(shows_errors(on_ask), [session, engines], [job, line, asked, result], **HEAVY, **PRIVATE)
    wire_cancel(cancel, job)
