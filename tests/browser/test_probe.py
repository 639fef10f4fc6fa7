"""Journeys through the Probe tab in a real browser, on the shipped example with its own encoder."""

from __future__ import annotations

import io
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
    ".probe-card span span",
    ".probe-card small",
    ".control small",
    ".form-run",
    "#probe-result .said",
    "#probe-result .outcome",
    "#probe-result .press-count",
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


def run_probe(page: Any) -> None:
    page.get_by_role("button", name="Run the probe").click()
    page.wait_for_selector("#probe-result .result-head", timeout=120_000)


def test_zero_shot_runs_on_the_example_and_an_image_is_explained_in_a_narrower_window_too(open_page: Visit) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    assert "Choose a probe" in page.locator("#probe-result").inner_text()
    page.wait_for_function("document.querySelector('#probe-form .estimate').textContent.startsWith('About')")
    run_probe(page)
    said = page.locator("#probe-result .result-head").inner_text()
    assert "zero-shot: right on" in said
    assert "of 960 images" in said
    assert " and broke " in said
    page.wait_for_function("document.activeElement?.tagName === 'H2'")  # a screen reader starts at the result
    page.locator("#probe-result [data-kind='both'][data-scope='1']").click()
    page.wait_for_function("document.querySelector('#probe-gallery h3').innerText.startsWith('Both wrong')")
    pressed = page.locator("#probe-gallery .tile").first
    names = [t.split(": ", 1)[1] for t in pressed.locator(".tile-line").all_inner_texts()]
    pressed.click()
    page.wait_for_selector("#probe-why .part-row", timeout=60_000)
    why = page.locator("#probe-why").inner_text()
    assert all(name in why for name in names)
    assert page.locator("#probe-why .part-row").count() == 6
    assert page.locator("#probe-why .outcome.bad").count() == 2
    assert "a photo of a" in why
    page.set_viewport_size({"width": 700, "height": 900})
    check_contrast(page, READ)
    check_width(page)


def test_the_form_is_filled_checked_and_sent_with_the_keyboard(open_page: Visit) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    page.locator("input[name=probe][value='zero-shot']").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("form[data-probe='label-desc']")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("form[data-probe='sus-x']")
    assert page.locator("#probe-pool").is_visible()
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("form[data-probe='label-desc']")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("form[data-probe='zero-shot']")
    page.locator("#set-templates").select_option("own")
    page.locator("#set-own_templates").fill("a drawing of it")
    page.wait_for_function("document.querySelector('#probe-form .estimate').textContent.includes('exactly once')")
    page.locator("#set-own_templates").fill("a drawing of a {}.")
    page.wait_for_function("document.querySelector('#probe-form .estimate').textContent.startsWith('About')")
    page.get_by_text("More settings").click()
    page.locator("#set-seed").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#probe-result .result-head", timeout=120_000)
    page.locator("#probe-result").get_by_role("tab", name="Beside your model").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "a drawing of a bird." in page.locator("#panel-probe-learned").inner_text()


def test_descriptions_of_a_file_are_edited_and_another_probe_keeps_them_beside_its_own_defaults(
    open_page: Visit,
) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    page.set_input_files(
        "#fill-descriptions",
        {"name": "own.json", "mimeType": "application/json", "buffer": b'{"bird": ["a bird with wings."]}'},
    )
    page.wait_for_function("document.querySelector('#set-descriptions').value.includes('wings')")
    page.locator("#set-descriptions").fill('{"bird": ["a bird with a long beak."]}')
    run_probe(page)
    page.locator("#probe-result").get_by_role("tab", name="Texts and support").click()
    assert "a bird with a long beak." in page.locator("#panel-probe-learned").inner_text()
    page.locator("input[name=probe][value='tip-adapter']").check()
    page.wait_for_selector("form[data-probe='tip-adapter']")
    switch = page.locator("#set-tune")
    assert switch.is_checked()
    on = switch.screenshot()
    switch.uncheck()
    assert dark_share(on) > dark_share(switch.screenshot()) + 0.3  # the two can be told apart
    default = page.locator("#set-shots").get_attribute("value")
    page.locator("#set-shots").fill("3")
    assert "a long beak" in page.locator("#set-descriptions").input_value()
    page.locator("input[name=probe][value='lp++']").check()
    page.wait_for_selector("form[data-probe='lp++']")
    assert page.locator("#set-shots").input_value() == page.locator("#set-shots").get_attribute("value")
    page.locator("input[name=probe][value='tip-adapter']").check()
    page.wait_for_selector("form[data-probe='tip-adapter']")
    assert page.locator("#set-shots").input_value() == default


