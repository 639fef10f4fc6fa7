"""Why? And reference masks, below the questions of the tab Ask, in a real browser: files of clips and scans are made by
the keyboard, their losses come back, and masks are drawn."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.files import ASSETS
from core.numbers import with_interval
from core.records import Estimate
from core.systems.neuralizer.corrections.altered import UNCHANGED, read_manifest
from core.systems.neuralizer.corrections.names import BY_MODALITY, FAULT_TITLES
from tests.browser.conftest import read_toasts, unfold
from tests.support.axe import axe_script, serious_in_both_modes
from tests.support.contrast import check_width
from webapp.state.runs import RUNS

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
EXAMPLES = ASSETS / "examples"
LOADED = "(images) => images.every((i) => i.complete && i.naturalWidth > 0)"


def open_part(page: Any, title: str, inside: str) -> None:
    """Unfold a part of the tab Ask by the keyboard."""
    from playwright.sync_api import TimeoutError as TooLate

    part = page.get_by_role("button", name=title)
    for _ in range(20):  # a page just opened is shown before it hears a key
        page.get_by_role("tab", name="Ask").press("Enter")
        with suppress(TooLate):
            part.wait_for(timeout=3_000)
            break
    unfold(part, page.locator(inside))
    page.emulate_media(reduced_motion="reduce")


def repeat(page: Any, act: Callable[[], None], holds: Callable[[], bool]) -> None:
    """Do it until it holds a moment later: fields that were just unfolded are shown before they take anything."""
    for _ in range(20):
        act()
        page.wait_for_timeout(200)
        if holds():
            return
    raise AssertionError("the field does not take it")


def bring(page: Any, field: str, file: Path) -> None:
    """Put a file into a field in place of what is there."""
    clear = page.locator(f"{field} button[aria-label=Clear]")
    if clear.count():
        clear.press("Enter")
    page.set_input_files(f"{field} input[type=file]", file)
    page.wait_for_selector(f"{field} :text('{file.stem}')")


def take(page: Any, button: str, path: Path) -> Path:
    """Press a button that takes a file away."""
    with page.expect_download() as download:
        page.locator(button).press("Enter")
    download.value.save_as(path)
    return path


def make_files(page: Any, fault: str, path: Path) -> Path:
    """Have the files of five of the first cluster made for one fault, by the keyboard; the zip."""
    most = page.locator("#why-most")
    repeat(
        page, lambda: most.locator("[type=number]").fill("5"), lambda: most.locator("[type=range]").input_value() == "5"
    )
    for other in BY_MODALITY["clip" if fault == "backwards" else "scan"]:
        if other != fault:
            box = page.locator("#why-faults").get_by_role("checkbox", name=FAULT_TITLES[other])
            repeat(page, partial(box.press, "Space"), lambda box=box: not box.is_checked())
    page.locator("#why-run").press("Enter")
    page.wait_for_selector("#why-made article", timeout=60_000)
    assert "30 files for group 1, " in page.locator("#why-made").inner_text()
    return take(page, "#take-corrected-zip", path)


def write_losses(archive: Path, fault: str, path: Path) -> Path:
    """A table in which the change takes 1 of 1.8 off the loss of members, and its control nothing."""
    with zipfile.ZipFile(archive) as files:
        items, about = read_manifest(Path(files.extract("altered.json", path.parent)))
        assert set(files.namelist()) == {one.file for one in items} | {"altered.json"}
        assert len({files.read(one.file) for one in items}) == len(items)  # none is as it was
    assert {one.alteration for one in items} == {UNCHANGED, fault, f"{fault} (control)"}
    rng, members = np.random.default_rng(0), set(about["members"])
    loss = [0.2 if one.id not in members else 1.0 if one.alteration == fault else 2.0 for one in items]
    table = {"file": [one.file for one in items], "loss": np.array(loss) + 0.1 * rng.random(len(items))}
    pd.DataFrame(table).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("example", "fault", "width", "dark"), [("clips", "backwards", 1280, False), ("scans", "bias", 390, True)]
)
def test_files_without_a_fault_are_made_scored_and_explain_after_a_wrong_table(
    open_page: Visit, page_address: str, tmp_path: Path, example: str, fault: str, width: int, dark: bool
) -> None:
    run, done = RUNS.offer(EXAMPLES / example / "run.errata"), "#why-read-made article"
    page = open_page(width, 844, dark=dark, address=f"{page_address}?run={run}")
    open_part(page, "Why? Scans and clips", "#why-run")
    losses = write_losses(make_files(page, fault, tmp_path / "files.zip"), fault, tmp_path / "mine.csv")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("".join(losses.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
    bring(page, "#why-scores", wrong)
    page.locator("#why-read-run").press("Enter")
    (said,) = read_toasts(page)
    assert re.search(r"wrong\.csv has no loss for '[0-9a-f]{6}-000", said)
    assert "Add the losses of all 30 files." in said
    assert "The losses were not read" in page.locator("#why-read-status").inner_text()
    assert page.locator(done).count() == 0
    bring(page, "#why-scores", losses)
    page.locator("#why-read-run").press("Enter")
    page.wait_for_selector(done, timeout=60_000)
    taken = json.loads(take(page, "#take-corrections-json", tmp_path / "said.json").read_text("utf-8"))
    (found,) = taken["corrections"]
    drop, share = Estimate(**found["drop"]), Estimate(**found["share"])
    assert (drop.value, share.value) == (pytest.approx(1.0, abs=0.1), pytest.approx(1 / 1.8, abs=0.05))
    shown = page.locator(done).inner_text().replace("\n", " ")
    assert f"Partly explained by {FAULT_TITLES[fault]}" in shown
    assert f"The loss of 5 {example} of the group drops by {with_interval(drop)}" in shown
    assert f"{with_interval(share, share=True)} of its excess. It is then" in shown
    check_width(page)
    page.evaluate(axe_script())
    assert serious_in_both_modes(page, "#why") == []


def test_masks_are_drawn_with_the_vote_beside_them_once_both_files_are_there(
    open_page: Visit, page_address: str, tmp_path: Path
) -> None:
    run, done = RUNS.offer(EXAMPLES / "scans" / "run.errata"), "#reference-made article"
    page = open_page(390, 844, address=f"{page_address}?run={run}")
    open_part(page, "Reference masks", "#reference-run")
    table, none = tmp_path / "few.csv", tmp_path / "none.zip"
    table.write_text("\n".join((EXAMPLES / "scans" / "table.csv").read_text("utf-8").splitlines()[:13]), "utf-8")
    none.write_text("no archive", "utf-8")
    bring(page, "#reference-table", table)
    page.locator("#reference-run").press("Enter")
    (said,) = read_toasts(page)
    assert "Add both" in said
    bring(page, "#reference-images", none)
    page.locator("#reference-run").press("Enter")
    (said,) = read_toasts(page)
    assert "none.zip" in said
    assert "The masks were not drawn" in page.locator("#reference-status").inner_text()
    bring(page, "#reference-images", EXAMPLES / "scans" / "images.zip")
    page.locator("#reference-run").press("Enter")
    page.wait_for_selector(done, timeout=60_000)
    shown = page.locator(done).inner_text()
    assert "Errata offers no stand-in" in shown
    assert "only 12 labeled scans measured it, and 20 are needed" in shown
    check_pictures(page.locator(f"{done} figure"))
    html = take(page, "#take-reference-html", tmp_path / "reference.html").read_text("utf-8")
    assert html.count("<figure>") == 12
    assert html.count('the vote" title') == html.count("<img") / 2
    check_width(page)
    page.evaluate(axe_script())
    assert serious_in_both_modes(page, "#reference") == []


def check_pictures(figures: Any) -> None:
    """Six scans, each with the network's mask and, to its right, another one: the vote's."""
    assert figures.count() == 6
    for figure in figures.all():
        images = figure.locator("img")
        network, vote = images.evaluate_all("i => i.map((one) => [one.alt, one.src, one.x, one.y])")
        assert (network[0].endswith(", the network's mask"), vote[0].endswith(", the vote")) == (True, True)
        assert network[1] != vote[1]
        assert network[2] < vote[2]
        assert network[3] == vote[3]
        assert images.evaluate_all(LOADED)
        assert "disagreement: network 0." in figure.inner_text()
