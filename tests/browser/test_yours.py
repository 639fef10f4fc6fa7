"""A person's own hand: a cluster renamed and pinned, a selection kept, found again after a reload and by a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import draw_lasso, show_map
from tests.browser.test_links import follow

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
EVIL = "<img src=x onerror=alert(1)>"
OPEN = "details.own[open]"


def copied(page: Any) -> str:
    """The example made a run of one's own, its first cluster open; returns that title as tested."""
    page.locator("#pane [data-do=cluster]").first.click()
    title = page.locator("#pane .pane-title").inner_text()
    page.locator("details.own > summary").click()
    page.get_by_text("This run is shared").wait_for()
    page.get_by_role("button", name="Copy to your runs").click()
    page.wait_for_selector("details.own form", state="attached", timeout=60_000)
    assert page.locator("#pane .pane-title").inner_text() == title
    return str(title)


def test_a_cluster_is_renamed_noted_and_pinned_with_the_keyboard_alone(open_page: Visit) -> None:
    page = open_page()
    title = copied(page)
    page.locator("details.own > summary").focus()
    if not page.locator(OPEN).count():
        page.keyboard.press("Enter")
    page.wait_for_selector(OPEN)
    page.keyboard.press("Tab")
    page.keyboard.type(EVIL)
    page.keyboard.press("Tab")
    page.keyboard.type("seen in May")
    page.keyboard.press("Escape")  # folds the form, and leaves the cluster open
    page.wait_for_selector("details.own:not([open])")
    assert page.locator("#pane .pane-title").inner_text() == title
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".own-line")
    assert EVIL in page.locator(".own-line").inner_text()
    assert "your words, not tested" in page.locator(".own-line").inner_text()
    assert "seen in May" in page.locator(".own-line").inner_text()
    assert page.locator("#pane .pane-title").inner_text() == title  # the tested name stays
    page.wait_for_function("document.activeElement.matches('details.own > summary')")
    page.get_by_role("button", name="Pin to the top").press("Enter")
    page.wait_for_function("document.querySelector('.own-line').innerText.includes('pinned')")
    page.get_by_role("button", name="All groups").click()
    page.wait_for_selector(".own-list")
    assert EVIL in page.locator(".own-list").inner_text()
    page.locator(".own-list .own-open").first.press("Enter")
    page.wait_for_function("title => document.querySelector('#pane .pane-title')?.innerText === title", arg=title)


def test_an_outline_is_kept_as_a_set_found_again_deleted_and_brought_back(open_page: Visit) -> None:
    page = open_page()
    copied(page)
    draw_lasso(page, [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)])
    page.wait_for_selector("details.own[data-of='']")
    n = page.locator("#pane .selection-chip b").first.inner_text()
    page.locator("details.own > summary").click()
    page.get_by_label("Set title").fill("my <b>corner</b>")
    page.get_by_role("button", name="Save as a set").click()
    page.wait_for_function("location.search.includes('set=')", timeout=30_000)
    assert page.locator("#pane .pane-title").inner_text() == "my <b>corner</b>"
    assert page.locator("#pane .selection-chip b").first.inner_text() == n
    assert page.locator("#map option[value=yours]").count() == 1  # the map can be colored by it at once
    show_map(page)
    page.locator("#map .map-colour select").select_option("yours")
    page.wait_for_function("location.search.includes('colour=yours')")
    assert "Not tested" in page.locator("#pane").inner_text()
    link = page.url
    page.reload()
    page.wait_for_function("document.querySelector('#pane .pane-title')?.innerText.includes('corner')", timeout=60_000)
    reader = follow(open_page, link)
    reader.wait_for_function("document.querySelector('#pane .pane-title')?.innerText.includes('corner')")
    reader.locator("details.own > summary").click()
    reader.get_by_text("a link opened it").first.wait_for()
    assert not reader.locator("details.own form").count()
    page.locator("details.own > summary").click()
    page.get_by_role("button", name="Delete the set").click()
    page.wait_for_selector(".own-undo")
    page.wait_for_function("document.activeElement.matches('.own-undo button')")
    page.keyboard.press("Enter")
    page.wait_for_function("location.search.includes('set=')")
    assert page.locator("#pane .selection-chip b").first.inner_text() == n


def test_clusters_are_merged_on_a_phone(open_page: Visit) -> None:
    page = open_page(390, 800)
    copied(page)
    if not page.locator(OPEN).count():
        page.locator("details.own > summary").click()
    page.locator("details.own select[name=with]").select_option(index=1)
    page.locator("details.own form[data-own=merge] input").fill("both")
    page.get_by_role("button", name="Merge into a set").click()
    page.wait_for_function("document.querySelector('#pane .pane-title')?.innerText === 'both'", timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
