"""The long work of the tab Compose: stopped, and said to be over."""

from __future__ import annotations

import gradio as gr

from webapp.state.jobs import JOBS, closing


def on_cancel(job: str) -> None:
    """Stop the visitor's own job."""
    if not JOBS.cancel(job):
        gr.Info("Nothing is running.")


def on_wait() -> str:
    """The status until the work begins."""
    return closing("Waiting for a free place")
