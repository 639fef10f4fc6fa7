"""The page: `build_app` lays it out, `main` serves it.

Nothing heavy is imported here, so the first view appears within seconds. Torch, UMAP, and the encoder warm up in the
background meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from core.data.modality import MODALITIES, meanings_of
from core.errors import InvalidInput
from core.extensions import panels, second_opinion
from core.files import ASSETS
from core.store import load
from webapp import address, api as endpoints
from webapp.ask import tab as ask
from webapp.compare import tab as compare
from webapp.data import forgetting, runs as my_runs, tab as new_run_form
from webapp.explore import closing, new_run, tab as explore
from webapp.explore.patches import prune_patches
from webapp.markup.components import script
from webapp.markup.render import empty, render
from webapp.panels import Opening, Page, add_fold, add_parts, add_place, add_switch, add_tabs
from webapp.samples import tab as samples
from webapp.server.hosts import is_loopback
from webapp.server.mcp import require_mcp
from webapp.server.page import SafeBlocks
from webapp.server.process import begin, serve_until_stopped, stop_on_signal
from webapp.server.rules import WebRules, on_this_platform
from webapp.server.settings import believe_proxies, launch_settings
from webapp.state.home import kept_in
from webapp.state.jobs import PLAIN
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.state.shelf import stay

TITLE = "Errata: where does your model fail?"
CONNECTION = '<p role="alert" data-kept="{kept}" hidden></p>'
"""Filled by the page when the server stops. kept: "yes" where runs outlive it."""

_log = logging.getLogger(__name__)


def find_examples(folder: Path) -> list[tuple[str, str]]:
    """Return (title, run id) of each precomputed run, `folder`/NAME/run.errata.

    Runs with clusters come first; then images before texts, as in `MODALITIES`; then real samples before drawn ones,
    whose folder holds truth.json.
    """
    order = {kind: index for index, kind in enumerate(MODALITIES.every())}
    ranked = []
    for path in sorted(folder.glob("*/run.errata")):
        if path.is_file():
            run = RUNS.offer(path)
            diagnosis = RUNS.get(run)
            samples = diagnosis.samples
            kind = order.get(samples.modality, len(order))
            drawn = path.with_name("truth.json").is_file()
            ranked.append((not diagnosis.clusters, kind, drawn, samples.name, run))
    return [(title, run) for *_, title, run in sorted(ranked)]


def open_runs(paths: Sequence[Path]) -> list[tuple[str, str]]:
    """Return (title, run id) of stored runs that the operator opens for every visitor. Equal names get their path.

    Raises:
        InvalidInput: a file is not a run, or is damaged.
    """
    opened: list[tuple[str, str]] = []
    for at, path in enumerate(paths, start=1):
        run = RUNS.offer(path, f"run-{at}")
        try:
            opened.append((RUNS.get(run).samples.name, run))
        except InvalidInput as error:  # names no path, as visitors read it
            load(path)  # raises with the path, for the operator
            raise InvalidInput(f"{path}: {error}") from None
    titles = [title for title, _ in opened]
    for index, ((title, run), path) in enumerate(zip(opened, paths, strict=True)):
        if titles.count(title) > 1:
            opened[index] = (f"{title} ({path})", run)
    return opened


def build_app(
    root: Path | None = None,
    examples: Path = ASSETS / "examples",
    first: list[tuple[str, str]] | None = None,
    *,
    at_home: bool = False,
    accounts: bool = False,
    files_from: tuple[str, ...] = (),
) -> gr.Blocks:
    """Lay out the whole page.

    Args:
        root: the operator's folder of data sets; visitors choose folders and tables below it by name.
        examples: the folder of the precomputed examples.
        first: (title, run id) of the runs to offer instead of the examples.
        at_home: whether the page is served to this machine alone; its user may then download any open_clip model.
        files_from: addresses below which visitors may name a table.
    """
    offered = first
    if offered is None:
        offered = find_examples(examples)
    opened = ""
    if offered:
        opened = offered[0][1]
    with SafeBlocks(title=TITLE, analytics_enabled=False, fill_width=True) as demo:
        session = gr.State(Session(run=opened), time_to_live=STATE_S, delete_callback=_forget)
        name = ""
        if opened:
            name = RUNS.get(opened).samples.name
        header = render("header.html.j2", accounts=accounts, name=name)
        gr.HTML(header, run=RUNS.link(opened), js_on_load=script("theme", "clips"), elem_id="top", **PLAIN)
        markup = CONNECTION.format(kept="yes" if kept_in() else "")
        gr.HTML(markup, js_on_load=script("connection"), elem_id="connection", **PLAIN)
        offer = gr.HTML("", js_on_load=script("offer"), elem_id="offer", **PLAIN)
        addressed = gr.State(0.0)
        question = gr.State(("", ""))
        followed = gr.State("")
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab("Findings", id="explore") as findings:
                view = explore.build(session, offered, offer)
            page = Page(session, view, tabs, offered, addressed, question, followed, root, at_home, files_from)
            add_fold(page, findings, "Downloads, notes, other engines", _closing, "closing")
            for name, title, build in PLACES:
                with gr.Tab(title, id=name) as tab:
                    add_place(page, tab, build)
            add_tabs(page)
            with gr.Tab("How to read this", id="reading") as tab:
                add_place(page, tab, lambda page, _: gr.HTML(guide(at_home=page.at_home), **PLAIN))
        my_runs.wire_copy(page)
        new_run.wire_offer(session, view, tabs, offered)
        address.build(page)
    with demo.route("Endpoints", "endpoints", show_in_navbar=False):  # the page need not draw them
        endpoints.build()
    return demo.queue(max_size=64, default_concurrency_limit=8)


def _closing(page: Page, opening: Opening) -> None:
    """Lay out the fold below the findings, to which systems add parts."""
    closing.build(page.session, page.view.pane, opening.select)
    add_parts("findings", page, opening)


def _probe(page: Page, opening: Opening) -> None:
    """Lay out the place Probe, which systems fill."""
    if not panels("probe"):
        gr.HTML(empty("No probes are installed. Install Errata with its systems."), **PLAIN)
    add_switch("probe", page, opening)


def _data(page: Page, opening: Opening) -> None:
    """Lay out the place of the visitor's runs and of a new one."""
    new_run_form.build(page, opening)
    my_runs.build(page, opening)
    forgetting.build(page, opening)


