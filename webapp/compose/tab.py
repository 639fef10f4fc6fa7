"""Compose tab: does a model tell which picture a caption belongs to when the same words are put together in another
way?"""

from __future__ import annotations

from typing import Any

import gradio as gr

from webapp.compose import grid as compose_grid, pairs as compose_pairs, train as compose_teach
from webapp.compose.benchmark import build_benchmark, wire
from webapp.compose.models import ModelAccess
from webapp.compose.state import forget
from webapp.compose.visit import ComposeState
from webapp.explore.tab import View
from webapp.failure_map import SCRIPTS


def build(
    session: gr.State,
    view: View,
    buttons: list[Any],
    tabs: gr.Tabs,
    tab: gr.Tab,
    examples: list[tuple[str, str]],
    house: ModelAccess = ModelAccess(),
) -> None:
    """Lay out the tab and wire its callbacks."""
    composing = gr.State(ComposeState(), time_to_live=24 * 3600, delete_callback=forget)
    plain: dict[str, Any] = dict(apply_default_css=False)
    gr.HTML(INTRO, **plain)
    switch = gr.HTML(
        SWITCH, js_on_load=(SCRIPTS / "compose_parts.js").read_text("utf-8"), elem_id="compose-switch", **plain
    )
    with gr.Column(elem_classes="compose-part part-benchmark"):
        parts = build_benchmark(house)
        wire(parts, composing, session, view, buttons, tabs, tab, examples, house)
        compose_teach.build(composing, parts, house)
    with gr.Column(elem_classes="compose-part part-pairs"):
        compose_pairs.build(switch, house)
    with gr.Column(elem_classes="compose-part part-grid"):
        compose_grid.build(session, composing, tab, house)


INTRO = (
    '<div class="tab-intro"><h2>Compose</h2><p class="muted">“A red cube and a blue ball” and “a blue cube and a red '
    "ball” have the same words. "
    "A model that only checks which words fit cannot tell them apart. "
    "See whether yours can, on which kinds of sentence it fails, and whether a "
    "small trained module mends it.</p></div>"
)


SWITCH = (
    '<fieldset class="compose-switch"><legend>What to look at</legend>'
    + "".join(
        '<label><input type="radio" name="compose-part" '
        f'value="{key}"{" checked" if key == "benchmark" else ""}><span><b>{title}</b>'
        f"<small>{what}</small></span></label>"
        for key, title, what in (
            ("benchmark", "Benchmark", "many items, with intervals"),
            ("pairs", "Your own pairs", "a few pictures and captions"),
            ("grid", "Binding grid", "attribute by object"),
        )
    )
    + "</fieldset>"
)
