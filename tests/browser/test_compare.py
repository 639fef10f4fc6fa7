"""A journey through Compare: a student, checkpoints, and new data by one upload, read, taken along, and refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.contrast import check_contrast, check_width
from tests.support.second_models import write_answers, write_card
from tests.support.showcase import make_showcase

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
READ = ("h2", ".group-verdict h3", ".group-verdict p", ".shot-foot", ".outcome", ".press-count", ".sure summary")
IN_FOLD = (".plain-list li", ".rows td", ".rows th", ".note")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a student's answers to the first example, of those in other samples, and of its card."""
    folder = tmp_path_factory.mktemp("student")
    shown = make_showcase()
    errors = shown.outcomes.errors
    assert errors is not None
    draw = np.random.default_rng(0).random(len(errors))
    for name in ("student", "epoch1", "epoch2"):
        write_answers(shown, np.where(errors, draw < 0.8, draw < 0.06), folder / f"{name}.csv")
    text = (folder / "student.csv").read_text("utf-8")
    half = len(shown.samples) // 2
    (folder / "others.csv").write_text(text.replace("street/", "other/", half), "utf-8")
    write_card(folder / "distilled.json")
    return folder


def bring(page: Any, tables: Sequence[Path], card: Path | None = None) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector("#compare-result h2")
    page.set_input_files("#compare-files input[type=file]", [str(table) for table in tables])
    page.wait_for_selector("#compare-files .file-preview")
    if card is not None:
        page.get_by_role("button", name="More options").click()
        page.set_input_files("#compare-card input[type=file]", str(card))
        page.wait_for_selector("#compare-card .file-preview")


def compare(page: Any) -> None:
    page.get_by_role("button", name="Compare", exact=True).click()


def test_a_student_is_set_beside_the_model_and_taken_along(open_page: Visit, student: Path) -> None:
    page = open_page(1400, 900)
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("heading", name="to check on new data").wait_for()  # never empty
    bring(page, [student / "student.csv"], student / "distilled.json")
    compare(page)
    page.get_by_role("tab", name="Findings").click()  # it goes on meanwhile
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector("#compare-result .strips", timeout=60_000)
    said = page.locator("#compare-result h2").inner_text()
    assert said.startswith("The student fixed ")
    lead = page.locator("#compare-result .compared > p").inner_text()
    assert "of the 3 groups got worse beyond chance" in lead
    assert "ids are the run's. A new model." in lead
    assert page.locator("#compare-result .group-verdict").count() == 3
    check_contrast(page, [f"#compare-result {part}" for part in READ])
    page.locator("#compare-result .sure summary").first.click()
    assert "4.70 ms a text on one thread, the teacher 9.40" in page.locator("#compare-result .sure").inner_text()
    rows = page.locator("#compare-result .rows tbody tr")
    assert rows.count() == 3 + len(make_showcase().samples.class_names)
    check_contrast(page, [f"#compare-result {part}" for part in IN_FOLD] + ["#compare-gallery .tile-line"])
    pressed = page.locator("#compare-gallery .chip-button[data-kind='fixed']")
    n = pressed.inner_text().removeprefix("Fixed ")
    pressed.click()
    page.wait_for_function("document.querySelector('#compare-gallery h3').innerText.startsWith('Fixed')")
    assert f"Fixed: {n} images of all images" in page.locator("#compare-gallery h3").inner_text()
    fits = page.locator("#compare-gallery .tile img").evaluate_all("all => all.map(e => getComputedStyle(e).objectFit)")
    assert set(fits) == {"contain"}  # no edge of an image is cut off
    page.locator("#compare-result .plain-shot").first.click()
    page.wait_for_selector("dialog.enlarged h3")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.enlarged", state="detached")
    with page.expect_download() as taken:
        page.locator("#comparison-html").click()
    assert "The student is 2.0 times as fast" in Path(taken.value.path()).read_text("utf-8")
    page.reload()
    page.wait_for_selector("#compare-result .strips", timeout=60_000)
    assert page.locator("#compare-result h2").inner_text() == said
    with page.expect_download() as taken:
        page.locator("#comparison-csv").click()
    assert Path(taken.value.path()).read_text("utf-8").count("\n") == 2 + rows.count()
    page.set_viewport_size({"width": 390, "height": 844})
    check_width(page)
    page.locator("#compare-worse").click()  # how the search goes stands under its button
    page.wait_for_selector("#compare-worse-status .status", state="attached", timeout=30_000)


def test_a_comparison_and_its_upload_are_never_seen_beside_another_run(open_page: Visit, student: Path) -> None:
    page = open_page()
    bring(page, [student / "student.csv"])
    compare(page)
    page.wait_for_selector("#compare-result .strips", timeout=60_000)
    page.get_by_role("tab", name="Findings").click()
    page.locator("#picker input").click()
    page.get_by_role("option").nth(1).click()
    seen = "getComputedStyle(document.querySelector('#compare-result')).visibility"
    page.wait_for_function(f"{seen} === 'hidden'")  # before the place is opened and its answer comes
    assert page.locator("#compare-files .file-preview").count() == 1
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_function(f"{seen} === 'visible'")
    assert page.locator("#compare-result .strips").count() == 0
    page.wait_for_selector("#compare-files .file-preview", state="detached")


def test_checkpoints_are_followed_and_a_mixture_is_refused_until_it_is_named(open_page: Visit, student: Path) -> None:
    page = open_page(1400, 900)
    bring(page, [student / "epoch1.csv", student / "epoch2.csv"])
    compare(page)
    page.wait_for_selector("#compare-chart .scatterlayer .trace", timeout=60_000)
    assert "3 groups over 2 checkpoints" in page.locator("#compare-result h2").inner_text()
    page.get_by_role("button", name="New data", exact=True).click()
    page.get_by_role("heading", name="to check on new data").wait_for()
    page.locator("#compare-files [aria-label='Clear']").click()
    bring(page, [student / "others.csv"])
    compare(page)
    page.wait_for_selector(".toast-body")
    assert "Only some ids are the run's" in page.locator(".toast-body").inner_text()
    assert '"These are"' in page.locator(".toast-body").inner_text()
    assert "did not finish" in page.locator("#compare-status").inner_text()
    assert page.locator("#compare-files .file-preview").count() == 1
    page.locator("#compare-these-are input").click()
    page.get_by_role("option", name="New model").click()
    compare(page)
    page.wait_for_selector("#compare-result .strips", timeout=60_000)
    assert "Compared as new model, as you chose." in page.locator("#compare-result .compared > p").inner_text()
