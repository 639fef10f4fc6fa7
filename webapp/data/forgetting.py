"""The button that deletes a visitor's runs, files, and uploads at once."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from webapp.data.draft import inherit, read_files
from webapp.explore.patches import prune_patches
from webapp.panels import Opening, Page
from webapp.state.forget import forget_visit
from webapp.state.jobs import JOBS, PLAIN, PRIVATE, QUICK, closing
from webapp.state.runs import RUNS
from webapp.state.session import shows_errors
from webapp.state.visitor import visitor


def own_ids(stored: Any) -> list[str]:
    """Read the run ids stored by a browser, which are not trusted."""
    try:
        ids = []
        if isinstance(stored, str):
            ids = json.loads(stored)
    except (ValueError, RecursionError):
        return []
    if not isinstance(ids, list):
        return []
    return [run for run in ids if isinstance(run, str)]


def on_forget(own_runs: str = "", files: str = "") -> str:
    """Stop the visit's jobs, delete its uploads and runs, and those of other tabs of its browser; returns the status.

    Args:
        own_runs: ids of the runs and jobs that the browser stores, as JSON.
        files: files of the form that the browser stores.
    """
    ids = own_ids(own_runs)
    JOBS.lasting.adopt(ids, visitor())
    RUNS.adopt(ids)
    inherit(read_files(files))
    forget_visit(visitor())
    prune_patches()
    return closing("Deleted", "The server no longer has the runs, files, and uploads of this page. The page restarts.")


def build(_: Page, __: Opening) -> None:
    """Lay out and wire the button."""
    with gr.Row():
        button = gr.Button("Delete my data now", elem_id="forget", scale=0, min_width=200)
        status = gr.HTML("", elem_id="forgotten", **PLAIN)
    own_runs = gr.Textbox(visible=False, label="own runs")
    own_files = gr.Textbox(visible=False, label="own files")
    gone = button.click(shows_errors(on_forget), [own_runs, own_files], status, js=STORED, **QUICK)
    gone.success(None, None, None, js=START_AFRESH, **PRIVATE)


STORED = """(own, brought) => {
  try {
    own = localStorage.getItem("errata-runs") ?? "";
    brought = localStorage.getItem("errata-files") ?? "";
  } catch { own = brought = ""; }
  return [own, brought];
}"""
"""Adds the runs and the files of other tabs of this browser, which are deleted too."""
START_AFRESH = """() => {
  try {
    for (const key of ["errata-files", "errata-choices"]) localStorage.removeItem(key);
  } catch { /* no storage */ }
  const said = document.querySelector("#forgotten").innerText.replaceAll("\\n", " ");
  try { sessionStorage.setItem("errata-said", said); } catch { /* said for a moment alone */ }
  const at = new URL(location.href);
  for (const part of ["job", "run", "cluster", "candidate", "row", "set", "lasso", "filter", "colour", "beside"])
    at.searchParams.delete(part);
  setTimeout(() => location.replace(at), 1500);
  return [];
}"""
"""Reloads the page without the deleted run; assets/js/connection.js repeats the status afterwards."""
