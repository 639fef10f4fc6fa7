"""A visitor's whole journey in a real browser, with the server watched by system calls and the browser by its network
log."""

from __future__ import annotations

import csv
import json
import socket
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.browser.conftest import READY, draw_lasso, unfold_closing
from tests.support.chromium import ARGUMENTS, CHROMIUM
from tests.support.diagnoses import draw_picture
from tests.support.system_calls import Run, Watched, stop

WAIT_MS = 600_000
OWN = ("data", "blob", "about", "chrome", "devtools")
"""Schemes of a browser that ask nobody."""
UNRESOLVED = "~notfound"
"""What every name is turned into before it is looked up."""
HINTS = """
[...document.querySelectorAll('link[href], script[src], img[src], iframe[src], source[src], object[data]')]
  .map((e) => e.href || e.src || e.data)
  .filter((url) => /^https?:/.test(url) && new URL(url).origin !== location.origin)
"""
BROWSERS = ("update.googleapis.com", "accounts.google.com", "content-autofill.googleapis.com")
"""What Chromium asks by itself, of any page: its updates, who is signed in, and how to fill a form's fields."""

NO_PUSH = [f"--gcm-{service}-url=http://127.0.0.1:9" for service in ("checkin", "registration")]
"""Chromium registers for push messages of its own accord, at an address that only these change."""


@dataclass
class Browsed:
    """What a browser asked for during a journey."""

    address: str
    """Of the page."""
    requests: Counter[str] = field(default_factory=Counter)
    """Origins that pages, frames and workers asked, as the browser tells its driver."""
    hosts: Counter[str] = field(default_factory=Counter)
    """Hosts that the whole browser looked up, connected to early or asked, from its own network log."""
    hints: Counter[str] = field(default_factory=Counter)
    """Other addresses in the page's links and tags after each step: a hint to connect early is no request."""
    steps: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Every origin and host other than the page's."""
        host = urlsplit(self.address).hostname
        away = [f"requested {origin}" for origin in self.requests if origin != self.address]
        looked_up = [f"looked up or connected to {name}" for name in self.hosts if name not in (host, *BROWSERS)]
        return [*away, *looked_up, *(f"the page names {hint}" for hint in self.hints)]


def why_no_browser() -> str:
    """Why no browser can be driven here, or an empty string."""
    try:
        import playwright.sync_api  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        return "needs the playwright package"
    return "" if CHROMIUM else "needs a Chromium: apt-get install chromium"