def test_probes_stand_side_by_side_and_no_table_of_theirs_is_cut(open_page: Visit) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    run_probe(page)
    page.locator("input[name=probe][value='sus-x']").check()
    page.wait_for_selector("form[data-probe='sus-x']")
    page.get_by_role("button", name="Run the probe").click()
    page.wait_for_function("document.querySelector('#probe-result h2')?.innerText.startsWith('sus-x')", timeout=120_000)
    page.locator("#probe-result").get_by_role("tab", name="All results (2)").click()
    assert page.locator("#panel-probe-all .matrix tbody tr").count() == 3
    page.locator("#panel-probe-all [data-do='result']", has_text="zero-shot").click()
    page.wait_for_function("document.querySelector('#probe-result h2')?.innerText.startsWith('zero-shot')")
    page.get_by_role("tab", name="Findings").click()
    page.get_by_role("tab", name="Probe").click()
    assert "zero-shot" in page.locator("#probe-result h2").inner_text()
    page.locator("input[name=probe][value='lp++']").check(force=True)
    page.wait_for_selector("form[data-probe='lp++']")
    page.get_by_role("button", name="Run the probe").click()
    page.wait_for_function("document.querySelector('#probe-result .pane-title').textContent.includes('lp++')")
    for width in (1280, 390):
        check_tables(page, width)


def test_fewer_shots_give_a_curve_with_its_table_that_keeps_contrast_and_width(open_page: Visit) -> None:
    page = open_page(700, 900)
    open_probes(page)
    page.locator("input[name=probe][value='lp++']").check()
    page.wait_for_selector("form[data-probe='lp++']")
    page.locator("#set-shots").fill("4")
    before = page.locator("#probe-form .estimate").inner_text()
    page.get_by_label("Fewer shots too").check()
    page.wait_for_function("old => document.querySelector('#probe-form .estimate').textContent !== old", arg=before)
    run_probe(page)
    page.locator("#probe-result").get_by_role("tab", name="By shots").click()
    panel = page.locator("#panel-probe-shots")
    assert panel.locator("tbody tr").count() == 4  # zero-shot, then 1, 2 and 4
    boxes = [dot.bounding_box() for dot in panel.locator(".shot-dot").all()]
    assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)
    plot = panel.locator(".shot-plot").bounding_box()
    assert all(plot["y"] <= box["y"] + 4 <= plot["y"] + plot["height"] for box in boxes)
    assert panel.locator("polyline").evaluate("line => line.getBoundingClientRect().width") > 300
    check_contrast(page, ["#panel-probe-shots li", ".shot-ticks span", ".shot-curves figcaption", ".shot-table td"])
    check_width(page)


def dark_share(picture: bytes) -> float:
    """The share of pixels that are far from white."""
    with Image.open(io.BytesIO(picture)) as opened:
        return float((np.asarray(opened.convert("L")) < 150).mean())


def test_a_number_that_is_none_is_refused_and_a_stopped_run_keeps_the_focus(open_page: Visit) -> None:
    page = open_page(1400, 900)
    open_probes(page)
    run_probe(page)
    page.wait_for_function("document.activeElement?.tagName === 'H2'")
    page.locator("input[name=probe][value='coop']").check()
    page.wait_for_selector("form[data-probe='coop']")
    page.locator("#set-shots").fill("")
    page.locator("#set-shots").press_sequentially("e")
    page.wait_for_function("document.querySelector('#probe-form .estimate').textContent.includes('whole number')")
    page.locator("#set-shots").fill("4")
    page.get_by_role("button", name="Run the probe").click()
    page.wait_for_function("document.querySelector('#probe-status h3').innerText.startsWith('Working')")
    page.locator(".form-cancel").click()
    page.wait_for_function("document.querySelector('#probe-status h3').innerText === 'Stopped'", timeout=60_000)
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
    for key in ("probe-beside", "probe-classes", "probe-learned", "probe-all"):
        page.locator(f"#tab-{key}").click()
        frame = page.evaluate_handle(OVER, "#probe-result .scroll").as_element()
        if width == 1280 or key == "probe-learned":
            assert frame is None, key
            continue
        n, attachment, repeat = frame.evaluate(SHADOWS)
        assert (n, attachment.count("local"), repeat.replace("no-repeat", "").strip(", ")) == (8, 4, "")
        frame.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("(frame) => frame.scrollLeft > 0", arg=frame)
