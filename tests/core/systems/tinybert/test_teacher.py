"""Folders of a BERT: what is read of them, and one message for each way in which one cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.systems.tinybert.teacher import KINDS, read_bert
from tests.support.tiny_bert import WORDS, write_bert


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy.errata"))


def change(folder: Path, **values: Any) -> None:
    said = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**said, **values}), "utf-8")


@pytest.mark.parametrize("head", list(KINDS))
def test_each_kind_of_head_is_read(tmp_path: Path, head: str) -> None:
    found = read_bert(write_bert(tmp_path / head, head))
    assert (found.kind, found.config.num_hidden_layers, found.model.training) == (KINDS[head], 6, False)
    assert type(found.bert).__name__ == "BertModel"


def test_a_model_of_another_head_is_refused_where_that_is_no_use(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"has a BertModel. Use a BertForMaskedLM"):
        read_bert(write_bert(tmp_path / "plain"), ("words",))


def test_the_sentence_encoder_that_comes_along_is_read_by_name() -> None:
    found = read_bert(Path("embedded"))
    assert (found.kind, found.config.hidden_size, found.licence) == ("vectors", 384, "apache-2.0")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.ckpt"])
def test_a_pickle_is_refused(copy: Path, name: str) -> None:
    (copy / "model.safetensors").rename(copy / name)
    with pytest.raises(InvalidInput, match=f"{name}, which could run any program .*Save model.safetensors"):
        read_bert(copy)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "roberta"}, "model_type must be 'bert': got 'roberta'"),
        ({"architectures": ["BertForTokenClassification"]}, "architectures.0 must be .*got 'BertForToken"),
        ({"architectures": [["x"]]}, "architectures.0 must be"),
        ({"hidden_size": 25}, r"hidden size \(25\) is not a multiple of the number of attention heads \(3\)"),
        ({"hidden_size": 48}, "does not open as a BertModel"),
        ({"vocab_size": 10**12}, "asks for a model of [0-9,]+ numbers; model.safetensors holds at most"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers must be at most 200: got '1000000000'"),
        ({"num_hidden_layers": 7}, "lacks weights of a BertModel.*: encoder.layer.6"),
        ({"num_hidden_layers": 5}, "has layers that config.json does not ask for: .*layer.5"),
        ({"num_hidden_layers": "six"}, "num_hidden_layers must be a whole number: got 'six'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type must be 'absolute'"),
        ({"is_decoder": True}, "is_decoder must be False"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(copy: Path, values: dict[str, Any], message: str) -> None:
    change(copy, **values)
    with pytest.raises(InvalidInput, match=message):
        read_bert(copy)


@pytest.mark.parametrize("labels", [{"num_labels": 1}, {"num_labels": 3, "problem_type": "multi_label_classification"}])
def test_heads_that_do_not_choose_one_class_are_refused(tmp_path: Path, labels: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"must choose one class of two or more: problem_type is .*number of labels"):
        read_bert(write_bert(tmp_path / "head", "BertForSequenceClassification", **labels))


def test_a_tokenizer_of_more_words_than_the_model_has_is_refused(tmp_path: Path) -> None:
    folder = write_bert(tmp_path / "more", words=[*WORDS, "zebra", "yak"])
    with pytest.raises(InvalidInput, match=f"up to number {len(WORDS) + 1}, the model only {len(WORDS)}"):
        read_bert(folder)


def test_missing_and_damaged_files_are_named(copy: Path) -> None:
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="does not open as a BertModel"):
        read_bert(copy)
    (copy / "model.safetensors").unlink()
    with pytest.raises(InvalidInput, match=r"holds no model\.safetensors"):
        read_bert(copy)
    (copy / "config.json").unlink()
    with pytest.raises(InvalidInput, match=r"holds no config\.json"):
        read_bert(copy)


def test_a_folder_without_its_tokenizer_is_refused(copy: Path) -> None:
    for name in ("tokenizer.json", "vocab.txt"):
        (copy / name).unlink(missing_ok=True)
    with pytest.raises(InvalidInput, match="holds no tokenizer"):
        read_bert(copy)


def test_weights_that_are_absent_are_never_drawn_at_random(tmp_path: Path) -> None:
    folder = write_bert(tmp_path / "plain")
    change(folder, architectures=["BertForSequenceClassification"])
    with pytest.raises(InvalidInput, match=r"lacks weights of a BertForSequenceClassification.*: .*classifier"):
        read_bert(folder)


def test_vectors_that_are_not_means_are_refused(copy: Path) -> None:
    (copy / "1_Pooling").mkdir()
    (copy / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}), "utf-8")
    with pytest.raises(InvalidInput, match="pools its vectors by 'cls'"):
        read_bert(copy)
