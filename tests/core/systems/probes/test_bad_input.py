"""Probes from the command line where something comes in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import main
from core.records import Embeddings
from core.store import load, save
from core.systems.probes.base import ProbeInput, Scored
from core.systems.probes.records import results_of, with_results
from tests.support.commands import make_folders, refused, said
from tests.support.diagnoses import make_diagnosis
from tests.support.probes import Guess, made_probe
from tests.support.words import with_words


def test_a_result_that_another_command_added_meanwhile_is_kept(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = Guess.run

    def slow(self: Guess, part: ProbeInput) -> Scored:
        found = load(run)
        save(with_results(found, (made_probe(found, name="meanwhile"),)), run)
        return work(self, part)

    monkeypatch.setattr(Guess, "run", slow)
    said(capsys, "probe", "zero-shot", str(run))
    assert [p.name for p in results_of(load(run))] == ["meanwhile", "zero-shot"]


def test_class_folders_that_cannot_be_told_apart_are_refused_before_they_are_embedded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folders(tmp_path / "set", ("a_b", "A b"), 10)
    told = refused(
        capsys, "probe", "zero-shot", "--images", str(tmp_path / "set"), "--out", str(tmp_path / "run.errata")
    )
    assert "as the same name" in told


def test_a_package_that_a_probe_needs_is_named_with_exit_code_3(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("core.registry.import_module", gone)
    assert "needs torch" in refused(capsys, "probe", "coop", str(run), code=3)
    assert "not here: The probe coop needs torch" in said(capsys, "probes")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["probe", "zero-shot"], "needs a finished run or labeled samples"),
        (["probe", "zero-shot", "absent"], "cannot be opened"),
        (["probe", "zero-shot", "absent", "--shots", "11"], "shots must be 0 to 10"),
        (["probe", "zero-shot", "absent", "--name", "model"], "'model' is reserved"),
        (["probe", "zero-shot", "absent", "--seed", "-1"], "seed must be at least 0"),
        (["probe", "zero-shot", "RUN", "--table", "t.csv"], "--table cannot be used with a run"),
        (["probe", "zero-shot", "RUN", "--split-column", "part"], "--split-column cannot be used with a run"),
        (["probe", "zero-shot", "RUN", "--pool", "p.zip"], "does not use --pool"),
        (["probe", "zero-shot", "RUN", "--split", "parts.csv"], '"column" or a JSON file'),
        (["probe", "zero-shot", "RUN", "--split", "absent.json"], "File 'absent.json' not found"),
        (["probe", "zero-shot", "RUN", "--save-draw", "d.json"], "learns from none"),
        (["probe", "zero-shot", "--table", "t.csv"], "Add --out"),
        (["probe", "zero-shot", "--table", "t.csv", "--out", "o.errata", "--diagnose", "d"], "Remove --diagnose"),
        (["probe", "zero-shot", "--table", "absent.csv", "--out", "o.errata"], "absent.csv"),
        (["compare", "RUN", "model", "nobody"], "no result called 'nobody'"),
        (["compare", "RUN"], "No other model was run"),
        (["compare", "RUN", "--out", "x.png"], "must end in"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(
    run: Path,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = run.read_bytes()
    assert message in refused(capsys, *[str(run) if a == "RUN" else a for a in arguments])
    assert run.read_bytes() == before


@pytest.mark.parametrize(
    "arguments", [["probe", "nonsense", "run.errata"], ["probe"], ["probe", "zero-shot", "run", "--nonsense", "1"]]
)
def test_a_malformed_command_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("Usage:")


def test_a_run_without_words_or_labels_says_the_way_out(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(make_diagnosis(), tmp_path / "plain.errata")
    assert "Diagnose again with images, clips or texts, and with words (on the command line with --images" in refused(
        capsys, "probe", "zero-shot", str(tmp_path / "plain.errata")
    )
    spoken = with_words()
    save(replace(spoken, samples=replace(spoken.samples, labels=None)), tmp_path / "blind.errata")
    message = refused(capsys, "probe", "zero-shot", str(tmp_path / "blind.errata"))
    assert "a table with a label column" in message
    assert f"of two or more: {spoken.samples.name!r} has 0." in message
    assert spoken.words is not None
    joint = Embeddings(spoken.words.joint.vectors, "older", "older-space")
    save(replace(spoken, words=replace(spoken.words, joint=joint)), tmp_path / "older.errata")
    assert main(["probe", "zero-shot", str(tmp_path / "older.errata")]) == 2
    assert "Use one encoder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("each", "more", "why"),
    [
        (10, (), "At least 40 samples must be scored"),
        (30, ("--split", "column", "--split-column", "part"), "This split scores 30: add samples"),
        (30, ("--shots", "16"), "2 of 2 classes have fewer than 16 shots"),
    ],
)
def test_too_few_samples_are_refused_before_anything_is_embedded(
    each: int,
    more: tuple[str, ...],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_folders(tmp_path / "set", ("bus", "car"), each)
    rows = [
        (f"{kind}/{f.name}", kind, i % 2)
        for kind in ("bus", "car")
        for i, f in enumerate(sorted((tmp_path / "set" / kind).iterdir()))
    ]
    lines = [f"{name},{kind},{('train', 'test')[odd]}" for name, kind, odd in rows]
    (tmp_path / "table.csv").write_text("\n".join(["file,label,part", *lines]), "utf-8")
    monkeypatch.setattr("core.discovery.prepare.embed", None)
    table = ("--table", str(tmp_path / "table.csv"), "--images", str(tmp_path / "set"))
    assert why in refused(capsys, "probe", "lp++", *table, "--out", str(tmp_path / "run.errata"), *more)
    assert not (tmp_path / "run.errata").exists()
