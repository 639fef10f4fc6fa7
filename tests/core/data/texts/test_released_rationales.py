"""The released files: what they hold when read unchanged, and what odd ones are told."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.data.texts.equations import is_same, value_of
from core.data.texts.released_rationales import lines_of, read_asdiv, read_cqa, read_esnli, read_released, read_svamp
from core.errors import InvalidInput


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


def test_svamp_and_asdiv_have_their_counts_and_equations_their_answers(shared_data: Path) -> None:
    folder = shared_data / "svamp"
    parts = [read_asdiv(folder / f"asdiv_a_fold0_{part}.csv") for part in ("train", "dev")]
    files = [read_svamp(folder / "SVAMP.json"), *parts]
    right = [
        sum(
            (value := value_of(said)) is not None and is_same(value, answer) for said, answer in zip(equations, answers)
        )
        for _, equations, answers in files
    ]
    assert [len(texts) for texts, _, _ in files] == [1000, 979, 238]
    assert right == [999, 978, 238]  # of SVAMP one is wrong as published, of ASDiv-A one answer is rounded
    assert not any("number" in text and "number0" in text for text in files[1][0])


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
    with pytest.raises(InvalidInput, match=r"row 1: the label 'maybe' is no class"):
        read_esnli(write_esnli(tmp_path, "neutral\nmaybe\n"), "dev")
    with pytest.raises(InvalidInput, match="s1 2, s2 2, labels 1"):
        read_esnli(write_esnli(tmp_path, "neutral\n"), "dev")
    (tmp_path / "s2.dev").unlink()
    with pytest.raises(InvalidInput, match=r"s2.dev cannot be read: No such file"):
        read_esnli(tmp_path, "dev")
    (tmp_path / "s2.dev").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match=r"s2.dev is not UTF-8"):
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
        (QUESTION | {"answerKey": "Z"}, REASON, "line 1: no question of CommonsenseQA"),
        ({"id": "1"}, REASON, "line 1: no question of CommonsenseQA"),
        ([], REASON, "an object with an id"),
        (QUESTION, {"id": "1"}, "'1' has no open-ended explanation"),
        (QUESTION, REASON | {"id": "2"}, "'open-ended' is empty in every row"),
    ],
)
def test_odd_cqa_lines_are_refused(tmp_path: Path, question: object, reason: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_cqa(*write_cqa(tmp_path, question, reason))


def test_odd_word_problems_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "SVAMP.json"
    path.write_text('[{"Body": "x"}]', "utf-8")
    with pytest.raises(InvalidInput, match=r"is no SVAMP.json"):
        read_svamp(path)
    table = tmp_path / "asdiv.csv"
    table.write_text("Question,Numbers,Equation,Answer\nnumber0 and number1,1 2,+ number0 number5,3\n", "utf-8")
    with pytest.raises(InvalidInput, match="names 'number5'"):
        read_asdiv(table)
    table.write_text("Question,Numbers\nnumber0,1\n", "utf-8")
    with pytest.raises(InvalidInput, match="row 1: no problem of ASDiv-A"):
        read_asdiv(table)


def test_svamps_parts_are_those_of_the_released_code(tmp_path: Path) -> None:
    problems = [{"Body": f"b{i}", "Question": "?", "Equation": f"( {i} - 1 )", "Answer": i - 1} for i in range(1000)]
    folder = tmp_path / "svamp" / "llm"
    folder.mkdir(parents=True)
    (tmp_path / "svamp" / "SVAMP.json").write_text(json.dumps(problems), "utf-8")
    for number, rows in enumerate((range(500), range(500, 800))):
        outputs = [f"reason {i}. The answer is (x)." for i in rows]
        (folder / f"train_CoT_{number}.json").write_text(json.dumps(outputs), "utf-8")
    found = read_released("svamp", tmp_path, "train")
    order = np.random.RandomState(0).permutation(1000)
    assert len(found) == 800
    assert found.texts[0] == f"b{order[0]}\n?"
    assert found.labels[799] == f"( {order[799]} - 1 )"
    assert found.rationales[799] == "reason 799."
    (folder / "test_CoT_0.json").write_text(json.dumps(["one. The answer is (x)."]), "utf-8")
    with pytest.raises(InvalidInput, match="svamp test has 200 rows and 1 answers"):
        read_released("svamp", tmp_path, "test")


def test_the_last_line_may_end_without_a_break(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("a\n\nb", "utf-8")
    assert lines_of(path) == ["a", "", "b"]
    path.write_text("a\n\nb\n", "utf-8")
    assert lines_of(path) == ["a", "", "b"]
