"""Journeys through Composition in Probe in a real browser, on what comes along, with the embedded encoder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.contrast import check_contrast, check_width

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("few_searched")]

Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def page_address(shipped_address: str) -> str:
    return shipped_address


def open_compose(page: Any, fold: str = "") -> None:
    page.get_by_role("tab", name="Probe").click()
    page.get_by_role("tab", name="Composition").click()
    page.wait_for_selector("#compose-result .compose-item", timeout=60_000)
    if fold:
        page.locator(f"#compose-{fold} > button").click()


def keeps_contrast_and_width(page: Any, seen: list[str]) -> None:
    for width in (1400, 390):
        page.set_viewport_size({"width": width, "height": 900})
        check_width(page)
        check_contrast(page, seen)


def test_a_finished_benchmark_is_there_and_its_items_are_seen_by_their_kind_and_taken_away(
    open_page: Visit, tmp_path: Path
) -> None:
    page = open_page(1400, 900)
    open_compose(page)
    for name in ("choice", "encoder", "second"):
        assert page.locator(f"#compose-{name} input").is_enabled()
    head = page.locator("#compose-result .compose-head").inner_text()
    assert "Rendered pairs" in head
    assert "60 items" in head
    picture = page.locator("#compose-result .compose-item thead img").first.bounding_box()
    assert 110 <= picture["width"] <= 160
    assert page.locator("#compose-result .compose-items .compose-item").count() == 6
    assert page.locator("#compose-result .compose-items .compose-item").first.locator("thead img").count() == 2
    page.get_by_role("button", name="Show more").click()
    page.wait_for_function("document.querySelectorAll('#compose-result .compose-items .compose-item').length === 12")
    page.locator("#compose-result .compose-items select[data-do='filter']").select_option("kind=noun")
    page.wait_for_function("document.querySelector('.compose-items h3 small')?.innerText === '10 items'")
    page.wait_for_function("document.activeElement?.closest('#compose-result .compose-items h3')")
    page.locator("#compose-result .compose-items select[data-do='which']").select_option("wrong")
    page.wait_for_function("document.querySelectorAll('#compose-result .compose-items .compose-item').length < 6")
    assert "kind: noun" in page.locator("#compose-result .compose-items .compose-cards").inner_text()
    page.locator("#compose-result .compose-items select[data-do='filter']").select_option("")
    page.wait_for_function("document.querySelectorAll('#compose-result .compose-items .compose-item').length === 6")
    for summary in page.locator("#compose-result .probe-fold > summary").all():
        summary.click()
    page.locator("#compose-files > button").click()
    page.wait_for_function("document.querySelector('#compose-json')?.disabled === false", timeout=60_000)
    with page.expect_download() as waited:
        page.locator("#compose-json").click()
    waited.value.save_as(tmp_path / "composition.json")
    said = json.loads((tmp_path / "composition.json").read_text("utf-8"))
    assert said["results"][0]["n"] == 60
    parts = (
        "#compose-result .said",
        "#compose-result .tags td",
        "#compose-result .legend li",
        ".compose-item .chip",
        ".compose-grid .outcome",
    )
    keeps_contrast_and_width(page, [*parts])


def test_a_shipped_pair_is_scored_when_pressed_and_a_score_shows_its_words(open_page: Visit) -> None:
    page = open_page(1400, 900)
    open_compose(page, "pairs")
    page.wait_for_selector("#pairs-examples .pair-example", timeout=60_000)
    page.locator(".pair-example").first.click()
    page.wait_for_selector("#pairs-result .compose-grid", timeout=120_000)
    assert "of 2 images pick their own caption" in page.locator("#pairs-result h2").inner_text()
    keeps_contrast_and_width(page, [".pair-row .mark", ".pair-example", "#pairs-result .outcome"])
    page.set_viewport_size({"width": 1400, "height": 900})
    page.locator("#pairs-form [data-edit='foils']").click()
    page.wait_for_function("document.querySelectorAll('#pairs-form .pair-row').length > 4")
    n = page.locator("#pairs-form .pair-row").count()
    page.locator("#pairs-form [data-edit='remove']").nth(2).click()
    page.wait_for_function(f"document.querySelectorAll('#pairs-form .pair-row').length === {n - 1}")
    page.locator("#pairs-form .pair-row input").nth(2).fill("a wooden chair on the moon")
    page.locator("#pairs-form .pair-row input").nth(2).press("Enter")
    page.wait_for_function("document.querySelector('#pairs-result tbody')?.innerText.includes('moon')", timeout=120_000)
    page.locator("#pairs-result [data-do='cell']").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#pairs-words figure", timeout=120_000)
    assert page.locator("#pairs-words figure").count() >= 4


def test_a_picture_of_ones_own_with_a_caption_gets_foils_and_scores(open_page: Visit) -> None:
    from tests.support.diagnoses import draw_picture

    page = open_page(1400, 900)
    open_compose(page, "pairs")
    page.set_input_files(
        "#pairs-files input[type=file]", {"name": "own.png", "mimeType": "image/png", "buffer": draw_picture(3)}
    )
    page.wait_for_selector("#pairs-form .pair-faces img", timeout=60_000)
    page.locator("#pairs-form .pair-row input").first.fill("a red cube and a blue ball")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#pairs-result tbody tr').length > 4", timeout=120_000)
    assert "swap attributes" in page.locator("#pairs-form").inner_text()


def test_the_grid_is_drawn_and_read_with_the_keyboard(open_page: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.systems.composition.grid.N_SCENES", 200)
    page = open_page(1400, 900)
    open_compose(page, "grid")
    page.wait_for_selector("#grid-result table.binding", timeout=60_000)  # of the open run's images, at once
    assert "scenes" in page.locator("#grid-result h2").inner_text()
    page.locator("#grid-source input").click()
    page.get_by_role("option", name="Rendered scenes").click()
    page.locator("#grid-run").click()
    page.wait_for_function(
        "document.querySelector('#grid-result h2').innerText.includes('rendered scenes')", timeout=300_000
    )
    page.locator("#grid-result td[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert "images:" in page.locator("#grid-result .heat-live").inner_text()
    before = page.locator("#grid-result td[data-said]").first.inner_text()
    page.locator("#grid-result select[data-do='measure']").select_option("sees_object")
    page.wait_for_function(
        "(before) => document.querySelector('#grid-result td[data-said]').innerText !== before", arg=before
    )


@pytest.mark.slow
def test_an_adapter_is_trained_shown_and_offered_and_failures_open_as_a_run_in_explore(
    open_page: Visit, few_phrases: None
) -> None:
    page = open_page(1400, 900)
    open_compose(page, "train")
    page.locator("#teach-n input[type=number]").fill("100")
    page.locator("#teach-epochs input[type=number]").fill("1")
    page.locator("#teach-epochs input[type=number]").press("Tab")
    page.locator("#teach-run").click()
    page.wait_for_selector("#teach-result .regression, #teach-result h2", timeout=600_000)
    assert page.locator("#compose-second input").input_value().startswith("Trained: Local matching, 100 colour items")
    assert page.locator("#compose-result .versus").count() > 0
    assert page.locator("#teach-zip").is_visible()
    page.locator("#compose-failures").click()
    page.wait_for_function("document.querySelector('#picker input')?.value.startsWith('Composition')", timeout=300_000)
    assert page.get_by_role("tab", name="Findings").get_attribute("aria-selected") == "true"
    assert "120 images" in page.locator("#strip").inner_text()
