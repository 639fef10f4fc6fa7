"""The list of own runs: a run is renamed, found again after its server restarted, and deleted."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import READY, diagnose_on_page, start_run
from tests.support.map_picture import until
from tests.support.showcase import write_examples
from webapp.app import build_app
from webapp.server.settings import launch_settings
from webapp.state import home
from webapp.state.jobs import JOBS
from webapp.state.quotas import AT_HOME, SHARED, Quotas, quotas, set_quotas
from webapp.state.runs import RUNS

pytestmark = pytest.mark.browser
Visit = Callable[[], Any]


class Restarted:
    """A page in this process that keeps runs, and forgets all else when it is started anew."""

    def __init__(self, folder: Path, limits: Quotas) -> None:
        self.folder, self.limits = folder, limits
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.examples = write_examples(folder / "examples")
        self.demo: Any = None

    def start(self) -> str:
        """Returns its address, the same each time."""
        self.stop()
        set_quotas(self.limits)
        home.keep(self.folder / "kept")
        RUNS._held.clear()
        RUNS.begin(lists_all=self.limits.at_home)
        self.demo = build_app(examples=self.examples, at_home=self.limits.at_home)
        where: dict[str, Any] = {"server_port": self.port, "prevent_thread_lock": True, "quiet": True}
        return str(self.demo.launch(**where, **launch_settings())[1])

    def stop(self) -> None:
        if self.demo is not None:
            self.demo.close(verbose=False)


@pytest.fixture
def restarted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Restarted]:
    before, made = quotas(), Restarted(tmp_path, request.param)
    yield made
    made.stop()
    home.keep(None)
    RUNS._held.clear()
    RUNS.begin()
    set_quotas(before)


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    """Another browser each time."""
    contexts = []

    def new() -> Any:
        contexts.append(chromium.new_context(viewport={"width": 1280, "height": 900}))
        return contexts[-1].new_page()

    yield new
    for context in contexts:
        context.close()


def opens(page: Any, address: str) -> Any:
    page.goto(address)
    page.wait_for_selector(READY, state="attached", timeout=60_000)
    page.get_by_role("button", name="New run").click()
    page.wait_for_selector("#my-runs h2:visible")
    return page


def row_of(page: Any, name: str) -> Any:
    row = page.locator("#my-runs [data-run]", has_text=name)
    row.wait_for(timeout=30_000)
    return row


@pytest.mark.parametrize("restarted", [SHARED], indirect=True)
def test_a_run_keeps_its_name_over_a_restart_is_nobody_else_s_and_is_deleted_with_its_link(
    restarted: Restarted, visit: Visit, tmp_path: Path
) -> None:
    address = restarted.start()
    page = opens(visit(), address)
    assert "No runs yet" in page.locator("#my-runs").inner_text()
    link = diagnose_on_page(page, tmp_path)
    page.get_by_role("button", name="New run").click()
    row = row_of(page, "Your run")
    assert "120 " in row.inner_text()
    assert "deleted in" in row.inner_text()
    made = row.locator("time").inner_text()
    row.get_by_role("button", name="Rename").click()
    page.wait_for_function("document.activeElement.getAttribute('aria-label') === 'New name'")
    page.keyboard.type("Tuesday <b>dogs</b>")
    page.keyboard.press("Enter")
    assert row_of(page, "Tuesday <b>dogs</b>").locator("time").inner_text() == made

    opens(page, restarted.start())
    row = row_of(page, "Tuesday <b>dogs</b>")
    row.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_function("document.querySelector('#picker input')?.value.startsWith('Tuesday')", timeout=60_000)
    page.wait_for_function("link => location.href === link", arg=link)

    other = opens(visit(), address)
    other.wait_for_timeout(1500)
    assert "No runs yet" in other.locator("#my-runs").inner_text()

    page.get_by_role("button", name="New run").click()
    row = row_of(page, "Tuesday")
    row.get_by_role("button", name="Delete").click()
    row.get_by_role("button", name="Keep").click()
    row.get_by_role("button", name="Delete").click()
    row.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_function("document.querySelector('#my-runs')?.innerText.includes('No runs yet')", timeout=30_000)
    page.wait_for_function("localStorage.getItem('errata-runs') === null", timeout=30_000)
    other.goto(link)
    other.get_by_text("The server no longer has this run").first.wait_for(timeout=30_000)


@pytest.mark.parametrize("restarted", [AT_HOME], indirect=True)
def test_at_home_another_browser_lists_all_and_deletes_all_only_when_asked_twice(
    restarted: Restarted, visit: Visit, tmp_path: Path
) -> None:
    page = opens(visit(), restarted.start())
    diagnose_on_page(page, tmp_path)
    fresh = visit()
    fresh.goto(restarted.start())
    fresh.wait_for_selector(READY, state="attached", timeout=60_000)
    fresh.locator("#picker input").click()  # before anything of it was opened
    fresh.get_by_role("option", name="Your run").wait_for(timeout=30_000)
    page = opens(visit(), restarted.start())
    assert "until you delete them" in page.locator("#my-runs").inner_text()
    row_of(page, "Your run")
    asked = list[str]()
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Delete my data now").click()
    until(lambda: len(asked) > 0, page.wait_for_timeout)
    page.wait_for_timeout(1500)  # nothing that comes later deletes it
    assert "your run on this machine" in asked[0]
    assert page.locator("#my-runs [data-run]").count() == 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete my data now").click()
    page.wait_for_selector("#connection p:visible", timeout=30_000)
    page.wait_for_function("document.querySelector('#my-runs')?.innerText.includes('No runs yet')", timeout=30_000)


@pytest.mark.parametrize("restarted", [SHARED], indirect=True)
def test_what_another_tab_made_since_goes_with_delete_my_data_now(
    restarted: Restarted, visit: Visit, tmp_path: Path
) -> None:
    address = restarted.start()
    page = opens(visit(), address)
    link = diagnose_on_page(opens(page.context.new_page(), address), tmp_path)
    page.get_by_role("button", name="Delete my data now").click()
    page.wait_for_selector("#connection p:visible", timeout=30_000)
    gone = visit()
    gone.goto(link)
    gone.get_by_text("The server no longer has this run").first.wait_for(timeout=60_000)


@pytest.mark.parametrize("restarted", [AT_HOME], indirect=True)
def test_who_has_gone_to_another_tab_is_left_there_when_the_run_ends(
    restarted: Restarted, visit: Visit, tmp_path: Path
) -> None:
    page = opens(visit(), restarted.start())
    held = [f"held {place}" for place in range(quotas().at_once)]
    for job in held:  # else it might end before the tab is left
        JOBS.line.enter(job)
    start_run(page, tmp_path)
    page.wait_for_function("document.querySelector('#status').innerText.includes('Next in line')", timeout=60_000)
    page.get_by_role("button", name="How to read this").click()
    for job in held:
        JOBS.line.leave(job)
    page.wait_for_selector("#offer .offer:visible", timeout=240_000)
    assert page.locator("#tabs [data-tab-id=reading]").get_attribute("aria-selected") == "true"
    opened = page.locator(".open-run b")
    before = opened.inner_text()
    assert not before.startswith("Your run")
    page.get_by_role("button", name="Open it").click()
    page.wait_for_function("document.querySelector('.open-run b').textContent.startsWith('Your run')", timeout=60_000)
    page.wait_for_selector("#offer .offer", state="hidden")
    assert page.get_by_role("tab", name="Findings").get_attribute("aria-selected") == "true"
    assert page.locator("#pane").is_visible()
