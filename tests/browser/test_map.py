"""The failure map in a real browser: colors, renderers, outlines, and squares where there are too many points."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.records import Diagnosis, FailureMap
from core.reports.figures.template import HUES
from tests.browser.conftest import resize, show_map
from tests.support.contrast import switch_mode
from tests.support.map_picture import crowd, picture, until
from tests.support.showcase import make_showcase
from webapp import failure_map

pytestmark = pytest.mark.browser
RINGED = """() => {
  const over = document.querySelector('#map .map-over');
  return over.getContext('2d').getImageData(0, 0, over.width, over.height).data.some((part) => part > 0);
}"""
Visit = Callable[..., Any]
NO_WEBGL = """(() => {
  const real = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    return kind.includes('webgl') ? null : real.call(this, kind, ...more);
  };
})()"""


def says(page: Any, **wanted: str) -> None:
    """Until the map says so of itself: renderer, shown, color, outlines."""
    page.wait_for_function(
        "wanted => Object.entries(wanted).every(([key, value]) =>"
        " document.querySelector('#map [data-ready=true]')?.dataset[key] === value)",
        arg=wanted,
        timeout=60_000,
    )


def share_near(shown: np.ndarray, colour: str) -> float:
    """Share of the pixels that are about of this color."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return float((np.abs(shown - rgb).max(-1) < 24).mean())


def test_every_cluster_has_an_outline_at_every_size_a_point_its_picture_and_a_lost_card_changes_only_the_renderer(
    open_page: Visit,
) -> None:
    page = open_page(360, 740)
    show_map(page)
    for width, height in ((360, 740), (1920, 1080)):
        resize(page, width, height)
        says(page, outlines="3")
        until(lambda: all(share_near(picture(page), HUES[cluster]) > 0.0002 for cluster in range(3)))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    resize(page, 1280, 800)
    page.mouse.move(*crowd(page))
    page.wait_for_selector("#map .map-hover img[src*='/image?']")
    assert "street/" in page.locator("#map .map-hover").inner_text()
    page.mouse.move(0, 0)
    page.wait_for_selector("#map .map-hover", state="hidden")
    before = picture(page)
    page.evaluate(
        "document.querySelector('.map-points').getContext('webgl').getExtension('WEBGL_lose_context').loseContext()"
    )
    says(page, renderer="canvas")
    until(lambda: np.abs(picture(page) - before).mean() < 2.5)


def test_another_colour_is_chosen_by_keyboard_and_stands_in_the_address(open_page: Visit) -> None:
    page = open_page()
    show_map(page)
    says(page, colour="loss", renderer="webgl")
    before, note = picture(page), page.locator(".map-note").inner_text()
    page.get_by_label("Color").focus()
    page.keyboard.press("r")
    says(page, colour="residual")
    assert "zero in the middle" in page.locator(".map-note").inner_text() != note
    until(lambda: np.abs(picture(page)[:400] - before[:400]).mean() > 0.5)
    page.wait_for_function("new URLSearchParams(location.search).get('colour') === 'residual'")
    page.go_back()
    says(page, colour="loss")
    page.get_by_label("Color").focus()
    page.wait_for_timeout(1100)  # a list forgets what was typed, here r, after a second
    page.keyboard.type("class")
    says(page, colour="class")
    assert page.locator(".map-signs li").all_inner_texts() == ["bus\n200", "car\n200", "tram\n200"]
    assert share_near(before, HUES[1]) < share_near(picture(page), HUES[1])
    assert not page.locator(".map-bar").is_visible()


def test_a_link_opens_its_colour_and_a_cluster_keeps_it(open_page: Visit, page_address: str) -> None:
    page = open_page(address=f"{page_address}?run=example-streets&colour=property:brightness")
    says(page, colour="property:brightness")
    page.locator("#map .map-plate").wait_for()  # a link with a color shows the map
    assert "1 without a value" in page.locator(".map-note").inner_text()
    page.locator("#pane [data-do=cluster]").first.click()
    page.wait_for_function("/cluster=1/.test(location.search) && /colour=property/.test(location.search)")
    says(page, colour="property:brightness")


