"""The command `benchmark`: its files, what it says, and its messages."""

from __future__ import annotations

import json

import pytest

from core.cli.main import main
from core.systems.peers.commands import TIERS as CHOICES
from research.scoreboard.worlds import TIERS


def test_it_measures_writes_and_goes_on(tmp_path, capsys, monkeypatch):
    asked = ["benchmark", "--out", str(tmp_path), "--kinds", "rare", "--engines", "k-means", "confusion cells"]
    assert main([*asked, "--worlds", "1"]) == 0
    assert "scoreboard.html" in capsys.readouterr().out
    lines = (tmp_path / "scoreboard.jsonl").read_text().splitlines()
    assert [json.loads(line)["method"] for line in lines] == ["k-means", "confusion cells"]
    assert main([*asked, "--worlds", "2"]) == 0
    assert (tmp_path / "scoreboard.jsonl").read_text().splitlines()[:2] == lines
    written = json.loads((tmp_path / "scoreboard.json").read_text())
    assert {cell["runs"] for cell in written["cells"]} == {2}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--kinds", "odd"], "no kind 'odd'"),
        (["--engines", "domingo"], "no method 'domingo'"),
        (["--tiers", "odd"], "odd"),
        (["--worlds", "0"], "worlds"),
        (["--tiers", "clothing"], "clothing: Its pictures do not come along."),
        (["--tiers", "clothing", "--data", "/nowhere"], "There is no clothing/index.csv in /nowhere."),
        (["--tiers", "embeddings", "flickr8k", "--data", "/nowhere"], "flickr8k: There is no flickr8k/"),
    ],
)
def test_what_is_not_there_is_named(asked, words, tmp_path, capsys):
    assert main(["benchmark", "--out", str(tmp_path), *asked]) == 2
    assert words in capsys.readouterr().err


def test_the_choices_of_help_are_the_tiers(capsys):
    assert tuple(TIERS) == CHOICES
    assert main(["benchmark", "--help"]) == 0
    shown = "".join(capsys.readouterr().out.split())  # a name may be broken at its hyphen
    assert all(tier in shown for tier in TIERS)


def test_peers_of_a_run_are_listed_and_written(run, tmp_path, capsys):
    asked = ["peers", str(run), "--engines", "error logistic", "k-means", "--out"]
    assert main([*asked, str(tmp_path / "peers.csv")]) == 0
    said = capsys.readouterr().out
    assert "k-means: 5 slices" in said
    assert "carry no p" in said
    assert (tmp_path / "peers.csv").read_text().startswith("engine,slice,samples")
    assert main([*asked, str(tmp_path / "peers.json")]) == 0
    assert [e["engine"] for e in json.loads((tmp_path / "peers.json").read_text())["engines"]] == asked[3:5]
    assert main(["peers", str(run), "--engines", "domingo"]) == 2
    assert "no engine 'domingo'" in capsys.readouterr().err
    assert main(["peers", str(run), "--seed", "-1"]) == 2
    assert "-1 is not in the range" in capsys.readouterr().err
