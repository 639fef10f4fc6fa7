"""A served page and a headless Chromium for the journeys."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.embeddings.projection import pca_map
from core.encoders import EMBEDDED, ENCODERS
from core.records import Embeddings, FailureMap
from tests.support.showcase import write_examples

READY = "#map [data-ready='true']"


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder of eight dimensions, by its name. It stands in the tables and replaces no function: a module that is
    first imported while a page is open would keep the replacement, and later tests would meet it there."""
    monkeypatch.setitem(ENCODERS, "plain", "tests.support.showcase:PlainEncoder")
    monkeypatch.setitem(EMBEDDED, "plain", "plain")


@pytest.fixture(autouse=True)
def runs_quickly(monkeypatch: pytest.MonkeyPatch, plain_map: None) -> None:
    """What the page does with a run is tested here, not the compiling of UMAP, for which a PCA view stands in."""

    def drawn(embeddings: Embeddings, **_: Any) -> FailureMap:
        return replace(pca_map(embeddings), method="umap")

    monkeypatch.setattr("core.embeddings.projection.umap_map", drawn)


def unfold_closing(page: Any) -> None:
    """Open the fold below the findings, which is built then."""
    page.locator("#closing > .label-wrap").click()
    page.wait_for_selector("#notes .notes")


def served(**what: Any) -> Generator[str]:
    """The address of a page of these examples, as long as it is served."""
    from webapp.app import build_app
    from webapp.server.settings import launch_settings

    demo = build_app(**what)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    yield address
    demo.close()


@pytest.fixture(scope="session")
def page_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page that serves two made-up examples; the first has words, which the plain encoder speaks."""
    yield from served(examples=write_examples(tmp_path_factory.mktemp("examples")))


@pytest.fixture(scope="session")
def shipped_address() -> Iterator[str]:
    """The same of a page that serves the shipped examples, opened on the drawn scenes."""
    for address in served():
        yield f"{address}?run=example-scenes"


class Visitor:
    """One page of a browser, which visits one after another lead on: opening another one costs twice as much."""

    def __init__(self, chromium: Any, script: str) -> None:
        self.context = chromium.new_context()
        self.context.set_default_timeout(60_000)  # of a busy machine; what comes sooner is waited for no longer
        self.context.add_init_script(script)
        self.page = self.context.new_page()
        self.script, self.address, self.faults = script, "", list[str]()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.watch(request.url))

    def watch(self, asked: str) -> None:
        if not asked.startswith((self.address.partition("?")[0], "data:", "blob:")):
            self.faults.append(f"asked {asked}")

    def come(self, width: int, height: int, dark: bool, address: str) -> Any:
        """As a fresh visitor, of whom nothing is kept."""
        self.address = address
        self.page.goto(self.elsewhere)
        self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.context.clear_cookies()
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="null")
        self.page.goto(address)
        self.page.wait_for_selector(READY, state="attached", timeout=60_000)
        return self.page

    def go(self) -> None:
        from playwright.sync_api import Error

        self.page.mouse.move(0, 0)
        with suppress(Error):  # its server may have stopped
            self.page.goto(self.elsewhere)

    @property
    def elsewhere(self) -> str:
        """An empty page of the same origin: to leave for another one takes a process of its own, and its start."""
        return f"{self.address.partition('?')[0]}no-such-page"


@pytest.fixture(scope="module")
def visitors(chromium: Any) -> Iterator[list[Visitor]]:
    """Those that one file's tests have led away from their pages."""
    free = list[Visitor]()
    yield free
    for visitor in free:
        visitor.context.close()


@pytest.fixture
def open_page(chromium: Any, page_address: str, visitors: list[Visitor]) -> Iterator[Callable[..., Any]]:
    """open_page(width, height, dark, address, script) gives a fresh visitor's page once its map is drawn; a script
    error fails the test. `script` runs in the page before its own."""
    here = list[Visitor]()

    def visit(
        width: int = 1280, height: int = 800, *, dark: bool = False, address: str = page_address, script: str = ""
    ) -> Any:
        alike = next((i for i, visitor in enumerate(visitors) if visitor.script == script), None)
        here.append(Visitor(chromium, script) if alike is None else visitors.pop(alike))
        return here[-1].come(width, height, dark, address)

    yield visit
    for visitor in here:
        visitor.go()
    visitors.extend(here)
    faults = [fault for visitor in here for fault in visitor.faults]
    for visitor in here:
        visitor.faults.clear()
    assert not faults, faults


def resize(page: Any, width: int, height: int) -> None:
    """Change the window's size, as a phone that is turned does, until the page has drawn itself anew."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def read_toasts(page: Any) -> list[str]:
    """The messages that the page shows, once there is one; then they are closed."""
    page.wait_for_selector(".toast-body", timeout=60_000)
    said = page.locator(".toast-body").all_inner_texts()
    # one that goes by itself meanwhile is not waited for
    page.locator(".toast-close").evaluate_all("buttons => buttons.forEach((button) => button.click())")
    page.wait_for_function("!document.querySelector('.toast-body')")
    return said


def unfold(fold: Any, inside: Any) -> None:
    """Press Enter on the fold until what it holds is seen: on a page just opened it is shown before it hears a key."""
    from playwright.sync_api import TimeoutError as TooLate

    fold.wait_for()  # a key is not sent to what is hidden, and `press` does not wait
    for _ in range(20):
        fold.press("Enter")
        with suppress(TooLate):
            inside.wait_for(timeout=2_000)
            return
    raise AssertionError("the fold does not open")


def show_map(page: Any) -> None:
    """Unfold the map beside the list; beside a selection it stands open."""
    fold = page.locator("#pane .map-fold:not([open]) summary")
    if fold.count():
        fold.click()
    page.locator("#map .map-plate").wait_for()


def draw_lasso(page: Any, corners: list[tuple[float, float]]) -> None:
    """Drag the mouse round `corners`, given as shares of the map's width and height."""
    show_map(page)
    box = page.locator("#map .map-over").bounding_box()
    path = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*path[0])
    page.mouse.down()
    for x, y in [*path[1:], path[0]]:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


def drag_box(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag the mouse from one corner of a rectangle to the opposite one."""
    show_map(page)
    box = page.locator("#map .map-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * start[0], box["y"] + box["height"] * start[1])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end[0], box["y"] + box["height"] * end[1], steps=8)
    page.mouse.up()


def start_run(page: Any, folder: Path) -> None:
    """Bring a table with vectors of its own in New run, which is open, and press Run."""
    rng = np.random.default_rng(0)
    table, vectors = folder / "mine.csv", folder / "mine.npy"
    table.write_text("id,loss\n" + "".join(f"{i},{rng.random()}\n" for i in range(120)))
    np.save(vectors, rng.normal(size=(120, 8)).astype(np.float32))
    page.set_input_files("#brought input[type=file]", table)
    page.wait_for_selector("#columns table")
    page.set_input_files("#brought input[type=file]", vectors)
    page.wait_for_function("document.querySelector('#vectors')?.innerText.includes('mine')", timeout=60_000)
    page.get_by_role("button", name="Run the diagnosis").click()


def diagnose_on_page(page: Any, folder: Path) -> str:
    """The same, until its run is open; returns the link of the run."""
    start_run(page, folder)
    page.wait_for_function("/run=/.test(location.search) && !/tab=/.test(location.search)", timeout=240_000)
    return str(page.url)
