"""`python -m core answers` on a run on disk, with a tiny model on the cells of the embedded encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.files import write_json
from core.records import Diagnosis
from core.store import save
from core.systems.vl_t5 import folder
from core.systems.vl_t5.caution import CARD
from core.systems.vl_t5.folder import write_describer
from core.systems.vl_t5.likeness import fit_likeness, write_likeness
from tests.support.commands import refused, said
from tests.support.describers import tiny_describer


@pytest.fixture
def run(diagnosis: Diagnosis, tmp_path: Path) -> str:
    save(diagnosis, tmp_path / "run.errata")
    return str(tmp_path / "run.errata")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_describer(tiny_describer(768), tmp_path / "model")
    return tmp_path / "model"


def test_a_question_is_put_to_every_picture(
    run: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.csv"
    told = said(capsys, "answers", run, "--ask", "what colour is the cube?", "--model", str(model), "--out", str(out))
    assert told.startswith("'vqa: what colour is the cube?' to 60 images:")
    assert "Every answer counts" in told
    assert f"Written: {out}" in told
    table = pd.read_csv(out, keep_default_na=False)
    assert list(table.columns) == ["id", "answer", "said", "probability", "reason"]
    assert len(table) == 60


def test_below_the_bar_of_its_card_the_model_is_not_sure(
    run: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(model / CARD, {"bar": 1.0})
    found = json.loads(said(capsys, "answers", run, "--ask", "is it red?", "--model", str(model), "--json"))
    assert list(found) == ["question", "bar", "counts", "answers", "notes"]
    assert {one["answer"] for one in found["answers"]} == {"not sure"}
    assert [(one["answer"], one["n"], one["p"]) for one in found["counts"]] == [("not sure", 60, None)]
    assert all(0 <= one["probability"] < 1 and one["reason"] == "below the bar" for one in found["answers"])
    assert found["notes"] == ["The model does not know it."]
    captions = json.loads(said(capsys, "answers", run, "--ask", "caption: it", "--model", str(model), "--json"))
    assert captions["bar"] is None


def test_clusters_are_described_by_written_captions(run: str, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "answers", run, "--written", "--model", str(model))
    assert told.startswith("Captions: written by the model for each image. Captions are suggestions.")
    assert " members, " in told
    found = json.loads(said(capsys, "answers", run, "--written", "--model", str(model), "--json"))
    assert list(found) == ["captions_from", "clusters", "captions"]
    assert len(found["captions"]) == 60


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "Use exactly one of --ask"),
        (["--ask", "a", "--written"], "Use exactly one of --ask"),
        (["--ask", "  "], "question is empty"),
        (["--ask", "a", "--out", "x.txt"], "--out must end in"),
        (["--ask", "a", "--model", "nowhere"], "config.json"),
        (["--written"], "--written needs a model that writes captions"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    run: str, capsys: pytest.CaptureFixture[str], given: list[str], told: str
) -> None:
    assert told in refused(capsys, "answers", run, *given)


def test_a_model_of_other_features_is_refused(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_describer(tiny_describer(5), tmp_path / "other")
    assert "takes features of 5 numbers" in refused(
        capsys, "answers", run, "--ask", "a", "--model", str(tmp_path / "other")
    )


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_questions_of_a_table_become_losses_that_diagnose_takes(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for k in range(12):  # noise: copies would be kept together
        noise = np.random.default_rng(k).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(noise).resize((64, 64), 0).save(pictures / f"{k}.png")
    asked, out, own = tmp_path / "asked.csv", tmp_path / "losses.csv", tmp_path / "own.errata"
    rows = [{"image": f"{k % 12}.png", "question": "is it red ?", "answer": "yes", "hue": k % 12} for k in range(48)]
    pd.DataFrame(rows).to_csv(asked, index=False)
    asked_columns = rows[0].keys()
    given = ["--questions", str(asked), "--images", str(pictures), "--model", str(model), "--out", str(out)]
    told = said(capsys, "answers", *given)
    right = int(pd.read_csv(out)["correct"].sum())
    assert told.startswith(f"{right} of 48 questions answered right (")
    assert "core diagnose --table" in told
    table = pd.read_csv(out)
    assert set(table.columns) == {*asked_columns, "id", "group", "prediction", "correct", "loss"}
    assert (table["loss"] > 0).all()
    document = json.loads(said(capsys, "answers", *given, "--json"))
    assert (document["n"], document["loss"]) == (48, pytest.approx(table["loss"].mean()))
    ran = ["--images", str(pictures), "--no-words", "--permutations", "100", "--out", str(own)]
    assert "Tests shuffle 12 units, not 48 rows: related rows (group) move together." in said(
        capsys, "diagnose", "--table", str(out), *ran
    )


def test_questions_need_pictures_and_a_place_for_the_losses_and_no_run(
    run: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--questions", "asked.csv", "--model", str(model)]
    assert "needs --images PATH" in refused(capsys, "answers", *given, "--out", "losses.csv")
    assert "needs --out FILE" in refused(capsys, "answers", *given, "--images", run)
    assert "Remove the folder of the run" in refused(capsys, "answers", run, *given)
    assert "Add the folder from `diagnose --out`" in refused(capsys, "answers", "--ask", "is it red?")


@pytest.mark.slow
def test_of_pictures_unlike_those_it_learned_from_the_model_is_not_sure(
    run: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learned = np.random.default_rng(0).normal(0, 1e-3, (200, 768)).astype(np.float32)
    write_likeness(fit_likeness(learned, learned), model)
    told = said(capsys, "answers", run, "--ask", "is it red?", "--model", str(model))
    assert "not sure: 60 of 60" in told
    assert "60 images are unlike the model's training images" in told


def test_without_a_model_of_ones_own_and_none_that_comes_along_nothing_is_asked(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "SHIPPED", tmp_path / "none")
    assert "use --captions FILE" in refused(capsys, "answers", run, "--ask", "is it red?")
