"""`python -m core explain` on a run on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.checks import faithfulness
from core.errors import InvalidInput
from core.records import Diagnosis, Faithfulness, Progress
from core.store import load, save
from tests.conftest import REPOSITORY
from tests.support.commands import refused, report_of, results_of, said
from tests.support.faithfulness import made_faithfulness


@pytest.fixture
def run(diagnosis: Diagnosis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(faithfulness, "measure_faithfulness", lambda diagnosis, **_: made_faithfulness())
    save(diagnosis, tmp_path / "run.errata")
    return str(tmp_path / "run.errata")


def test_sentences_come_with_what_they_are_worth(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "why.csv"
    told = said(capsys, "explain", run, "--out", str(out))
    assert told.startswith("30 of 60 samples have a possible cause. ")
    assert "street/0000.png: " in told
    assert "in group 1" in told
    assert "any cause at all: 0.70, 95% CI 0.60 to 0.80, named for 20" in told
    assert f"Written: {out}" in told
    table = pd.read_csv(out, keep_default_na=False)
    assert list(table.columns) == ["id", "expected", "worst", "named", "sentence"]
    assert len(table) == 60
    first = table.iloc[0]
    assert "condition weather = fog" in first["named"]
    assert first["sentence"] in told
    silent = table[table["named"] == ""]
    assert len(silent) > 20
    assert set(silent["sentence"]) == {""}


def test_the_measurement_is_kept_in_the_run_and_taken_from_there(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = 0

    def measure(diagnosis: Diagnosis, *, progress: Progress) -> Faithfulness:
        nonlocal measured
        measured += 1
        return made_faithfulness()

    monkeypatch.setattr(faithfulness, "measure_faithfulness", measure)
    said(capsys, "explain", run, "--not-kept")
    assert load(Path(run)).faithfulness is None
    told = said(capsys, "explain", run)
    kept = load(Path(run)).faithfulness
    assert kept is not None
    assert kept.anything is not None
    assert (kept.anything.auroc.value, kept.anything.n_named) == (0.7, 20)
    assert "(AUROC 0.70, 95% CI 0.60 to 0.80;" in report_of(Path(run))
    document = json.loads((results_of(Path(run)) / "diagnosis.json").read_text("utf-8"))["faithfulness"]
    assert document["kinds"][0]["auroc"] == {"value": 0.7, "low": 0.6, "high": 0.8}
    assert document["sentence"] in told
    assert measured == 2
    assert said(capsys, "explain", run) == told
    assert measured == 2
    said(capsys, "explain", run, "--not-kept")
    assert measured == 3


def test_a_run_that_may_only_be_read_is_explained_all_the_same(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unwritable(*_: object) -> None:
        raise InvalidInput("The run cannot be written there.")

    monkeypatch.setattr("core.store.update", unwritable)
    assert "AUROC 0.70" in said(capsys, "explain", run)


def test_one_row_is_answered_alone(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "explain", run, "--row", "street/0004.png")
    assert told.count("\n") == 1
    assert "in group 2" in told
    assert "no sample 'street/9.png'. Use an id such as 'street/0000.png'" in refused(
        capsys, "explain", run, "--row", "street/9.png"
    )


def test_a_row_of_which_nothing_is_known_says_so(
    diagnosis: Diagnosis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(replace(diagnosis, clusters=(), insights=(), classes=()), tmp_path / "empty.errata")
    low = diagnosis.samples.ids[int(np.argmin(diagnosis.estimate.predicted))]
    assert said(capsys, "explain", str(tmp_path / "empty.errata"), "--row", low).startswith(
        "No confirmed finding covers this sample"
    )


def keys_of(document: object, below: str = "") -> set[str]:
    if isinstance(document, dict):
        return {f"{below}{k}" for k in document} | {x for k, v in document.items() for x in keys_of(v, f"{below}{k}.")}
    return {x for one in document for x in keys_of(one, below)} if isinstance(document, list) else set()


def test_json_has_the_documented_keys(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(said(capsys, "explain", run, "--json"))
    assert document["samples"][0]["named"][0] == {"kind": "cluster", "text": "", "number": 0, "scope": ""}
    assert document["faithfulness"]["kinds"][0]["auroc"] == {"value": 0.7, "low": 0.6, "high": 0.8}
    part = (REPOSITORY / "docs" / "schema.md").read_text("utf-8").partition("`python -m core explain RUN")[2]
    told = part.partition("\n\n")[0]
    for key in keys_of(document):
        assert f"`{key.rpartition('.')[2]}`" in told or key.rpartition(".")[2] in ("value", "low", "high"), key
    one = json.loads(said(capsys, "explain", run, "--row", "street/0001.png", "--json"))
    assert one["faithfulness"] is None
    assert len(one["samples"]) == 1
