"""Systems of other packages that give something else than the contract says: each is left out where it misfits, with a
warning, and all else goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd
import pytest

from core import extensions
from core.cli.main import main
from core.data.modality import MODALITIES, meanings_of, modality_by_name
from core.encoders import list_encoders
from core.records import Column, Section
from core.reports.html.diagnosis import render_report
from core.reports.tables.diagnosis import to_document
from core.store import load, save
from core.systems.contract import EncoderKind, ModalityKind, Option, Panel, System
from tests.support.diagnoses import make_diagnosis
from tests.support.words import AxisEncoder, with_words
from webapp.panels import Page, add_parts, add_tabs
from webapp.state.query import tabs

Sign = Callable[..., None]
COMMAND = "no command"
GIVES: dict[str, Any] = {}
"""What the functions below give."""


def gives(*given: Any) -> Any:
    found = GIVES["value"]
    return found(*given) if callable(found) else found


def half(*given: Any) -> Iterator[Any]:
    yield from GIVES["value"]
    raise RuntimeError("half way")


def half_built(page: Page, tab: gr.Tab) -> None:
    gr.Row().__enter__()
    gr.Textbox("half built")
    raise RuntimeError("half way")


def of_others(name: str = "gives") -> str:
    return f"{__name__}:{name}"


@pytest.fixture
def sign(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sign]:
    """Has a system of another package sign on, with these parts."""

    def add(**parts: Any) -> None:
        system = System("odd", **parts)
        system.check()
        monkeypatch.setattr(extensions, "foreign_systems", lambda: (system,))
        extensions.parts.cache_clear()

    yield add
    monkeypatch.undo()
    extensions.parts.cache_clear()


def test_our_own_records_fit_the_contract() -> None:
    for system in extensions.own_systems():
        system.check()


@pytest.mark.parametrize(
    "parts",
    [
        {"commands": None},
        {"commands": {"mine": 5}},
        {"panels": (1,)},
        {"panels": (Panel("nowhere", "a", "b:c"),)},  # pyright: ignore[reportArgumentType]
        {"encoders": {"mine": "module:Class"}},
        {"modalities": {"mine": ModalityKind("a:B", [".wav"])}},  # pyright: ignore[reportArgumentType]
        {"options": (Option("ask", "mine", "", "a:b", "a:c", "mine"),)},
        {"tables": {"../mine": "a:b"}},
    ],
)
def test_a_record_that_does_not_fit_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, parts: dict[str, Any]
) -> None:
    class Entry:
        name = value = "mine"

        def load(self) -> System:
            return System("mine", **parts)

    class Leaving(Entry):
        def load(self) -> System:
            raise SystemExit(3)

    monkeypatch.setattr(extensions, "entry_points", lambda group: [Entry(), Leaving()])
    assert extensions.foreign_systems.__wrapped__() == ()
    assert "does not fit and is skipped" in caplog.text
    assert "cannot be imported" in caplog.text


@pytest.mark.parametrize(
    "found",
    [
        "a text",
        5,
        [None],
        [Section(5)],  # pyright: ignore[reportArgumentType]
        [Section("a", notes="abc")],
        [Section("a", rows=["abc"])],  # pyright: ignore[reportArgumentType]
        [Section("a", place="top")],  # pyright: ignore[reportArgumentType]
        [Section("a", notes=[None])],  # pyright: ignore[reportArgumentType]
        [Section("a", figure="<p>")],  # pyright: ignore[reportArgumentType]
        [Section("a", notes=["\ud800"])],
    ],
)
def test_sections_that_are_none_are_left_out(sign: Sign, caplog: pytest.LogCaptureFixture, found: Any) -> None:
    GIVES["value"] = found
    number = of_others() if isinstance(found, str | int) else ""
    sign(sections=of_others(), facts=number, second_opinion=number)
    before = len(extensions.sections(make_diagnosis()))
    assert before == 0
    assert extensions.facts(make_diagnosis(), 0) == []
    assert extensions.second_opinion(make_diagnosis(), np.arange(3)) is None
    assert "The system 'odd' failed in" in caplog.text


@pytest.mark.parametrize("markup", [None, b"bytes", "\ud800"])
def test_markup_that_is_none_leaves_the_report_whole(sign: Sign, markup: Any) -> None:
    GIVES["value"] = [Section("a", figure=lambda pictures: markup)]
    sign(sections=of_others())
    render_report(make_diagnosis()).encode()


def test_what_breaks_off_half_way_is_left_out(sign: Sign) -> None:
    GIVES["value"] = [Section("a")]
    sign(sections=of_others("half"), facts=of_others("half"), describers=of_others("half"))
    diagnosis = make_diagnosis()
    assert (extensions.sections(diagnosis), extensions.facts(diagnosis, 0)) == ([], [])
    assert extensions.described(diagnosis.samples) == ()


def test_columns_that_hold_something_else_are_left_out_alone(sign: Sign, caplog: pytest.LogCaptureFixture) -> None:
    samples = make_diagnosis().samples
    samples = replace(samples, model_outputs=(Column("loss", "number", np.zeros(60)),))
    GIVES["value"] = [
        Column("loss", "number", np.zeros(60)),
        Column("objects", "number", np.full(60, 1, object)),
        Column("square", "number", np.zeros((60, 2))),
        Column("mixed", "category", np.array(["a", 1] * 30, object)),
        Column("half", "category", np.full(60, "\ud800", object)),
        Column(5, "number", np.zeros(60)),  # pyright: ignore[reportArgumentType]
        None,
        Column("fits", "number", np.arange(60.0)),
    ]
    sign(describers=of_others())
    assert [column.name for column in extensions.described(samples)] == ["fits"]
    assert caplog.text.count("is skipped") == 7


def circle(*_: Any) -> Any:
    found: dict[str, Any] = {}
    return found | {"in": [found.setdefault("itself", found)]}


@pytest.mark.parametrize("found", [circle, {"text": "\ud800"}])
def test_a_document_that_is_no_json_is_null(sign: Sign, found: Any) -> None:
    GIVES["value"] = found
    sign(documents={"odd": of_others()})
    assert to_document(make_diagnosis())["odd"] is None


@pytest.mark.parametrize(
    "table", [[1, 2], pd.DataFrame({"a": [1, "x", object()]}), pd.DataFrame([[1, 2]], columns=["a", "a"])]
)
def test_a_table_that_no_file_can_hold_does_not_cost_the_run(
    sign: Sign, tmp_path: Path, capsys: pytest.CaptureFixture[str], table: Any
) -> None:
    GIVES["value"] = table
    sign(tables={"odd": of_others()})
    save(make_diagnosis(), tmp_path / "run.errata")
    load(tmp_path / "run.errata")
    assert not (tmp_path / "run.errata" / "odd.parquet").exists()
    assert main(["export", str(tmp_path / "run.errata"), "--what", "odd"]) == 2
    assert "odd" in capsys.readouterr().err


def test_a_command_that_is_none_says_so(sign: Sign, capsys: pytest.CaptureFixture[str]) -> None:
    sign(commands={"COMMAND": __name__})
    assert main(["--help"]) == 0
    assert main(["COMMAND"]) == 2
    assert "cannot be used (TypeError: COMMAND is a str, not a command)" in capsys.readouterr().err


@pytest.mark.parametrize("found", [5, ([], {}), ([], None)])
def test_an_option_that_fails_says_so(
    sign: Sign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Any
) -> None:
    save(with_words(), tmp_path / "run.errata")
    monkeypatch.setattr("core.encoders.load_encoder", lambda name, **options: AxisEncoder())
    GIVES["value"] = found
    sign(options=(Option("ask", "--odd DIR", "a help", of_others(), of_others(), "questions"),))
    assert main(["ask", str(tmp_path / "run.errata"), "in the dark", "--odd", "x"]) == 2
    assert "errata: --odd cannot be used (" in capsys.readouterr().err
    assert main(["ask", str(tmp_path / "run.errata"), "in the dark", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"][0]["text"] == "in the dark"  # the key is taken


def test_encoders_and_modalities_of_others_end_no_list(sign: Sign, caplog: pytest.LogCaptureFixture) -> None:
    kind = EncoderKind("a:B", "odd", "an encoder", ("errata_gone.part",))
    sign(encoders={"odd": kind, "embedded": kind}, modalities={"smell": ModalityKind("errata_gone:Smell", frozenset())})
    assert [(name, there) for name, _, there, _ in list_encoders()].count(("odd", False)) == 1
    assert {name: meanings_of(name) for name in MODALITIES.every()}["smell"] == {}
    assert "The modality 'smell' cannot be used" in caplog.text


def test_of_a_panel_that_breaks_off_nothing_is_left(sign: Sign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "own_systems", tuple)
    sign(
        panels=(
            Panel("tab", "explore", of_others("half_built"), "Explore"),
            Panel("ask", "fold", of_others("half_built")),
        )
    )
    assert tabs().count("explore") == 1
    with gr.Blocks() as page, gr.Tabs() as row:
        with gr.Tab("Ask") as tab:
            add_parts("ask", None, None)  # pyright: ignore[reportArgumentType]
            gr.HTML("after")
        add_tabs(None)  # pyright: ignore[reportArgumentType]
    assert row.children == [tab]
    assert [type(block) for block in tab.children][-1] is gr.HTML
    assert "half built" not in json.dumps(page.get_config_file().get("layout"))
    assert not any(isinstance(block, gr.Row) for block in tab.children)


def test_files_that_the_kernel_knows_by_their_names_stay_its_own(sign: Sign) -> None:
    sign(modalities={"smell": ModalityKind("errata_gone:Smell", frozenset({".png", ".odor"}))})
    assert modality_by_name("a.png") == "image"
    assert modality_by_name("a.odor") == "smell"
    assert modality_by_name("a.unknown") is None
