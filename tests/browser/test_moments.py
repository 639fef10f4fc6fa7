"""When an enlarged clip looks like a text, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.files import ASSETS
from tests.browser.conftest import resize
from tests.support.contrast import switch_mode
from webapp.state.runs import RUNS

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]


def test_a_text_is_asked_and_answered_with_the_keyboard_and_the_clip_plays_on_request_and_fits_the_window(
    open_page: Visit, page_address: str
) -> None:
    run = RUNS.offer(ASSETS / "examples" / "clips" / "run.errata")
    page = open_page(390, 844, address=f"{page_address}?run={run}&cluster=1")
    page.wait_for_selector("#pane .selection-chip")
    page.locator("#panel-worst .tile").first.focus()
    page.keyboard.press("Enter")
    field = page.locator("dialog.enlarged .moments input")
    field.wait_for()
    field.focus()
    page.keyboard.press("Control+a")  # the phrase that stands there
    page.keyboard.type("a red ball <b>")
    page.keyboard.press("Enter")
    chart = page.locator("dialog.enlarged .moment-chart[aria-label*='red ball']")
    chart.wait_for(timeout=60_000)
    said = chart.get_attribute("aria-label")
    assert "Most like “a red ball <b>”" in said
    assert page.locator("dialog.enlarged .moment-said").inner_text() in said
    for _ in range(2):  # by day and by night
        line = chart.locator(".curve").evaluate("e => getComputedStyle(e).stroke")
        ground = page.locator("dialog.enlarged").evaluate("e => getComputedStyle(e).backgroundColor")
        assert line not in ("none", ground)
        switch_mode(page)
    wide = page.locator("dialog.enlarged").evaluate("e => e.scrollWidth - e.clientWidth")
    assert wide <= 0
    image = page.locator("dialog.enlarged img")
    still = image.get_attribute("src")
    page.get_by_role("button", name="Play the clip").press("Enter")
    assert image.get_attribute("src") != still
    page.get_by_role("button", name="Show its frames").press("Enter")
    assert image.get_attribute("src") == still
    for width, height in ((1280, 720), (390, 844)):
        resize(page, width, height)
        check_fits(page, width, height)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.enlarged", state="detached")


def test_a_clip_plays_while_the_pointer_or_the_keyboard_is_on_it_and_never_where_motion_is_reduced(
    open_page: Visit, page_address: str
) -> None:
    run = RUNS.offer(ASSETS / "examples" / "clips" / "run.errata")
    page = open_page(address=f"{page_address}?run={run}&cluster=1")
    page.wait_for_selector("#panel-worst .tile img")
    first, second = (page.locator("#panel-worst .tile img").nth(i) for i in (0, 1))

    def playing() -> list[bool]:
        return [
            f"run-image/{run}/" in (src := image.get_attribute("src")) and "/clip?" in src for image in (first, second)
        ]

    assert playing() == [False, False]
    first.hover()
    assert playing() == [True, False]
    page.wait_for_function("document.querySelector('#panel-worst .tile img').naturalWidth")
    second.hover()
    assert playing() == [False, True]
    page.mouse.move(0, 0)
    assert playing() == [False, False]
    page.locator("#panel-worst .tile").first.focus()
    page.keyboard.press("Tab")
    assert playing() == [False, True]
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Play the clip").wait_for()
    assert "/frames?" in page.locator("dialog.enlarged img").get_attribute("src")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("Tab")
    first.hover()
    assert playing() == [False, False]


def check_fits(page: Any, width: int, height: int) -> None:
    """The enlarged clip, its curve and its buttons stand within a window of that size."""
    box = page.locator("dialog.enlarged").bounding_box()
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height
    for name in ("Play the clip", "Close"):
        button = page.get_by_role("button", name=name).bounding_box()
        assert button["y"] + button["height"] <= box["y"] + box["height"]
    image, chart = (page.locator(f"dialog.enlarged {part}").bounding_box() for part in ("img", ".moments"))
    assert (chart["x"] >= image["x"] + image["width"]) == (width > 1000)  # beside each other where there is room
    chart = page.locator("dialog.enlarged .moment-said")
    chart.scroll_into_view_if_needed()  # what is higher scrolls above them
    assert chart.bounding_box()["y"] < page.get_by_role("button", name="Close").bounding_box()["y"]
