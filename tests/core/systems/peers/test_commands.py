"""The command `peers`: its files, what it says, and its messages."""

from __future__ import annotations

import json

from core.cli.main import main


def test_peers_of_a_run_are_listed_and_written(run, tmp_path, capsys):
    asked = ["peers", str(run), "--engines", "sliceguard", "spotlight", "--out"]
    assert main([*asked, str(tmp_path / "peers.csv")]) == 0
    said = capsys.readouterr().out
    assert "sliceguard: 5 slices" in said
    assert "Single slices are not tested" in said
    assert (tmp_path / "peers.csv").read_text().startswith("engine,slice,samples")
    assert main([*asked, str(tmp_path / "peers.json")]) == 0
    assert [e["engine"] for e in json.loads((tmp_path / "peers.json").read_text())["engines"]] == asked[3:5]
    assert main(["peers", str(run), "--engines", "domingo"]) == 2
    assert "Unknown engine 'domingo'" in capsys.readouterr().err
    assert main(["peers", str(run), "--seed", "-1"]) == 2
    assert "-1 is not in the range" in capsys.readouterr().err
