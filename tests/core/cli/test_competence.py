"""The command measures an encoder, prints a line for each phrase, and keeps the table for later diagnoses."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.cli.main import main
from core.files import default_cache
from core.language.competence import find_competence, read_competence
from tests.core.checks.test_competence import LightEncoder, fewer_edits
from tests.support.pictures import blobs, encoded


@pytest.mark.slow
def test_an_encoder_is_measured_and_its_table_is_found_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.encoders.load_encoder", lambda name, **options: LightEncoder())
    fewer_edits(monkeypatch, 15)
    (tmp_path / "pictures").mkdir()
    files = [f"{i}.png" for i in range(110)]
    for i, file in enumerate(files):
        (tmp_path / "pictures" / file).write_bytes(encoded(blobs(i, (48, 48))))
    captions = ["a dog on a boat" if i % 2 else "a dog" for i in range(110)]
    pd.DataFrame({"file": files, "caption": captions}).to_csv(tmp_path / "captions.csv", index=False)
    (tmp_path / "mine.txt").write_text("in the dark\non a boat\nwith a crown\n")
    given = ["--captions", str(tmp_path / "captions.csv"), "--images", str(tmp_path / "pictures")]
    more = ["--vocabulary", str(tmp_path / "mine.txt"), "--out", str(tmp_path / "table.json")]
    assert main(["competence", "made", *given, *more]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].startswith("in the dark")
    assert "hardly known" not in lines[0]
    assert lines[1].startswith("on a boat")
    assert lines[1].endswith("hardly known")
    assert "2 phrases of 3, 1 of which the encoder knows" in lines[2]
    table, note = find_competence(LightEncoder(), default_cache())
    assert table is not None
    assert not note
    assert set(read_competence(tmp_path / "table.json").phrases) == set(table.phrases) == {"in the dark", "on a boat"}


def test_too_few_photographs_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(encoded(blobs(0)))
    pd.DataFrame({"file": ["a.png"], "caption": ["a dog"]}).to_csv(tmp_path / "captions.csv", index=False)
    given = ["--captions", str(tmp_path / "captions.csv"), "--images", str(tmp_path / "pictures")]
    assert main(["competence", "embedded", *given]) == 2
    assert "at least 100 needed" in capsys.readouterr().err
