"""A diagnosis outlives its page: a reload, a closed tab, and the link in another browser show it going on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import core.diagnose
from core.records import Diagnosis, Progress, no_progress
from research.evidence.load import made_up
from webapp.address import FINISHED, GONE
from webapp.data.following import GOES_ON, WATCHED
from webapp.state.jobs import JOBS
from webapp.state.uploads import UPLOADS

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
N_IMAGES = 64


class Gate:
    """Holds a diagnosis where half of its images are read, until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.real = core.diagnose.diagnose_data_set

    def diagnose(self, *args: Any, progress: Progress = no_progress, **kwargs: Any) -> Diagnosis:
        """Diagnose as usual, but stop at the gate."""

        def held(step: str, done: int, total: int) -> None:
            progress(step, done, total)
            while total == N_IMAGES and done >= N_IMAGES // 2 and not self.opened.wait(0.05):
                progress(step, done, total)  # raises where it is cancelled

        return self.real(*args, progress=held, **kwargs)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    monkeypatch.setattr(core.diagnose, "diagnose_data_set", made.diagnose)
    yield made
    made.opened.set()
    assert JOBS.stop_all(120)


@pytest.fixture
def stranger(chromium: Any) -> Iterator[Any]:
    """A page of another browser."""
    with chromium.new_context() as context:
        yield context.new_page()


def bring(page: Any, folder: Path) -> None:
    """Upload a table and its images, which the form of New run then names."""
    table, images = made_up(N_IMAGES, seed=int.from_bytes(os.urandom(4)))  # no vectors of them are kept
    (folder / "audit.csv").write_bytes(table)
    (folder / "shots.zip").write_bytes(images)
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", folder / "audit.csv")
    page.wait_for_selector("#columns table")
    page.set_input_files("#brought input[type=file]", folder / "shots.zip")
    holds_uploads(page)


def holds_uploads(page: Any) -> None:
    for field, name in (("table", "audit"), ("images", "shots")):
        page.wait_for_function(f"document.querySelector('#{field}')?.innerText.includes('{name}')", timeout=30_000)


def has_status(page: Any, text: str) -> None:
    page.wait_for_function(
        "text => document.querySelector('#status')?.innerText.includes(text)", arg=text, timeout=120_000
    )


def has_address(page: Any, pattern: str) -> None:
    page.wait_for_function(f"{pattern}.test(location.search)", timeout=120_000)


def press_run(page: Any) -> None:
    page.locator("#run:not([disabled])").click()


def test_a_run_goes_on_over_a_reload_and_who_has_the_link_watches_it(
    open_page: Visit, stranger: Any, gate: Gate, tmp_path: Path
) -> None:
    page = open_page()
    errors = list[str]()
    page.on("console", lambda said: errors.append(f"{said.text} {said.location}") if said.type == "error" else None)
    bring(page, tmp_path)
    press_run(page)
    has_status(page, " of 64")
    has_status(page, GOES_ON)
    has_address(page, "/job=/")
    link = page.url
    page.reload()
    has_status(page, " of 64")
    page.wait_for_selector("#cancel:not([disabled])")
    page.wait_for_selector("#run[disabled]")
    holds_uploads(page)
    assert page.url == link
    assert page.locator("#connection").inner_text() == ""
    assert not errors, "\n".join(errors)

    stranger.goto(link)
    has_status(stranger, WATCHED)
    assert stranger.locator("#cancel").is_disabled()
    assert stranger.locator("#table").count() == 0

    gate.opened.set()
    for each in (page, stranger):
        has_address(each, r"/^(?!.*job=).*run=[\w-]{22}/")
        each.wait_for_selector("#pane:visible")
    page.wait_for_function("localStorage.getItem('errata-runs')")
    assert stranger.evaluate("localStorage.getItem('errata-runs')") is None
    stranger.goto(link)
    stranger.get_by_text(FINISHED).wait_for(timeout=60_000)
    has_address(stranger, r"/^(?!.*(job|tab)=).*run=[\w-]{22}/")
    stranger.goto(link.replace("job=", "job=x"))
    stranger.get_by_text(GONE).wait_for(timeout=60_000)
    stranger.wait_for_selector("#run:visible")


def test_files_on_their_way_are_named_and_a_run_waits_for_them(open_page: Visit, tmp_path: Path) -> None:
    page = open_page()
    (tmp_path / "audit.csv").write_bytes(made_up(N_IMAGES, seed=7)[0])
    page.get_by_role("button", name="New run").click()
    press_run(page)
    has_status(page, "No table")
    held = list[Any]()
    page.route("**/upload?**", lambda route: held.append(route))
    page.set_input_files("#brought input[type=file]", tmp_path / "audit.csv")
    page.get_by_text("Arriving: audit.csv", exact=True).wait_for()
    press_run(page)
    page.get_by_text("Arriving: audit.csv. Press Run once they are here.").wait_for()
    for one in held:
        one.continue_()
    page.wait_for_selector("#columns table")
    has_status(page, "No run in progress")
    page.get_by_text("Arriving:").wait_for(state="detached")
    page.unroute("**/upload?**")  # the next test may use this page


def test_a_run_is_cancelled_after_a_reload_and_starts_again_without_a_new_upload(
    open_page: Visit, gate: Gate, tmp_path: Path
) -> None:
    page = open_page()
    bring(page, tmp_path)
    page.get_by_role("button", name="Options").click()
    page.get_by_label("a quarter").click()
    press_run(page)
    has_address(page, "/job=/")
    page.wait_for_function("localStorage.getItem('errata-choices')")
    page.reload()
    has_status(page, " of 64")
    page.locator("#cancel:not([disabled])").click()
    has_status(page, "Stopped")
    has_address(page, "/^(?!.*job=)/")
    page.reload()
    holds_uploads(page)
    page.wait_for_selector("#columns table")
    page.wait_for_function("document.querySelector('#hidden input:checked').value === '0.25'")
    uploaded = len(UPLOADS.paths())
    gate.opened.set()
    page.get_by_role("button", name="Options").click()
    page.get_by_label("nothing").click()
    press_run(page)
    has_address(page, r"/^(?!.*job=).*run=[\w-]{22}/")
    assert len(UPLOADS.paths()) == uploaded


def test_a_failed_run_keeps_its_uploads_and_the_corrected_columns(open_page: Visit, tmp_path: Path) -> None:
    page = open_page()
    rows = [f"{i},{i % 7}" for i in range(120)]
    (tmp_path / "audit.csv").write_text("\n".join(["id,badness", *rows]))
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", tmp_path / "audit.csv")
    page.wait_for_selector("#columns table")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Fix columns").click()
    page.locator("#role-loss input").click()
    page.get_by_role("option", name="badness").click()
    press_run(page)
    has_status(page, "did not finish")
    has_address(page, "/^(?!.*job=)/")
    page.wait_for_function("localStorage.getItem('errata-choices')")
    page.reload()
    page.wait_for_function("document.querySelector('#table')?.innerText.includes('audit')", timeout=30_000)
    page.wait_for_function("/badness\\s*loss/.test(document.querySelector('#columns').innerText)", timeout=30_000)
    with page.expect_navigation(timeout=30_000):
        page.get_by_role("button", name="Delete my data now").click()
    page.get_by_role("button", name="New run").click()
    page.wait_for_selector("#brought:visible")
    page.wait_for_timeout(1000)  # nothing comes back later
    assert page.locator("#table").count() == 0
    assert not [path for path in UPLOADS.paths() if path.name == "audit.csv" and "badness" in path.read_text()]
