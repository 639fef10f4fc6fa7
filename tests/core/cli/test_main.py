"""The command line as its users meet it: files, exit codes, one message."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.cli import diagnose as commands
from core.cli.main import main
from core.data.tables.roles import Roles
from core.discovery.assigner import Assignment
from core.errors import Cancelled, InvalidInput
from core.reports.wording.sensitivity import sensitivity_sentence
from core.store import load, save
from tests.support.commands import results_of, said_on
from tests.support.diagnoses import make_diagnosis

N = 240


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A folder with table.csv, shuffled.csv and embeddings.npy: every sixth sample lies apart and has a high loss."""
    rng = np.random.default_rng(0)
    apart = np.arange(N) % 6 == 0
    vectors = rng.normal(size=(N, 12)).astype(np.float32)
    vectors[apart, 0] += 4
    loss = np.abs(np.where(apart, 1.5, 0.3) + rng.normal(0, 0.2, N))
    table = pd.DataFrame({"id": [f"s{i:03d}" for i in range(N)], "loss": loss, "light": np.where(apart, "dark", "day")})
    table.to_csv(tmp_path / "table.csv", index=False)
    table.assign(loss=rng.permutation(loss)).drop(columns="light").to_csv(tmp_path / "shuffled.csv", index=False)
    np.save(tmp_path / "embeddings.npy", vectors)
    return tmp_path


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A stored run without a model, with names that a spreadsheet would run."""
    save(make_diagnosis(hostile=True), tmp_path / "run.errata")
    return tmp_path / "run.errata"


def diagnose(folder: Path, table: str = "table.csv", out: str = "out.errata", *more: str) -> int:
    line = f"diagnose --table {folder / table} --embeddings {folder}/embeddings.npy --out {folder / out}"
    return main([*line.split(), "--permutations", "300", *more])


@pytest.mark.slow
def test_a_planted_failure_goes_from_table_to_files_and_new_samples_are_assigned(
    brought: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diagnose(brought) == 0
    said = capsys.readouterr()
    assert said.out.startswith("1 group accounts for about ")
    assert said.err == ""
    run = brought / "out.errata"
    out = brought / "out"
    assert main(["export", str(run), "--what", "results", "--out", str(out)]) == 0
    assert main(["export", str(run), "--out", str(out / "report.html")]) == 0
    document = json.loads((out / "diagnosis.json").read_text("utf-8"))
    assert [c["id"] for c in document["clusters"]] == [0]
    samples = pd.read_parquet(out / "samples.parquet")
    assert len(samples) == N
    members = set(samples.loc[samples["cluster"] == 0, "id"])
    planted = {f"s{i:03d}" for i in range(0, N, 6)}
    # a slice has one of seventeen sizes, so it may hold some neighbors of what was planted, or miss its rim
    assert len(planted & members) >= 0.8 * max(len(planted), len(members))
    assert list(pd.read_parquet(out / "memberships.parquet").columns) == ["id", "0"]
    assert pd.read_parquet(out / "excluded.parquet").empty
    assert "1 group accounts for about " in (out / "report.html").read_text("utf-8")

    vectors = np.load(brought / "embeddings.npy")[:12]
    np.savez(brought / "new.npz", embeddings=vectors, ids=np.array([f"new{i}" for i in range(12)]))
    assert main(["assign", str(run), "--embeddings", str(brought / "new.npz"), "--out", str(brought / "new.csv")]) == 0
    table = pd.read_csv(brought / "new.csv")
    assert list(table.columns) == ["id", "predicted", "spread", "cluster", "membership"]
    assert table["id"].tolist() == [f"new{i}" for i in range(12)]
    assert table["cluster"][[0, 6]].tolist() == [0, 0]
    assert table["predicted"][[0, 6]].min() > table["predicted"].drop([0, 6]).max()
    expected = load(run).model.assign(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    np.testing.assert_allclose(table["predicted"], expected.predicted, rtol=1e-5)
    np.testing.assert_array_equal(table["cluster"], expected.cluster)


@pytest.mark.parametrize("n_clusters", [0, 2])
def test_the_summary_says_once_what_would_have_been_found(
    n_clusters: int, brought: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_diagnosis(n_clusters=n_clusters)
    monkeypatch.setattr("core.diagnose.diagnose_data_set", lambda *_, **__: made)
    assert diagnose(brought, "table.csv") == 0
    said = capsys.readouterr().out
    assert said.count(sensitivity_sentence(made)) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_nothing_found_is_a_result_and_exits_with_0(brought: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnose(brought, "shuffled.csv") == 0
    assert "No group is confirmed" in capsys.readouterr().out
    assert json.loads((results_of(brought / "out.errata") / "diagnosis.json").read_text())["clusters"] == []


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_the_same_input_settings_and_seed_give_the_same_files(brought: Path) -> None:
    assert diagnose(brought, "table.csv", "a.errata") == diagnose(brought, "table.csv", "b.errata") == 0
    assert (brought / "a.errata").read_bytes() == (brought / "b.errata").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ["diagnose"],
        ["diagnose", "--table", "t", "--out", "o", "--alpha", "2"],
        ["diagnose", "--table", "t", "--out", "o", "--masks", "one"],
        ["nonsense"],
        [],
    ],
)
def test_a_malformed_command_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("Usage:")


@pytest.mark.parametrize(
    ("error", "code"),
    [(InvalidInput("a"), 2), (ModuleNotFoundError(name="torch"), 3), (Cancelled("a"), 130), (KeyboardInterrupt(), 130)],
)
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(commands.encoders, "callback", fail)
    assert main(["encoders"]) == code


@pytest.mark.parametrize("error", [ZeroDivisionError(), ModuleNotFoundError(name="core.systems.probes.none_such")])
def test_a_fault_of_ours_is_not_hidden(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(commands.encoders, "callback", fail)
    with pytest.raises(type(error)):
        main(["encoders"])


@pytest.mark.slow
def test_ctrl_c_stops_a_run_with_130_and_leaves_no_finished_run(brought: Path, repository: Path) -> None:
    line = f"diagnose --table {brought}/table.csv --embeddings {brought}/embeddings.npy --permutations 2000000"
    terminal, its = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "core", *line.split(), "--out", str(brought / "out.errata")],
        cwd=repository,
        stderr=its,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a shell's background job ignores it, and so would its children
    )
    os.close(its)
    said_on(terminal, until="Fitting the loss model")
    process.send_signal(signal.SIGINT)
    said = said_on(terminal)
    assert process.wait(60) == 130
    assert said.strip().endswith("Stopped.")
    assert not (brought / "out.errata").exists()


def given(*arguments: str) -> dict[str, Any]:
    """What `diagnose` is called with."""
    return commands.diagnose.make_context("diagnose", list(arguments)).params


def test_named_columns_reach_the_reader() -> None:
    words = """--table t --out o --label y --probabilities p_a p_b --id i --group g --split s --masks a b
        --higher-is-better --loss-kind brier --conditions score --logits z --target t --prediction q --loss l --image f
        --embedding e --class-names cat dog"""
    assert given(*shlex.split(words))["roles"] == Roles(
        id="i",
        image="f",
        loss="l",
        label="y",
        probabilities=("p_a", "p_b"),
        logits=("z",),
        prediction="q",
        target="t",
        masks=("a", "b"),
        group="g",
        split="s",
        embedding="e",
        loss_kind="brier",
        higher_is_better=True,
        conditions=("score",),
        class_names=("cat", "dog"),
    )
    assert given("--table", "t", "--out", "o")["roles"] == Roles()


@pytest.mark.parametrize("what", ["samples", "clusters", "insights", "weights"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_every_export_can_be_read_back(stored: Path, tmp_path: Path, what: str, kind: str) -> None:
    out = tmp_path / f"x.{kind}"
    assert main(["export", str(stored), "--what", what, "--format", kind, "--out", str(out)]) == 0
    readers: dict[str, Any] = {"csv": pd.read_csv, "parquet": pd.read_parquet, "json": pd.read_json}
    table = readers[kind](out)
    assert len(table) == {"samples": 60, "clusters": 3, "insights": 2, "weights": 60}[what]
    if what == "samples":
        np.testing.assert_allclose(table["loss"], make_diagnosis(hostile=True).outcomes.loss, rtol=1e-12)


def test_an_export_is_in_the_format_of_its_ending(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.json"
    assert main(["export", str(stored), "--what", "sections", "--out", str(out)]) == 0
    assert json.loads(out.read_text("utf-8"))
    assert capsys.readouterr().out == f"Written: {out}\n"
    assert main(["export", str(stored), "--out", str(tmp_path / "x.docx")]) == 2
    assert "--out must end in .csv, .parquet or .json: got 'x.docx'." in capsys.readouterr().err
    assert not (tmp_path / "x.docx").exists()


def test_a_formula_is_harmless_in_csv_and_untouched_in_parquet(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(stored)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("'=HYPERLINK(1).png,")
    assert main(["export", str(stored), "--format", "parquet", "--out", str(tmp_path / "x.parquet")]) == 0
    assert pd.read_parquet(tmp_path / "x.parquet")["id"][1] == "=HYPERLINK(1).png"


def test_new_samples_that_cannot_be_read_stay_in_the_table(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Model:
        def assign(self, embeddings: Any, labels: Any = None) -> Assignment:
            n = len(embeddings)
            return Assignment(np.full(n, 0.5), np.zeros(n), np.tile([0.9, 0.1], (n, 1)), np.zeros(n, np.int64))

    monkeypatch.setattr("core.store.load", lambda folder: replace(make_diagnosis(), model=Model()))
    vectors = np.random.default_rng(0).normal(size=(5, 8))
    vectors[3] = np.nan
    np.savez(tmp_path / "new.npz", embeddings=vectors, ids=np.array(list("abcde")))
    assert (
        main(["assign", str(stored), "--embeddings", str(tmp_path / "new.npz"), "--out", str(tmp_path / "x.parquet")])
        == 0
    )
    rows = {row.pop("id"): row for row in pd.read_parquet(tmp_path / "x.parquet").to_dict("records")}
    assert [rows[name]["cluster"] for name in "abce"] == [0] * 4
    assert rows["a"]["membership"] == 0.9
    assert all(pd.isna(value) for value in rows["d"].values())


def test_encoders_are_listed_with_how_to_get_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encoders"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("embedded\n")
    assert "open_clip" in out


def test_the_module_runs_as_a_program(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "--help"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert "Exit codes: 0 finished" in done.stdout
