"""Links: a view opened again in another browser, Back, a run found again after a reload, and a page inside another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import READY, diagnose_on_page, draw_lasso

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]


def parts(page: Any) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def waits_for(page: Any, **wanted: str) -> None:
    """Until the address says that, and no more."""
    page.wait_for_function(
        "wanted => JSON.stringify(Object.fromEntries([...new URLSearchParams(location.search)].sort()))"
        " === JSON.stringify(wanted)",
        arg=dict(sorted(wanted.items())),
        timeout=30_000,
    )


def shows(page: Any, where: str, text: str) -> None:
    """Until the first such part of the page reads so."""
    page.wait_for_function(
        "([where, text]) => document.querySelector(where)?.innerText === text", arg=[where, text], timeout=30_000
    )


def asks_for(page: Any, text: str) -> None:
    """Type a question that stays: a tab that is only just coming may draw its field once more, empty."""
    field = page.locator("#question :is(input, textarea)")
    for _ in range(20):
        field.fill(text)
        page.wait_for_timeout(500)
        if field.input_value() == text:
            return
    raise AssertionError("the question does not stay in its field")


def follow(open_page: Visit, link: str, **how: Any) -> Any:
    """Another visitor's page at that link."""
    return open_page(address=link, **how)


def test_what_is_picked_stands_in_the_address_and_back_undoes_it_however_fast(open_page: Visit) -> None:
    page = open_page()
    assert parts(page) == {}
    page.locator("#pane [data-do=cluster]").first.click()
    page.wait_for_function("location.search.includes('cluster=')")
    run, cluster = parts(page)["run"], parts(page)["cluster"]
    title = page.locator("#pane h2").first.inner_text()
    page.get_by_role("tab", name="Ask").click()
    waits_for(page, run=run, cluster=cluster, tab="ask")
    page.go_back()
    waits_for(page, run=run, cluster=cluster)
    page.wait_for_selector("#pane h2:visible")
    assert page.locator("#pane h2").first.inner_text() == title
    page.go_back()
    waits_for(page)
    page.wait_for_selector("#pane [data-do=cluster]:visible")
    # pressed faster than answers come, it goes back as far
    page.locator("#pane [data-do=cluster]").first.click()
    page.wait_for_function("location.search.includes('cluster=')")
    opened = [page.url]
    for _ in range(3):
        page.locator("#pane [data-do=step]").last.click()
        page.wait_for_function("before => location.href !== before", arg=opened[-1])
        opened.append(page.url)
    page.evaluate("[0, 60, 120].forEach(wait => setTimeout(() => history.back(), wait))")
    number = opened[0].rsplit("=", 1)[1]
    page.wait_for_function(
        "([link, number]) => location.href === link"
        " && document.querySelector('#pane h2')?.innerText.startsWith(number)",
        arg=[opened[0], number],
        timeout=30_000,
    )
    page.wait_for_timeout(2000)  # nothing that comes later undoes it
    assert page.url == opened[0]
    page.go_forward()
    page.wait_for_function("link => location.href === link", arg=opened[1])


def test_what_another_page_left_in_the_storage_keeps_no_link_from_opening(open_page: Visit, page_address: str) -> None:
    page = open_page()
    page.evaluate("localStorage.setItem('errata-runs', JSON.stringify(['x'.repeat(2_000_000), '__proto__', {}]))")
    page.goto(f"{page_address}?cluster=1")
    page.wait_for_function("/cluster=1/.test(location.search) && /run=/.test(location.search)", timeout=30_000)
    page.wait_for_function("localStorage.getItem('errata-runs') === null")


def test_a_link_opens_the_same_cluster_and_the_same_question_in_another_browser(open_page: Visit) -> None:
    page = open_page()
    page.locator("#pane [data-do=cluster]").nth(1).click()
    page.wait_for_function("location.search.includes('cluster=')")
    shows(follow(open_page, page.url), "#pane h2", page.locator("#pane h2").first.inner_text())
    page.get_by_role("tab", name="Ask").click()
    asks_for(page, "snow & ice <b>")
    page.locator("#ask").click()
    page.wait_for_function("location.search.includes('ask=')")
    page.wait_for_function("document.querySelector('#answer').innerText.includes('snow & ice <b>')")
    asked = follow(open_page, page.url)
    asked.wait_for_function("document.querySelector('#question :is(input, textarea)')?.value === 'snow & ice <b>'")
    shows(asked, "#answer", page.locator("#answer").inner_text())


