"""The folder `datasets` of the released code: what its files come to, and what odd ones are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.step_by_step.datasets_folder import read_datasets, read_svamp
from core.systems.step_by_step.equations import is_same, value_of


def test_svamp_has_its_count_and_equations_their_answers(shared_data: Path) -> None:
    texts, equations, answers = read_svamp(shared_data / "svamp" / "SVAMP.json")
    right = sum((v := value_of(said)) is not None and is_same(v, answer) for said, answer in zip(equations, answers))
    assert (len(texts), right) == (1000, 999)  # one is wrong as published


def write(folder: Path, name: str, part: str, rows: Sequence[Any], outputs: Sequence[str], model: str = "palm") -> Path:
    answers = folder / name / "llm" / f"{part}_CoT_0.json"
    answers = answers if model == "palm" else folder / "gpt-neox" / name / f"{part}.json"
    for path in (folder / name / f"{name}_{part}.json", answers):
        path.parent.mkdir(parents=True, exist_ok=True)
    (folder / name / f"{name}_{part}.json").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    answers.write_text(json.dumps(outputs), "utf-8")
    return folder


PAIRS = [{"premise": "a dog .", "hypothesis": "an animal .", "label": label} for label in (0, 1, -1)]


def test_labels_are_the_datas_or_the_large_models(tmp_path: Path) -> None:
    outputs = ["Dogs are. Answer: neutral", "No dog. Answer: maybe", "Some. Answer: neutral"]
    folder = write(tmp_path, "esnli", "valid", PAIRS, outputs)
    found = read_datasets("esnli", folder, "valid")
    assert found.texts == ("a dog .</s>an animal .",) * 2
    assert (found.labels, found.taught, found.rationales) == (("entailment", "neutral"), (), ("Dogs are.", "No dog."))
    assert found.left_out == (("without a label", 1),)
    found = read_datasets("esnli", folder, "valid", "palm")
    assert (found.labels, found.taught) == (("entailment",), ("neutral",))
    assert found.left_out == (("without a label", 1), ("without the large model's label", 1))


def test_the_other_models_outputs_are_read_where_they_alone_are_there(tmp_path: Path) -> None:
    row = {"question": "Where?", "choices": ["here", "there"], "answer": "there"}
    folder = write(tmp_path, "cqa", "test", [row], ["Since. So the answer is (a) here."], "gpt")
    found = read_datasets("cqa", folder, "test")
    assert found.texts == ("Where?\nAnswer Choices:\n(a) here\n(b) there",)
    assert (found.labels, found.rationales, found.classes) == (("there",), ("Since.",), ())
    assert read_datasets("cqa", folder, "test", "gpt").taught == ("here",)


def test_svamps_parts_are_those_of_the_released_code(tmp_path: Path) -> None:
    problems = [{"Body": f"b{i}", "Question": "?", "Equation": f"( {i} - 1 )", "Answer": i - 1} for i in range(1000)]
    folder = tmp_path / "svamp" / "llm"
    folder.mkdir(parents=True)
    (tmp_path / "svamp" / "SVAMP.json").write_text(json.dumps(problems), "utf-8")
    for number, rows in enumerate((range(500), range(500, 800))):
        outputs = [f"reason {i}. The answer is (x)." for i in rows]
        (folder / f"train_CoT_{number}.json").write_text(json.dumps(outputs), "utf-8")
    found = read_datasets("svamp", tmp_path, "train")
    order = np.random.RandomState(0).permutation(1000)
    assert len(found) == 800
    assert found.texts[0] == f"b{order[0]}\n?"
    assert found.labels[799] == f"( {order[799]} - 1 )"
    assert found.rationales[799] == "reason 799."
    (folder / "test_CoT_0.json").write_text(json.dumps(["one. The answer is (x)."]), "utf-8")
    with pytest.raises(InvalidInput, match="svamp test: 1 answers for 200 rows"):
        read_datasets("svamp", tmp_path, "test")
    write(tmp_path, "svamp", "test", [{"input": "b\n?", "label": "( 2 - 1 )"}], ["one. The answer is (x)."])
    assert read_datasets("svamp", tmp_path, "test").labels == ("( 2 - 1 )",)  # as that code wrote it


@pytest.mark.parametrize(
    ("row", "part", "model", "message"),
    [
        (PAIRS[0], "dev", None, "anli1 in the folder `datasets` has the parts train, valid, test: got 'dev'"),
        (PAIRS[0], "valid", "llama", "--large-model must be one of palm, gpt: got 'llama'"),
        (PAIRS[0], "valid", "gpt", "cannot be read|valid.json"),
        (PAIRS[0], "test", None, "anli1_test.json cannot be read"),
        ({"premise": "x", "label": 0}, "valid", None, "line 1: not a row of anli1 with premise, hypothesis and label"),
        (PAIRS[0] | {"label": 3}, "valid", None, "line 1: not a row of anli1"),
        (PAIRS[0] | {"premise": 1}, "valid", None, "line 1: not a row of anli1"),
        ([], "valid", None, "line 1: not a row of anli1"),
    ],
)
def test_odd_folders_are_refused(tmp_path: Path, row: Any, part: str, model: str | None, message: str) -> None:
    folder = write(tmp_path, "anli1", "valid", [row], ["It is. So the answer is neutral."])
    with pytest.raises(InvalidInput, match=message):
        read_datasets("anli1", folder, part, model)


def test_odd_word_problems_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "SVAMP.json"
    path.write_text('[{"Body": "x"}]', "utf-8")
    with pytest.raises(InvalidInput, match=r"not a list of Body, .* Use the published SVAMP\.json"):
        read_svamp(path)
