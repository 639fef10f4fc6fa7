"""What the form of "Your data" shows of a table."""

from __future__ import annotations

from pathlib import Path

from webapp.data.tab import on_table
from webapp.state.choices import ROLE_NAMES


def test_a_table_s_columns_are_shown_with_their_roles_and_stay_text(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,loss,<img src=x onerror=alert(1)>\na,0.5,<b>\nb,1.5,fog\n")
    found, columns, *roles = on_table(str(table))
    assert found == {"id": "id", "loss": "loss"}
    assert "<td><b>loss</b></td>" in columns
    assert "<img" not in columns
    assert "&lt;b&gt;, fog" in columns
    assert len(roles) == len(ROLE_NAMES)
    assert roles[ROLE_NAMES.index("loss")]["value"] == "loss"


def test_without_a_table_stands_what_one_should_hold() -> None:
    found, hint, *roles = on_table(None)
    assert found == {}
    assert "One row for each sample" in hint
    assert len(roles) == len(ROLE_NAMES)
