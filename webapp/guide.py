"""How to read this: what the figures mean and where they end. Words only."""

from __future__ import annotations

import gradio as gr

from webapp.markup.render import render


def build() -> None:
    """Lay out the tab."""
    gr.HTML(render("guide.html.j2"), apply_default_css=False)
