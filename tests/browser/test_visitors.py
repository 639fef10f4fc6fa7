"""What a visitor sees of the limits that a server sets, and of the end of their data."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import READY
from webapp.app import build_app
from webapp.server.settings import launch_settings
from webapp.state.jobs import JOBS
from webapp.state.lasting import LastingJobs
from webapp.state.quotas import SHARED, quotas, set_quotas
from webapp.state.uploads import UPLOADS

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]


@pytest.fixture
def shared() -> Iterator[None]:
    """A server that others reach, with one place to work, which is taken."""
    before = quotas()
    assert JOBS.stop_all(120)  # what the pages of earlier tests left: a step under way is not cut short
    set_quotas(replace(SHARED, at_once=1, max_waiting=1, min_free_bytes=0))
    JOBS.line.enter("somebody's")
    yield
    assert JOBS.stop_all(10)  # what waits goes on when its page is closed
    JOBS.line.leave("somebody's")
    set_quotas(before)


def write_table(folder: Path) -> Path:
    table = folder / "audit.csv"
    table.write_text("file,loss\n" + "".join(f"{folder.name}{i}.png,0.{i}\n" for i in range(30)))
    return table


def bring(open_page: Visit, folder: Path) -> Any:
    """A page with a table in its form."""
    page = open_page()
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", write_table(folder))
    return page


def has_status(page: Any, text: str) -> None:
    page.wait_for_function(f"document.querySelector('#status')?.innerText.includes({text!r})", timeout=30_000)


def test_who_waits_sees_the_place_and_cancel_gives_it_up(open_page: Visit, tmp_path: Path, shared: None) -> None:
    page = bring(open_page, tmp_path)
    page.wait_for_selector("#columns table")
    page.get_by_role("button", name="Run the diagnosis").click()
    has_status(page, "Next in line")
    page.wait_for_selector("#run[disabled]")
    page.get_by_role("button", name="Cancel").click()
    has_status(page, "Stopped")
    page.wait_for_selector("#run:not([disabled])")
    assert page.locator("#table").inner_text().count("audit") == 1


def test_a_full_line_is_one_message_with_the_next_step(open_page: Visit, tmp_path: Path, shared: None) -> None:
    JOBS.line.enter("another's")
    try:
        page = bring(open_page, tmp_path)
        page.wait_for_selector("#columns table")
        page.get_by_role("button", name="Run the diagnosis").click()
        page.wait_for_selector(".toast-body", timeout=30_000)
        said = page.locator(".toast-body").all_inner_texts()
    finally:
        JOBS.line.leave("another's")
    assert len(said) == 1
    assert "The server is full" in said[0]
    assert "Try again in a few minutes" in said[0]


def test_a_file_that_is_too_much_is_one_message_with_the_next_step(
    open_page: Visit, tmp_path: Path, shared: None
) -> None:
    set_quotas(replace(quotas(), max_own_upload_bytes=1))
    page = bring(open_page, tmp_path)
    page.wait_for_selector(".toast-body", timeout=30_000)
    said = page.locator(".toast-body").all_inner_texts()
    assert len(said) == 1
    assert "Your files may take" in said[0]
    assert "Delete my data now" in said[0]


def test_a_run_of_nothing_does_not_seem_to_wait_and_after_a_refused_file_the_visitor_can_run_again(
    open_page: Visit, tmp_path: Path
) -> None:
    page = open_page()
    page.get_by_role("button", name="New run").click()
    page.get_by_role("button", name="Run the diagnosis").click()
    has_status(page, "did not start")
    page.wait_for_selector("#run:not([disabled])", timeout=30_000)
    page.set_input_files("#brought input[type=file]", write_table(tmp_path))
    page.wait_for_selector("#columns table")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("a.png", bytes(50 * 2**20))
    page.set_input_files("#brought input[type=file]", tmp_path / "bomb.zip")
    page.get_by_text("bomb").first.wait_for(timeout=30_000)
    page.get_by_role("button", name="Run the diagnosis").click()
    has_status(page, "did not finish")
    page.wait_for_selector("#run:not([disabled])", timeout=30_000)


def test_a_message_goes_with_its_tab_and_the_next_one_says_its_own_reason(open_page: Visit) -> None:
    page = open_page()
    page.get_by_role("button", name="New run").click()
    page.get_by_role("button", name="Run the diagnosis").click()
    page.locator(".toast-body", has_text="No table").wait_for(timeout=30_000)
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector(".toast-body", state="detached", timeout=5_000)
    page.get_by_role("button", name="Compare", exact=True).click()
    page.locator(".toast-body", has_text="Nothing to compare").wait_for(timeout=30_000)
    assert "Nothing to compare" in page.locator("#compare-status").inner_text()


def test_a_visitor_deletes_what_they_brought(open_page: Visit, tmp_path: Path) -> None:
    page = bring(open_page, tmp_path)
    page.wait_for_selector("#columns table")
    held = [path for path in UPLOADS.paths() if path.name == "audit.csv" and tmp_path.name in path.read_text()]
    assert len(held) == 1
    with page.expect_navigation(timeout=30_000):
        page.get_by_role("button", name="Delete my data now").click()
        page.locator("#forgotten", has_text="Deleted").wait_for()
        assert not held[0].exists()
    page.wait_for_selector(READY, state="attached", timeout=60_000)
    assert "The server no longer has" in page.locator("#connection").inner_text()  # said for longer than a moment
    page.get_by_role("button", name="New run").click()
    page.wait_for_selector("#brought")
    assert page.locator("#table").count() == 0


def test_an_upload_that_another_one_replaced_in_its_field_is_deleted_too(open_page: Visit, tmp_path: Path) -> None:
    page = open_page()
    page.get_by_role("button", name="New run").click()
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Your own phrases").click()
    before, brought = set(UPLOADS.paths()), set[Path]()
    for i in range(2):
        (file := tmp_path / f"words{i}.txt").write_text(f"a dark scene {tmp_path.name}\n")
        if i:
            page.locator("#phrases").get_by_label("Clear").click()
        page.set_input_files("#phrases input[type=file]", file)
        page.wait_for_function(f"localStorage.getItem('errata-files')?.includes('words{i}')")
        brought = set(UPLOADS.paths()) - before
    assert {path.name for path in brought} == {"words0.txt", "words1.txt"}
    page.get_by_role("button", name="Delete my data now").click()
    page.locator("#forgotten", has_text="Deleted").wait_for()
    assert not any(path.exists() for path in brought)


def says(page: Any, text: str) -> None:
    page.wait_for_function(f"document.querySelector('#connection')?.innerText.includes({text!r})", timeout=90_000)


def waits(page: Any, folder: Path) -> None:
    """Press Run and wait in line."""
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", folder / "audit.csv")
    page.wait_for_selector("#columns table", timeout=60_000)
    page.get_by_role("button", name="Run the diagnosis").click()
    has_status(page, "Next in line")


def test_a_page_says_that_its_server_has_stopped_or_was_started_anew_and_what_did_not_finish(
    chromium: Any, tmp_path: Path, shared: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "audit.csv").write_text("file,loss\na.png,0.1\n")
    demo = build_app(examples=tmp_path)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_role("button", name="New run").wait_for(timeout=60_000)
        assert page.locator("#connection").inner_text() == ""
        waits(page, tmp_path)
        page.wait_for_function("location.search.includes('job=')")
        page.reload()
        page.wait_for_selector("#status", state="attached", timeout=60_000)
        has_status(page, "Next in line")
        assert page.locator("#connection").inner_text() == ""
        demo.close()
        says(page, "does not answer")
        has_status(page, "Connection lost")
        assert JOBS.stop_all(10)
        monkeypatch.setattr(JOBS, "lasting", LastingJobs())  # a new process knows of none
        demo = build_app(examples=tmp_path)
        port = int(address.rstrip("/").rpartition(":")[2])
        demo.launch(server_port=port, prevent_thread_lock=True, quiet=True, **launch_settings())
        says(page, "The server restarted")
        says(page, "Your work in progress did not finish")
        has_status(page, "no longer has this run")
    demo.close()
