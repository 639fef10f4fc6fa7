"""`ask`: what `--rerank` says of the new order, and matches that show one image."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.files import ASSETS
from core.store import save
from tests.support.commands import said
from tests.support.words import AxisEncoder, with_words


def test_what_re_ranked_the_matches_is_said_with_its_weight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example, folder = str(ASSETS / "examples" / "scenes" / "run.errata"), str(tmp_path)
    (tmp_path / "adapter.json").write_text("{}")
    record = SimpleNamespace(rerank=0.5)
    monkeypatch.setattr(
        "core.systems.composition.training.adapted.load_adapted", lambda path: SimpleNamespace(record=record)
    )
    monkeypatch.setattr(
        "core.systems.composition.training.scorers.rerank_matches", lambda adapted, rows, *_, **__: rows[::-1]
    )
    plain = json.loads(said(capsys, "ask", example, "a red shape", "--json", "--images"))
    assert plain["reranked"] is None
    told = said(capsys, "ask", example, "a red shape", "--rerank", folder)
    assert (
        "Of each answer the best matches, at most 50, are ordered by the frozen encoder and the adapter in "
        f"{folder}, whose weight is 0.5 times the encoder's."
    ) in told
    assert "the adapter in" not in said(capsys, "ask", example, "a red shape")
    found = json.loads(said(capsys, "ask", example, "a red shape", "--rerank", folder, "--json", "--images"))
    assert found["questions"][0]["matches"] == plain["questions"][0]["matches"][::-1]
    assert {k: v for k, v in found["reranked"].items() if k != "sentence"} == {
        "adapter": folder, "weight": 0.5, "most": 50, "texts": ["a red shape"],
    }  # fmt: skip
    record.rerank = 0.0
    assert "The adapter's weight is 0, so the order is the encoder's." in said(
        capsys, "ask", example, "a red shape", "--rerank", folder
    )


def test_of_rows_that_show_one_picture_the_best_stands_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.encoders.load_encoder", lambda name, **options: AxisEncoder())
    found, run = with_words(), tmp_path / "run.errata"
    save(found, run)
    rows = json.loads(said(capsys, "ask", str(run), "in the dark", "--json", "--images"))["questions"][0]
    best = [found.samples.ids.index(name) for name in rows["matches"][:6]]
    of = np.arange(len(found.samples))
    of[best[1:4]] = best[0]  # the four best matches are of one image
    pictures = found.samples.items
    assert pictures is not None
    save(replace(found, samples=replace(found.samples, items=pictures.keep(of))), tmp_path / "items.errata")
    told = said(capsys, "ask", str(tmp_path / "items.errata"), "in the dark").splitlines()[3]
    shown = told.removeprefix("  Best matches: ").split(", ")
    assert shown[:3] == [f"{rows['matches'][0]} (and 3 more of this image)", *rows["matches"][4:6]]
    assert shown[5] == f"and {rows['support'] - 8} more"  # 4 + 4 are told
    document = json.loads(said(capsys, "ask", str(tmp_path / "items.errata"), "in the dark", "--json"))["questions"][0]
    assert document["matches"][:2] == [rows["matches"][0], rows["matches"][4]]
    assert document["of_picture"] == [4, 1, 1, 1, 1]
    every = json.loads(said(capsys, "ask", str(tmp_path / "items.errata"), "in the dark", "--json", "--images"))
    assert every["questions"][0]["matches"] == rows["matches"]
    assert every["questions"][0]["of_picture"] == [1] * rows["support"]
