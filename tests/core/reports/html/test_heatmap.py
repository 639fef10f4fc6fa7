"""The audit arranged: colors follow the excess, marks follow the interval, and the text table fits its width."""

from __future__ import annotations

import pytest

from core.checks.audit_table import AuditCell
from core.records import Estimate
from core.reports.html.heatmap import STEPS, heat_map, text_table
from tests.support.diagnoses import make_diagnosis


def cell(phrase: str, scope: str, value: float, *, out: bool = False) -> AuditCell:
    observed, read = Estimate(value, value - 0.1, value + 0.1), 4.1 if out else 0.2
    return AuditCell(phrase, "light", scope, 12, observed, read, out, 0.5, 0.1)


def grid() -> list[AuditCell]:
    values = {"dark": (1.0, -1.0), "red": (0.02, 0.5), "wet": (-0.4, 0.9)}
    return [cell(p, s, v) for p, row in values.items() for s, v in zip(("all samples", "bus"), row)]


def test_phrases_go_down_and_scopes_across_in_their_order() -> None:
    found = heat_map(make_diagnosis(), grid())
    assert found.scopes == ("all samples", "bus")
    assert [p for p, _, _ in found.rows] == ["dark", "red", "wet"]
    assert [h.observed for _, _, row in found.rows for h in row] == [
        "+1.00",
        "−1.00",
        "+0.02",
        "+0.50",
        "−0.40",
        "+0.90",
    ]
    assert (
        "12 samples most like it; excess loss +1.00; 95% 0.90 to 1.10; 50% wrong against 10%"
        in found.rows[0][2][0].title
    )


def test_colours_are_equal_steps_on_either_side_of_zero() -> None:
    found = heat_map(make_diagnosis(), grid())
    steps = [h.step for _, _, row in found.rows for h in row]
    assert steps == [STEPS, -STEPS, 0, 2, -1, STEPS]
    assert heat_map(make_diagnosis(), [cell("a", "bus", 0.0)]).rows[0][2][0].step == 0


@pytest.mark.parametrize("out", [True, False])
def test_a_cell_is_marked_where_its_reading_stands_out_however_large_its_excess(out: bool) -> None:
    cells = [cell("a", "bus", 0.5, out=out)]
    found = heat_map(make_diagnosis(), cells).rows[0][2][0]
    assert found.clear == out
    assert ("it stands out" in found.title) == out
    assert ("+0.50*" in text_table(make_diagnosis(), cells)) == out


def test_long_names_are_cut_and_classes_that_do_not_fit_are_counted() -> None:
    many = [cell("seen through the window of a train that is moving", f"class number {i}", 0.1) for i in range(20)]
    lines = text_table(make_diagnosis(), many, width=80).splitlines()
    assert max(map(len, lines[:2])) <= 80
    assert lines[1].startswith("seen through the window of a train …")
    shown = lines[0].count("class")
    assert lines[2] == f"{20 - shown} more classes do not fit; --out FILE holds them."
