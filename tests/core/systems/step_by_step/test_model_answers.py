"""A large model's outputs, taken apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.step_by_step.model_answers import anli_answer, cqa_answer, equation_answer, esnli_answer, read_answers


def test_outputs_of_each_data_set_are_taken_apart() -> None:
    cqa = "The answer must sell things. So the answer is (b) antique shop.\n\nQ: next question"
    assert cqa_answer(cqa) == ("The answer must sell things.", "antique shop")
    math = "He had 8 and ate 3. The answer is ((8 - 3) + 1).\nQ: more (of it)"
    assert equation_answer(math) == ("He had 8 and ate 3.", "((8 - 3) + 1)")
    nli = "A dog is an animal. Answer: entailment\nPremise: another"
    assert esnli_answer(nli) == ("A dog is an animal.", "entailment")
    assert anli_answer("It is open. So the answer is neutral.\nPremise: x") == ("It is open.", "neutral")
    assert anli_answer("It is open. The answer is neutral.") == ("It is open.", "neutral")


@pytest.mark.parametrize("odd", ["", "no marker at all", "So the answer is one. So the answer is two.", "Q: only"])
def test_an_output_without_one_answer_gives_no_label(odd: str) -> None:
    assert cqa_answer(odd)[1] == ""
    assert equation_answer(odd)[1] == ""
    assert esnli_answer(odd)[1] == ""
    assert anli_answer(odd)[1] == ""


def test_files_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "esnli" / "llm"
    folder.mkdir(parents=True)
    for i in range(11):  # "10" stands before "2" by name
        (folder / f"train_CoT_{i}.json").write_text(json.dumps([f"why {i}. Answer: neutral"]), "utf-8")
    assert [reason for reason, _ in read_answers(tmp_path, "esnli", "train")] == [f"why {i}." for i in range(11)]
    (folder / "train_CoT_3.json").unlink()
    with pytest.raises(InvalidInput, match="lacks train_CoT_3"):
        read_answers(tmp_path, "esnli", "train")
    with pytest.raises(InvalidInput, match="has no test_CoT_0"):
        read_answers(tmp_path, "esnli", "test")


def test_the_other_models_file_is_one(tmp_path: Path) -> None:
    (tmp_path / "gpt-neox" / "cqa").mkdir(parents=True)
    path = tmp_path / "gpt-neox" / "cqa" / "test.json"
    path.write_text(json.dumps(["why. So the answer is (a) x.", "nothing"]), "utf-8")
    assert read_answers(tmp_path, "cqa", "test", "gpt") == [("why.", "x"), ("", "")]
    path.write_text('{"not": "a list"}', "utf-8")
    with pytest.raises(InvalidInput, match="list of texts"):
        read_answers(tmp_path, "cqa", "test", "gpt")
