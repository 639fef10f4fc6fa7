"""Journeys through words in a real browser: a question, the audit, thirty clicks, and what is frozen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import read_toasts, unfold_closing
from tests.support.contrast import check_contrast, check_width

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]


def ask(page: Any, text: str, other: str = "") -> None:
    """Type one or two questions and press Enter."""
    page.get_by_role("tab", name="Ask").click()
    page.get_by_label("Where do you suspect errors?").fill(text)
    page.get_by_label("Compare with").fill(other)
    page.get_by_label("Where do you suspect errors?").press("Enter")


def test_a_question_is_answered_counted_and_shown_on_the_map(open_page: Visit) -> None:
    page = open_page()
    ask(page, "in the dark")
    page.wait_for_selector("#answer .answer", timeout=60_000)
    assert "Confirmed: higher loss" in page.locator("#answer .verdict").inner_text()
    assert page.locator("#answer #panel-best-0 .tile img").count() == 60
    assert page.locator("#answer #panel-best-0 .is-wrong").count() > 9
    page.get_by_role("tab", name="Highest loss first").click()
    losses = [float(t) for t in page.locator("#panel-worst-0 .tile b").all_inner_texts()]
    assert losses == sorted(losses, reverse=True)
    ask(page, "in the dark", "in fog")
    page.wait_for_selector("#answer .between")
    assert page.locator("#answer .answer").count() == 2
    assert "2 questions asked" in page.locator("#asked").inner_text()
    page.locator("#ask-number input[type=number]").fill("7")
    page.wait_for_function("document.querySelector('#answer .said').innerText.includes('7 images match')")
    page.get_by_role("button", name="Show on the map").first.click()
    page.wait_for_selector("#pane .selection-chip")
    assert "Looks like" in page.locator("#pane .pane-title").inner_text()


def test_an_example_asks_every_picture_and_of_other_pictures_than_scenes_nothing_is_sure(open_page: Visit) -> None:
    page, made = open_page(390, 844, dark=True), "#pictures-made .pictured"
    page.get_by_role("tab", name="Ask").click()
    page.get_by_role("button", name="Ask the images").click()
    page.locator("#pictures-intro .chip-button").first.click()
    page.wait_for_selector(made, timeout=180_000)
    assert "sure of 0 of 600 images" in page.locator(f"{made} h3").inner_text()
    check_contrast(page, [f"{made} h3", f"{made} .verdict", f"{made} tbody td", f"{made} .small-note"])
    check_width(page)
    page.locator(f"{made} button[data-do=answer]").first.press("Enter")
    page.wait_for_selector("#pane .selection-chip")


def test_a_chip_asks_and_what_is_no_question_gets_one_message_or_one_answer_and_never_markup(open_page: Visit) -> None:
    page = open_page()
    page.get_by_role("tab", name="Ask").click()
    page.locator("#chips button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer .answer", timeout=60_000)
    assert page.locator("#answer h2").inner_text() == "“in the dark”"
    for text in ("", "🙂 🙂", "x" * 5000):
        ask(page, text)
        said = read_toasts(page)
        assert len(said) == 1, text[:9]
        assert "question" in said[0]
        assert "Traceback" not in said[0]
        assert page.locator("#answer .answer").count() == 1
    ask(page, "<b></b>!")
    page.wait_for_function("document.querySelector('#answer h2').innerText.includes('<b></b>!')", timeout=60_000)
    assert page.locator("#answer .answer").count() == 1
    assert page.locator("#answer h2 b").count() == 0


def test_thirty_clicks_by_keyboard_end_in_a_judgement_and_a_run_without_words_says_what_to_do_in_each_tab(
    open_page: Visit,
) -> None:
    page = open_page()
    page.locator("#pane .card").first.click()
    page.get_by_role("button", name="Is the title right?").click()
    page.wait_for_selector("#pane .clicks-big img")
    assert page.locator("#pane [data-row]").count() == 0  # no image tells that it is of the group
    assert page.locator("#pane .say:visible").count() == 3
    for key in ("y", "n", "s", "u"):
        page.keyboard.press(key)
    page.reload()  # the address keeps the answers
    page.wait_for_function("document.querySelector('#pane .clicks-count')?.innerText.includes('2 of 30 answered')")
    marks = page.evaluate("[...document.querySelectorAll('#pane .clicks-thumb')].map((t) => t.dataset.answer)")
    assert marks[:3] == ["y", "n", ""]
    for _ in range(28):
        page.keyboard.press("y")
    assert "30 of 30" in page.locator("#pane .clicks-count").inner_text()
    page.keyboard.press("Enter")  # the judgment's button has the focus
    page.wait_for_selector("#pane .judged")
    page.wait_for_function("document.activeElement.tagName === 'H3'")
    assert "holds for" in page.locator("#pane .judged h3").inner_text()
    assert page.locator("#panel-worst [data-row] img").count() == 24
    page.get_by_role("button", name="Is the title right?").click()
    page.wait_for_selector("#pane .clicks-stage")
    page.locator("#pane [data-claim]").select_option(index=1)
    page.wait_for_function("document.querySelector('#pane .clicks-stage h3').innerText.includes('in the dark')")
    page.wait_for_function("document.activeElement.matches('.clicks-stage')")
    page.get_by_role("button", name="Rename or note").click()
    assert page.evaluate("document.activeElement.innerText") == "Copy to your runs"  # an example takes no notes
    page.locator("#picker input").click()
    page.get_by_role("option", name="nothing to find").click()
    page.wait_for_selector("#pane .calm")
    for tab, said, where in (
        ("Ask", "This run has no words", "#chips"),
        ("Compare", "No finding to check", "#compare-result"),
    ):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_function(f"document.querySelector('{where}')?.innerText.includes('{said}')")


def test_the_audit_is_read_with_the_arrow_keys_and_the_tabs_of_words_keep_their_contrast_and_their_width(
    open_page: Visit,
) -> None:
    page = open_page(900, 900)
    page.get_by_role("tab", name="Ask").click()
    page.wait_for_selector("#answer .answer", timeout=60_000)  # the example's, which would come after a hasty question
    ask(page, "in the dark")
    page.get_by_role("button", name="Audit").click()
    page.wait_for_selector("#heat table", timeout=60_000)
    page.wait_for_selector("#asked td", state="attached")
    seen = [
        "#answer .verdict",
        "#answer .said",
        "#answer .loss-strip figcaption",
        "#ask-number label",
        "#answer .tile-foot",
        "#asked td",
        "#heat tbody th",
        "#heat .heat-live",
        ".wrong-mark",
    ]
    check_contrast(page, seen)
    check_width(page)
    page.locator("#heat td[data-said]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    said = page.locator("#heat .heat-live").inner_text()
    assert ", bus: " in said
    assert said == page.evaluate("document.activeElement.dataset.said")
    with page.expect_download() as download:
        page.locator("#audit-csv").click()
    assert download.value.suggested_filename.endswith(".csv")
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector("#compare-result h2")
    check_contrast(page, ["#compare-result h2", "#compare-result p"])
    check_width(page)


def test_other_engines_are_asked_below_the_findings_and_show_their_images(open_page: Visit) -> None:
    page = open_page(1100, 900)
    unfold_closing(page)
    page.locator("#engines > .label-wrap").click()
    page.locator("#engines-run").click()
    page.wait_for_selector("#engines-made article", timeout=90_000)
    assert "not tested" in page.locator("#engines-made").inner_text()
    slices = page.locator("#engines-made .slice")
    assert slices.count() >= 5
    assert slices.first.locator("img").count() == 6
    check_width(page)
    check_contrast(page, ["#engines-made h3", "#engines-made .slice p", "#engines-made .shot-line"])


def test_a_talk_goes_on_by_keys_and_ends_with_a_question_that_is_asked_at_once(
    open_page: Visit, page_address: str
) -> None:
    page = open_page(1280, 720, address=f"{page_address}?embed=1&size=large")
    screens = "[...document.querySelectorAll('.pane-body > .finding, .talk-ask')]"
    for key, at in (("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("PageDown", 2), ("ArrowRight", -1)):
        page.keyboard.press(key)
        page.wait_for_function(f"Math.abs({screens}.at({at}).getBoundingClientRect().y) < 20")
    page.keyboard.press("ArrowRight")  # there is nothing after it
    field = page.get_by_label("Where else do you suspect errors?")
    field.fill("in the dark")
    assert field.evaluate("field => parseFloat(getComputedStyle(field).fontSize)") >= 24
    field.press("Enter")
    page.wait_for_selector("#answer .answer", timeout=60_000)
    assert page.locator("#answer h2").inner_text() == "“in the dark”"
    assert {"embedded", "large"} <= set(page.evaluate("document.body.className").split())