def browse(served: Run, folder: Path) -> tuple[Watched, Browsed]:
    """Serve the page under watch, walk through it, and stop it.

    Args:
        served: its command is filled in here.
        folder: for uploads, downloads and the browser's own profile.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = replace(served, command=[sys.executable, "-m", "core", "serve", "--port", str(port)])
    found = Browsed(f"http://127.0.0.1:{port}")
    tracer = run.start()
    try:
        _wait_for(lambda: "Errata is open" in run.printed(), tracer)
        log = folder / "network.json"
        _walk(found, folder, log)
        found.hosts = hosts_of(log.read_text(errors="replace"))
    finally:
        code = stop(tracer)
    return run.found(code), found


def hosts_of(log: str) -> Counter[str]:
    """The hosts in a network log of Chromium: of each URL asked, each early connection and each name looked up."""
    found: Counter[str] = Counter()
    for line in log.splitlines():
        try:
            event = json.loads(line.rstrip(",").removesuffix("]"))
        except ValueError:
            continue  # the constants at the start, or a line cut off
        params = event.get("params") if isinstance(event, dict) else None
        for key in ("url", "host", "original_url"):
            value = params.get(key) if isinstance(params, dict) else None
            if isinstance(value, str) and (host := _host(value)) not in ("", UNRESOLVED):
                found[host] += 1
    return found


def _host(value: str) -> str:
    if value.partition(":")[0] in OWN:
        return ""
    return urlsplit(value if "://" in value else f"//{value}").hostname or ""


def _wait_for(ready: Callable[[], bool], server: subprocess.Popen[bytes], seconds: float = 180) -> None:
    ends = time.monotonic() + seconds
    while not ready():
        if server.poll() is not None or time.monotonic() > ends:
            raise RuntimeError("the page did not open")
        time.sleep(0.2)


def _walk(found: Browsed, folder: Path, log: Path) -> None:
    """The journey, in a browser that resolves no name: what it tries stands in its log."""
    from playwright.sync_api import sync_playwright

    closed = [f"--log-net-log={log}", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", *NO_PUSH]
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, headless=True, args=[*ARGUMENTS, *closed])
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        context.set_default_timeout(WAIT_MS)
        context.on("request", lambda request: _note(found, request.url))
        page = context.new_page()
        page.goto(found.address)
        page.wait_for_selector(READY, state="attached")
        for step in (explore, ask, clicks, compare, samples, probe, compose, own_data, guide):
            step(page, folder)
            found.steps.append(step.__name__)
            found.hints.update(page.evaluate(HINTS))
        context.close()
        browser.close()


def _note(found: Browsed, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in OWN:
        found.requests[f"{parts.scheme}://{parts.netloc}"] += 1


def _open(page: Any, tab: str) -> None:
    page.evaluate("(tab) => document.querySelector(`#tabs [data-tab-id=${tab}]`).click()", tab)


def explore(page: Any, folder: Path) -> None:
    """A card, an enlarged image, a lasso, the other example and back, and a download."""
    page.locator("#pane .card").first.click()
    page.locator("#panel-worst .tile").first.click()
    page.wait_for_selector("dialog.enlarged h3")
    page.keyboard.press("Escape")
    draw_lasso(page, [(0.3, 0.3), (0.7, 0.3), (0.7, 0.8), (0.3, 0.8)])
    page.wait_for_selector("#pane .flag")
    page.keyboard.press("Escape")
    page.wait_for_selector("#pane .card")
    unfold_closing(page)
    for name in ("diagnosis.json", "report.html"):
        with page.expect_download() as download:
            page.locator(f"[data-take='{name}']").click()
        download.value.save_as(folder / "tmp" / "downloaded")


def ask(page: Any, folder: Path) -> None:
    """A question with a second text, and the audit."""
    _open(page, "ask")
    page.get_by_label("Where do you suspect errors?").fill("a dog in snow")
    page.get_by_label("Compare with").fill("a dog on grass")
    page.get_by_label("Where do you suspect errors?").press("Enter")
    page.wait_for_selector("#answer .answer")
    page.get_by_role("button", name="Audit").click()
    page.wait_for_selector("#heat table")


def clicks(page: Any, folder: Path) -> None:
    """A strip of thirty, answered."""
    _open(page, "explore")
    page.locator("#pane .card").first.click()
    page.get_by_role("button", name="Is the title right?").click()
    page.wait_for_selector("#pane .clicks-big img")
    for _ in range(30):
        page.keyboard.press("y")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pane .judged")


def compare(page: Any, folder: Path) -> None:
    """What the open group is expected to do on new data."""
    _open(page, "compare")
    page.wait_for_selector("#compare-result h2")


def samples(page: Any, folder: Path) -> None:
    """The grid of all samples, and one of them."""
    _open(page, "samples")
    page.locator("#samples-list .sample").first.click()
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")


def probe(page: Any, folder: Path) -> None:
    """Zero-shot beside the model."""
    _open(page, "probe")
    page.wait_for_selector("#probe-result .probe-group")
    page.locator("#probe-form .form-run").click()
    page.wait_for_selector("#probe-status [data-shown]", state="attached")


def compose(page: Any, folder: Path) -> None:
    """The benchmark that comes along, and a pair with its words on the images."""
    page.get_by_role("tab", name="Composition").click()
    page.wait_for_selector("#compose-result .compose-item")
    page.locator("#compose-pairs > button").click()
    page.locator(".pair-example").first.click()
    page.wait_for_selector("#pairs-result h2")


def own_data(page: Any, folder: Path) -> None:
    """A table and images of one's own, diagnosed, and the result taken away."""
    table, archive = write_data(folder)
    _open(page, "data")
    page.set_input_files("#brought input[type=file]", table)
    page.wait_for_selector("#columns table")
    page.set_input_files("#brought input[type=file]", archive)
    page.wait_for_function("document.querySelector('#images')?.innerText.includes('pictures')")
    page.get_by_role("button", name="Options").click()
    page.get_by_label("a third").check()
    page.get_by_role("button", name="Run the diagnosis").click()
    page.wait_for_function("document.querySelector('#pane').innerText.includes('held-out samples')")
    page.wait_for_selector(READY, state="attached")
    with page.expect_download() as download:  # the fold below the findings is open
        page.locator("[data-take='diagnosis.json']").click()
    download.value.save_as(folder / "tmp" / "downloaded.json")


def guide(page: Any, folder: Path) -> None:
    """The words about privacy."""
    _open(page, "reading")
    page.wait_for_selector(".reading h3")


def write_data(folder: Path, n: int = 96) -> tuple[Path, Path]:
    """A table of labels and probabilities and a zip of its images; the model errs on dark ones."""
    table = folder / "own.csv"
    archive = folder / "pictures.zip"
    with table.open("w", newline="") as handle, zipfile.ZipFile(archive, "w") as pack:
        write = csv.writer(handle)
        write.writerow(["file", "label", "prob_bus", "prob_car"])
        for i in range(n):
            dark = i % 3 == 0
            bus = i % 2 == 0
            right = (0.2 if dark else 0.85) + 0.01 * (i % 7)
            first = right if bus else 1 - right
            write.writerow([f"{i:03d}.png", "bus" if bus else "car", f"{first:.4f}", f"{1 - first:.4f}"])
            pack.writestr(f"{i:03d}.png", draw_picture(i, dark=dark))
    return table, archive
