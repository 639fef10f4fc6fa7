"""A probe with several numbers of shots: what is printed, stored and drawn, and what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.main import main
from core.store import load
from core.systems.probes.records import results_of
from tests.support.commands import refused, report_of, results_of as written_of, said


def test_several_numbers_of_shots_are_run_stored_drawn_and_set_beside_each_other(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", "zero-shot", str(run), "--shots", "3,1,2", "--way", "turn"]) == 0
    out, told = capsys.readouterr()
    assert "This will take about 3:45 of CPU time." in told  # 75 seconds each
    assert out.startswith("How many labeled samples?\n")
    assert "zero-shot is right on " in out
    assert "over images: another seed draws other shots" in out
    assert "zero-shot, 3 shots fixed " in out  # the most beside the model
    assert [p.name for p in results_of(load(run))] == ["zero-shot, 1 shot", "zero-shot, 2 shots", "zero-shot, 3 shots"]
    (rows,) = json.loads((written_of(run) / "diagnosis.json").read_text("utf-8"))["shot_curves"]
    assert [p["shots"] for p in rows["curves"][0]["points"]] == [1, 2, 3]
    report = report_of(run)
    assert report.count('<table class="shot-table">') == report.count('<polyline class="k0"') == 1
    document = json.loads(said(capsys, "probe", "zero-shot", str(run), "--shots", "1,2", "--name", "mine", "--json"))
    assert [p["name"] for p in document["probes"]] == ["mine, 1 shot", "mine, 2 shots"]
    assert len(document["shot_curves"][0]["curves"]) == 2  # beside the run's other curve


def test_a_result_that_is_of_no_curve_is_told_by_itself(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "probe", "zero-shot", str(run), "--shots", "0,2")
    assert "How many labeled samples?" not in told
    assert told.count("Control, zero-shot: right on") == 2
    told = said(capsys, "probe", "zero-shot", str(run), "--shots", "0,1,2")
    assert told.count("How many labeled samples?") == told.count("Control, zero-shot: right on") == 1


def test_one_number_of_shots_draws_no_curve(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "How many labeled samples?" not in said(capsys, "probe", "zero-shot", str(run), "--shots", "2")
    assert "How many labeled samples?" not in report_of(run)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--shots", "1,x"), "--shots must be whole numbers with commas: got '1,x'."),
        (("--shots", "1,99"), "shots must be 0 to 10: got 99."),
        (("--shots", "1,2", "--diagnose", "own"), "--diagnose takes one result, and --shots names several."),
        (("--shots", "1,2", "--save-draw", "draw.json"), "--save-draw takes one result, and --shots names several."),
    ],
)
def test_what_several_numbers_of_shots_cannot_be_is_refused(
    run: Path, given: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert why in refused(capsys, "probe", "zero-shot", str(run), *given)
    assert not results_of(load(run))


def test_saved_weights_are_of_one_number_of_shots(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, "probe", "coop", str(run), "--shots", "1,2", "--load", "weights")
    assert "--load takes one result, and --shots names several." in told


def test_several_numbers_of_shots_need_a_finished_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, "probe", "zero-shot", "--images", str(run), "--out", str(run / "x"), "--shots", "1,2")
    assert "Run the probe with one of them and --out NAME.errata" in told
