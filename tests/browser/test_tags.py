"""Journeys through the list of tags below the questions, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import read_toasts
from tests.support.contrast import check_contrast, check_width

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
DONE = "#tags-made .tags"


def open_tags(page: Any) -> None:
    """Open the accordion; of an example its first list is tested at once."""
    page.get_by_role("tab", name="Ask").click()
    page.get_by_role("button", name="Tags: test several causes").click()
    page.wait_for_selector(DONE, timeout=60_000)


def test_an_example_shows_a_tested_list_and_another_is_typed_tested_taken_away_and_outlives_what_cannot_be(
    open_page: Visit, tmp_path: Path
) -> None:
    page = open_page()
    open_tags(page)
    assert page.locator(f"{DONE} tbody tr").count() == 6
    page.get_by_label("Tags: names separated by commas").fill("in the dark\nfog, grass")
    page.locator("#tags-run").click()
    page.wait_for_selector(f"{DONE}:has-text('3 tags on')", timeout=60_000)
    assert "in the dark" in page.locator(f"{DONE} h3").inner_text()
    assert page.locator(f"{DONE} .verdict.sure").count() >= 1
    assert "tested 2 lists on this run" in page.locator(DONE).inner_text()
    with page.expect_download() as download:
        page.locator("#take-tags-json").click()
    download.value.save_as(tmp_path / "tags.json")
    assert len(json.loads((tmp_path / "tags.json").read_text("utf-8"))["tags"]) == 3
    for said in ("", "a, A", "/etc/passwd.txt", "{broken", "failure-causes"):
        page.get_by_label("Tags: names separated by commas").fill(said)
        page.locator("#tags-run").click()
        told = read_toasts(page)
        assert len(told) == 1, said
        assert "Traceback" not in told[0]
        assert page.locator(f"{DONE} tbody tr").count() == 3  # the list before stays
        assert "Waiting" not in page.locator("#tags-status").inner_text()


def test_a_tag_is_picked_with_the_keyboard_and_its_samples_are_shown_on_the_map(open_page: Visit) -> None:
    page = open_page(390, 844)
    open_tags(page)
    seen = [f"{DONE} h3", f"{DONE} .verdict", f"{DONE} tbody td small", f"{DONE} tbody button", "#tagged .said"]
    check_contrast(page, seen)
    check_width(page)
    last = page.locator(f"{DONE} tbody button").last
    name = last.inner_text()
    last.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement?.tagName === 'H3'")
    assert page.evaluate("document.activeElement.innerText").endswith(f"“{name}”")
    assert page.locator("#tagged .tile").count() > 0
    page.locator("#tagged summary").click()
    assert page.locator("#tagged details tbody tr").count() == 14
    page.locator("#tagged").get_by_role("button", name="Show on the map").click()
    page.wait_for_selector("#pane .selection-chip")
    assert f"Tagged “{name}”" in page.locator("#pane .pane-title").inner_text()
