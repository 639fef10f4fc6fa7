"""The page, which shows what `core` computed. `show` opens one diagnosis from a notebook."""

from __future__ import annotations

import os
import sys
from html import escape
from typing import TYPE_CHECKING

from core.telemetry import switch_off

if TYPE_CHECKING:
    from gradio import Blocks

    from core.records import Diagnosis

switch_off()  # before any module here imports Gradio


def show(diagnosis: Diagnosis, *, height: int = 860) -> Blocks | None:
    """Open a diagnosis on the page: in the notebook's cell, or elsewhere at the printed local address.

    On Colab and Kaggle, where a browser does not reach this server, the cell shows the report instead.

    Args:
        diagnosis: from `diagnose` or `load`.
        height: of the notebook's cell, in pixels.

    Returns:
        The running page; its `close()` stops it. None where the report is shown.
    """
    if "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
        from IPython.display import HTML, display  # pyright: ignore[reportUnknownVariableType]

        from core.reports.html.diagnosis import render_report

        report = escape(render_report(diagnosis))
        display(HTML(f'<div><iframe srcdoc="{report}" width="100%" height="{height}" frameborder="0"></iframe></div>'))
        return None
    from webapp.app import build_app
    from webapp.server.rules import NOTEBOOKS, WebRules
    from webapp.server.settings import launch_settings
    from webapp.state.quotas import STATE_S
    from webapp.state.runs import RUNS

    run = RUNS.add(diagnosis)
    demo = build_app(first=[(diagnosis.samples.name, run)])
    demo.delete_cache = (3600, STATE_S)  # a notebook runs without our sweeping server
    demo.launch(prevent_thread_lock=True, quiet=False, height=height, **launch_settings(WebRules(embed_in=NOTEBOOKS)))
    return demo
