"""A journey through the captions of the tab Ask, in a real browser, by the keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import unfold
from tests.support.contrast import check_contrast, check_width

pytestmark = pytest.mark.browser

DONE = "#captions-made .captioned"


def test_captions_of_a_file_describe_the_clusters_and_are_taken_away(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_page(390, 844)
    page.get_by_role("tab", name="Ask").click()
    fold = page.get_by_role("button", name="Describe groups by captions")
    unfold(fold, page.locator("#captions-run"))
    (tmp_path / "mine.txt").write_text("a dark street\na field of grass\na red thing\n", "utf-8")
    page.set_input_files("#captions-file input[type=file]", str(tmp_path / "mine.txt"))
    page.wait_for_selector("#captions-status:has-text('3 captions from mine.txt')")
    page.locator("#captions-run").press("Enter")
    page.wait_for_selector(DONE, timeout=60_000)
    seen = [f"{DONE} h3", f"{DONE} .verdict", f"{DONE} tbody td", f"{DONE} .quoted li", f"{DONE} .small-note"]
    check_contrast(page, seen)
    check_width(page)
    with page.expect_download() as download:
        page.locator("#take-captions-json").click()
    download.value.save_as(tmp_path / "captions.json")
    said = json.loads((tmp_path / "captions.json").read_text("utf-8"))
    assert page.locator(f"{DONE} section").count() == len(said["clusters"]) > 0
    page.locator(f"{DONE} button[data-do=cluster]").first.press("Enter")
    page.wait_for_selector("#pane .selection-chip")
