"""`python -m core steps` and `reason` from end to end on a tiny T5, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from core.options import settings_of
from core.systems.step_by_step.settings import StepByStep
from tests.support.commands import refused, said
from tests.support.tiny_t5 import some_rows, write_rows, write_t5

FEW = ("--width", "16", "--layers", "1", "--updates", "8", "--batch", "8", "--max-answer", "12")
NAMED = ("--column", "text", "--label", "label", "--rationale", "why")


@pytest.fixture
def texts(tmp_path: Path) -> str:
    return str(write_rows(tmp_path / "texts.csv", some_rows(60)))


@pytest.mark.slow
def test_a_student_is_taught_measured_written_and_asked(
    texts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, answers = tmp_path / "out", tmp_path / "answers.csv"
    told = said(capsys, "steps", "--texts", texts, *NAMED, "--out", str(out), *FEW, "--controls")
    assert told.startswith("The student is right on ")
    assert "of 12 held-out texts; the most frequent label is right on" in told
    assert "A student of labels alone is right on " in told
    assert "A student of shuffled reasons is right on " in told
    assert "learned from 48 rows (0 without a reason) by the method step-by-step: 8 updates of 8 rows" in told
    card = json.loads((out / "step_by_step.json").read_text("utf-8"))
    assert card["figures"]["n"] == 12
    assert set(card["controls"]) == {"standard", "shuffled"}
    assert said(capsys, "reason", str(out), "--texts", texts, "--column", "text", "--out", str(answers)) == (
        f"Written: {answers}\n"
    )
    table = pd.read_csv(answers, keep_default_na=False)
    assert list(table.columns) == ["text", "label", "why", "prediction", "reason"]
    assert len(table) == 60


def test_a_folders_t5_is_the_start(texts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start, out = write_t5(tmp_path / "t5", some_rows(60)), tmp_path / "out"
    said(capsys, "steps", "--texts", texts, *NAMED, "--out", str(out), *FEW, "--student", str(start))
    card = json.loads((out / "step_by_step.json").read_text("utf-8"))
    assert card["start"]["folder"] == "t5"
    assert (out / "tokenizer.json").read_bytes() == (start / "tokenizer.json").read_bytes()


@pytest.mark.slow
def test_a_large_models_labels_are_taught_and_the_others_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = some_rows(60)
    lines = ["text,label,why,llm", *(f"{t},{a},{r},works" for t, a, r in zip(rows.texts, rows.labels, rows.rationales))]
    path = tmp_path / "texts.csv"
    path.write_text("\n".join(lines), "utf-8")
    out = tmp_path / "out"
    more = ("--large-model", "llm", "--method", "standard", "--learn-from", "20", "--updates", "60", "--lr", "0.003")
    told = said(capsys, "steps", "--texts", str(path), *NAMED, "--out", str(out), *FEW, *more)
    card = json.loads((out / "step_by_step.json").read_text("utf-8"))
    right = sum(label == "works" for label in rows.labels) / 60
    assert card["data"]["large_model_labels"] is True
    assert card["data"]["learned"] == 20
    assert card["figures"]["accuracy"]["value"] == card["figures"]["most_frequent"]  # all it was taught is "works"
    assert abs(card["figures"]["most_frequent"] - right) < 0.3
    assert "word for word" not in told


def test_every_setting_is_an_option_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "steps", "--help")
    for setting in settings_of(StepByStep):
        assert f"--{setting.name.replace('_', '-')}" in told


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--texts": "nowhere.csv"}, "'nowhere.csv' was not found"),
        ({"--column": "txt"}, "no column 'txt'"),
        ({"--rationale": "empty"}, "the column of reasons 'empty' is empty in every row"),
        ({"--classes": "fails"}, "the label 'works' is not a class ('fails'"),
        ({"--student": "nowhere"}, "nowhere holds no config.json"),
        ({"--student": "OUT"}, "is the input folder"),
        ({"--method": "guess"}, "method must be one of step-by-step, standard, single-task, shuffled"),
        ({"--alpha": "1.5"}, "alpha must be 0 to 1"),
        ({"--learn-from": "1"}, "--learn-from must be 2 (one per class) to 48: got 1"),
        ({"--learn-from": "49"}, "--learn-from must be 2 (one per class) to 48: got 49"),
        ({"--width": "20"}, "--width must be divisible by 8: got 20. Use 24"),
        ({"--released": "snli dev"}, "--released reads esnli, cqa, svamp, anli1: got 'snli'"),
        ({"--released": "esnli dev"}, "Remove --column, --label, --rationale and --classes"),
        ({"--label": ""}, "no column ''"),
    ],
)
def test_bad_input_gets_one_message(
    changed: dict[str, str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(write_rows(tmp_path / "texts.csv", some_rows(60))).assign(empty="")
    table.to_csv(tmp_path / "texts.csv", index=False)
    out = str(tmp_path / "out")
    given = {"--texts": str(tmp_path / "texts.csv"), "--out": out, **dict(zip(NAMED[::2], NAMED[1::2]))}
    given |= {"--updates": "2", "--layers": "1"}
    given |= {name: out if value == "OUT" else value for name, value in changed.items()}
    assert message in refused(
        capsys, "steps", *(part for name, value in given.items() for part in (name, *value.split(" ")))
    )


@pytest.mark.slow
def test_released_files_are_taught_as_they_are(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    given = ("--texts", str(shared_data / "esnli"), "--released", "esnli", "dev", "--learn-from", "12")
    said(capsys, "steps", *given, "--out", str(out), *FEW, "--held-out", "0.01")
    card = json.loads((out / "step_by_step.json").read_text("utf-8"))
    assert card["classes"] == ["entailment", "neutral", "contradiction"]
    assert card["data"]["rows"] == 9842
    assert card["data"]["learned"] == 12
    told = refused(capsys, "steps", "--texts", str(tmp_path / "x.csv"), "--out", str(out))
    assert "A table needs --column, --label and --rationale" in told
    told = refused(capsys, "steps", *given, "--out", str(out), "--large-model", "palm")
    assert "holds people's reasons for esnli, but no large model's labels" in told


def test_the_folder_of_the_released_code_is_taught_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"premise": f"a dog {i}", "hypothesis": "it runs", "label": i % 3} for i in range(60)]
    outputs = ["It runs. So the answer is neutral."] * 60
    folder, out = tmp_path / "datasets", tmp_path / "out"
    (folder / "anli1" / "llm").mkdir(parents=True)
    (folder / "anli1" / "anli1_train.json").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (folder / "anli1" / "llm" / "train_CoT_0.json").write_text(json.dumps(outputs), "utf-8")
    given = ("--texts", str(folder), "--released", "anli1", "train", "--out", str(out))
    said(capsys, "steps", *given, *FEW, "--large-model", "palm")
    data = json.loads((out / "step_by_step.json").read_text("utf-8"))["data"]
    assert (data["name"], data["rows"], data["large_model_labels"]) == ("anli1 train", 60, True)


def test_reason_refuses_other_folders_and_columns_that_are_there(
    texts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, answers = str(tmp_path / "out"), str(tmp_path / "a.csv")
    said(capsys, "steps", "--texts", texts, *NAMED, "--out", out, *FEW)
    told = refused(capsys, "reason", str(tmp_path), "--texts", texts, "--column", "text", "--out", answers)
    assert "has no step_by_step.json" in told
    said(capsys, "reason", out, "--texts", texts, "--column", "text", "--out", answers)
    told = refused(capsys, "reason", out, "--texts", answers, "--column", "text", "--out", str(tmp_path / "b.csv"))
    assert "already has a column 'prediction'" in told
