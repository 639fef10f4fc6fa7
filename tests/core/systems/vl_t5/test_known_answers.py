"""Questions whose answers are known: which rows are asked, and the loss of each answer by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.images.matching import FileIndex
from core.errors import InvalidInput
from core.systems.common.tokens import PictureTokens
from core.systems.vl_t5.known_answers import KnownQuestions, loss_of, losses_of, read_known_questions
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.vision import grid_boxes
from tests.support.describers import FEATURES, some_parts, tiny_describer

INDEX = FileIndex({"a.png": 0, "b.png": 1, "c.png": 2}, {"a.png": [0], "b.png": [1], "c.png": [2]}, {}, {}, 1)


def table(folder: Path, text: str) -> Path:
    path = folder / "asked.csv"
    path.write_text(text, "utf-8")
    return path


def cells(n: int, kept: list[int]) -> PictureTokens:
    features = some_parts(n).features.numpy()[kept].astype(np.float16)
    return PictureTokens(features, np.zeros((len(kept), 2), np.float32), np.array(kept), {})


def test_rows_without_a_question_an_answer_or_a_picture_are_left_out(tmp_path: Path) -> None:
    text = "image,question,answer,light\nc.png,is it red?, yes,1\na.png,,red,2\nz.png,is it?,no,3\nb.png,is it?,,4\n"
    known = read_known_questions(table(tmp_path, f"{text}c.png,what colour?,007,5\n"), INDEX)
    assert known.frame["light"].tolist() == [1, 5]
    assert known.frame["answer"].tolist() == ["yes", "007"]
    assert known.frame[["id", "group"]].to_numpy().tolist() == [[0, "c.png"], [4, "c.png"]]
    assert (known.of.tolist(), known.pictures.tolist()) == ([2], [0, 0])
    assert known.notes == ("Skipped 3 rows without question, answer or image.",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("image,question\na.png,is it?\n", "answer is missing"),
        ("image,question,answer,loss\na.png,is it?,no,1\n", "'loss', which this command adds"),
        ("image,question,answer\nz.png,is it?,no\n", "No row of asked.csv"),
    ],
)
def test_tables_that_cannot_be_asked_are_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_known_questions(table(tmp_path, text), INDEX)


def test_the_loss_is_that_of_the_right_answer_about_its_own_picture() -> None:
    asked = pd.DataFrame({"image": list("abc"), "question": ["what colour is the cube ?"] * 3, "answer": "red"})
    known = KnownQuestions(asked, np.array([0, 1, 2]), np.array([0, 1, 2]))
    describer, parts = tiny_describer(), some_parts(3)
    found = losses_of(describer, known, cells(3, [0, 2]), (3, 3))  # picture 1 cannot be read
    assert found["image"].tolist() == ["a", "c"]
    features = parts.features[[0, 2]].half().float()
    own = PictureParts(features, grid_boxes(3, 3)[None])
    chances = describer.chances(["vqa: what colour is the cube ?"] * 2, ["red", "red"], own)
    assert found["loss"].tolist() == pytest.approx((-np.log(chances)).tolist(), rel=1e-5)
    said = describer.answer(["vqa: what colour is the cube ?"] * 2, own)
    assert found["prediction"].tolist() == [one.text for one in said]
    assert found["correct"].tolist() == [int(one.text == "red") for one in said]


def test_a_model_of_other_features_and_losses_that_are_no_numbers_are_refused() -> None:
    asked = KnownQuestions(pd.DataFrame({"question": ["a"], "answer": ["b"]}), np.array([0]), np.array([0]))
    with pytest.raises(InvalidInput, match=f"takes features of 5 numbers, but the encoder's cells have {FEATURES}"):
        losses_of(tiny_describer(5), asked, cells(1, [0]), (3, 3))
    with pytest.raises(InvalidInput, match="not finite"):
        loss_of(np.array([0.5, np.nan]))
