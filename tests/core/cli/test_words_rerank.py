"""`ask --rerank`: what it says of the new order."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.files import ASSETS
from tests.support.commands import said


def test_what_re_ranked_the_matches_is_said_with_its_weight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example, folder = str(ASSETS / "examples" / "scenes" / "run"), str(tmp_path)
    (tmp_path / "adapter.json").write_text("{}")
    record = SimpleNamespace(rerank=0.5)
    monkeypatch.setattr("core.training.adapted.load_adapted", lambda path: SimpleNamespace(record=record))
    monkeypatch.setattr("core.training.scorers.rerank_matches", lambda adapted, rows, *_, **__: rows[::-1])
    plain = json.loads(said(capsys, "ask", example, "a red shape", "--json", "--images"))
    assert plain["reranked"] is None
    told = said(capsys, "ask", example, "a red shape", "--rerank", folder)
    assert (
        "Of each answer the best matches, at most 50, are in the order of the frozen encoder and the adapter in "
        f"{folder}, which weighs 0.5 times what the encoder does."
    ) in told
    assert "the adapter in" not in said(capsys, "ask", example, "a red shape")
    found = json.loads(said(capsys, "ask", example, "a red shape", "--rerank", folder, "--json", "--images"))
    assert found["questions"][0]["matches"] == plain["questions"][0]["matches"][::-1]
    assert {k: v for k, v in found["reranked"].items() if k != "sentence"} == {
        "adapter": folder, "weight": 0.5, "most": 50, "texts": ["a red shape"],
    }  # fmt: skip
    record.rerank = 0.0
    assert "its weight is 0, so the order is the encoder's." in said(
        capsys, "ask", example, "a red shape", "--rerank", folder
    )
