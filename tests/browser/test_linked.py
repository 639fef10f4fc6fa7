"""Journeys through the charts and the table below the map."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import draw_lasso, show_map

pytestmark = pytest.mark.browser


def scroll(page: Any) -> None:
    page.locator("#linked").scroll_into_view_if_needed()
    page.wait_for_selector("#linked .chart", timeout=30_000)


def wait_chips(page: Any, n: int) -> None:
    page.wait_for_function(f"document.querySelectorAll('#linked .linked-chip').length === {n}", timeout=30_000)


def selected(page: Any) -> int:
    return int(page.locator("#linked .linked-n b").inner_text().replace(",", ""))


def test_a_bar_an_outline_and_a_search_make_one_selection_that_map_pictures_table_and_address_read(
    open_page: Callable[..., Any],
) -> None:
    page = open_page()
    scroll(page)
    page.locator("#linked [data-chart=class] .bar").first.click()
    wait_chips(page, 1)
    one = selected(page)
    assert f"{one}" in page.locator("#pane .selection-chip").inner_text()
    show_map(page)
    page.locator("#map").scroll_into_view_if_needed()
    draw_lasso(page, [(0.02, 0.02), (0.6, 0.02), (0.6, 0.98), (0.02, 0.98)])
    page.wait_for_function("document.querySelector('#pane .pane-title')?.textContent === 'Your selection'")
    scroll(page)
    wait_chips(page, 2)
    assert 0 < selected(page) < one
    assert "filter=" in page.url
    assert "lasso=" in page.url
    names = {name.inner_text() for name in page.locator("#linked .linked-table tbody td:nth-child(2)").all()}
    assert len(names) == 1
    page.keyboard.press("Control+z")
    wait_chips(page, 1)
    assert selected(page) == one
    page.keyboard.press("Escape")
    wait_chips(page, 0)
    assert "filter=" not in page.url


def test_a_range_is_dragged_over_and_its_samples_are_taken_away(open_page: Callable[..., Any]) -> None:
    page = open_page()
    scroll(page)
    bars = page.locator("#linked [data-chart=loss] .bar")
    page.locator("#linked [data-chart=loss] .chart-ends").scroll_into_view_if_needed()
    first, last = bars.nth(4).bounding_box(), bars.nth(9).bounding_box()
    page.mouse.move(first["x"] + 2, first["y"] + 20)
    page.mouse.down()
    page.mouse.move(last["x"] + 2, last["y"] + 20, steps=6)
    page.mouse.up()
    wait_chips(page, 1)
    assert page.locator("#linked [data-chart=loss] .bar.kept").count() == 6
    with page.expect_download() as taken:
        page.locator("#linked [data-take]").click()
    lines = list(csv.DictReader(Path(taken.value.path()).read_text("utf-8").splitlines()))
    assert len(lines) == selected(page) > 0


def test_the_keyboard_alone_filters_sorts_and_opens_a_sample(open_page: Callable[..., Any]) -> None:
    page = open_page()
    scroll(page)
    page.locator("#linked .confused-grid .cell").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.at") == "confused#1,2"
    n = page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    wait_chips(page, 1)
    assert (selected(page), page.evaluate("document.activeElement.dataset.at")) == (int(n), "confused#1,2")
    assert "filter=" in page.url
    page.keyboard.press("Escape")
    wait_chips(page, 0)
    page.locator("#linked [data-chart=class] .bar").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_chips(page, 1)
    assert page.evaluate("document.activeElement.dataset.at") == "class#1"
    page.locator("#linked .linked-table th button[data-key=loss]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#linked .linked-table th[aria-sort=ascending]")
    name = page.locator("#linked .linked-table tbody th button").first.inner_text()
    page.locator("#linked .linked-table tbody th button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('#pane .pane-title')?.textContent === {name!r}")


def test_a_link_with_filters_opens_them_and_a_wrong_one_opens_the_run_without(
    open_page: Callable[..., Any], page_address: str
) -> None:
    page = open_page()
    scroll(page)
    page.locator("#linked [data-chart=class] .bar").first.click()
    wait_chips(page, 1)
    n, address = selected(page), page.url
    other = open_page(address=address)
    scroll(other)
    wait_chips(other, 1)
    assert selected(other) == n
    other.goto(f"{page_address}?filter=nonsense&tab=explore")
    other.get_by_text("Invalid filter. Press a bar of a chart below the map.").first.wait_for(timeout=30_000)


def test_bars_pressed_while_the_answer_to_another_is_under_way_all_count(open_page: Callable[..., Any]) -> None:
    page = open_page()
    scroll(page)
    page.evaluate("""() => {
      const plain = window.fetch;
      window.fetch = async (...asked) => {
        const got = await plain(...asked);
        await new Promise((on) => setTimeout(on, 400));
        return got;
      };
      const charts = [...document.querySelectorAll('#linked .chart:not(.number)')].slice(-2);
      const bars = [charts[0], charts[1], charts[1]].map((chart, i) => chart.querySelectorAll('.bar')[i === 2 ? 1 : 0]);
      bars.forEach((bar, i) => setTimeout(() => bar.click(), 150 * i));
    }""")
    wait_chips(page, 2)
    page.wait_for_function("document.querySelectorAll('#linked .bar.kept').length === 3")
