"""The released data: what the files hold when read unchanged, and what odd ones are told."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.step_by_step.equations import is_same, value_of
from core.systems.step_by_step.released import (
    anli_answer,
    cqa_answer,
    equation_answer,
    esnli_answer,
    read_answers,
    read_cqa,
    read_datasets,
    read_esnli,
    read_released,
    read_svamp,
)


@pytest.mark.parametrize(("part", "counts"), [("dev", (3329, 3235, 3278)), ("test", (3368, 3219, 3237))])
def test_esnli_has_its_counts(shared_data: Path, part: str, counts: tuple[int, ...]) -> None:
    found = [read_esnli(shared_data / "esnli", part, explanation) for explanation in (1, 2, 3)]
    labels = Counter(found[0].labels)
    assert tuple(labels[name] for name in found[0].classes) == counts
    assert all(len(one) == sum(counts) and all(one.rationales) for one in found)
    assert len({one.rationales for one in found}) == 3
    assert found[0].texts[0].count("</s>") == 1


@pytest.mark.parametrize(
    ("part", "version", "questions", "reasons"),
    [("train", "1.0", 7610, 7610), ("dev", "1.0", 950, 950), ("train", "1.11", 7610, 7191), ("dev", "1.11", 950, 901)],
)
def test_cqa_has_its_counts(shared_data: Path, part: str, version: str, questions: int, reasons: int) -> None:
    folder = shared_data / "cose_cqa"
    found = read_cqa(folder / f"v1.0_{part}_rand_split.jsonl", folder / f"v{version}_cose_{part}_v{version}.jsonl")
    assert (len(found), sum(map(bool, found.rationales)), found.classes) == (questions, reasons, ())
    assert all(f") {label}" in text for text, label in zip(found.texts, found.labels))


def write_esnli(folder: Path, labels: str = "neutral\nentailment\n") -> Path:
    for name, content in {"s1": "A b . \nC d . \n", "s2": "E .\nF .", "labels": labels}.items():
        (folder / f"{name}.dev").write_text(content, "utf-8")
    with gzip.open(folder / "preproc1_expl_1.dev.gz", "wt") as file:
        file.write("for e\u2028still e\nfor f")
    return folder


def test_esnli_is_read_line_by_line_gzipped_or_not(tmp_path: Path) -> None:
    found = read_esnli(write_esnli(tmp_path), "dev")
    assert found.texts == ("A b .</s>E .", "C d .</s>F .")
    assert found.rationales == ("for e\u2028still e", "for f")  # a line ends at a line break alone


def test_odd_esnli_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"row 1: the label 'maybe' is not a class"):
        read_esnli(write_esnli(tmp_path, "neutral\nmaybe\n"), "dev")
    with pytest.raises(InvalidInput, match="s1 2, s2 2, labels 1"):
        read_esnli(write_esnli(tmp_path, "neutral\n"), "dev")
    (tmp_path / "s2.dev").unlink()
    with pytest.raises(InvalidInput, match=r"s2.dev cannot be read: No such file"):
        read_esnli(tmp_path, "dev")
    (tmp_path / "s2.dev").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match=r"s2.dev, byte 0: not valid UTF-8"):
        read_esnli(tmp_path, "dev")
    (tmp_path / "s2.dev").unlink()
    (tmp_path / "s2.dev.gz").write_bytes(b"no gzip")
    with pytest.raises(InvalidInput, match=r"s2.dev cannot be read: Not a gzipped file"):
        read_esnli(tmp_path, "dev")


def write_cqa(folder: Path, question: object, reason: object) -> tuple[Path, Path]:
    paths = folder / "questions.jsonl", folder / "reasons.jsonl"
    for path, row in zip(paths, (question, reason)):
        path.write_text(json.dumps(row) + "\n", "utf-8")
    return paths


QUESTION = {
    "id": "1",
    "answerKey": "B",
    "question": {"stem": "Where?", "choices": [{"label": "A", "text": "here"}, {"label": "B", "text": "there"}]},
}
REASON = {"id": "1", "explanation": {"open-ended": " since it is there ", "selected": "x"}}


def test_cqa_joins_question_and_reason_by_id(tmp_path: Path) -> None:
    found = read_cqa(*write_cqa(tmp_path, QUESTION, REASON))
    assert found.texts == ("Where?\nAnswer Choices:\n(a) here\n(b) there",)
    assert (found.labels, found.rationales) == (("there",), ("since it is there",))


@pytest.mark.parametrize(
    ("question", "reason", "message"),
    [
        (QUESTION | {"answerKey": "Z"}, REASON, "line 1: not a CommonsenseQA question"),
        ({"id": "1"}, REASON, "line 1: not a CommonsenseQA question"),
        ([], REASON, "not an object with an id"),
        (QUESTION, {"id": "1"}, "'1' has no open-ended explanation"),
        (QUESTION, REASON | {"id": "2"}, "'open-ended' is empty in every row"),
    ],
)
def test_odd_cqa_lines_are_refused(tmp_path: Path, question: object, reason: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_cqa(*write_cqa(tmp_path, question, reason))


def test_a_folder_of_peoples_reasons_has_its_parts(tmp_path: Path) -> None:
    assert read_released("esnli", write_esnli(tmp_path), "dev").labels == ("neutral", "entailment")
    with pytest.raises(InvalidInput, match="esnli has the parts train, dev, test: got 'valid'"):
        read_released("esnli", tmp_path, "valid")
    with pytest.raises(InvalidInput, match=r"no large model's labels. Remove --large-model"):
        read_released("esnli", tmp_path, "dev", "palm")


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
