"""The list of runs that a page can open."""

from __future__ import annotations

from typing import Any

import gradio as gr

from webapp.state.runs import RUNS


def runs_to_open(run: str, others: list[tuple[str, str]]) -> Any:
    """The picker with the visitor's own runs, the latest first, then the others, `run` being open; one that came by a
    link, or was never named, stands before them."""
    own = list[tuple[str, str]]()
    named = dict[str, int]()
    for key, title in RUNS.own():
        named[title] = named.get(title, 0) + 1
        own.insert(0, (title if named[title] == 1 else f"{title} ({named[title]})", key))
    choices = [*own, *others]
    if run and run not in [key for _, key in choices]:
        said = "By a link" if RUNS.is_linked(run) else "Open"
        choices.insert(0, (f"{said}: {RUNS.get(run).samples.name}", run))
    return gr.update(choices=choices, value=run, visible=len(choices) > 1)
