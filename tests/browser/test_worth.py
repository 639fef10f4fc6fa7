"""What the sentence on a sample is worth, in a real browser: not yet measured, measured, stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from core.checks import faithfulness
from core.records import Diagnosis, Faithfulness, Progress
from tests.browser.conftest import unfold_closing
from tests.support.contrast import check_contrast
from tests.support.faithfulness import made_faithfulness
from tests.support.showcase import make_showcase
from webapp.explore import worth

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
SAID = "(AUROC 0.70, 95% CI 0.60 to 0.80; held-out halves"


@pytest.fixture(autouse=True)
def may_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A measurement with steps that lasts until this is set."""
    ends = threading.Event()

    def measure(diagnosis: Diagnosis, *, progress: Progress) -> Faithfulness:
        while not ends.wait(0.05):
            progress("half 1: members", 1, 2)
        return made_faithfulness()

    monkeypatch.setattr(faithfulness, "measure_faithfulness", measure)
    monkeypatch.setattr(worth, "_OF_EXAMPLES", {})
    yield ends
    ends.set()


def test_it_is_offered_beside_the_sentence_measured_below_and_shown_in_both(
    open_page: Visit, page_address: str, may_end: threading.Event
) -> None:
    row = int(np.flatnonzero(make_showcase().clusters[0].membership >= 0.5)[0])
    page = open_page(address=f"{page_address}?run=example-streets&row={row}")
    page.wait_for_selector("#pane .worth", timeout=30_000)
    assert "is not measured" in page.locator("#pane .worth").inner_text()
    page.locator("#pane .worth button").click()  # the fold below is built now
    page.wait_for_selector("#worth[open] button:focus")
    assert "diagnoses each half" in page.locator("#worth").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("#worth-status .status li")
    may_end.set()
    page.wait_for_selector("#worth table", timeout=30_000)
    assert SAID in page.locator("#worth").inner_text()
    assert page.locator("#worth button").count() == 0
    assert not page.locator("#worth-cancel").is_visible()
    assert SAID in page.locator("#pane .worth").inner_text()
    shown = ["#pane .worth", "#worth > p", "#worth td", "#worth > .muted", "#worth summary .muted"]
    check_contrast(page, shown)
    page.locator("#pane .tile").first.click()
    page.wait_for_selector("dialog.enlarged .worth")
    assert SAID in page.locator("dialog.enlarged .worth").inner_text()


def test_it_can_be_stopped(open_page: Visit) -> None:
    page = open_page()
    unfold_closing(page)
    page.locator("#worth summary").click()
    page.locator("#worth button").click()
    page.locator("#worth-cancel").click()
    page.wait_for_selector("#worth-status :text('Stopped')")
    assert page.locator("#worth button").is_visible()
    assert "not measured" in page.locator("#worth summary").inner_text()
