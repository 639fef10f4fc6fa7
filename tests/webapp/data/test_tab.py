"""What the form of "New run" shows of a table."""

from __future__ import annotations

from pathlib import Path

from webapp.data.tab import on_label, on_roles, on_table
from webapp.state.choices import MASKS, ROLE_NAMES


def test_a_table_s_columns_are_shown_with_their_roles_and_stay_text(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,loss,<img src=x onerror=alert(1)>\na,0.5,<b>\nb,1.5,fog\n")
    held, columns, _, _, *roles = on_table(str(table))
    assert [(name, role) for name, role, _ in held] == [
        ("id", "id"),
        ("loss", "loss"),
        ("<img src=x onerror=alert(1)>", ""),
    ]
    assert "<td><b>loss</b></td>" in columns
    assert "<img" not in columns
    assert "&lt;b&gt;, fog" in columns
    assert len(roles) == len(ROLE_NAMES)
    assert roles[ROLE_NAMES.index("loss")]["value"] == "loss"


def test_a_corrected_role_is_seen_among_the_columns(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,loss,note\na,0.5,long grass\nb,1.5,short grass\n")
    picked = ["id" if role == "id" else ["note"] if role == "texts" else None for role in ROLE_NAMES]
    shown = on_roles(str(table), on_table(str(table))[0], False, *picked)[0].replace("\n", "")
    assert "<th>3 columns</th>" in shown
    assert "<td><code>note</code></td><td><b>texts</b></td>" in shown
    assert "<td><code>loss</code></td><td><span class=muted>may explain errors</span></td>" in shown
    assert "One row per sample" in on_roles(None, (), False, *picked)[0]


def test_masks_are_taken_by_their_names_each_in_its_place(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("file,pred_mask,mask\na.png,a_said.png,a_drawn.png\nb.png,b_said.png,b_drawn.png\n")
    held, _, _, _, *roles = on_table(str(table))
    assert {name: role for name, role, _ in held} == {
        "file": "image",
        "pred_mask": "predicted mask",
        "mask": "true mask",
    }
    assert [roles[ROLE_NAMES.index(role)]["value"] for role in MASKS] == ["mask", "pred_mask"]


def test_without_a_table_stands_what_one_should_hold() -> None:
    held, hint, _, classes, *roles = on_table(None)
    assert held == ()
    assert "One row per sample" in hint
    assert classes["choices"] == []
    assert len(roles) == len(ROLE_NAMES)


def test_the_classes_that_are_large_enough_are_offered_by_name(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [("0", "bus", "dry")] * 50 + [("1", "tram", "dry")] * 39 + [("2", "car", "wet")] * 60
    table.write_text("label,class_name,road,loss\n" + "".join(f"{a},{b},{c},{i}\n" for i, (a, b, c) in enumerate(rows)))
    _, _, _, offered, *_ = on_table(str(table))
    assert offered["choices"] == [("bus (50 rows)", "bus"), ("car (60 rows)", "car")]
    assert offered["value"] == []
    assert on_label(str(table), "road")["choices"] == [("dry (89 rows)", "dry"), ("wet (60 rows)", "wet")]
    assert on_label(None, "road")["choices"] == []


def test_a_table_that_looks_wrong_is_shown_with_its_rows_and_a_tick_for_it_alone(tmp_path: Path) -> None:
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    rows = [(i % 4, (i + (i % 7 == 0)) % 4) for i in range(300)]
    wrong.write_text("id,label,prediction\n" + "".join(f"{i},{a + 1},{b}\n" for i, (a, b) in enumerate(rows)))
    right.write_text("id,label,prediction\n" + "".join(f"{i},{a},{b}\n" for i, (a, b) in enumerate(rows)))
    _, shown, tick, *_ = on_table(str(wrong))
    assert "This looks like a mistake and stops a run" in shown
    assert "&#39;1&#39; goes with &#39;0&#39;" in shown
    assert "predicted" in shown.split("Rows as read")[1]
    assert "--" not in shown
    assert (tick["visible"], tick["value"]) == (True, False)
    _, shown, tick, *_ = on_table(str(right))
    assert "mistake" not in shown
    assert (tick["visible"], tick["value"]) == (False, False)
    _, shown, tick, *_ = on_table(str(_unreadable(tmp_path)))
    assert "This stops a run" in shown
    assert not tick["visible"], "no tick makes such a table readable"


def test_a_tick_that_goes_out_of_sight_is_not_set(tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    table.write_text("id,loss\n" + "".join(f"{i},{-((i % 30) ** 3) / 1000}\n" for i in range(300)))
    columns, _, tick, _, *roles = on_table(str(table))
    assert tick["visible"]
    picked = [role["value"] for role in roles]
    tick = on_roles(str(table), columns, True, *picked)[1]
    assert (tick["visible"], tick["value"]) == (False, False)
    tick = on_roles(str(table), columns, False, *picked)[1]
    assert tick["visible"]
    assert "value" not in tick


def test_classes_of_ten_thousand_letters_do_not_fill_the_card(tmp_path: Path) -> None:
    long, table = "L" * 10_000, tmp_path / "long.csv"
    rows = "".join(f"{i},{'abcd'[i % 4]}{long},{'abcd'[(i + (i % 7 == 0)) % 4]}q\n" for i in range(300))
    table.write_text("id,label,prediction\n" + rows)
    shown = on_table(str(table))[1]
    assert "order the classes in two ways" in shown
    assert len(shown) < 6_000


def _unreadable(folder: Path) -> Path:
    table = folder / "unreadable.csv"
    table.write_text("id,label\n" + "".join(f"{i},a\n" for i in range(60)))
    return table


def test_what_check_notes_of_conditions_and_of_rows_left_out_stands_beneath_the_columns_too(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{i},{i % 7 / 10},{-999 if i % 5 == 0 else 20 + 0.37 * i}" for i in range(120)]
    table.write_text("\n".join(["id,loss,age", *rows, "120,,30"]))
    shown = on_table(str(table))[1]
    assert "−999 in 24 rows" in shown.split("Notes")[1]
    assert "1 row left out" in shown.split("Notes")[1]
