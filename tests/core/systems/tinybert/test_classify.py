"""A classifier's answers to the texts of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.systems.tinybert.classify import class_names, classify
from core.systems.tinybert.teacher import BertFolder, read_bert
from tests.support.tiny_bert import some_texts, write_bert, write_texts


def test_answers_stand_beside_their_texts(classifier: BertFolder, tmp_path: Path) -> None:
    texts = some_texts(70)
    table, n_empty = classify(classifier, write_texts(tmp_path / "t.csv", [*texts[:5], "", *texts[5:]]), "text")
    assert list(table.columns) == ["text", "other", "prediction", "prob_0", "prob_1", "prob_2"]
    assert n_empty == 1
    assert table["prediction"][5] == ""
    assert np.isnan(table["prob_0"][5])
    for row in (0, 6, 70):
        tokens = classifier.tokenizer(table["text"][row], return_tensors="pt")
        with torch.no_grad():
            shares = torch.softmax(classifier.model(**tokens).logits[0], -1).numpy()
        np.testing.assert_allclose(table.loc[row, ["prob_0", "prob_1", "prob_2"]].astype(float), shares, atol=1e-5)
        assert table["prediction"][row] == str(shares.argmax())


def test_classes_bear_the_names_of_the_folder(tmp_path: Path) -> None:
    names = {0: "bad", 1: "good"}
    folder = write_bert(
        tmp_path / "named", "BertForSequenceClassification", id2label=names, label2id={"bad": 0, "good": 1}
    )
    model = read_bert(folder)
    assert class_names(model) == ["bad", "good"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,prediction\na dog,1\n", "already has a column 'prediction'"),
        ("text,prob_x\na dog,1\n", "already has a column 'prob_x'"),
        ("text,other\n,1\n", "has no text in 'text'"),
        ("txt,other\na dog,1\n", "no column 'text'"),
    ],
)
def test_a_table_that_cannot_be_answered_is_refused(
    classifier: BertFolder, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "t.csv").write_text(content, "utf-8")
    with pytest.raises(InvalidInput, match=message):
        classify(classifier, tmp_path / "t.csv", "text")
