"""A student's folder: written, read back, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.step_by_step.answers import predict
from core.systems.step_by_step.run import teach_and_measure
from core.systems.step_by_step.student_folder import CARD, read_reasoned, save_student
from tests.support.tiny_t5 import settings, some_rows


def test_a_saved_student_answers_the_same(tmp_path: Path) -> None:
    rows = some_rows(40)
    student, card = teach_and_measure(rows, settings())
    save_student(student, card, tmp_path / "out")
    read, said = read_reasoned(tmp_path / "out")
    assert said.classes == ("fails", "works")
    assert said.how == settings()
    assert predict(read, rows.texts, said.how) == predict(student, rows.texts, settings())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "config.json",
        "model.safetensors",
        CARD,
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    save_student(student, card, tmp_path / "out")  # over an earlier one


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"has no step_by_step.json"):
        read_reasoned(tmp_path)
    (tmp_path / CARD).write_text(json.dumps({"format": 1, "settings": {}, "classes": []}), "utf-8")
    with pytest.raises(InvalidInput, match=r"step_by_step\.json in .* has no start\. Train it again"):
        read_reasoned(tmp_path)
    (tmp_path / CARD).write_text(json.dumps({"mine": 1}), "utf-8")
    student, card = teach_and_measure(some_rows(40), settings())
    with pytest.raises(InvalidInput, match=f"holds {CARD}, not written as a student"):
        save_student(student, card, tmp_path)
