"""Whole journeys in a real browser, against a served page of made-up examples."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.conftest import drag_box, draw_lasso
from tests.support.diagnoses import draw_picture

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
ALL = [(0.01, 0.095), (0.99, 0.095), (0.98, 0.98), (0.02, 0.98)]
MIDDLE = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.8), (0.3, 0.8)]


def count_selected(page: Any) -> int:
    return int(page.locator("#pane .selection-chip b").first.inner_text().replace(",", ""))


def test_the_example_is_open_at_once_and_nothing_is_asked_elsewhere(open_page: Visit) -> None:
    page = open_page()
    assert page.evaluate("performance.now()") < 10_000  # 0.8 s on an idle machine; the limit allows for a busy one
    assert page.locator("#pane .card:not(.look)").count() == 3
    assert "600" in page.locator("#strip").inner_text()
    assert "predicts 41" in page.locator("#strip").inner_text()


def test_a_card_opens_its_gallery_and_clear_returns_to_the_list(open_page: Visit) -> None:
    page = open_page()
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    assert count_selected(page) == 50
    assert page.locator("#panel-worst .tile img").count() == 8
    losses = [float(t) for t in page.locator("#panel-worst .tile b").all_inner_texts()]
    assert losses == sorted(losses, reverse=True)
    page.get_by_role("tab", name="Counter-examples").click()
    assert page.locator("#panel-counter .tile").first.is_visible()
    assert not page.locator("#panel-worst").is_visible()
    page.locator("#pane").get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_selector("#pane .card")


def test_a_picture_is_enlarged_with_its_facts_and_escape_closes_only_that(open_page: Visit) -> None:
    page = open_page()
    page.locator("#pane .card").first.click()
    page.locator("#panel-worst .tile").first.click()
    page.wait_for_selector("dialog.enlarged h3")
    assert "loss" in page.locator("dialog.enlarged").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.enlarged", state="detached")
    assert page.locator("#pane .selection-chip").is_visible()


def test_a_lasso_gives_an_exploratory_panel_without_a_p_and_escape_clears_it(open_page: Visit) -> None:
    page = open_page()
    draw_lasso(page, MIDDLE)
    page.wait_for_selector("#pane .flag", timeout=30_000)
    said = page.locator("#pane").inner_text()
    assert "Exploratory" in said
    assert not re.search(r"adjusted p", said, re.IGNORECASE)
    assert 0 < count_selected(page) < 600
    page.keyboard.press("Escape")
    page.wait_for_selector("#pane .card")
    draw_lasso(page, ALL)
    page.wait_for_selector("#pane .selection-chip")
    assert count_selected(page) == 600


def test_a_box_selects_as_a_lasso_does_and_an_empty_one_says_so(open_page: Visit) -> None:
    page = open_page()
    page.get_by_role("button", name="Box").click()
    drag_box(page, (0.02, 0.14), (0.06, 0.18))
    page.wait_for_selector("#pane .selection-chip")
    assert "held no point" in page.locator("#pane .selection-chip").inner_text()
    assert page.locator("#pane .card:not(.look)").count() == 3
    drag_box(page, (0.3, 0.3), (0.7, 0.8))
    page.wait_for_selector("#pane .flag", timeout=30_000)
    assert 0 < count_selected(page) < 600


def test_hovering_a_point_shows_its_picture(open_page: Visit) -> None:
    page = open_page()
    box = page.locator("#map .map-over").bounding_box()
    for x in np.linspace(0.3, 0.7, 60):  # sweep until a point is under the mouse
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * 0.5)
        page.wait_for_timeout(160)
        if page.locator("#map .map-hover").is_visible():
            break
    page.wait_for_selector("#map .map-hover img[src^='data:image/webp']")
    assert "street/" in page.locator("#map .map-hover").inner_text()


def test_the_keyboard_alone_opens_a_cluster(open_page: Visit) -> None:
    page = open_page()
    page.locator("#map .map-plate").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "Cluster 2" in page.locator("#map .map-live").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("#pane .selection-chip")
    assert page.locator("#pane .pane-title .badge").inner_text() == "2"
    page.get_by_role("button", name="Next cluster").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#pane .pane-title .badge').innerText === '3'")


def test_nothing_to_find_is_a_calm_view_with_what_would_have_been_found(open_page: Visit) -> None:
    page = open_page()
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    page.locator("#picker input").click()
    page.get_by_role("option", name="nothing to find").click()
    page.wait_for_selector("#pane .calm")
    said = page.locator("#pane").inner_text()
    assert "What would have been found" in said
    assert "What to try next" in said
    assert page.locator("#pane .card:not(.look)").count() == 0


def test_the_grid_of_what_would_have_been_found_fits_its_panel(open_page: Visit) -> None:
    page = open_page()
    page.locator("#picker input").click()
    page.get_by_role("option", name="nothing to find").click()
    page.wait_for_selector("#pane .calm table.power")
    fits = "e => e.parentElement.scrollWidth <= e.parentElement.clientWidth"
    assert page.locator("#pane table.power").evaluate(fits)
    cut = "all => all.filter(e => e.scrollWidth > e.clientWidth).length"
    assert page.locator("#pane table.power th").evaluate_all(cut) == 0


@pytest.mark.parametrize("dark", [False, True])
def test_text_keeps_its_contrast_in_both_modes(open_page: Visit, dark: bool) -> None:
    page = open_page(dark=dark)
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    ratios = page.evaluate(
        CONTRAST,
        [
            "#pane .pane-title",
            "#pane .selection-chip span",
            "#pane dt",
            "#pane dd",
            "#strip dt",
            "#strip dd",
            ".map-note",
            "#pane .tile-foot",
        ],
    )
    assert min(ratios.values()) >= 4.5, ratios


def test_the_switch_changes_the_mode_and_the_page_remembers_it(open_page: Visit) -> None:
    page = open_page()
    page.get_by_role("button", name="Light / dark: switch to dark").click()
    assert page.evaluate("document.body.classList.contains('dark')")
    page.get_by_role("button", name="Light / dark: switch to light").wait_for()
    page.reload()
    page.wait_for_selector("#map [data-ready='true']")
    page.wait_for_function("document.body.classList.contains('dark')")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1600, 900)])
def test_nothing_is_wider_than_the_window(open_page: Visit, width: int, height: int) -> None:
    page = open_page(width, height)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_two_visitors_do_not_see_each_others_selection(open_page: Visit) -> None:
    one, other = open_page(), open_page()
    one.locator("#pane .card").first.click()
    one.wait_for_selector("#pane .selection-chip")
    other.locator("#pane .card").nth(1).click()
    other.wait_for_selector("#pane .selection-chip")
    one.get_by_role("button", name="Next cluster").click()
    one.wait_for_function("document.querySelector('#pane .pane-title .badge').innerText === '2'")
    other.get_by_role("button", name="Next cluster").click()
    other.wait_for_function("document.querySelector('#pane .pane-title .badge').innerText === '3'")


def write_audit(folder: Path, n: int = 96) -> tuple[Path, Path]:
    """A table with labels, predictions and probabilities, and a zip of its pictures; the model errs on dark ones."""
    rng = np.random.default_rng(0)
    table, archive = folder / "audit.csv", folder / "pictures.zip"
    rows = io.StringIO()
    write = csv.writer(rows)
    write.writerow(["file", "label", "prob_bus", "prob_car", "weather"])
    with zipfile.ZipFile(archive, "w") as pack:
        for i in range(n):
            dark, label = i % 3 == 0, i % 2
            right = np.clip(rng.normal(0.25 if dark else 0.9, 0.05), 0.02, 0.98)
            bus = right if label == 0 else 1 - right
            write.writerow(
                [f"{i:03d}.png", ("bus", "car")[label], f"{bus:.4f}", f"{1 - bus:.4f}", "fog" if dark else "clear"]
            )
            pack.writestr(f"{i:03d}.png", draw_picture(i, dark=dark))
    table.write_text(rows.getvalue())
    return table, archive


@pytest.mark.slow
def test_an_upload_runs_to_its_result_and_can_be_downloaded(open_page: Visit, tmp_path: Path) -> None:
    table, archive = write_audit(tmp_path)
    page = open_page()
    page.get_by_role("tab", name="Your data").click()
    page.set_input_files("#table input[type=file]", table)
    page.wait_for_selector("#columns table")
    assert "prob_bus" in page.locator("#columns").inner_text()
    page.set_input_files("#images input[type=file]", archive)
    page.wait_for_function("document.querySelector('#images').innerText.includes('pictures')")
    page.get_by_label("a third").check()
    page.get_by_role("button", name="Only some classes").click()
    page.locator("#within input").click()
    page.get_by_role("option", name="car (48 rows)").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Run the diagnosis").click()
    page.wait_for_selector("#status li.present", timeout=30_000)
    page.wait_for_function("document.querySelector('#pane').innerText.includes('held-back samples')", timeout=400_000)
    page.wait_for_selector("#map [data-ready='true']")
    assert "cross-entropy" in page.locator("#strip").inner_text()
    with page.expect_download() as download:
        page.locator("#download-json").click()
    said = Path(download.value.path()).read_text("utf-8")
    assert '"schema"' in said
    page.get_by_role("button", name="See them").click()
    page.wait_for_selector("#prediction .predicted")
    assert page.locator("#prediction .digest code").inner_text() in said


@pytest.mark.slow
def test_cancel_stops_a_run_and_keeps_the_form(open_page: Visit, tmp_path: Path) -> None:
    table, archive = write_audit(tmp_path, 240)
    page = open_page()
    page.get_by_role("tab", name="Your data").click()
    page.set_input_files("#table input[type=file]", table)
    page.set_input_files("#images input[type=file]", archive)
    page.wait_for_selector("#columns table")
    page.wait_for_function("document.querySelector('#images').innerText.includes('pictures')")
    assert page.locator("#cancel").is_disabled()
    page.get_by_role("button", name="Run the diagnosis").click()
    page.wait_for_selector("#status li.present", timeout=30_000)
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_function("document.querySelector('#status').innerText.includes('Stopped')", timeout=120_000)
    page.wait_for_selector("#cancel[disabled]")
    assert "audit" in page.locator("#table").inner_text()


def test_a_table_that_cannot_be_used_gives_one_message_and_loses_nothing(open_page: Visit, tmp_path: Path) -> None:
    table = tmp_path / "broken.csv"
    table.write_text("file,colour\n" + "".join(f"{i}.png,red\n" for i in range(30)))
    page = open_page()
    page.get_by_role("tab", name="Your data").click()
    page.set_input_files("#table input[type=file]", table)
    page.wait_for_selector("#columns table")
    page.get_by_role("button", name="Run the diagnosis").click()
    page.wait_for_selector(".toast-body", timeout=30_000)
    said = page.locator(".toast-body").all_inner_texts()
    assert len(said) == 1
    assert "loss" in said[0]
    assert "Traceback" not in said[0]
    assert "broken" in page.locator("#table").inner_text()


CONTRAST = """
(selectors) => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const part = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0.99) return c; }
    return [255, 255, 255, 1];
  };
  const out = {};
  for (const s of selectors) {
    const e = document.querySelector(s);
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    out[s] = (a + 0.05) / (b + 0.05);
  }
  return out;
}
"""
