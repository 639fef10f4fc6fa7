"""Figures from Python, drawn by plotly in a cell of a notebook's width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core import figures
from tests.support.diagnoses import make_diagnosis

pytestmark = pytest.mark.browser

MAP_ABOVE_ITS_NAMES = """(least) => {
    const box = (name) => document.querySelector(name)?.getBoundingClientRect();
    const [map, names] = [box('.nsewdrag'), box('.legend')];
    return map && names && map.width >= least && map.height >= 360 && names.top >= map.bottom;
}"""


@pytest.mark.parametrize("width", [560, 800])
def test_the_map_takes_the_width_and_names_its_groups_below(chromium: Any, tmp_path: Path, width: int) -> None:
    figures.map(make_diagnosis(n=200, n_clusters=4)).write_html(tmp_path / "map.html")
    context = chromium.new_context(viewport={"width": width, "height": 700})
    page = context.new_page()
    page.goto((tmp_path / "map.html").as_uri())
    page.wait_for_function(MAP_ABOVE_ITS_NAMES, arg=0.8 * width, timeout=20_000)
    context.close()