def test_a_colour_that_the_run_lacks_is_said_and_the_run_is_open(open_page: Visit, page_address: str) -> None:
    page = open_page(address=f"{page_address}?run=example-streets&colour=meta:%3Cb%3E")
    page.wait_for_selector(".toast-body")
    assert "no column" in page.locator(".toast-body").first.inner_text()
    says(page, colour="loss")


def test_without_webgl_the_same_is_drawn_by_hand_by_day_and_by_night(open_page: Visit) -> None:
    card, hand = open_page(dark=True), open_page(dark=True, script=NO_WEBGL)
    says(card, renderer="webgl")
    says(hand, renderer="canvas")
    show_map(card)
    show_map(hand)
    night = picture(card)
    assert np.abs(night - picture(hand)).mean() < 2.5  # edges alone differ: the points lie on whole pixels
    switch_mode(card)
    switch_mode(hand)
    assert np.abs(picture(card) - night).mean() > 25  # the plate is another
    until(lambda: np.abs(picture(card) - picture(hand)).mean() < 2.5)
    hand.locator("#pane [data-do=cluster]").first.click()
    hand.wait_for_selector("#pane .selection-chip")


@contextmanager
def served(diagnosis: Diagnosis) -> Generator[tuple[str, str]]:
    """(address, run) of a page with that run alone."""
    from webapp.app import build_app
    from webapp.server.settings import launch_settings
    from webapp.state.runs import RUNS

    with tempfile.TemporaryDirectory() as folder:
        run = RUNS.offer(Path(folder) / f"made-{len(diagnosis.samples)}" / "run.errata")
        RUNS.offered._loaded[run] = diagnosis, ""
        demo = build_app(first=[("made up", run)])
        _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
        yield address, run
        demo.close()


@pytest.fixture(scope="module")
def crowded() -> Iterator[str]:
    """The address of a page with a run of more samples than are drawn as points."""
    with served(make_showcase(25_000, with_images=False)) as (address, _):
        yield address


def test_squares_stand_for_too_many_points_until_one_zooms_in(open_page: Visit, crowded: str) -> None:
    page = open_page(address=crowded)
    show_map(page)
    says(page, shown="cells", outlines="3")
    assert "25,000 samples in view" in page.locator(".map-note").inner_text()
    for _ in range(4):
        page.locator("#map [data-zoom=in]").click()
    says(page, shown="points")
    assert "in sight" not in page.locator(".map-note").inner_text()
    page.locator("#map [data-zoom=fit]").click()
    says(page, shown="cells")
    page.get_by_label("Color").focus()
    page.keyboard.type("class")
    says(page, shown="cells", colour="class")
    assert "Color: most frequent class in each cell" in page.locator(".map-note").inner_text()


def test_where_some_samples_are_drawn_a_point_is_its_own_sample_and_one_that_is_not_drawn_gets_a_ring(
    open_page: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_map, "MAX_DRAWN_POINTS", 200)
    made, drawn = make_showcase(500, with_images=False), failure_map.drawn_rows(500)
    assert drawn is not None
    loose = np.flatnonzero(made.cluster_of()[0] < 0)
    far, absent = int(np.intersect1d(loose, drawn)[-1]), int(np.setdiff1d(loose, drawn)[0])
    xy = np.random.default_rng(0).normal(0, 0.01, (500, 2)).astype(np.float32)
    xy[far] = 10, 0
    with served(replace(made, map=FailureMap(xy, "umap"))) as (address, run):
        page = open_page(address=address)
        show_map(page)
        assert "200 of 500 samples are drawn" in page.locator(".map-note").inner_text()
        page.locator("#map [data-tool=pan]").click()
        plate, tools = (page.locator(f"#map .map-{name}").bounding_box() for name in ("plate", "tools"))
        page.mouse.click(
            plate["x"] + plate["width"] - 28, plate["y"] + plate["height"] / 2 + tools["height"] / 2
        )  # right of all others, at the edge that the view leaves
        page.wait_for_function(f"new URLSearchParams(location.search).get('row') === '{far}'")
        assert made.samples.ids[far] in page.locator("#pane .pane-title").inner_text()
        page = open_page(address=f"{address}?run={run}&row={absent}")
        page.get_by_text(made.samples.ids[absent], exact=True).first.wait_for()
        page.wait_for_function(RINGED)
