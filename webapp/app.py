"""The page: `build_app` lays it out, `main` serves it.

Nothing heavy is imported here, so the first view appears within seconds. Torch, UMAP, and the encoder warm up in the
background meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import gradio as gr

from core.data.modality import MODALITIES, meanings_of
from core.errors import InvalidInput
from core.files import ASSETS
from core.store import load
from webapp import address, api as endpoints
from webapp.ask import tab as ask
from webapp.clicks import tab as clicks
from webapp.data import runs as my_runs, tab as your_data
from webapp.explore import new_run, static_page, tab as explore
from webapp.explore.patches import prune_patches
from webapp.markup.components import script
from webapp.markup.render import render
from webapp.panels import Page, add_tabs
from webapp.predict import tab as predict
from webapp.second import tab as second
from webapp.server.hosts import is_loopback
from webapp.server.mcp import keep_files_here, require_mcp
from webapp.server.page import SafeBlocks
from webapp.server.process import begin, serve_until_stopped, stop_on_signal
from webapp.server.rules import WebRules, on_this_platform
from webapp.server.settings import believe_proxies, launch_settings
from webapp.state.home import kept_in
from webapp.state.jobs import PLAIN, QUICK
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.state.shelf import stay

TITLE = "Errata: where does your model fail?"
CONNECTION = '<p role="alert" data-kept="{kept}" hidden></p>'
"""Filled by the page when the server stops. kept: "yes" where runs outlive it."""

_log = logging.getLogger(__name__)


def find_examples(folder: Path) -> list[tuple[str, str]]:
    """Return (title, run id) of each precomputed run, `folder`/NAME/run.errata: runs with clusters first, then in the
    order of `MODALITIES`, images before texts."""
    order = {kind: index for index, kind in enumerate(MODALITIES.every())}
    ranked = []
    for path in sorted(folder.glob("*/run.errata")):
        if path.is_file():
            run = RUNS.offer(path)
            diagnosis = RUNS.get(run)
            samples = diagnosis.samples
            ranked.append((not diagnosis.clusters, order.get(samples.modality, len(order)), samples.name, run))
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
) -> gr.Blocks:
    """Lay out the whole page.

    Args:
        root: the operator's folder of data sets; visitors choose folders and tables below it by name.
        examples: the folder of the precomputed examples.
        first: (title, run id) of the runs to offer instead of the examples.
        at_home: whether the page is served to this machine alone; its user may then download any open_clip model.
    """
    offered = first
    if offered is None:
        offered = find_examples(examples)
    opened = ""
    if offered:
        opened = offered[0][1]
    with SafeBlocks(title=TITLE, analytics_enabled=False, fill_width=True) as demo:
        session = gr.State(Session(run=opened), time_to_live=STATE_S, delete_callback=_forget)
        top = _header(opened, accounts)
        _connection()
        offer = new_run.build_offer()
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab("Findings", id="explore"):
                view = explore.build(session, offered, offer)
                static_page.build(session)
            page = Page(session, view, tabs, offered, root, at_home)
            add_tabs(page, "explore")
            with gr.Tab("Ask", id="ask") as tab:
                asking = ask.build(page, tab)
            add_tabs(page, "ask")
            with gr.Tab("Thirty clicks", id="clicks") as tab:
                clicks.build(session, view, tabs, tab)
            add_tabs(page, "clicks")
            with gr.Tab("Predict", id="predict") as tab:
                predict.build(session, view, tabs, tab)
            add_tabs(page, "predict")
            with gr.Tab("Second model", id="second") as tab:
                compared = second.build(session, view, tabs, tab, offered)
            add_tabs(page, "second")
            with gr.Tab("Your data", id="data") as tab:
                mine = my_runs.build(session, view, tabs, tab, offered)
                form = your_data.build(session, view, tabs, root, offered)
            with gr.Tab("How to read this", id="reading"):
                _guide(at_home)
        top.act(_to_data, None, [tabs], **QUICK)
        new_run.wire_offer(session, view, tabs, offered)
        opened_address = address.build(session, view, tabs, asking, offered, form.link)
        mine.after(opened_address)
        compared(opened_address)
        brought = [block for block in demo.blocks.values() if isinstance(block, gr.File)]
        your_data.wire_forget(form, brought)
        endpoints.build()
    return demo.queue(max_size=64, default_concurrency_limit=8)


def _header(opened: str, accounts: bool) -> gr.HTML:
    name = ""
    if opened:
        name = RUNS.get(opened).samples.name
    shown = render("header.html.j2", accounts=accounts, name=name)
    return gr.HTML(shown, run=RUNS.link(opened), js_on_load=script("theme"), elem_id="top", **PLAIN)


def _to_data() -> Any:
    """Go to the tab Your data."""
    return gr.update(selected="data")


def _connection() -> None:
    markup = CONNECTION.format(kept="yes" if kept_in() else "")
    gr.HTML(markup, js_on_load=script("connection"), elem_id="connection", **PLAIN)


def _guide(at_home: bool) -> None:
    measured = {kind: meanings_of(kind) for kind in MODALITIES.every()}
    markup = render("guide.html.j2", at_home=at_home, stay=stay(), kept=kept_in() is not None, measured=measured)
    gr.HTML(markup, **PLAIN)


def warm_up() -> None:
    """Import and compile in the background what a visitor's first run would wait for."""

    def work() -> None:
        try:
            import_module("core.discovery.insights")  # describes a lasso
            from core.embeddings import projection
            from core.statistics import compiled

            for name in compiled.MODULES:  # loops of the search
                import_module(name)

            projection.warm_up()
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
    if rules.mcp:
        keep_files_here()
    believe_proxies(rules)
    offered = None
    if opened:
        offered = [*opened, *find_examples(ASSETS / "examples")]
    demo = build_app(root, first=offered, at_home=at_home, accounts=rules.accounts is not None)
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
    warm_up()
    serve_until_stopped(demo, stopped)


def _forget(_: Session) -> None:
    """Clean up after a visit: data of deleted runs go too. Its runs stay for a day, as its browser may return."""
    prune_patches()
