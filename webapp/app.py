"""The page: `build_app` lays it out, `main` serves it.

Nothing heavy is imported here, so that the first view stands within seconds; torch, UMAP and the encoder warm up in the
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
"""What is said where the server stops, by the page itself; kept: "yes" where runs outlive it."""

_log = logging.getLogger(__name__)


def find_examples(folder: Path) -> list[tuple[str, str]]:
    """(title, run id) of each ready-computed run, `folder`/NAME/run.errata: those where something was found first,
    then in the order of `MODALITIES`, images before texts."""
    order = {kind: place for place, kind in enumerate(MODALITIES.every())}
    found = []
    for path in sorted(folder.glob("*/run.errata")):
        if path.is_file():
            run = RUNS.offer(path)
            diagnosis = RUNS.get(run)
            samples = diagnosis.samples
            found.append((not diagnosis.clusters, order.get(samples.modality, len(order)), samples.name, run))
    return [(title, run) for *_, title, run in sorted(found)]


def open_runs(paths: Sequence[Path]) -> list[tuple[str, str]]:
    """(title, run id) of stored runs that the operator opens for every visitor; those of one name are told apart by
    their files.

    Raises:
        InvalidInput: a file is no run, or it is damaged.
    """
    found: list[tuple[str, str]] = []
    for at, path in enumerate(paths, start=1):
        run = RUNS.offer(path, f"run-{at}")
        try:
            found.append((RUNS.get(run).samples.name, run))
        except InvalidInput as error:  # names no path, as visitors read it
            raise InvalidInput(f"{path}: {error}") from None
    titles = [title for title, _ in found]
    return [
        (title if titles.count(title) == 1 else f"{title} ({path})", run)
        for (title, run), path in zip(found, paths, strict=True)
    ]


def build_app(
    root: Path | None = None,
    examples: Path = ASSETS / "examples",
    first: list[tuple[str, str]] | None = None,
    *,
    at_home: bool = False,
    accounts: bool = False,
) -> gr.Blocks:
    """The whole page.

    Args:
        root: the operator's folder of data sets; visitors choose among the folders and tables below it by name.
        examples: where the ready-computed examples lie.
        first: (title, run id) of what is opened instead of the examples.
        at_home: whether the page is served to this machine alone; its user may then have any open_clip model fetched.
    """
    offered = first if first is not None else find_examples(examples)
    opened = offered[0][1] if offered else ""
    with SafeBlocks(title=TITLE, analytics_enabled=False, fill_width=True) as demo:
        session = gr.State(Session(run=opened), time_to_live=STATE_S, delete_callback=_forget)
        top = _header(opened, accounts)
        _connection()
        offer = new_run.build_offer()
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab("Explore", id="explore"):
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
        opened_address = address.build(session, view, tabs, asking, offered)
        mine.after(opened_address)
        compared(opened_address)
        brought = [block for block in demo.blocks.values() if isinstance(block, gr.File)]
        your_data.wire_forget(form, brought)
        endpoints.build()
    return demo.queue(max_size=64, default_concurrency_limit=8)


def _header(opened: str, accounts: bool) -> gr.HTML:
    name = RUNS.get(opened).samples.name if opened else ""
    shown = render("header.html.j2", accounts=accounts, name=name)
    return gr.HTML(shown, run=RUNS.link(opened), js_on_load=script("theme"), elem_id="top", **PLAIN)


def _to_data() -> Any:
    """Returns the tabs: where one brings data."""
    return gr.update(selected="data")


def _connection() -> None:
    said = CONNECTION.format(kept="yes" if kept_in() else "")
    gr.HTML(said, js_on_load=script("connection"), elem_id="connection", **PLAIN)


def _guide(at_home: bool) -> None:
    measured = {kind: meanings_of(kind) for kind in MODALITIES.every()}
    said = render("guide.html.j2", at_home=at_home, stay=stay(), kept=kept_in() is not None, measured=measured)
    gr.HTML(said, **PLAIN)


def warm_up() -> None:
    """Import and compile in the background what the first run of a visitor would otherwise wait for."""

    def work() -> None:
        try:
            import_module("core.discovery.insights")  # what explains a lasso
            from core.embeddings import projection
            from core.statistics import compiled

            for name in compiled.MODULES:  # loops of the search
                import_module(name)

            projection.warm_up()
        except Exception:  # the page works without it, only the first map takes longer
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
        rules: the address to listen on, and who may ask; 0.0.0.0 makes the page visible to the network.
        port: the port.
        root: the operator's folder of data sets, see `build_app`.
        max_minutes: how long one visitor's work may take; 0 sets no limit. By default two hours, and none at home.
        runs: stored runs that every visitor may open, before the examples.
        keep: the folder in which visitors' runs outlive the server, or "none" (`webapp.state.home.where_to_keep`).

    Raises:
        InvalidInput: it cannot listen there, a run cannot be read, or none can be kept.
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
    offered = [*opened, *find_examples(ASSETS / "examples")] if opened else None
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
            f"The page cannot listen at {rules.listening}, port {port}: another program may be there, or the address "
            "is none of this machine's. Choose another with --port or --host."
        ) from error
    print(
        f"Errata is open at http://{'127.0.0.1' if rules.listening == '0.0.0.0' else rules.listening}:{port}",
        flush=True,
    )
    if kept := kept_in():
        until = "until you delete them" if stay() else "for a day"
        print(f"Finished runs are kept {until} in {kept} (--keep).", flush=True)
    if rules.mcp:
        print(f"MCP: http://127.0.0.1:{port}/gradio_api/mcp/ (docs/programs.md)", flush=True)
    if rules.allow_host:  # a shell may have put the names of files in place of a star
        print(f"It answers to {', '.join(rules.allow_host)} too.", flush=True)
    warm_up()
    serve_until_stopped(demo, stopped)


def _forget(_: Session) -> None:
    """A visit is over: what was kept beside runs that are gone goes too. Its runs stay until their day is over, since
    its browser may come back for them."""
    prune_patches()
