"""The part of the Second model tab that follows clusters over checkpoints."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from tests.support.second_models import write_answers
from webapp.second.checkpoints import on_follow, on_open
from webapp.state.session import Session


def test_checkpoints_are_put_in_order_drawn_and_can_be_taken_along(
    streets: Diagnosis, example: str, tmp_path: Path
) -> None:
    rng, n = np.random.default_rng(0), len(streets.samples)
    given = [str(write_answers(streets, rng.random(n) < 0.4, tmp_path / f"epoch{i}.csv")) for i in (10, 2)]
    *_, (_, _, run, view, *files) = on_follow(Session(run=example), given)
    assert run == example
    assert view.count("<svg") == len(streets.clusters) + 1
    assert view.index("epoch2: ") < view.index("epoch10: ")
    assert "From epoch2 to epoch10" in view
    assert [Path(file["value"]).is_file() for file in files] == [True, True]
    assert on_open(Session(run=example), example)[1:] == (gr.skip(),) * 4
    assert "No checkpoints yet" in on_open(Session(run="another"), example)[2]


def test_nothing_or_a_wrong_table_is_refused_and_said(streets: Diagnosis, example: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No tables"):
        list(on_follow(Session(run=example), None))
    (tmp_path / "bad.csv").write_text("id,label\nnobody,x\n", "utf-8")
    with pytest.raises(InvalidInput):
        list(on_follow(Session(run=example), [str(tmp_path / "bad.csv")]))
