"""A journey through the Second model tab: a student's answers are brought, read and taken along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.contrast import check_contrast, check_width
from tests.support.second_models import write_answers, write_card
from tests.support.showcase import make_showcase

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
READ = (
    "h2",
    "h2 small",
    ".dot-said",
    ".cost-row b",
    ".cost-row span",
    ".four-way td",
    ".four-way .outcome",
    ".press-count",
    ".apart th",
)


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a student's answers to the first example, of those in other samples, and of its card."""
    folder = tmp_path_factory.mktemp("student")
    shown = make_showcase()
    errors = shown.outcomes.errors
    assert errors is not None
    draw = np.random.default_rng(0).random(len(errors))
    write_answers(shown, np.where(errors, draw < 0.8, draw < 0.06), folder / "student.csv")
    text = (folder / "student.csv").read_text("utf-8")
    (folder / "others.csv").write_text(text.replace("street/", "other/"), "utf-8")
    write_card(folder / "distilled.json")
    return folder


def bring(page: Any, table: Path, card: Path | None = None) -> None:
    page.get_by_role("tab", name="Second model").click()
    page.wait_for_selector("#second-result .empty, #second-result .answer")
    for name, path in (("table", table), ("card", card)):
        if path is not None:
            page.set_input_files(f"#second-{name} input[type=file]", str(path))
            page.wait_for_selector(f"#second-{name} .file-preview")


def compare(page: Any) -> None:
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_selector("#second-result .answer h2", timeout=60_000)


def test_a_student_is_set_beside_the_model_and_taken_along(open_page: Visit, student: Path) -> None:
    page = open_page(1400, 900)
    bring(page, student / "student.csv", student / "distilled.json")
    compare(page)
    said = page.locator("#second-result h2").inner_text()
    assert said.startswith("The student is 2.0 times as fast and ")
    assert "of the 3 groups got worse beyond chance" in said
    assert page.locator("#second-result .cost-row").count() == 6
    rows = page.locator("#second-result .four-way tbody tr:not(.apart)")
    assert rows.count() == 1 + 3 + len(make_showcase().samples.class_names)
    pressed = page.locator("#second-result [data-scope='all'][data-kind='fixed']")
    n = pressed.inner_text()
    pressed.click()
    page.wait_for_function("document.querySelector('#second-gallery h3').innerText.startsWith('Fixed')")
    assert f"Fixed: {n} images of all images" in page.locator("#second-gallery h3").inner_text()
    fits = page.locator("#second-gallery .tile img").evaluate_all("all => all.map(e => getComputedStyle(e).objectFit)")
    assert set(fits) == {"contain"}  # no edge of an image is cut off
    page.locator("#second-gallery .tile").first.click()
    page.wait_for_selector("dialog.enlarged h3")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.enlarged", state="detached")
    with page.expect_download() as taken:
        page.locator("#second-html").click()
    assert "The student is 2.0 times as fast" in Path(taken.value.path()).read_text("utf-8")
    check_contrast(page, [f"#second-result {part}" for part in READ] + ["#second-gallery .tile-line"])
    page.reload()
    page.wait_for_selector("#second-result .answer h2", timeout=60_000)
    assert page.locator("#second-result h2").inner_text() == said
    with page.expect_download() as taken:
        page.locator("#second-csv").click()
    assert Path(taken.value.path()).read_text("utf-8").count("\n") == 2 + rows.count() - 1
    page.set_viewport_size({"width": 390, "height": 844})
    check_width(page)
    page.locator("#second-worse:not([disabled])").click()  # how the search goes stands under its button
    page.wait_for_selector("#second-worse-status .status", state="attached", timeout=30_000)


def test_answers_to_other_samples_are_refused_and_the_files_stay(open_page: Visit, student: Path) -> None:
    page = open_page(1400, 900)
    bring(page, student / "others.csv")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_selector(".toast-body")
    assert "No id of others.csv" in page.locator(".toast-body").inner_text()
    assert "did not finish" in page.locator("#second-status").inner_text()
    assert page.locator("#second-table .file-preview").count() == 1
