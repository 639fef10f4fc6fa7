"""The part Composition of the place Probe: whether a model matches images with captions of the same words in another
arrangement."""

from __future__ import annotations

import gradio as gr

from webapp.panels import Opening, Page
from webapp.state.quotas import STATE_S
from webapp.systems.composition import benchmark, grid, pairs, train
from webapp.systems.composition.models import ModelAccess
from webapp.systems.composition.state import forget
from webapp.systems.composition.visit import ComposeState


def build(page: Page, opening: Opening) -> None:
    """Lay out the part and wire its callbacks."""
    access = ModelAccess(page.root, page.at_home)
    state = gr.State(ComposeState(), time_to_live=STATE_S, delete_callback=forget)
    models, views = benchmark.build(state, page, opening, access)
    with gr.Accordion("More: your own pairs", open=False, elem_id="compose-pairs") as fold:
        pairs.build(fold, access)
    with gr.Accordion("More: the binding grid", open=False, elem_id="compose-grid") as fold:
        grid.build(page.session, state, fold, access)
    with gr.Accordion("More: train a small module that fixes it", open=False, elem_id="compose-train"):
        train.build(state, models, views, access)
