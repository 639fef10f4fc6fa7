"""Several visitors at once: two diagnoses at work, one in line, and a question that waits for none of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import diagnose
from core.records import Diagnosis, Progress
from tests.browser.test_visitors import bring, has_status
from tests.browser.test_words import ask
from tests.support.showcase import make_showcase
from webapp.state.jobs import JOBS
from webapp.state.quotas import SHARED, quotas, set_quotas

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]


@pytest.fixture
def may_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A server that others reach, with two places to work and diagnoses that last until this is set."""
    before, ends, made = quotas(), threading.Event(), make_showcase(120, with_images=False)

    def slow(*_: Any, progress: Progress, **__: Any) -> Diagnosis:
        while not ends.wait(0.05):
            progress("Fitting the loss model", 1, 2)
        return made

    monkeypatch.setattr("core.data.tasks.read.read_task", lambda *_: None)
    monkeypatch.setattr(diagnose, "diagnose_data_set", slow)
    assert JOBS.stop_all(120)
    JOBS.pace.note(600.0)
    set_quotas(replace(SHARED, at_once=2, min_free_bytes=0))
    yield ends
    ends.set()
    assert JOBS.stop_all(60)
    set_quotas(before)


def test_a_question_is_answered_while_two_diagnoses_run_and_the_third_waits_its_turn(
    open_page: Visit, tmp_path: Path, may_end: threading.Event
) -> None:
    pages = []
    for said in ("Fitting the loss model", "Fitting the loss model", "Next in line"):
        page = bring(open_page, tmp_path)
        page.wait_for_selector("#columns table", timeout=60_000)
        page.get_by_role("button", name="Run the diagnosis").click()
        has_status(page, said)
        pages.append(page)
    first, second, third = pages
    assert "Starts automatically" in third.locator("#status").inner_text()
    third.get_by_role("button", name="Cancel").click()
    has_status(third, "Stopped")
    third.wait_for_selector("#run:not([disabled])")

    ask(first, "in the dark")
    first.wait_for_selector("#answer .answer", timeout=60_000)
    has_status(second, "Fitting the loss model")
    may_end.set()
    first.wait_for_selector("#offer .offer:visible", timeout=60_000)
    assert first.get_by_role("tab", name="Ask").get_attribute("aria-selected") == "true"
    assert first.locator("#answer .answer").is_visible()
    second.wait_for_function("document.querySelector('.open-run b').textContent.startsWith('Your run')", timeout=60_000)
    for page in pages:
        assert page.locator("[data-busy]").count() == 0
        assert page.locator(".toast-body").count() == 0