def test_what_a_link_cannot_open_is_said_and_the_rest_is_open(open_page: Visit, page_address: str) -> None:
    page = follow(open_page, f"{page_address}?run=example-streets&cluster=99")
    page.get_by_text("not number 99").first.wait_for(timeout=30_000)
    waits_for(page)
    page = follow(open_page, f"{page_address}?run=%3Cimg%20src=x%20onerror=alert(1)%3E&cluster=1")
    page.get_by_text("The server no longer has this run").first.wait_for(timeout=30_000)
    assert page.locator("#pane [data-do=cluster]").first.is_visible()


def test_an_outline_comes_back(open_page: Visit) -> None:
    page = open_page()
    draw_lasso(page, [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)])
    page.wait_for_function("location.search.includes('lasso=')")
    shows(follow(open_page, page.url), "#pane h2", page.locator("#pane h2").first.inner_text())


def test_an_own_run_is_found_again_after_a_reload_read_by_a_link_and_deleted(open_page: Visit, tmp_path: Path) -> None:
    page = open_page()
    page.get_by_role("button", name="New run").click()
    link = diagnose_on_page(page, tmp_path)
    kept = page.evaluate("localStorage.getItem('errata-runs')")
    assert parts(page)["run"] not in kept  # the address tells nobody how to change or delete it
    page.reload()
    page.wait_for_function("document.querySelector('#picker input')?.value.includes('Your run')", timeout=60_000)
    assert page.url == link
    reader = follow(open_page, link)
    reader.wait_for_function("document.querySelector('#picker input')?.value.startsWith('From a link')", timeout=60_000)
    assert reader.evaluate("localStorage.getItem('errata-runs')") is None
    page.get_by_role("button", name="New run").click()
    page.get_by_role("button", name="Delete my data now").click()
    page.wait_for_selector("#connection p:visible", timeout=30_000)
    page.wait_for_function("localStorage.getItem('errata-runs') === null", timeout=30_000)
    assert "run" not in parts(page)
    assert page.get_by_text("The server no longer has this run").count() == 0  # it was its maker's wish
    gone = follow(open_page, link)
    gone.get_by_text("The server no longer has this run").first.wait_for(timeout=30_000)


def test_inside_another_page_the_open_tab_stands_alone(open_page: Visit, page_address: str) -> None:
    page = follow(open_page, f"{page_address}?embed=1&size=large&cluster=1", width=1920, height=1080)
    page.wait_for_function("location.search.includes('run=')")
    assert not page.locator("#tabs [role=tab]").first.is_visible()
    assert not page.locator(".brand").is_visible()
    assert page.locator("#pane h2").first.is_visible()
    assert page.get_by_role("link", name="Open in Errata").is_visible()  # the way out of a tab that needs another
    small = page.evaluate(
        """[...document.querySelectorAll('#pane *, #strip *, .map-note')]
        .filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .filter(e => parseFloat(getComputedStyle(e).fontSize) < 15.9).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_where_nothing_may_be_copied_the_whole_address_can_be_read(open_page: Visit) -> None:
    page = open_page(width=360)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden')); }")
    page.evaluate("history.replaceState(null, '', '?lasso=' + '0.1234,0.1234+'.repeat(40))")
    page.get_by_role("button", name="Share").click()
    page.wait_for_function("document.querySelector('.copied').innerText.includes('lasso=')")
    assert page.evaluate("document.querySelector('.copied').getBoundingClientRect().right <= innerWidth")


def test_a_link_to_another_run_shows_nothing_of_the_first_one_while_it_is_on_its_way(
    chromium: Any, page_address: str
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.route("**/queue/join**", lambda _: None)  # no answer yet
    page.goto(f"{page_address}?run=example-nothing")
    page.get_by_text("Opening the run of this link").wait_for(timeout=60_000)
    page.wait_for_selector(READY, state="attached", timeout=60_000)
    for part in ("#strip", "#pane .card", ".open-run", "#picker"):
        assert not page.locator(part).first.is_visible(), part
    page.unroute("**/queue/join**")  # what waited goes on
    page.wait_for_selector("#strip:visible", timeout=60_000)
    assert parts(page)["run"] == "example-nothing"
    assert page.get_by_text("Opening the run of this link").count() == 0
    context.close()


def test_a_tab_that_is_opened_before_the_list_of_runs_has_come_stands_in_the_address(
    chromium: Any, page_address: str
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script("localStorage.setItem('errata-runs', JSON.stringify(['x'.repeat(22)]))")
    page.route("**/queue/join**", lambda _: None)  # no answer yet
    with page.expect_request("**/queue/join**", timeout=60_000):
        page.goto(page_address)
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector("#tabs [data-tab-id=compare][aria-selected=true]")
    assert parts(page) == {}
    page.unroute("**/queue/join**")  # what waited goes on
    page.wait_for_function("location.search === '?tab=compare'", timeout=60_000)
    context.close()
