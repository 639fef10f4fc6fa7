"""The released files: what they hold when read unchanged, and what odd ones are told."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.step_by_step.released_rationales import read_cqa, read_esnli, read_released


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
