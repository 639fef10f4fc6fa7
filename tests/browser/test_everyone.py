"""The page for everyone: axe-core's rules in every tab, and the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import resize, show_map
from tests.support.axe import OF_COLOURS, axe_script, serious, serious_in_both_modes
from webapp.state.query import tabs as tab_names

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
OPEN = """(tab) => {
  history.pushState(null, "", tab === "explore" ? location.pathname : `?tab=${tab}`);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
SHOWN = "(tab) => document.querySelector('#tabs [role=tab][aria-selected=true]')?.dataset.tabId === tab"
MOVING = """() => [...document.querySelectorAll("*")].filter((e) => {
  const style = getComputedStyle(e);
  const lasts = (durations) => durations.split(", ").some((each) => parseFloat(each) > 0.01);
  return (lasts(style.transitionDuration) || lasts(style.animationDuration))
    && (style.animationName !== "none" || style.transitionProperty !== "none");
}).map((e) => e.outerHTML.slice(0, 120))"""
SETTLED = (
    "() => !document.querySelector('.generating, .pending, .toast-body')"
    " && document.getAnimations().every((a) => a.playState !== 'running')"
)


def open_tab(page: Any, tab: str) -> None:
    """As a link does."""
    page.evaluate(OPEN, tab)
    page.wait_for_function(SHOWN, arg=tab, timeout=30_000)
    page.wait_for_timeout(500)
    page.wait_for_function(SETTLED, timeout=60_000)


def broken_at_both_widths(page: Any) -> list[str]:
    """What breaks a serious rule in a wide window, by day or by night, or on a phone, which has the same colors."""
    wide = serious_in_both_modes(page)
    resize(page, 360, 800)
    page.wait_for_function(SETTLED, timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    narrow = serious(page, without=OF_COLOURS)
    resize(page, 1280, 800)
    return wide + narrow


def test_no_tab_breaks_a_serious_rule_of_axe(open_page: Visit) -> None:
    script = axe_script()
    page = open_page()
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(script)
    broken = dict[str, list[str]]()
    for tab in tab_names():
        open_tab(page, tab)
        broken[tab] = broken_at_both_widths(page)
        assert page.locator("h1:visible").count() == 1
        assert "Open: " in page.locator(".open-run:visible").inner_text()
        assert page.get_by_role("button", name="Add your data").is_visible()
    open_tab(page, "explore")
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    page.locator("#linked").scroll_into_view_if_needed()
    page.wait_for_selector("#linked .chart", timeout=30_000)
    page.wait_for_function(SETTLED, timeout=60_000)
    broken["a picked cluster"] = broken_at_both_widths(page)
    page.locator("#panel-worst .tile").first.click()
    page.wait_for_selector("dialog.enlarged h3")
    broken["an enlarged sample"] = broken_at_both_widths(page)
    assert {where: found for where, found in broken.items() if found} == {}


def test_the_keyboard_alone_opens_the_worst_sample_of_a_cluster(open_page: Visit) -> None:
    """Through the table below the map, which is the way to samples for who cannot point at them."""
    page = open_page()
    show_map(page)
    page.locator("#map .map-plate").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pane .selection-chip")
    picked = page.locator("#pane .selection-chip b").first.inner_text()
    worst = page.locator("#panel-worst .tile b").first.inner_text()
    page.keyboard.press("Tab")  # who walks by Tab finds the table filled
    page.wait_for_function(f"document.querySelector('#linked .linked-n b')?.textContent === '{picked}'", timeout=30_000)
    for _ in range(300):  # on with Tab alone, until the first sample of the table has the keyboard
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#linked .linked-table tbody tr:first-child [data-do=row]')"):
            break
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('#pane .pane-title')?.textContent === {name!r}", timeout=30_000)
    assert worst in page.locator("#pane").inner_text()


def test_every_tab_stands_whole_in_its_row_and_in_each_own_data_are_one_press_away_without_motion_for_who_wants_none(
    open_page: Visit,
) -> None:
    """On a narrow screen the row scrolls, so that images stand in the first view."""
    page = open_page(320)
    names = page.locator("#tabs [role=tab]:visible")
    for width in (320, 390, 820, 1280):
        resize(page, width, 800)
        assert names.count() == len(tab_names())
        beyond = "(all) => all.filter((e) => e.getBoundingClientRect().right > innerWidth).length"
        assert names.evaluate_all("(all) => all.filter((e) => e.scrollWidth > e.clientWidth).length") == 0, width
        assert (names.evaluate_all(beyond) > 0) == (width <= 820), width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    resize(page, 320, 800)
    names.last.click()  # scrolled into sight
    page.get_by_role("heading", name="How to read").first.wait_for()
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOVING) == []
    resize(page, 360, 800)
    open_tab(page, "board")
    page.get_by_role("button", name="Add your data").click()
    page.wait_for_function(SHOWN, arg="data", timeout=30_000)


def test_an_open_page_that_nobody_touches_draws_no_frames(open_page: Visit) -> None:
    """Gradio's first "Loading..." counts on after it is gone, unless assets/js/early.js slows it down."""
    count = """
        window.frames = 0;
        const own = window.requestAnimationFrame;
        window.requestAnimationFrame = (then) => { window.frames += 1; return own.call(window, then); };
    """
    page = open_page(script=count)
    asked = "() => new Promise((done) => { const n = frames; setTimeout(() => done(frames - n), 1000); })"
    assert any(page.evaluate(asked) == 0 for _ in range(20))  # the signs of loading come to rest first
    assert page.evaluate("Object.getOwnPropertyDescriptor(window, 'requestAnimationFrame').value !== undefined")
