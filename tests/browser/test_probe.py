"""Journeys through Classes in Probe in a real browser, on the shipped example with its own encoder."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import resize
from tests.support.contrast import check_contrast, check_width

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
READ = [
    ".probe-method span",
    ".control small",
    ".form-run",
    ".probe-count",
    "#probe-result .tile-line",
    "#probe-figures .rows td",
    "#probe-figures .note",
    "#probe-gallery .tile-line",
    "#probe-why dt",
    "#probe-why .part-row em",
]


@pytest.fixture(scope="module")
def page_address(shipped_address: str) -> str:
    return shipped_address


def open_probes(page: Any) -> None:
    page.get_by_role("tab", name="Probe").click()
    page.wait_for_selector("#probe-form form", timeout=60_000)
    page.wait_for_selector("#probe-result .probe-group", timeout=60_000)


def choose(page: Any, name: str) -> None:
    """Choose a method, whose fold is opened if it is folded away, and open its settings."""
    method = page.locator(f"input[name=probe][value='{name}']")
    if not method.is_visible():
        page.get_by_text("Other methods").click()
    method.check()
    page.wait_for_selector(f"form[data-probe='{name}']")
    page.locator("#probe-form .probe-more summary").click()


def run_probe(page: Any, name: str) -> None:
    page.locator("#probe-form .form-run").click()
    page.wait_for_selector("#probe-status [data-shown]", timeout=120_000, state="attached")
    page.wait_for_function(
        "(name) => document.querySelector('#probe-result h2')?.textContent.startsWith(name)", arg=name, timeout=120_000
    )


def test_the_place_opens_with_groups_of_images_and_one_image_is_explained_in_a_narrower_window_too(
    open_page: Visit,
) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    first = page.locator("#probe-result .probe-group").first
    assert re.fullmatch(
        r"Zero-shot gets \d+ of these \d+ errors right, and \d+ wrong that your model gets right\.",
        first.locator(".probe-count").inner_text(),
    )
    for kind in ("fixed", "broken", "both"):
        box = first.locator(f".probe-kind.{kind} img").first.bounding_box()
        assert 110 <= box["width"] <= 160
    assert page.locator("#probe-result .probe-group").last.locator("h3").inner_text() == "All images"
    page.locator("#probe-result .probe-group[data-scope='1'] [data-do='kind'][data-kind='both']").click()
    page.wait_for_function("document.querySelector('#probe-gallery h3')?.innerText?.startsWith('Both wrong')")
    pressed = page.locator("#probe-gallery .tile").first
    names = [t.split(": ", 1)[1] for t in pressed.locator(".tile-line").all_inner_texts()]
    pressed.click()
    page.wait_for_selector("#probe-why .part-row", timeout=60_000)
    why = page.locator("#probe-why").inner_text()
    assert all(name in why for name in names)
    assert page.locator("#probe-why .part-row").count() == 6
    assert page.locator("#probe-why .outcome.bad").count() == 2
    assert "a photo of a" in why
    page.locator("#probe-intervals > summary").click()
    page.set_viewport_size({"width": 700, "height": 900})
    check_contrast(page, READ)
    check_width(page)


def test_the_group_that_is_picked_in_findings_comes_first(open_page: Visit) -> None:
    page = open_page(1400, 900)
    page.locator("#pane [data-cluster='1']").first.click()
    page.wait_for_function("new URLSearchParams(location.search).get('cluster') || location.href.includes('cluster')")
    open_probes(page)
    assert page.locator("#probe-result .probe-group").first.get_attribute("data-scope") == "1"


def test_the_form_is_filled_checked_and_sent_with_the_keyboard(open_page: Visit) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    page.locator("input[name=probe][value='zero-shot']").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("form[data-probe='lp++']")
    assert not page.locator("#probe-pool").is_visible()
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("form[data-probe='zero-shot']")
    page.locator("#probe-form .probe-more summary").focus()
    page.keyboard.press("Enter")
    page.locator("#set-templates").select_option("own")
    page.locator("#set-own_templates").fill("a drawing of it")
    page.wait_for_function("document.querySelector('#probe-form .estimate').textContent.includes('exactly once')")
    page.locator("#set-own_templates").fill("a drawing of a {}.")
    page.wait_for_function("document.querySelector('#probe-form .estimate').textContent.startsWith('About')")
    page.locator("#set-seed").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#probe-result h2').textContent.includes('own templates')")
    page.wait_for_function("document.activeElement?.tagName === 'H2'")  # a screen reader starts at the result
    page.wait_for_selector("#probe-learned", timeout=60_000)
    page.locator("#probe-learned summary").first.click()
    assert "a drawing of a bird." in page.locator("#probe-learned").inner_text()


def test_descriptions_of_a_file_are_edited_and_another_probe_keeps_them_beside_its_own_defaults(
    open_page: Visit,
) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    page.locator("#probe-form .probe-more summary").click()
    page.set_input_files(
        "#fill-descriptions",
        {"name": "own.json", "mimeType": "application/json", "buffer": b'{"bird": ["a bird with wings."]}'},
    )
    page.wait_for_function("document.querySelector('#set-descriptions').value.includes('wings')")
    page.locator("#set-descriptions").fill('{"bird": ["a bird with a long beak."]}')
    run_probe(page, "Zero-shot, descriptions")
    page.wait_for_selector("#probe-learned", timeout=60_000)
    page.locator("#probe-learned summary").first.click()
    assert "a bird with a long beak." in page.locator("#probe-learned").inner_text()
    choose(page, "tip-adapter")
    switch = page.locator("#set-tune")
    assert switch.is_checked()
    on = switch.screenshot()
    switch.uncheck()
    assert dark_share(on) > dark_share(switch.screenshot()) + 0.3  # the two can be told apart
    default = page.locator("#set-shots").get_attribute("value")
    page.locator("#set-shots").fill("3")
    assert "a long beak" in page.locator("#set-descriptions").input_value()
    choose(page, "lp++")
    assert page.locator("#set-shots").input_value() == "16"
    choose(page, "tip-adapter")
    assert page.locator("#set-shots").input_value() == default


def test_few_shot_draws_how_many_images_it_takes_and_no_table_of_the_results_is_cut(open_page: Visit) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    page.locator("input[name=probe][value='lp++']").check()
    page.wait_for_selector("form[data-probe='lp++']")
    run_probe(page, "Few-shot, 16 shots")
    chart = page.locator("#probe-shots")
    chart.locator(".errorbar").first.wait_for(state="attached")
    assert chart.locator(".errorbar").count() == 5
    assert [t.text_content() for t in chart.locator(".xtick text").all()] == ["1", "2", "4", "8", "16"]
    assert "right, of 960 images" in chart.locator(".ytitle").text_content()
    page.get_by_role("tab", name="Findings").click()
    page.get_by_role("tab", name="Probe").click()
    assert "Few-shot" in page.locator("#probe-result h2").inner_text()  # it is still there
    page.wait_for_selector("#probe-shots-figures")
    for summary in page.locator("#probe-figures .probe-fold > summary").all():
        summary.click()
    assert page.locator("#probe-shots-figures tbody tr").count() == 6  # zero-shot, then 1, 2, 4, 8 and 16
    for width in (1280, 390):
        check_tables(page, width)
    resize(page, 1400, 900)
    page.locator("#probe-all [data-do='result']", has_text="zero-shot").click()
    page.wait_for_function("document.querySelector('#probe-result h2')?.innerText.startsWith('Zero-shot')")


def dark_share(picture: bytes) -> float:
    """The share of pixels that are far from white."""
    with Image.open(io.BytesIO(picture)) as opened:
        return float((np.asarray(opened.convert("L")) < 150).mean())


def test_a_number_that_is_none_is_refused_and_a_job_goes_on_while_its_visitor_is_in_another_place(
    open_page: Visit,
) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    choose(page, "coop")
    page.locator("#set-shots").fill("")
    page.locator("#set-shots").press_sequentially("e")
    page.wait_for_function("document.querySelector('#probe-form .estimate').textContent.includes('whole number')")
    page.locator("#set-shots").fill("4")
    page.locator("#probe-form .form-run").click()
    page.wait_for_function("document.querySelector('#probe-status h3')?.innerText?.startsWith('Working')")
    page.get_by_role("tab", name="Findings").click()
    page.wait_for_timeout(1500)
    page.get_by_role("tab", name="Probe").click()
    page.wait_for_function("document.querySelector('#probe-status h3')?.innerText?.startsWith('Working')")
    page.locator("#probe-form .form-cancel").click()
    page.wait_for_function("document.querySelector('#probe-status h3')?.innerText === 'Stopped'", timeout=60_000)
    page.wait_for_timeout(500)
    assert page.evaluate("document.activeElement.className") == "form-cancel"


OVER = (
    "(where) => [...document.querySelectorAll(where)].find((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth)"
)
SHADOWS = """(frame) => {
  const style = getComputedStyle(frame);
  const n = style.backgroundImage.split("linear-gradient").length - 1;
  return [n, style.backgroundAttachment, style.backgroundRepeat];
}"""


def check_tables(page: Any, width: int) -> None:
    """No table is cut in a window of that width, and one that goes on says so and is scrolled by keys."""
    resize(page, width, 900)
    for key in ("intervals", "learned", "all"):
        frame = page.evaluate_handle(OVER, f"#probe-{key} .scroll").as_element()
        if width == 1280 or key != "all":
            assert frame is None, key
            continue
        n, attachment, repeat = frame.evaluate(SHADOWS)
        assert (n, attachment.count("local"), repeat.replace("no-repeat", "").strip(", ")) == (8, 4, "")
        frame.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("(frame) => frame.scrollLeft > 0", arg=frame)
