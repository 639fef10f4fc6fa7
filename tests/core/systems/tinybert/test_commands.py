"""`python -m core distil` from end to end on a tiny BERT, and what it refuses."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from core.options import settings_of
from core.systems.tinybert.settings import Distillation
from tests.support.commands import refused, said
from tests.support.tiny_bert import some_texts, write_bert, write_texts

FEW = ("--layers", "3", "--batch", "16", "--intermediate-epochs", "1", "--prediction-epochs", "2")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_bert(tmp_path_factory.mktemp("bert") / "teacher"))


@pytest.fixture
def texts(tmp_path: Path) -> str:
    return str(write_texts(tmp_path / "texts.csv", [*some_texts(80), ""]))


@pytest.mark.slow
def test_a_student_is_taught_measured_and_written(
    teacher: str, texts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    told = said(capsys, "distil", teacher, "--texts", texts, "--column", "text", "--out", str(out), *FEW)
    first = told.splitlines()[0]
    assert re.fullmatch(
        r"The student is \d\.\d times as fast as its teacher; .* cosine is 0\.\d+ on 8 held-out texts\.", first
    )
    assert "learned from the teacher's 2, 4, 6." in told
    assert "Trained on 72 texts and 0 changed copies" in told
    assert "License of the teacher, which also covers the student: unknown." in told
    transformers: Any = import_module("transformers")
    assert transformers.AutoModel.from_pretrained(out, local_files_only=True).config.num_hidden_layers == 3
    again = said(capsys, "distil", teacher, "--texts", texts, "--column", "text", "--out", str(out), *FEW)
    assert again.splitlines()[0].split(";")[1] == first.split(";")[1]  # the same seed, over the earlier student


@pytest.mark.slow
def test_a_classifier_is_taught_with_copies_and_goes_on(
    texts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = str(write_bert(tmp_path / "head", "BertForSequenceClassification", num_labels=3))
    model = str(write_bert(tmp_path / "mlm", "BertForMaskedLM"))
    given = ("--texts", texts, "--column", "text")
    told = said(capsys, "distil", model, *given, "--out", str(tmp_path / "general"), "--prediction-epochs", "0")
    assert "Only its layers are trained" in told
    more = ("--start", str(tmp_path / "general"), "--masked-lm", model, "--augment", "2")
    told = said(capsys, "distil", head, *given, "--out", str(tmp_path / "task"), *more, *FEW)
    assert re.match(r"The student is \d\.\d times .* gives the teacher's class on \d+% of 8 held-out texts", told)
    card = json.loads((tmp_path / "task" / "distilled.json").read_text("utf-8"))
    assert card["data"]["copies"] > 72
    assert card["settings"]["augment"] == 2


def test_every_setting_is_an_option_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "distil", "--help")
    for setting in settings_of(Distillation):
        assert f"--{setting.name.replace('_', '-')}" in told


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"teacher": None}, "This command needs a model. Use a folder of a BertModel"),
        ({"teacher": "nowhere"}, "nowhere holds no config.json"),
        ({"--texts": "nowhere.csv"}, "'nowhere.csv' was not found"),
        ({"--column": "txt"}, "no column 'txt'"),
        ({"--layers": "7"}, "layers must be 1 to 6, the teacher's number of layers: got 7"),
        ({"--width": "25"}, "Use 24 or 27"),
        ({"--map": "middle"}, "map must be one of uniform, top, bottom"),
        ({"--inherit": "layers", "--width": "12"}, "only at the teacher's width (24): got width 12"),
        ({"--start": "nowhere"}, "nowhere contains no student: distilled.json is missing"),
        ({"--masked-lm": "nowhere"}, "nowhere holds no config.json"),
    ],
)
def test_what_does_not_fit_is_answered_by_one_message(
    teacher: str,
    texts: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str | None],
    message: str,
) -> None:
    given = {"--texts": texts, "--column": "text", "--out": str(tmp_path / "out")} | changed
    name = given.pop("teacher", teacher)
    options = [word for pair in given.items() for word in pair if word is not None]
    assert message in refused(capsys, "distil", *([] if name is None else [name]), *options)
    assert not (tmp_path / "out" / "config.json").exists()


def test_the_teachers_folder_is_not_written_over(teacher: str, texts: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--texts", texts, "--column", "text", "--out", teacher)
    assert "is the input folder" in refused(capsys, "distil", teacher, *given)


def test_a_folder_with_files_of_the_users_is_not_written_to(
    teacher: str, texts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.json").write_text("{}", "utf-8")
    given = ("--texts", texts, "--column", "text", "--out", str(tmp_path / "out"))
    assert "not written as a student" in refused(capsys, "distil", teacher, *given)


@pytest.mark.slow
def test_what_compression_costs_is_compared_by_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], plain_map: None
) -> None:
    head = str(write_bert(tmp_path / "head", "BertForSequenceClassification", num_labels=2))
    rows = [f"{text},{i % 2}" for i, text in enumerate(some_texts(80))]
    (tmp_path / "t.csv").write_text("text,label\n" + "\n".join(rows) + "\n", "utf-8")
    given = ("--texts", str(tmp_path / "t.csv"), "--column", "text")
    said(capsys, "distil", head, *given, "--out", str(tmp_path / "small"), *FEW)
    teacher = str(tmp_path / "teacher.csv")
    said(capsys, "classify", head, *given, "--out", teacher)
    student = str(tmp_path / "student.csv")
    said(capsys, "classify", str(tmp_path / "small"), *given, "--out", student)
    run = str(tmp_path / "run.errata")
    said(capsys, "diagnose", "--table", teacher, "--texts", "text", "--no-words", "--permutations", "100", "--out", run)
    told = said(capsys, "compare", run, "--second", student, "--student", str(tmp_path / "small"))
    assert re.search(r"The student has 3 layers x 24, the teacher 6 x 24; .* \d\.\d\d ms a text", told)
    assert "student" in told.splitlines()[0]
    assert "distilled.json is missing" in refused(capsys, "compare", run, "--second", student, "--student", head)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--out": "answers.txt"}, "--out must end in .csv, .parquet or .json"),
        ({}, "has a BertModel. Use a BertForSequenceClassification"),
    ],
)
def test_what_cannot_be_classified_is_answered_by_one_message(
    teacher: str, texts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, str], message: str
) -> None:
    given = {"--texts": texts, "--column": "text", "--out": str(tmp_path / "out.csv")} | changed
    assert message in refused(capsys, "classify", teacher, *(word for pair in given.items() for word in pair))
