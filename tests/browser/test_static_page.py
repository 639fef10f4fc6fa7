"""The folder that opens without a server, from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import draw_lasso, show_map
from tests.support.map_picture import until
from tests.support.showcase import add_words, make_showcase
from webapp.explore.static_page import write_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("static") / "page"
    write_page(add_words(make_showcase(120)), made)
    return made


@pytest.fixture
def page(chromium: Any, folder: Path) -> Iterator[Any]:
    """The page, opened from disk; a script error, or a request that leaves the folder, fails the test."""
    faults = list[str]()
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    allowed = (folder.as_uri(), "data:", "blob:")
    opened.on("request", lambda request: None if request.url.startswith(allowed) else faults.append(request.url))
    opened.goto((folder / "index.html").as_uri())
    opened.wait_for_selector("#map[data-ready='true']", state="attached", timeout=30_000)
    yield opened
    context.close()
    assert not faults, faults


def test_a_cluster_an_outline_a_colour_and_a_sample_open_without_a_server(page: Any) -> None:
    page.locator("#pane .card[data-do=cluster]").first.click()
    page.wait_for_selector("#pane .selection-chip")
    assert "adjusted p" in page.locator("#pane").inner_text()
    page.locator("#pane .tile img").first.scroll_into_view_if_needed()
    until(lambda: page.evaluate("document.querySelector('#pane .tile img').naturalWidth") > 0)
    page.keyboard.press("Escape")
    page.wait_for_selector("#pane .card")
    show_map(page)
    page.locator("#map select").select_option("class")
    page.wait_for_selector("#map[data-colour=class]")
    draw_lasso(page, [(0.05, 0.15), (0.95, 0.15), (0.95, 0.95), (0.05, 0.95)])
    page.locator("#pane .pane-title", has_text="Your selection").wait_for()  # its policy forbids waiting by a script
    assert "Not tested" in page.locator("#pane .flag").inner_text()
    n = page.locator("#samples .samples-n").inner_text()
    assert n.endswith("of 120 samples")
    page.locator("#find").fill("no such id")
    assert page.locator("#samples .samples-n").inner_text() == "0 of 120 samples"
    page.locator("#find").fill("")
    assert page.locator("#samples .samples-n").inner_text() == n
    page.locator("#samples [data-sort=loss]").click()
    page.wait_for_selector("#samples [aria-sort=ascending]")
    name = page.locator("#samples [data-open]").first.inner_text()
    page.locator("#samples [data-open]").first.click()
    assert page.locator("#pane .pane-title").inner_text() == name
    page.locator("#pane .tile").first.click()
    assert name in page.locator("dialog h3").inner_text()


def test_it_can_be_used_by_keyboard_in_the_dark_and_on_a_phone(page: Any) -> None:
    show_map(page)
    page.locator("#map .map-plate").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pane .selection-chip")
    page.locator(".theme-switch").click()
    assert page.evaluate("document.body.classList.contains('dark')")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
