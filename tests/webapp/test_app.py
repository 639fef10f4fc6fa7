"""The page as a whole, without a browser."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from core.data.modality import MODALITIES
from core.errors import InvalidInput
from core.files import ASSETS
from core.reports.html.diagnosis import render_report
from core.store import save
from tests.support.page import Page
from tests.support.showcase import make_showcase
from webapp import app
from webapp.app import build_app, find_examples, guide, open_runs
from webapp.explore.closing import on_take
from webapp.explore.new_run import on_made, on_new_run
from webapp.explore.picked import neighbour
from webapp.explore.tab import describe, show_run
from webapp.server.settings import launch_settings
from webapp.state.query import tabs as tab_names
from webapp.state.runs import RUNS
from webapp.state.session import Session


def test_examples_with_findings_come_first(tmp_path: Path) -> None:
    save(make_showcase(60, n_clusters=0), tmp_path / "a" / "run.errata")
    save(make_showcase(60), tmp_path / "b" / "run.errata")
    (tmp_path / "unfinished" / "run.errata").mkdir(parents=True)
    assert [run for _, run in find_examples(tmp_path)] == ["example-b", "example-a"]


def test_examples_come_in_the_order_of_the_kinds(tmp_path: Path) -> None:
    for kind in reversed(list(MODALITIES)):
        shown = make_showcase(60)
        save(replace(shown, samples=replace(shown.samples, modality=kind)), tmp_path / kind / "run.errata")
    assert [run for _, run in find_examples(tmp_path)] == [f"example-{kind}" for kind in MODALITIES]


def test_real_examples_come_before_drawn_ones(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(make_showcase(60), tmp_path / name / "run.errata")
    (tmp_path / "a" / "truth.json").write_text("{}")
    assert [run for _, run in find_examples(tmp_path)] == ["example-b", "example-a"]


def test_the_page_opens_on_real_photographs() -> None:
    assert find_examples(ASSETS / "examples")[0][1] == "example-clothing"


def test_the_page_is_private_by_default() -> None:
    settings = launch_settings()
    assert settings["run_history"] is False
    assert settings["max_file_size"]
    assert settings["share"] is False
    assert settings["footer_links"] == []
    assert str(Path(__file__).resolve().parents[2]) in settings["blocked_paths"]


@pytest.fixture(scope="module")
def without_runs(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    """The page of a server without an example."""
    return build_app(examples=tmp_path_factory.mktemp("none"))


@pytest.fixture(scope="module")
def of_one_person(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    """The same where one person alone uses the server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RUNS, "lists_all", True)
        return build_app(examples=tmp_path_factory.mktemp("none"), at_home=True)


def test_without_an_example_the_page_says_what_to_do(without_runs: gr.Blocks) -> None:
    blocks = without_runs.blocks.values()
    values = [str(getattr(c, "value", "")) for c in blocks if getattr(c, "elem_id", None) == "strip"]
    assert "Add a table" in values[0]
    tabs = [tab for tab in blocks if isinstance(tab, gr.Tab) and tab.parent.elem_id == "tabs"]  # type: ignore[union-attr]
    assert sorted(str(tab.id) for tab in tabs) == sorted(tab_names())  # those that a link can name


def test_places_are_built_when_they_are_opened(without_runs: gr.Blocks) -> None:
    blocks = without_runs.blocks.values()
    first_view = [block for block in blocks if block.page == "" and not isinstance(block, gr.State)]
    assert len(first_view) < 40
    assert not any(isinstance(block, gr.File) for block in first_view)


def test_a_fresh_browser_asks_for_its_user_s_runs_where_one_person_alone_uses_the_server(
    without_runs: gr.Blocks, of_one_person: gr.Blocks
) -> None:
    for page, lists_all in ((of_one_person, True), (without_runs, False)):
        link = next(block for block in page.blocks.values() if getattr(block, "elem_id", "") == "link")
        assert link.props["lists"] is lists_all  # type: ignore[union-attr]


def test_light_endpoints_never_wait_for_heavy_ones(without_runs: gr.Blocks) -> None:
    places = {fn.api_name: fn.concurrency_id for fn in without_runs.fns.values()}
    heavy = {places[name] for name in ("diagnose", "predict", "compose", "probe")}
    light = {places[name] for name in ("select", "ask", "clusters", "report", "audit", "compare")}
    assert not heavy & light


def test_the_guide_says_what_is_kept_where() -> None:
    assert "your own cache" in guide(at_home=True)
    assert "no other visitor" in guide(at_home=False)


def test_a_sample_is_described_to_who_knows_the_run_and_to_nobody_else(tmp_path: Path) -> None:
    save(make_showcase(60), tmp_path / "described" / "run.errata")
    find_examples(tmp_path)
    card = describe(["example-described", 3])
    assert card is not None
    assert card["title"] == "street/0003.png"
    assert card["src"].startswith("run-image/example-described/3/image?v=")
    for asked in (
        ["unknown", 3],
        ["example-described", 60],
        ["example-described", -1],
        ["example-described", "x"],
        ["example-described", float("inf")],
        None,
        7,
        {"run": 1},
    ):
        assert describe(asked) is None


def test_a_file_to_take_away_is_made_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(make_showcase(60), tmp_path / "taken" / "run.errata")
    find_examples(tmp_path)
    session = Session("example-taken")
    (said, none), (after, file) = on_take(session, "samples.csv")
    assert ("Making the file" in said, str(none), after) == (True, str(gr.skip()), "")
    assert Path(file["value"]).name == "samples.csv"
    assert not Path(file["value"]).with_name("report.html").exists()
    monkeypatch.setattr(RUNS, "file", lambda *_: 1 / 0)
    told = list[str]()
    with pytest.raises(ZeroDivisionError):
        told.extend(said for said, _ in on_take(session, "report.html"))
    assert told[-1] == ""
    with pytest.raises(InvalidInput, match="No run is open"):
        next(on_take(Session(), "report.html"))


