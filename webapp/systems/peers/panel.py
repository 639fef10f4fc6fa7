"""The fold "Other engines" below the findings: slices of other engines on the open run, with their images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from core.errors import InvalidInput
from core.records import I64, Diagnosis, Progress
from core.systems.peers.engines import ENGINES
from webapp.ask.kept import KeptState, Made, Part, build_part
from webapp.markup.html import Tile, tile_of
from webapp.markup.render import renderer
from webapp.panels import Opening, Page
from webapp.state.session import Session, require_run

FIRST = ("domino", "sliceguard", "spotlight")
"""Engines ticked by default."""
SLICE_IMAGES = 6
render = renderer(Path(__file__).parent / "templates")


def peers_work(session: Session, state: KeptState, engines: list[str]) -> Callable[[Progress], Made]:
    """Return the work that asks the engines about the open run."""
    from core.systems.peers.ask_peers import ask_peers

    if not engines:
        raise InvalidInput("Select at least one engine.")
    diagnosis = require_run(session)
    # the order of the ticks means nothing, so engines run in the registry's order
    chosen = [name for name in ENGINES if name in engines]

    def work(progress: Progress) -> Made:
        report = ask_peers(diagnosis, chosen, progress=progress)
        return Made(session.run, peers_view(diagnosis, report), ())

    return work


def peers_view(diagnosis: Diagnosis, report: Any) -> str:
    """Render the pairs that agree, then each engine's slices with their images, wrong ones first."""
    from core.systems.peers.wording import NO_AGREEMENT, match_text, opinion_sentence

    opinions: list[Any] = []
    for opinion in report.opinions:
        slices = [(s, match_text(diagnosis, s), slice_tiles(diagnosis, s.rows)) for s in opinion.slices]
        opinions.append((opinion, opinion_sentence(opinion), slices))
    return render("peers.html.j2", opinions=opinions, agreements=report.agreements, nothing=NO_AGREEMENT)


def slice_tiles(diagnosis: Diagnosis, rows: I64) -> list[Tile]:
    """Return the images of a slice with the highest losses."""
    worst = rows[np.argsort(-diagnosis.outcomes.loss[rows], kind="stable")][:SLICE_IMAGES]
    return [tile_of(diagnosis, row) for row in worst.tolist()]


def fields() -> list[Any]:
    """The field of the engines."""
    return [gr.CheckboxGroup(list(ENGINES), value=list(FIRST), label="Engines", elem_id="peer-engines")]


PART = Part(
    "engines",
    "Other engines",
    "Ask the engines",
    (),
    failed="The engines were not asked",
    intro=lambda _: render("intro.html.j2"),
    work=peers_work,
    offered=lambda _: True,
)


def build(page: Page, opening: Opening) -> None:
    """Lay out the fold and wire its callbacks."""
    build_part(PART, page, opening, fields)
