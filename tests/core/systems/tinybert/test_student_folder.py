"""A student on disk: what transformers and sentence-transformers read of it, and its card."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.encoders import load_encoder
from core.errors import InvalidInput
from core.systems.common.student_texts import TextColumn
from core.systems.common.words import tokens_of
from core.systems.tinybert.distil import distil
from core.systems.tinybert.loop import outputs
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student_folder import read_student, save_student
from core.systems.tinybert.teacher import BertFolder, read_bert
from tests.support.tiny_bert import WORDS, some_texts, write_bert

transformers: Any = import_module("transformers")
TEXTS = some_texts(60)
COLUMN = TextColumn("t.csv", "text", tuple(TEXTS), 60, 0, 0)
HOW = Distillation(layers=2, intermediate_epochs=1, prediction_epochs=1, batch=16, seed=5)


def saved(teacher: BertFolder, out: Path, **change: Any) -> Any:
    taught, card = distil(teacher, COLUMN, replace(HOW, **change))
    save_student(taught, teacher, card, out)
    return taught.student


def test_transformers_reads_the_student_of_a_sentence_encoder(teacher: BertFolder, tmp_path: Path) -> None:
    student = saved(teacher, tmp_path / "out")
    model = transformers.AutoModel.from_pretrained(tmp_path / "out", local_files_only=True, add_pooling_layer=False)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out", local_files_only=True)
    assert type(model).__name__ == "BertModel"
    tokens = tokenizer(TEXTS[0], return_tensors="pt")
    with torch.no_grad():
        vector = model(**tokens).last_hidden_state.mean(1)
    mine = outputs(student, tokens_of(teacher.tokenizer, TEXTS[:1], 32))
    torch.testing.assert_close(torch.nn.functional.normalize(vector, dim=-1), mine, atol=1e-5, rtol=1e-5)


def test_transformers_reads_the_student_of_a_classifier(classifier: BertFolder, tmp_path: Path) -> None:
    student = saved(classifier, tmp_path / "out")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "out", local_files_only=True)
    tokens = classifier.tokenizer(TEXTS[0], return_tensors="pt")
    with torch.no_grad():
        logits = model(**tokens).logits
    torch.testing.assert_close(logits, outputs(student, tokens_of(classifier.tokenizer, TEXTS[:1], 32)))
    assert not (tmp_path / "out" / "modules.json").exists()


@pytest.mark.parametrize("width", [24, 12])
def test_sentence_transformers_gives_its_vectors_in_the_teachers_width(
    teacher: BertFolder, tmp_path: Path, width: int
) -> None:
    sentences: Any = pytest.importorskip("sentence_transformers")
    student = saved(teacher, tmp_path / "out", width=width)
    found = sentences.SentenceTransformer(str(tmp_path / "out"), local_files_only=True, device="cpu").encode(TEXTS)
    assert found.shape == (60, 24)
    mine = outputs(student, tokens_of(teacher.tokenizer, TEXTS, 32)).numpy()
    np.testing.assert_allclose(found, mine, atol=1e-5)
    np.testing.assert_allclose(load_encoder(f"sentences:{tmp_path / 'out'}").encode_texts(TEXTS), mine, atol=1e-5)


def test_the_card_says_where_the_student_comes_from(teacher: BertFolder, tmp_path: Path, repository: Path) -> None:
    saved(teacher, tmp_path / "out", seed=5, augment=1)
    card = json.loads((tmp_path / "out" / "distilled.json").read_text("utf-8"))
    assert card["teacher"]["weights"] == teacher.digest
    assert card["teacher"]["folder"] == teacher.folder.name
    assert (card["map"], card["seed"], card["licence"]) == ([3, 6], 5, "unknown")
    assert (card["data"]["learned"], card["data"]["held_out"], card["data"]["table"]) == (54, 6, "t.csv")
    assert card["data"]["copies"] > 0
    assert (card["data"]["cut"], card["data"]["most_tokens"]) == (0, 32)
    assert card["student"]["parameters"] < card["teacher"]["parameters"]
    assert set(card["figures"]["cosine"]) == {"value", "low", "high"}
    assert "agreement" not in card["figures"]
    assert str(tmp_path) not in json.dumps(card) + (tmp_path / "out" / "config.json").read_text("utf-8")
    page = (repository / "docs" / "distillation.md").read_text("utf-8").split("## The card")[1]
    named = set(re.findall(r"`(\w+)`", page))
    assert set(card) | set(card["data"]) | set(card["student"]) | set(card["teacher"]) <= named
    assert set(card["figures"]) <= named


def test_a_student_goes_on_learning_from_where_it_stood(teacher: BertFolder, tmp_path: Path) -> None:
    before = saved(teacher, tmp_path / "general", prediction_epochs=0, width=12)
    again = read_student(tmp_path / "general", teacher)
    for mine, theirs in zip(again.state_dict().values(), before.state_dict().values()):
        assert torch.equal(mine, theirs)
    assert again.map == (3, 6)


def test_general_distillation_by_a_language_model_serves_a_classifier(classifier: BertFolder, tmp_path: Path) -> None:
    general = read_bert(write_bert(tmp_path / "mlm", "BertForMaskedLM"))
    with pytest.raises(InvalidInput, match=r"got --prediction-epochs 1\. Use --prediction-epochs 0"):
        distil(general, COLUMN, HOW)
    saved(general, tmp_path / "general", prediction_epochs=0)
    assert not (tmp_path / "general" / "modules.json").exists()
    taught, card = distil(classifier, COLUMN, HOW, start=tmp_path / "general")
    assert taught.student.kind == "classes"
    assert 0 <= card.figures["agreement"]["low"] <= card.figures["agreement"]["value"] <= 1


def test_a_folder_that_holds_no_student_of_such_words_is_refused(teacher: BertFolder, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="contains no student"):
        read_student(teacher.folder, teacher)
    saved(teacher, tmp_path / "out")
    other = read_bert(write_bert(tmp_path / "other", num_attention_heads=4))
    with pytest.raises(InvalidInput, match="has a num_attention_heads of 3, the teacher one of 4"):
        read_student(tmp_path / "out", other)
    fewer = read_bert(write_bert(tmp_path / "fewer", num_hidden_layers=4))
    with pytest.raises(InvalidInput, match=r"lists layers that .* does not have"):
        read_student(tmp_path / "out", fewer)


def test_a_language_model_of_other_words_is_refused(teacher: BertFolder, tmp_path: Path) -> None:
    other = write_bert(tmp_path / "mlm", "BertForMaskedLM", words=[*WORDS[:-1], "zebra"])
    with pytest.raises(InvalidInput, match="and the teacher have different vocabularies"):
        distil(teacher, COLUMN, HOW, masked_lm=other)
