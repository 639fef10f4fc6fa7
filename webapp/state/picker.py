"""The menu of runs that a page can open."""

from __future__ import annotations

from typing import Any

import gradio as gr

from webapp.state.runs import RUNS


def runs_to_open(run: str, others: list[tuple[str, str]]) -> Any:
    """Return the picker: the visitor's runs, latest first, then the others. An open run from a link, or without a
    title, comes first."""
    own_runs = list[tuple[str, str]]()
    named = dict[str, int]()
    for key, title in RUNS.list_own():
        named[title] = named.get(title, 0) + 1
        if named[title] > 1:
            title = f"{title} ({named[title]})"
        own_runs.insert(0, (title, key))
    choices = [*own_runs, *others]
    if run and run not in [key for _, key in choices]:
        origin = "Open"
        if RUNS.is_linked(run):
            origin = "From a link"
        choices.insert(0, (f"{origin}: {RUNS.get(run).samples.name}", run))
    return gr.update(choices=choices, value=run, visible=len(choices) > 1)
