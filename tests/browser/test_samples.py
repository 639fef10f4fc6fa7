"""Journeys through All samples: pictures first, with filters, the map, and the keyboard beside them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import draw_lasso, unfold

pytestmark = pytest.mark.browser
SLOW_ANSWERS = """() => {
  const plain = window.fetch;
  window.fetch = async (...asked) => {
    const got = await plain(...asked);
    await new Promise((on) => setTimeout(on, 400));
    return got;
  };
  const charts = [...document.querySelectorAll('#samples-side .chart:not(.number)')].slice(-2);
  const bars = [charts[0], charts[1], charts[1]].map((chart, i) => chart.querySelectorAll('.bar')[i === 2 ? 1 : 0]);
  bars.forEach((bar, i) => setTimeout(() => bar.click(), 150 * i));
}"""


@pytest.fixture
def samples(open_page: Callable[..., Any], page_address: str) -> Any:
    page = open_page(address=f"{page_address}?tab=samples")
    page.wait_for_selector("#samples-list .sample")
    return page


def show_charts(page: Any) -> None:
    unfold(page.locator("[data-fold=charts] summary"), page.locator("#samples-side .chart").first)


def wait_chips(page: Any, n: int) -> None:
    page.wait_for_function(f"document.querySelectorAll('.samples-chip').length === {n}")


def selected(page: Any) -> int:
    return int(page.locator(".samples-n b").inner_text().replace(",", ""))


def test_images_come_first_the_worst_before_the_others_and_more_as_the_end_comes_in_sight(samples: Any) -> None:
    first = samples.locator(".sample").first
    box = first.locator("img").bounding_box()
    assert box["width"] >= 140
    assert box["y"] < 420
    assert samples.locator(".sample").count() == 72
    assert "wrong" in first.inner_text()
    samples.locator(".sample").last.scroll_into_view_if_needed()
    samples.wait_for_function("document.querySelectorAll('.sample').length > 72")
    rows = samples.locator(".sample").evaluate_all("all => all.map((one) => one.dataset.row)")
    assert len(set(rows)) == len(rows)


def test_the_keyboard_alone_walks_the_grid_and_opens_a_sample_in_place(samples: Any) -> None:
    here = "[...document.querySelectorAll('.sample')].indexOf(document.activeElement)"
    assert samples.locator('.sample[tabindex="0"]').count() == 1
    samples.locator(".sample").first.focus()
    samples.keyboard.press("ArrowRight")
    samples.keyboard.press("ArrowDown")
    across = samples.evaluate(here) - 1
    assert across > 3
    samples.keyboard.press("ArrowUp")
    assert samples.evaluate(here) == 1
    name = samples.locator(".sample").nth(1).get_attribute("title")
    address = samples.url
    samples.keyboard.press("Enter")
    samples.wait_for_function(f"document.querySelector('dialog[open] h3')?.textContent === {name!r}")
    assert "loss" in samples.locator("dialog[open]").inner_text()
    samples.keyboard.press("Escape")
    samples.wait_for_function("!document.querySelector('dialog[open]')")
    assert samples.evaluate(here) == 1
    assert samples.url == address
    samples.keyboard.press("End")
    samples.keyboard.press("ArrowRight")
    samples.wait_for_function("document.querySelectorAll('.sample').length > 72")


def test_a_table_with_an_image_in_each_row_is_remembered_in_the_address(samples: Any, open_page: Any) -> None:
    samples.get_by_role("button", name="Table").click()
    samples.wait_for_selector(".samples-table")
    assert samples.locator(".samples-table td img").first.bounding_box()["width"] == 78
    assert "as=table" in samples.url
    samples.locator(".samples-table th button[data-key=loss]").click()
    samples.wait_for_selector(".samples-table th[aria-sort=ascending]")
    other = open_page(address=samples.url)
    other.wait_for_selector(".samples-table")
    other.go_back()
    samples.go_back()
    samples.wait_for_selector(".samples-grid")
    assert "as=" not in samples.url


def test_a_bar_an_outline_and_a_search_make_one_selection_that_findings_and_address_read(samples: Any) -> None:
    show_charts(samples)
    samples.locator("#samples-side [data-chart=class] .bar").first.click()
    wait_chips(samples, 1)
    one = selected(samples)
    samples.locator("[data-fold=map] summary").click()
    samples.locator(".samples-map .map-plate").scroll_into_view_if_needed()
    draw_lasso(samples, [(0.02, 0.2), (0.6, 0.2), (0.6, 0.98), (0.02, 0.98)])
    wait_chips(samples, 2)
    both = selected(samples)
    assert 0 < both < one
    assert "filter=" in samples.url
    assert "lasso=" in samples.url
    samples.get_by_role("tab", name="Findings").click()
    assert f"{both}" in samples.locator("#pane .selection-chip").inner_text()
    samples.locator(".map-column .map-plate").wait_for()  # back where it belongs
    samples.get_by_role("tab", name="All samples").click()
    samples.locator(".samples-map .map-plate").wait_for()
    samples.keyboard.press("Control+z")
    wait_chips(samples, 1)
    assert selected(samples) == one
    samples.keyboard.press("Escape")
    wait_chips(samples, 0)
    assert "filter=" not in samples.url


def test_a_range_is_dragged_over_and_its_samples_are_taken_away(samples: Any) -> None:
    show_charts(samples)
    bars = samples.locator("#samples-side [data-chart=loss] .bar")
    samples.locator("#samples-side [data-chart=loss] .chart-ends").scroll_into_view_if_needed()
    first, last = bars.nth(4).bounding_box(), bars.nth(9).bounding_box()
    samples.mouse.move(first["x"] + 2, first["y"] + 20)
    samples.mouse.down()
    samples.mouse.move(last["x"] + 2, last["y"] + 20, steps=6)
    samples.mouse.up()
    wait_chips(samples, 1)
    samples.wait_for_function("document.querySelectorAll('[data-chart=loss] .bar.kept').length === 6")
    with samples.expect_download() as taken:
        samples.locator("[data-take]").click()
    lines = list(csv.DictReader(Path(taken.value.path()).read_text("utf-8").splitlines()))
    assert len(lines) == selected(samples) > 0


def test_the_keyboard_stays_on_the_bar_that_it_pressed(samples: Any) -> None:
    show_charts(samples)
    samples.locator("#samples-side .confused-grid .cell").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        samples.keyboard.press(key)
    assert samples.evaluate("document.activeElement.dataset.at") == "confused#1,2"
    n = samples.evaluate("document.activeElement.innerText")
    samples.keyboard.press("Enter")
    wait_chips(samples, 1)
    samples.wait_for_selector("#samples-side .cell.kept")
    assert (selected(samples), samples.evaluate("document.activeElement.dataset.at")) == (int(n), "confused#1,2")


def test_a_link_with_filters_opens_them_and_a_wrong_one_opens_the_run_without(
    samples: Any, open_page: Callable[..., Any], page_address: str
) -> None:
    show_charts(samples)
    samples.locator("#samples-side [data-chart=class] .bar").first.click()
    wait_chips(samples, 1)
    n, address = selected(samples), samples.url
    other = open_page(address=address)
    wait_chips(other, 1)
    assert selected(other) == n
    other.goto(f"{page_address}?filter=nonsense&tab=samples")
    other.get_by_text("Invalid filter.").first.wait_for()


def test_bars_pressed_while_the_answer_to_another_is_under_way_all_count(samples: Any) -> None:
    show_charts(samples)
    samples.evaluate(SLOW_ANSWERS)
    wait_chips(samples, 2)
    samples.wait_for_function("document.querySelectorAll('#samples-side .bar.kept').length === 3")