def test_stepping_goes_round_the_clusters() -> None:
    diagnosis = make_showcase(60)
    assert [neighbour(diagnosis, at, by) for at, by in ((0, 1), (2, 1), (0, -1), (None, 1), (99, 1))] == [1, 0, 2, 0, 0]
    assert neighbour(make_showcase(60, n_clusters=0), None, 1) is None


def test_a_finished_run_opens_and_can_be_left_for_the_example_again(tmp_path: Path) -> None:
    save(make_showcase(60), tmp_path / "opened" / "run.errata")
    examples = find_examples(tmp_path)
    tabs, picker, session, *_ = on_new_run("example-opened", "Your run", examples)
    assert tabs["selected"] == "explore"
    assert [value for _, value in picker["choices"]] == ["example-opened"]
    assert session.run == "example-opened"
    assert show_run("example-opened").session.run == "example-opened"


def test_a_visitor_who_went_to_another_tab_is_left_there_and_the_run_is_offered(tmp_path: Path) -> None:
    for name in ("first", "made"):
        save(make_showcase(60), tmp_path / name / "run.errata")
    examples = find_examples(tmp_path)
    session = Session("example-first")

    def made(run: str, here: str) -> tuple[Any, ...]:
        return on_made(session, run, here, began="data", what="Your run", others=examples)

    offer, tabs, picker, *rest = made("example-made", "ask")
    assert "Done: Your run" in offer
    assert "Open it" in offer
    assert picker["value"] == "example-first"
    assert "example-made" in [run for _, run in picker["choices"]]
    assert {str(part) for part in (tabs, *rest)} == {str(gr.skip())}
    for here in ("data", ""):
        offer, tabs, _, opened, *more = made("example-made", here)
        assert (str(offer), tabs["selected"], opened.run) == (str(gr.skip()), "explore", "example-made")
        assert len(more) == len(rest) - 1
    assert {str(part) for part in made("", "ask")} == {str(gr.skip())}


def test_runs_of_the_command_line_are_opened_before_the_examples_and_told_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(make_showcase(60), tmp_path / f"{name}.errata")
    folders = [tmp_path / "one.errata", tmp_path / "two.errata"]
    runs = open_runs(folders)
    assert [run for _, run in runs] == ["run-1", "run-2"]
    assert [title.endswith(f"({folder})") for (title, _), folder in zip(runs, folders)] == [True, True]
    assert open_runs(folders[:1])[0][0] == make_showcase(60).samples.name
    demo = build_app(first=[*runs, *find_examples(tmp_path)])
    picker = next(b for b in demo.blocks.values() if getattr(b, "elem_id", "") == "picker")
    assert picker.value == "run-1"
    with pytest.raises(InvalidInput, match="absent"):
        open_runs([tmp_path / "absent.errata"])
    with pytest.raises(InvalidInput) as caught:
        open_runs([tmp_path / "absent.errata"])
    assert "run-1" not in str(caught.value)


def test_the_page_and_its_first_view_load_no_heavy_package() -> None:
    """The first view is that of the first example."""
    heavy = ("torch", "umap", "sklearn", "scipy.stats", "scipy.sparse", "open_clip", "onnxruntime")
    loaded = f"print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, webapp.app; {loaded}; webapp.app.build_app(); {loaded}"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        check=True,
    )
    assert done.stdout.split("\n") == ["[]", "[]", ""]


@pytest.mark.slow
def test_show_opens_one_diagnosis() -> None:
    import httpx

    demo = importlib.import_module("webapp").show(make_showcase(60))
    try:
        assert "streets" in httpx.get(f"{demo.local_url}config").text
    finally:
        demo.close()


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a notebook's cell displays; IPython's two doors stand in for the notebook."""
    shown, display = list[str](), ModuleType("IPython.display")
    vars(display).update(HTML=str, Javascript=str, display=shown.append)
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr("gradio.utils.ipython_check", lambda: True)
    return shown


def test_show_displays_the_page_in_a_notebook_s_cell(cell: list[str]) -> None:
    demo = importlib.import_module("webapp").show(make_showcase(60), height=500)
    demo.close()
    (shown,) = cell
    assert f'<iframe src="{demo.local_url}"' in shown
    assert 'height="500"' in shown


@pytest.mark.parametrize("host", ["Colab", "Kaggle"])
def test_show_displays_the_report_where_a_browser_reaches_no_server(
    host: str, cell: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if host == "Colab":
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    else:
        monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    run = make_showcase(60)
    assert importlib.import_module("webapp").show(run, height=500) is None
    (shown,) = cell
    ((_, frame),) = [(tag, values) for tag, values in Page(shown).tags if tag == "iframe"]
    assert frame["srcdoc"] == render_report(run)
    assert frame["height"] == "500"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_while_the_page_begins_to_answer_ends_it_in_order(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Gradio's `launch` answers visitors some tenths of a second before it is over."""

    def answers_already(**_: Any) -> None:
        os.kill(os.getpid(), number)

    ended, before = list[bool](), {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def serve_until_stopped(demo: Any, stopped: threading.Event) -> None:
        ended.append(stopped.wait(60))

    for name in ("begin", "believe_proxies", "warm_up"):
        monkeypatch.setattr(app, name, lambda *_, **__: None)
    monkeypatch.setattr(app, "build_app", lambda *_, **__: SimpleNamespace(launch=answers_already))
    monkeypatch.setattr(app, "serve_until_stopped", serve_until_stopped)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # would it not be handled, the test shall say so, not end
    try:
        app.main()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert ended == [True]
