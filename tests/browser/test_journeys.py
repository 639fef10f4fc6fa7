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

from tests.browser.conftest import READY, drag_box, draw_lasso, resize, show_map, unfold_closing
from tests.support.contrast import DARK, check_contrast, check_width
from tests.support.diagnoses import draw_picture

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
ALL = [(0.01, 0.095), (0.99, 0.095), (0.98, 0.98), (0.02, 0.98)]
MIDDLE = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.8), (0.3, 0.8)]


def count_selected(page: Any) -> int:
    return int(page.locator("#pane .selection-chip b").first.inner_text().replace(",", ""))


def test_the_example_is_open_at_once_and_a_card_opens_its_gallery_and_an_outline_its_own(open_page: Visit) -> None:
    page = open_page()
    assert page.locator("#pane .card:not(.look)").count() == 3
    assert "Wrong on 25% of 600 images." in page.locator("#strip").inner_text()
    assert "41%" in page.locator("#pane .explained").text_content()
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    assert count_selected(page) == 50
    assert page.locator("#panel-worst .tile img").count() == 24
    losses = [float(t) for t in page.locator("#panel-worst .tile b").all_inner_texts()]
    assert losses == sorted(losses, reverse=True)
    page.locator("#panel-worst .tile").first.click()
    page.wait_for_selector("dialog.enlarged h3")
    assert "loss" in page.locator("dialog.enlarged").inner_text()
    tiles = page.locator("#panel-worst .tile")
    opened = "title => title.startsWith(document.querySelector('dialog.enlarged h3')?.innerText)"
    for key, at in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        title = tiles.nth(at).get_attribute("title")
        page.wait_for_function(opened, arg=title)
    page.keyboard.press("Escape")  # closes only that
    page.wait_for_function("title => document.activeElement.title === title", arg=title)
    page.wait_for_selector("dialog.enlarged", state="detached")
    assert page.locator("#pane .selection-chip").is_visible()
    page.get_by_role("tab", name="Similar, but right").click()
    page.locator("#panel-counter .tile").first.wait_for()
    assert not page.locator("#panel-worst").is_visible()
    page.locator("#pane").get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_selector("#pane .card")
    # a lasso or a box gives an untested panel without a p, and Escape clears it
    draw_lasso(page, MIDDLE)
    page.wait_for_selector("#pane .flag", timeout=30_000)
    said = page.locator("#pane").inner_text()
    assert "Not tested" in said
    assert not re.search(r"adjusted p", said, re.IGNORECASE)
    assert 0 < count_selected(page) < 600
    page.keyboard.press("Escape")
    page.wait_for_selector("#pane .card")
    draw_lasso(page, ALL)
    page.wait_for_selector("#pane .selection-chip")
    assert count_selected(page) == 600
    page.keyboard.press("Escape")
    page.wait_for_selector("#pane .card")
    show_map(page)
    page.get_by_role("button", name="Box").click()
    drag_box(page, (0.02, 0.14), (0.06, 0.18))
    page.wait_for_selector("#pane .selection-chip")
    assert "contains no points" in page.locator("#pane .selection-chip").inner_text()
    assert page.locator("#pane .card:not(.look)").count() == 3
    drag_box(page, (0.3, 0.3), (0.7, 0.8))
    page.wait_for_selector("#pane .flag", timeout=30_000)
    assert 0 < count_selected(page) < 600


def test_the_keyboard_alone_opens_a_cluster(open_page: Visit) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # past the header and the tabs
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tabpanel"
    page.keyboard.press("Tab")
    page.wait_for_selector("ul[role=listbox]")  # of the runs
    page.keyboard.press("Tab")
    page.wait_for_selector("ul[role=listbox]", state="detached")
    show_map(page)
    page.locator("#map .map-plate").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "Group 2" in page.locator("#map .map-live").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("#pane .selection-chip")
    assert page.locator("#pane .pane-title .badge").inner_text() == "2"
    page.get_by_role("button", name="Next group").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#pane .pane-title .badge').innerText === '3'")
    page.keyboard.press("Escape")
    page.wait_for_selector("#pane .card")
    page.locator("#pane .card").nth(1).press("Enter")
    page.wait_for_selector("#pane .selection-chip")
    page.keyboard.press("Escape")  # back on the card that was left
    page.wait_for_function("document.activeElement.dataset.cluster === '1'")


