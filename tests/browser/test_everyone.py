"""The page for everyone: axe-core's rules in every tab, and the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import resize, show_map, unfold_closing
from tests.support.axe import OF_COLOURS, axe_script, serious, serious_in_both_modes
from webapp.state.query import tabs as tab_names

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
OPEN = """(tab) => {
  history.pushState(null, "", tab === "explore" ? location.pathname : `?tab=${tab}`);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
BY_BUTTON = ("data", "reading")
"""Places without a tab in the row."""
SHOWN = "(tab) => document.querySelector('#tabs [role=tab][aria-selected=true]')?.dataset.tabId === tab"
RIGHT_OF = "((e) => Math.floor(e.getBoundingClientRect().right))"
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
        assert page.locator(".open-run:visible").inner_text()
        assert page.get_by_role("button", name="New run").is_visible()
    open_tab(page, "samples")
    for fold in ("charts", "map"):
        page.locator(f"[data-fold={fold}] summary").click()
    page.wait_for_selector("#samples-side .chart")
    broken["filters beside the samples"] = broken_at_both_widths(page)
    open_tab(page, "explore")
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    page.wait_for_function(SETTLED, timeout=60_000)
    broken["a picked cluster"] = broken_at_both_widths(page)
    page.get_by_role("button", name="Is the title right?").click()
    page.wait_for_selector("#pane .clicks-big img")
    broken["images to judge"] = broken_at_both_widths(page)
    page.get_by_role("button", name="Stop, and show the images").click()
    unfold_closing(page)
    broken["the fold below the findings"] = broken_at_both_widths(page)
    page.locator("#panel-worst .tile").first.click()
    page.wait_for_selector("dialog.enlarged h3")
    broken["an enlarged sample"] = broken_at_both_widths(page)
    assert {where: found for where, found in broken.items() if found} == {}


def test_the_keyboard_alone_opens_the_worst_sample_of_a_cluster(open_page: Visit) -> None:
    """Through All samples, which is the way to samples for who cannot point at them."""
    page = open_page()
    show_map(page)
    page.locator("#map .map-plate").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pane .selection-chip")
    worst = page.locator("#panel-worst .tile b").first.inner_text()
    page.get_by_role("tab", name="All samples").click()
    page.wait_for_selector("#samples-list .samples-chip")
    for _ in range(60):  # on with Tab alone, until the first sample has the keyboard
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#samples-list .sample')"):
            break
    name = page.evaluate("document.activeElement.title")
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('dialog.enlarged h3')?.textContent === {name!r}")
    assert f"loss {worst}" in page.locator("dialog.enlarged").inner_text()


def test_every_tab_stands_whole_in_its_row_and_in_each_own_data_are_one_press_away_without_motion_for_who_wants_none(
    open_page: Visit,
) -> None:
    """On the narrowest screen the row scrolls, so that images stand in the first view."""
    page = open_page(320)
    names = page.locator("#tabs [role=tab]:visible")
    for width in (320, 360, 390, 820, 1280):
        resize(page, width, 800)
        assert names.count() == len(tab_names()) - len(BY_BUTTON)
        beyond = f"(all) => all.filter((e) => {RIGHT_OF}(e) > {RIGHT_OF}(e.closest('.tab-container'))).length"
        assert names.evaluate_all("(all) => all.filter((e) => e.scrollWidth > e.clientWidth).length") == 0, width
        assert (names.evaluate_all(beyond) > 0) == (width < 360), width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    resize(page, 320, 800)
    names.last.click()  # scrolled into sight
    page.get_by_role("button", name="How to read").click()
    page.get_by_role("heading", name="How to read").first.wait_for()
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOVING) == []
    resize(page, 360, 800)
    open_tab(page, "ask")
    page.get_by_role("button", name="New run").click()
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


def test_nothing_moves_when_the_images_arrive_and_what_is_folded_away_asks_for_none(open_page: Visit) -> None:
    page = open_page(script="localStorage.clear()")  # a page of its own, as its requests are held back
    places = """() => [...document.querySelectorAll('#pane :is(.card-thumbs img, .card-name, .sure)')].map(
        (part) => { const { x, y, width, height } = part.getBoundingClientRect(); return [x, y, width, height]; })"""
    loaded = "[...document.querySelectorAll('#pane img')].filter((image) => image.naturalWidth).length"
    page.wait_for_function("document.querySelector('#pane .card-thumbs img').naturalWidth")
    arrived = page.evaluate(places)
    assert page.evaluate(loaded) > 0
    assert page.evaluate(
        "[...document.querySelectorAll('#pane details:not([open]) img')].every((one) => !one.naturalWidth)"
    )
    page.route("**/run-image/**", lambda _: None)  # asked for and not yet there
    page.reload(wait_until="commit")
    page.wait_for_selector("#map [data-ready='true']", state="attached")
    assert page.evaluate(places) == arrived
    assert page.evaluate(loaded) == 0
    page.unroute("**/run-image/**")
