"""Work done for a visit of the page, without a page."""

from __future__ import annotations

import gradio as gr
from gradio.context import LocalContext


def serve(session: str) -> None:
    """Let what follows be work for that visit; nobody's where it is ""."""
    request = gr.Request()
    request.session_hash = session
    LocalContext.request.set(request if session else None)
