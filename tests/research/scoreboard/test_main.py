"""The program `research.scoreboard`: its files, what it says, and its messages."""

from __future__ import annotations

import json

import pytest

from research.scoreboard.__main__ import main


def test_it_measures_writes_and_goes_on(tmp_path, capsys, monkeypatch):
    asked = ["--out", str(tmp_path), "--kinds", "rare", "--engines", "raw loss", "error logistic"]
    main([*asked, "--worlds", "1"])
    assert "scoreboard.html" in capsys.readouterr().out
    lines = (tmp_path / "scoreboard.jsonl").read_text().splitlines()
    assert [json.loads(line)["method"] for line in lines] == ["raw loss", "error logistic"]
    main([*asked, "--worlds", "2"])
    assert (tmp_path / "scoreboard.jsonl").read_text().splitlines()[:2] == lines
    written = json.loads((tmp_path / "scoreboard.json").read_text())
    assert {cell["runs"] for cell in written["cells"]} == {2}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--kinds", "odd"], "no kind 'odd'"),
        (["--engines", "domingo"], "no method 'domingo'"),
        (["--tiers", "odd"], "odd"),
        (["--worlds", "0"], "no seed"),
        (["--tiers", "clothing"], "clothing: Its pictures do not come along."),
        (["--tiers", "clothing", "--data", "/nowhere"], "There is no clothing/index.csv in /nowhere."),
        (["--tiers", "embeddings", "flickr8k", "--data", "/nowhere"], "flickr8k: There is no flickr8k/"),
    ],
)
def test_what_is_not_there_is_named(asked, words, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path), *asked])
    assert words in capsys.readouterr().err
