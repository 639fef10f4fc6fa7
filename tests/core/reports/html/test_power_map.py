"""The image of what would have been found: every size by every strength, colored by how often."""

from __future__ import annotations

from dataclasses import replace

from core.reports.html.diagnosis import render_report
from core.reports.html.power_map import STEPS, power_map
from tests.support.diagnoses import make_diagnosis
from tests.support.page import Page
from tests.support.sensitivity import FOUND, made_sensitivity


def test_rows_are_sizes_and_columns_strengths() -> None:
    found = power_map(make_diagnosis())
    assert found is not None
    assert [text.replace("\u00a0", " ") for text in found.strengths] == ["35% wrong", "50% wrong", "all wrong"]
    assert [of for _, of, _ in found.rows] == [
        "of a class, 10 samples",
        "of a class, 20 samples",
        "of all samples, 20 samples",
        "of a class, tested as a whole, 100 samples",
    ]
    counts = [tuple(round(40 * cell.share) for cell in cells) for _, _, cells in found.rows]
    assert counts == list(FOUND.values())
    strong, weak = found.rows[1][2][2], found.rows[1][2][1]
    assert (strong.enough, strong.step, weak.enough, weak.step) == (True, STEPS, False, 0)
    assert "Errata found 33 of 40 planted groups" in strong.sentence


def test_a_run_of_before_has_no_picture() -> None:
    assert power_map(replace(make_diagnosis(), sensitivity=None)) is None


def test_the_report_shows_it_where_nothing_is_found_and_folded_where_something_is() -> None:
    for n_clusters in (0, 2):
        page = Page(render_report(make_diagnosis(n_clusters=n_clusters)))
        cells = [a for a in page.named("td") if "of 40 planted" in (a.get("title") or "")]
        assert len(cells) == 12
        assert "Detection limits by size and strength" in page.text
    losses = replace(make_diagnosis(n_clusters=0), sensitivity=made_sensitivity("times the mean loss"))
    assert "loss × 2" in Page(render_report(losses)).text