def test_nothing_to_find_is_a_calm_view_with_what_would_have_been_found(open_page: Visit) -> None:
    page = open_page()
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    page.locator("#picker input").click()
    page.get_by_role("option", name="nothing to find").click()
    page.wait_for_selector("#pane .calm")
    said = page.locator("#pane").inner_text()
    assert "Detection limits" in said
    assert "What to try next" in said
    assert page.locator("#pane .card:not(.look)").count() == 0
    fits = "e => e.parentElement.scrollWidth <= e.parentElement.clientWidth"
    assert page.locator("#pane .calm table.power").evaluate(fits)
    cut = "all => all.filter(e => e.scrollWidth > e.clientWidth).length"
    assert page.locator("#pane table.power th").evaluate_all(cut) == 0


def test_text_keeps_its_contrast_in_both_modes_and_the_page_remembers_the_one_that_was_chosen(open_page: Visit) -> None:
    page = open_page(dark=True)
    page.wait_for_function(DARK)  # as the system does
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    seen = ["#pane .pane-title", "#pane .selection-chip span", "#pane .sure li", "#pane .share", "#strip h2"]
    check_contrast(page, [*seen, "#strip p", ".map-note", "#pane .tile-foot"])
    page.get_by_role("button", name="Switch to dark").wait_for()
    page.reload()
    page.wait_for_selector(READY, state="attached")
    page.wait_for_function(f"!{DARK}")
    page.get_by_role("button", name="Switch to dark").click()
    page.wait_for_function(DARK)


def test_the_buttons_of_a_group_lead_to_what_new_data_and_another_model_say_of_it(
    open_page: Visit, shipped_address: str
) -> None:
    page = open_page(address=shipped_address)
    page.locator("#pane .card").nth(1).click()
    title = page.locator("#pane .pane-title").inner_text().lstrip("12 \n")
    page.get_by_role("button", name="Does it hold on new data?").click()
    page.wait_for_selector("#compare-result .group-verdict")
    first = page.locator("#compare-result .group-verdict").first
    assert title in first.locator("h3").inner_text()
    assert "open in Findings" in first.inner_text()
    page.get_by_role("tab", name="Findings").click()
    right = page.get_by_text("A zero-shot probe with the run’s encoder gets").inner_text()
    page.get_by_role("button", name="Would another model get these right?").click()
    page.wait_for_selector("#probe-result h3")
    assert title in page.locator("#probe-result").inner_text()
    fixed, errors = re.findall("[0-9]+", right)
    assert f"Fixed {fixed}" in " ".join(page.locator("#probe-result").inner_text().split())
    assert int(fixed) < int(errors)


def test_two_visitors_do_not_see_each_others_selection(open_page: Visit) -> None:
    one, other = open_page(), open_page()
    one.locator("#pane .card").first.click()
    one.wait_for_selector("#pane .selection-chip")
    other.locator("#pane .card").nth(1).click()
    other.wait_for_selector("#pane .selection-chip")
    one.get_by_role("button", name="Next group").click()
    one.wait_for_function("document.querySelector('#pane .pane-title .badge').innerText === '2'")
    other.get_by_role("button", name="Next group").click()
    other.wait_for_function("document.querySelector('#pane .pane-title .badge').innerText === '3'")


def write_audit(folder: Path, n: int = 96) -> tuple[Path, Path]:
    """A table with labels, predictions and probabilities, and a zip of its images; the model errs on dark ones."""
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
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", table)
    page.wait_for_selector("#columns table")
    assert "prob_bus" in page.locator("#columns").inner_text()
    page.set_input_files("#brought input[type=file]", archive)
    page.wait_for_function("document.querySelector('#images')?.innerText.includes('pictures')")
    page.get_by_role("button", name="Options").click()
    page.get_by_label("a third").check()
    page.locator("#within input").click()
    page.get_by_role("option", name="car (48 rows)").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Run the diagnosis").click()
    page.wait_for_selector("#status li.present", timeout=30_000)
    page.wait_for_function("document.querySelector('#pane').innerText.includes('held-out samples')", timeout=400_000)
    page.wait_for_selector(READY, state="attached")
    assert "cross-entropy" in page.locator("#pane .explained").text_content()
    reader = open_page(address=page.url)  # who has the link sees the same
    assert reader.locator("#strip h2").inner_text() == page.locator("#strip h2").inner_text()
    reader.wait_for_function("[...document.querySelectorAll('#pane img')].some((image) => image.naturalWidth)")
    unfold_closing(page)
    with page.expect_download() as download:
        page.locator("#take-diagnosis-json").click()
    said = Path(download.value.path()).read_text("utf-8")
    assert '"schema"' in said
    page.get_by_role("button", name="Show them").click()
    page.wait_for_selector("#compare-result .compared")
    digest = re.search("[0-9a-f]{64}", page.locator("#compare-result .sure").text_content())
    assert digest[0] in said


