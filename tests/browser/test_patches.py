"""Outlined cells of visual words, and a cluster that only a word tells, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.discovery.effects import Effects
from core.records import EVERYTHING, Estimate
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.html import Crop, ShownName
from core.systems.visual_words.maps import WordMaps
from webapp.explore import patches
from webapp.systems.visual_words.patches import WordPatches

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
N = 600
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word on four cells of every image, which tells the first cluster."""
    some = Estimate(0.5, 0.4, 0.6)
    word = WordFinding(
        16,
        EVERYTHING,
        np.ones(N, bool),
        N,
        0.83,
        0.05,
        Effects(some, None, some, None, None, some),
        "mean loss",
        0.002,
        True,
    )
    cells = np.full((N, 14, 14), -1, np.int16)
    cells[:, 3:5, 3:5] = 0
    name = ShownName(0, "No phrase names it; a visual word tells it.", [Crop(DOT, "7", True)])
    shown = WordPatches(WordMaps((word,), 0, cells, np.arange(N)), (name,))
    monkeypatch.setattr(patches, "patches_of", lambda run: shown)
    for module in ("tab", "picked", "moments"):
        monkeypatch.setattr(f"webapp.explore.{module}.patches_of", lambda run: shown)


def test_an_enlarged_sample_shows_outlines_and_legend_and_the_cluster_is_called_so(open_page: Visit) -> None:
    page = open_page()
    page.locator("#pane .card").first.click()
    page.wait_for_selector("#pane .selection-chip")
    page.wait_for_selector("#pane .patches .crops img")
    assert page.locator("#pane .pane-title").inner_text().endswith("these patches")
    assert "a visual word tells it" in page.locator("#pane .patches").inner_text()
    page.locator("#panel-worst .tile").first.click()
    page.wait_for_selector("dialog.enlarged .word-legend")
    legend = page.locator("dialog.enlarged .word-legend").inner_text()
    assert legend.startswith("visual word 17: 4 of 196 cells; in 83")
    image = page.locator("dialog.enlarged img")
    assert image.get_attribute("src").startswith("data:image/webp")
    assert image.get_attribute("alt").endswith("cells of visual word 17 outlined")
    swatch = page.locator("dialog.enlarged .word-legend i").evaluate("e => getComputedStyle(e).backgroundColor")
    assert swatch == "rgb(255, 212, 0)"
