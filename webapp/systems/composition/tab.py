"""Compose tab: whether a model matches images with captions of the same words in another arrangement."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from webapp.markup.components import script
from webapp.panels import Page
from webapp.state.jobs import PLAIN
from webapp.state.quotas import STATE_S
from webapp.systems.composition import grid, pairs, train
from webapp.systems.composition.benchmark import build_benchmark, wire
from webapp.systems.composition.models import ModelAccess
from webapp.systems.composition.render import render
from webapp.systems.composition.state import forget
from webapp.systems.composition.visit import ComposeState

PARTS = (
    ("benchmark", "Benchmark", "many items, with intervals"),
    ("pairs", "Your own pairs", "a few images and captions"),
    ("grid", "Binding grid", "attribute by object"),
)
"""(key, title, content) of the tab's parts."""


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    access = ModelAccess(page.root, page.at_home)
    state = gr.State(ComposeState(), time_to_live=STATE_S, delete_callback=forget)
    gr.HTML(render("intro.html.j2"), **PLAIN)
    switch = gr.HTML(
        render("switch.html.j2", parts=PARTS),
        js_on_load=script(Path(__file__).parent / "compose_parts.js"),
        elem_id="compose-switch",
        **PLAIN,
    )
    with gr.Column(elem_classes="compose-part part-benchmark"):
        form, views = build_benchmark(access)
        wire(form, views, state, tab, page, access)
        train.build(state, form, views, access)
    with gr.Column(elem_classes="compose-part part-pairs"):
        pairs.build(switch, access)
    with gr.Column(elem_classes="compose-part part-grid"):
        grid.build(page.session, state, tab, access)
