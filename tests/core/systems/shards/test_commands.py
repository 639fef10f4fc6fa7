"""The command `shards`, in this process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli.main import main
from core.store import load
from tests.support.commands import report_of
from tests.support.shards import planted_rows, write_shards

QUICKLY = ["--no-words", "--no-map", "--permutations", "199"]


def test_a_failure_is_found_in_the_sample_and_confirmed_by_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shards(tmp_path / "shards", planted_rows(3000))
    out = tmp_path / "run.errata"
    assert main(["shards", str(tmp_path / "shards"), "--out", str(out), "--sample", "800", *QUICKLY]) == 0
    said = capsys.readouterr().out
    assert "Tested on 2,200 new samples (all rows of 3 shards outside the sample): 1 of 1 finding holds" in said
    assert f"Predicted loss and group of every row: {tmp_path / 'run-work' / 'assigned'}" in said
    found = load(out)
    assert found.prediction is not None
    assert found.prediction.n_fresh == 2200
    assert "Drew these samples from 3,000 rows in 3 shards, by hash of 'id' and seed 0" in found.notes[0]
    assert "all rows of 3 shards outside the sample" in report_of(out)
    assigned = pd.read_parquet(tmp_path / "run-work" / "assigned" / "part-0.parquet")
    assert assigned.columns.tolist() == ["id", "predicted", "spread", "cluster", "membership", "drawn"]


def test_of_shuffled_losses_nothing_is_found_and_nothing_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = planted_rows(2000)
    rows["loss"] = np.random.default_rng(5).permutation(rows["loss"])
    write_shards(tmp_path / "shards", rows)
    out = str(tmp_path / "run.errata")
    assert main(["shards", str(tmp_path / "shards"), "--out", out, "--sample", "600", *QUICKLY]) == 0
    assert "nothing was confirmed, so nothing was predicted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["none", "--out", "run.errata"], "is not a folder. Use the folder of the shards"),
        (
            ["shards", "--out", "run.errata", "--work", "shards"],
            "--work is the folder of the shards. Use another folder.",
        ),
        (["shards", "--out", "run.errata", "--loss", "lss"], "has no column 'lss', named as loss"),
        (["shards", "--out", "run.errata", "--workers", "2"], "Use --engine ray for several workers"),
        (["shards", "--out", "run.errata", "--sample", "5000"], "A sample of 5,000 would take all 400 usable rows"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_message(
    given: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_shards(tmp_path / "shards", planted_rows(400))
    assert main(["shards", *given]) == 2
    assert said in capsys.readouterr().err
