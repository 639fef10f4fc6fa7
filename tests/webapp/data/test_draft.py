"""What a browser keeps of the form: its files come back, and the choices of the latest run of the same table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.support.visits import serve
from tests.webapp.callbacks import press
from webapp.data.draft import FILES, NAMES, SETTINGS, on_files, on_pressed, on_restore, read_choices, read_files
from webapp.data.forgetting import on_forget
from webapp.data.tab import on_direction, on_table
from webapp.state.choices import ROLE_NAMES
from webapp.state.uploads import UPLOADS


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "mine" / "table.csv"
    path.parent.mkdir()
    path.write_text("id,badness,kind\n" + "".join(f"{i},{i % 7},{'ab'[i % 2]}\n" for i in range(120)))
    UPLOADS.add("", path)
    return path


def the_form(table: Path, **chosen: Any) -> list[Any]:
    """Values of the form's inputs."""
    plain: dict[str, Any] = {"table": str(table), "loss kind": "automatic", "alpha": 0.05, "seed": 0, "hidden": 0.0}
    return [(plain | chosen).get(name) for name in NAMES]


def test_every_input_of_the_form_has_its_own_name() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert set(FILES) | set(SETTINGS) < set(NAMES)


def test_files_and_choices_come_back_after_a_reload(table: Path) -> None:
    serve("ann")
    kept = on_files(str(table), None, None, None, None)
    choices = on_pressed(*the_form(table, hidden=0.25, seed=7, loss="badness"))
    serve("ann, reloaded")
    files, again, *shown = on_restore(press(files=kept, choices=choices))
    assert read_files(files).visit == "ann, reloaded"
    assert again == choices
    assert shown[0]["value"] == str(table)
    assert shown[1:5] == [gr.skip()] * 4
    values = {name: update["value"] for name, update in zip(SETTINGS, shown[5:]) if update != gr.skip()}
    assert values == {"loss kind": "automatic", "alpha": 0.05, "seed": 7, "hidden": 0.25}


def test_a_file_that_is_gone_or_was_never_brought_stays_out(table: Path, tmp_path: Path) -> None:
    other = tmp_path / "secret.csv"
    other.write_text("loss\n1\n")
    table.unlink()
    kept = json.dumps({"visit": "ann", "files": {"table": str(table), "images": str(other)}})
    files, _, *shown = on_restore(press(files=kept, choices=None))
    assert files == "null"
    assert all(update == gr.skip() for update in shown)


@pytest.mark.parametrize("text", [None, 3, "", "[", "[1]", '"x"', "null", '{"files": 3, "visit": 4}', "[" * 100_000])
def test_what_is_no_draft_brings_nothing_back(text: Any) -> None:
    assert not read_files(text).files
    assert read_choices(text) == {}
    assert read_choices(text, "t.csv") == {}


def test_choices_of_another_type_are_left_out() -> None:
    text = json.dumps({"table": "t.csv", "alpha": "high", "seed": 3, "texts": "note", "within": ["bus"]})
    assert read_choices(text) == {"seed": 3}
    assert read_choices(text, "t.csv") == {"within": ["bus"]}


def test_corrected_columns_apply_again_to_the_same_table_only(table: Path, tmp_path: Path) -> None:
    choices = on_pressed(*the_form(table, loss="badness", label="kind", within=["a"], higher=True))
    _, shown, _, within, *roles = on_table(str(table), choices)
    assert roles[ROLE_NAMES.index("loss")]["value"] == "badness"
    assert "<td><code>badness</code></td><td><b>loss</b></td>" in shown.replace("\n", "")
    assert within["value"] == ["a"]
    assert [name for _, name in within["choices"]] == ["a", "b"]
    assert on_direction(str(table), choices)
    other = tmp_path / "other.csv"
    other.write_bytes(table.read_bytes())
    assert on_table(str(other), choices)[4:][ROLE_NAMES.index("loss")]["value"] == ""
    assert not on_direction(str(other), choices)


def test_delete_my_data_after_a_reload_deletes_what_was_brought_before_it(table: Path) -> None:
    serve("ben")
    UPLOADS.claim("ben", "", table)
    kept = on_files(str(table), None, None, None, None)
    serve("ben, reloaded")
    on_forget("", kept)
    assert not table.exists()


def test_a_file_that_another_visitor_brought_too_stays(table: Path) -> None:
    for visit in ("ben", "cleo"):
        UPLOADS.claim(visit, "", table)
    serve("ben")
    kept = on_files(str(table), None, None, None, None)
    serve("ben, reloaded")
    on_forget("", kept)
    assert table.exists()
    UPLOADS.release("cleo")
    assert not table.exists()
