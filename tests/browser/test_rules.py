"""The page under the web's own rules: every tab works, and hostile names stay text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.conftest import unfold_closing
from tests.support.map_picture import crowd
from tests.webapp.server.test_guard import serve
from webapp.app import build_app
from webapp.server.accounts import Accounts, hash_password
from webapp.server.rules import WebRules
from webapp.server.settings import launch_settings
from webapp.state.query import tabs as tab_names

pytestmark = pytest.mark.browser

OPEN = "(tab) => document.querySelector(`#tabs [data-tab-id=${tab}]`).click()"
SINK = "http://127.0.0.1:9/"
"""Nothing listens there; that a browser was made to ask is seen in the browser itself."""
COLUMN = f"<img src={SINK}column>"
VALUE = f"<form action={SINK}form style=position:fixed;inset:0><input name=p></form>"
CLASS = f"<a href={SINK}class><b>bus</b></a>"
NAME = f"<svg><image href={SINK}name /></svg>"
WATCH = """
document.addEventListener('securitypolicyviolation', (e) => console.error('policy', e.effectiveDirective, e.blockedURI))
"""
RENDERED = f"""
() => [...document.querySelectorAll('img, image, form, a, iframe, object, embed, source, link')]
  .filter((e) => ['src', 'href', 'action', 'data'].some((k) => (e.getAttribute(k) || '').startsWith('{SINK}')))
  .map((e) => e.outerHTML.slice(0, 200))
"""


@pytest.fixture
def watched(chromium: Any, page_address: str) -> Iterator[tuple[Callable[..., Any], list[str]]]:
    """(opens a page, what went against its policy or asked another host)."""
    contexts, faults = list[Any](), list[str]()

    def visit() -> Any:
        context = chromium.new_context()
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("console", lambda m: faults.append(m.text) if "policy" in m.text.lower() else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: faults.append(f"asked {r.url}") if r.url.startswith(SINK) else None)
        page.goto(page_address)
        page.wait_for_selector("#map [data-ready='true']", state="attached", timeout=60_000)
        return page

    yield visit, faults
    for context in contexts:
        context.close()


def visit_tabs(page: Any) -> None:
    """Open each place of the page in turn."""
    for tab in tab_names():
        page.evaluate(OPEN, tab)
        page.wait_for_timeout(2_000)  # until it is built


def test_every_tab_works_under_the_policy(watched: Any) -> None:
    visit, faults = watched
    page = visit()
    visit_tabs(page)
    page.get_by_role("tab", name="Findings", exact=True).click()
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    page.get_by_role("tab", name="Ask", exact=True).click()
    page.get_by_label("Where do you suspect errors?").fill("in the dark")
    page.get_by_label("Where do you suspect errors?").press("Enter")
    page.wait_for_selector("#answer .answer", timeout=60_000)
    page.get_by_role("tab", name="Findings", exact=True).click()
    unfold_closing(page)
    with page.expect_download() as download:
        page.locator("#take-diagnosis-json").click()
    assert download.value.suggested_filename.endswith(".json")
    assert faults == []


@pytest.mark.parametrize("told", [False, True])
def test_another_site_shows_the_page_in_a_frame_only_where_it_was_told_of(chromium: Any, told: bool) -> None:
    site = ThreadingHTTPServer(("127.0.0.1", 0), FramingSite)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    origin = f"http://localhost:{site.server_port}"
    for served in serve(WebRules(embed_in=(origin,) if told else ())):
        with chromium.new_context() as context:
            page = context.new_page()
            page.goto(f"{origin}/?{served.address}", wait_until="networkidle")
            if told:
                page.frame_locator("iframe").locator("gradio-app button").first.wait_for(timeout=30_000)
            else:
                assert page.frame_locator("iframe").locator("gradio-app").count() == 0
    site.shutdown()


def test_who_has_signed_in_can_sign_out(chromium: Any, tmp_path: Path) -> None:
    rules = WebRules(accounts=Accounts({"ada": hash_password("right-password")}))
    demo = build_app(examples=tmp_path, accounts=True)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings(rules))
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_label("username").fill("ada")
        page.get_by_label("password").fill("right-password")
        page.get_by_role("button", name="Login").click()
        page.get_by_role("link", name="Sign out").click(timeout=60_000)
        page.get_by_label("password").wait_for(timeout=60_000)
        assert not any(cookie["name"].startswith("access-token") for cookie in context.cookies())
    demo.close()


class FramingSite(BaseHTTPRequestHandler):
    """A site whose page shows the address after the question mark in a frame."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<!doctype html><iframe src='{self.path.partition('?')[2]}'></iframe>".encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def hostile_table(folder: Path, *, loss: bool) -> tuple[Path, Path]:
    """A table whose names are all markup, with embeddings in which one value of a column fails."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(240, 6)).astype(np.float32)
    failing = np.arange(240) < 60
    vectors[failing, 0] += 6
    losses = np.where(failing, 2.0, 0.2) + rng.random(240) * 0.1
    head = ["file", "label", COLUMN, "loss" if loss else f"{COLUMN} loss"]
    rows = [
        [f"{NAME}{k}.png", CLASS if k % 2 else "car", VALUE if failing[k] else "day", f"{losses[k]:.3f}"]
        for k in range(240)
    ]
    if not loss:
        rows = [[*row[:3], "none"] for row in rows]
    table, embeddings = folder / f"{NAME.replace('/', ' ')}.csv", folder / "vectors.npy"
    table.write_text("\n".join(",".join(row) for row in [head, *rows]), "utf-8")
    np.save(embeddings, vectors)
    return table, embeddings


def bring(page: Any, table: Path, embeddings: Path) -> None:
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", table)
    page.wait_for_selector("#columns table")
    page.set_input_files("#brought input[type=file]", embeddings)
    page.wait_for_function("document.querySelector('#vectors')?.innerText.includes('vectors')")
    page.get_by_role("button", name="Run the diagnosis").click()


def test_a_hostile_column_name_in_an_error_is_shown_as_text(watched: Any, tmp_path: Path) -> None:
    visit, faults = watched
    page = visit()
    bring(page, *hostile_table(tmp_path, loss=False))
    page.wait_for_selector(".toast-body", timeout=60_000)
    assert COLUMN in page.locator(".toast-body").inner_text()
    assert page.locator(".toast-body img").count() == 0
    assert page.evaluate(RENDERED) == []
    assert faults == []


@pytest.mark.slow
def test_hostile_names_stay_text_through_a_whole_run(watched: Any, tmp_path: Path) -> None:
    visit, faults = watched
    page = visit()
    bring(page, *hostile_table(tmp_path, loss=True))
    page.wait_for_function(
        "document.querySelector('#pane')?.innerText.includes(' group') && "
        "!document.querySelector('.open-run').textContent.includes('streets')",
        timeout=400_000,
    )
    page.wait_for_selector("#map [data-ready='true']", state="attached")
    assert COLUMN in page.locator("#pane").text_content()
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    assert f"{COLUMN} = {VALUE}" in page.locator("#pane").text_content()
    page.mouse.move(*crowd(page))  # over a point, whose name is then shown
    page.locator("#map .map-hover").wait_for()
    assert "<svg>" in page.locator("#map .map-hover").inner_text()
    assert page.evaluate(RENDERED) == []
    visit_tabs(page)
    assert page.evaluate(RENDERED) == []
    assert faults == []