PLACES: tuple[tuple[str, str, Callable[[Page, Opening], Any]], ...] = (
    ("ask", "Ask", ask.build),
    ("probe", "Probe", _probe),
    ("compare", "Compare", compare.build),
    ("samples", "All samples", samples.build),
    ("data", "New run", _data),
)
"""(id, title, what lays it out) of the places beside Findings."""


def guide(*, at_home: bool) -> str:
    """Render the explanation of the page's figures, and what is kept where."""
    measured = {kind: meanings_of(kind) for kind in MODALITIES.every()}
    return render("guide.html.j2", at_home=at_home, stay=stay(), kept=kept_in() is not None, measured=measured)


def warm_up(offered: Sequence[tuple[str, str]] = ()) -> None:
    """Import, compile, and compute in the background what a visitor's first run and first open group would wait for.

    Args:
        offered: (title, run id) of the runs that every visitor may open.
    """

    def work() -> None:
        try:
            import_module("core.discovery.insights")  # describes a lasso
            from core.embeddings import projection
            from core.statistics import compiled

            for name in compiled.MODULES:  # loops of the search
                import_module(name)

            projection.warm_up()
            for _, run in offered:
                diagnosis = RUNS.get(run)
                for cluster in diagnosis.clusters[:1]:
                    second_opinion(diagnosis, np.flatnonzero(cluster.membership >= 0.5))
        except Exception:  # the page works without it; only the first map takes longer
            _log.exception("warming up failed")

    threading.Thread(target=work, name="warm-up", daemon=True).start()


def main(
    rules: WebRules = WebRules(),
    port: int = 7860,
    root: Path | None = None,
    *,
    max_minutes: float | None = None,
    runs: Sequence[Path] = (),
    keep: str = "",
) -> None:
    """Serve the page until it is stopped.

    Args:
        rules: the address to listen on, and who may connect; 0.0.0.0 opens the page to the network.
        port: TCP port.
        root: the operator's folder of data sets, see `build_app`.
        max_minutes: time limit of one visitor's work, 0 for none; by default two hours, at home none.
        runs: stored runs that every visitor may open, listed before the examples.
        keep: the folder where visitors' runs outlive the server, or "none" (`webapp.state.home.where_to_keep`).

    Raises:
        InvalidInput: it cannot listen there, a run cannot be read, or runs cannot be kept.
    """
    rules = on_this_platform(rules)
    opened = open_runs(runs)
    others = rules.behind_proxy or bool(rules.allow_host)  # they may come through a proxy on this machine
    at_home = is_loopback(rules.listening) and not others
    if rules.mcp:
        require_mcp(alone=at_home and rules.accounts is None)
    begin(at_home=at_home, max_minutes=max_minutes, keep=keep, alone=rules.accounts is None)
    believe_proxies(rules)
    offered = [*opened, *find_examples(ASSETS / "examples")]
    signed_in = rules.accounts is not None
    demo = build_app(root, first=offered, at_home=at_home, accounts=signed_in, files_from=rules.files_from)
    stopped = stop_on_signal()
    try:
        demo.launch(
            server_name=rules.listening,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            **launch_settings(rules),
        )
    except OSError as error:
        raise InvalidInput(
            f"Cannot listen at {rules.listening}, port {port}: the port may be in use, or the address is not this "
            "machine's. Use another --port or --host."
        ) from error
    host = rules.listening
    if host == "0.0.0.0":
        host = "127.0.0.1"
    print(f"Errata is open at http://{host}:{port}", flush=True)
    if kept_in():
        until = "for a day"
        if stay():
            until = "until you delete them"
        print(f"Finished runs are kept {until} in {kept_in()} (--keep).", flush=True)
    if rules.mcp:
        print(f"MCP: http://127.0.0.1:{port}/gradio_api/mcp/ (docs/programs.md)", flush=True)
    if rules.allow_host:  # a shell may have replaced a star with file names
        print(f"It also answers to {', '.join(rules.allow_host)}.", flush=True)
    warm_up(offered)
    serve_until_stopped(demo, stopped)


def _forget(_: Session) -> None:
    """Clean up after a visit: data of deleted runs go too. Its runs stay for a day, as its browser may return."""
    prune_patches()