@pytest.mark.slow
def test_cancel_stops_a_run_and_keeps_the_form(open_page: Visit, tmp_path: Path) -> None:
    table, archive = write_audit(tmp_path, 240)
    page = open_page()
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", [table, archive])
    page.wait_for_selector("#columns table")
    page.wait_for_function("document.querySelector('#images')?.innerText.includes('pictures')")
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
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", table)
    page.wait_for_selector("#columns table")
    page.get_by_role("button", name="Run the diagnosis").click()
    page.wait_for_selector(".toast-body", timeout=30_000)
    said = page.locator(".toast-body").all_inner_texts()
    assert len(said) == 1
    assert "loss" in said[0]
    assert "Traceback" not in said[0]
    assert "broken" in page.locator("#table").inner_text()


def test_pictures_counted_from_another_number_stop_a_run_until_the_visitor_says_that_they_are_right(
    open_page: Visit, tmp_path: Path
) -> None:
    table, archive = tmp_path / "from_one.csv", tmp_path / "from_zero.zip"
    table.write_text("image,loss\n" + "".join(f"{i + 1}.png,{i % 7}\n" for i in range(60)))
    with zipfile.ZipFile(archive, "w") as pictures:
        for i in range(60):
            pictures.writestr(f"{i}.png", draw_picture(i))
    page = open_page()
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", [table, archive])
    page.wait_for_function("document.querySelector('#images')?.innerText.includes('from_zero')")
    page.wait_for_selector("#columns .as-read")
    tick = page.get_by_label("Accept the table as it is")
    assert not tick.is_visible()
    page.get_by_role("button", name="Run the diagnosis").click()
    tick.wait_for()
    assert "one side counts from 0" in page.locator("#status").inner_text()
    assert "tick “Accept the table as it is”" in page.locator("#status").inner_text()
    tick.check()
    page.get_by_role("button", name="Run the diagnosis").click()
    page.wait_for_function("document.querySelector('#status').innerText.includes('Embed')", timeout=60_000)
    page.get_by_role("button", name="Cancel").click()


def test_a_loss_that_is_a_score_is_said_of_one_table_and_not_of_the_next(open_page: Visit, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page = open_page()
    page.get_by_role("button", name="New run").click()
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="More settings").click()
    score = page.get_by_label("The loss column is a score")
    for name, sign in (("scores", -1), ("losses", 1)):
        table = tmp_path / f"{name}.csv"
        table.write_text("id,loss\n" + "".join(f"{i},{sign * (i % 30) ** 2}\n" for i in range(60)))
        if name == "losses":
            score.check()
            page.locator("#table button[aria-label='Clear']").click()
            page.wait_for_selector("#brought input[type=file]", state="attached")
        page.set_input_files("#brought input[type=file]", table)
        page.wait_for_selector("#columns .as-read")
        expect(score).not_to_be_checked()


def test_nothing_is_wider_than_the_window_and_the_cards_of_texts_are_wide_enough_to_read(open_page: Visit) -> None:
    page = open_page(390, 844)
    for width, height in ((390, 844), (1600, 900), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        check_width(page)
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#panel-worst .tile img")
    replace_images = "(t) => document.querySelectorAll('#panel-worst .tile img').forEach((i) => { i.outerHTML = t })"
    page.evaluate(replace_images, "<span class='shot-text'>a text of some words</span>")
    texts = "[...document.querySelectorAll('#panel-worst .shot-text')]"
    for width in (1280, 390):
        resize(page, width, 800)
        assert min(page.evaluate(f"{texts}.map((text) => text.clientWidth)")) >= 190
        assert page.evaluate(f"getComputedStyle({texts}[0]).fontSize") == "15px"
        check_width(page)
