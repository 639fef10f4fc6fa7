"""A transformer of texts from a folder: its vectors by hand, and what is refused."""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertModel

from core.embeddings.embed import read_images
from core.embeddings.texts import encode_texts
from core.encoders import load_encoder
from core.encoders.sentences import encoder as sentences
from core.encoders.sentences.encoder import SentenceEncoder
from core.errors import InvalidInput
from tests.support.texts import made_texts

PreTrainedTokenizerFast: Any = import_module("transformers").PreTrainedTokenizerFast

WORDS: tuple[str, ...] = tuple("[PAD] [UNK] [CLS] [SEP] a dog cat sits on the red mat and runs".split())
TEXTS = ["a dog sits", "the red cat runs and runs and runs on the mat", "a", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers, as transformers writes it."""
    path = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=40, **sizes)).save_pretrained(path)
    inner = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    inner.pre_tokenizer = Whitespace()
    inner.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(path)
    return path


def with_modules(folder: Path, path: Path, pooling: str, *more: str, limit: int = 30) -> Path:
    """The same as sentence-transformers writes it."""
    shutil.copytree(folder, path)
    kinds = ["Transformer", "Pooling", *more]
    steps = [
        {"path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(kinds)
    ]
    (path / "modules.json").write_text(json.dumps(steps))
    (path / "1_Pooling").mkdir()
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    said = {"word_embedding_dimension": 24, **{f"pooling_mode_{name}": name == pooling for name in modes}}
    (path / "1_Pooling" / "config.json").write_text(json.dumps(said))
    (path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": limit, "do_lower_case": True}))
    return path


def write_map(path: Path, weight: Any, activation: str = "Identity", offset: Any = None) -> None:
    """The linear map after the pooling."""
    (path / "2_Dense").mkdir()
    said = {"activation_function": f"torch.nn.modules.activation.{activation}"}
    (path / "2_Dense" / "config.json").write_text(json.dumps(said))
    tensors = {"linear.weight": weight.astype(np.float32)} | ({} if offset is None else {"linear.bias": offset})
    save_file(tensors, path / "2_Dense" / "model.safetensors")


def states_of(folder: Path, text: str) -> Any:
    """(t, 24) last states of one text, run alone and without padding."""
    ids = [2, *(WORDS.index(word) for word in text.split()), 3]
    model = BertModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [("mean_tokens", lambda s: s.mean(0)), ("cls_token", lambda s: s[0]), ("max_tokens", lambda s: s.max(0))],
)
def test_vectors_are_those_of_each_text_alone_under_the_folders_pooling(
    folder: Path, tmp_path: Path, pooling: str, pool: Any
) -> None:
    encoder = SentenceEncoder(str(with_modules(folder, tmp_path / "st", pooling, "Normalize")))
    found = encoder.encode_texts(TEXTS)
    for row, text in zip(found, TEXTS):
        own = pool(states_of(folder, text))
        np.testing.assert_allclose(row, own / np.linalg.norm(own), atol=1e-5)


def test_a_linear_map_after_the_pooling_is_followed(folder: Path, tmp_path: Path) -> None:
    path = with_modules(folder, tmp_path / "st", "mean_tokens", "Dense", "Normalize")
    rng = np.random.default_rng(0)
    weight, offset = rng.normal(size=(5, 24)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    write_map(path, weight, offset=offset)
    encoder = SentenceEncoder(str(path))
    own = weight @ states_of(folder, TEXTS[0]).mean(0) + offset
    np.testing.assert_allclose(encoder.encode_texts(TEXTS)[0], own / np.linalg.norm(own), atol=1e-5)
    assert encoder.fingerprint != SentenceEncoder(str(folder)).fingerprint


def test_a_map_that_holds_no_numbers_is_refused(folder: Path, tmp_path: Path) -> None:
    path = with_modules(folder, tmp_path / "st", "mean_tokens", "Dense", "Normalize")
    write_map(path, np.full((5, 24), np.nan))
    with pytest.raises(InvalidInput, match="vectors with NaN or infinity: its weights are damaged"):
        SentenceEncoder(str(path))


def test_a_plain_folder_takes_the_mean_and_the_models_own_limit(folder: Path) -> None:
    encoder = load_encoder(f"sentences:{folder}")
    assert encoder.modality == "text"
    assert encoder.count_truncated(["a " * 38, "a " * 39]) == 1  # 40 places, two of them for the marks
    long = encoder.encode_texts(["dog " * 38, "dog " * 200])
    np.testing.assert_allclose(long[0], long[1], atol=1e-6)


def test_texts_of_about_one_length_go_together_and_are_not_many_tokens(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = SentenceEncoder(str(folder))
    texts = [" ".join(["dog"] * (1 + i * 11 % 36)) for i in range(100)]
    alone = np.concatenate([encoder.encode_texts([text]) for text in texts])
    monkeypatch.setattr(sentences, "BATCH_TOKENS", 128)
    batches = encoder.text_batches(texts)
    assert all(len(rows) * (len(texts[rows[-1]].split()) + 2) <= 128 for rows in batches)  # two marks
    assert len(batches) < 25
    for found in (encoder.encode_texts(texts), encode_texts(encoder, texts)):
        assert float((found.astype(np.float64) * alone).sum(1).min()) > 1 - 1e-6


def test_an_encoder_whose_files_have_changed_is_read_again(folder: Path, tmp_path: Path) -> None:
    own, other = (with_modules(folder, tmp_path / name, name) for name in ("mean_tokens", "cls_token"))
    first = load_encoder(f"sentences:{own}")
    assert load_encoder(f"sentences:{own}") is first
    (own / "1_Pooling" / "config.json").write_bytes((other / "1_Pooling" / "config.json").read_bytes())
    vectors = [load_encoder(f"sentences:{path}").encode_texts(["a dog"]) for path in (own, other)]
    np.testing.assert_array_equal(*vectors)
    assert not np.array_equal(first.encode_texts(["a dog"]), vectors[0])  # type: ignore[attr-defined]


def test_samples_are_read_through_it(folder: Path) -> None:
    encoder = load_encoder(f"sentences:{folder}")
    found = read_images(made_texts(["a dog", "a red cat", "a dog"]), encoder, modality="text")
    np.testing.assert_allclose(found.joint.vectors, encoder.encode_texts(["a dog", "a red cat", "a dog"]), atol=1e-6)
    assert found.duplicate_groups.tolist() == [0, 1, 0]


def test_pooling_is_part_of_the_fingerprint(folder: Path, tmp_path: Path) -> None:
    names = [
        SentenceEncoder(str(with_modules(folder, tmp_path / p, p))).fingerprint for p in ("cls_token", "mean_tokens")
    ]
    assert len(set(names)) == 2


def rewritten(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(("mode", "old"), [("mean", "mean_tokens"), ("cls", "cls_token"), ("max", "max_tokens")])
def test_what_sentence_transformers_6_writes_is_read(folder: Path, tmp_path: Path, mode: str, old: str) -> None:
    before = SentenceEncoder(str(with_modules(folder, tmp_path / "5", old, "Normalize", limit=20)))
    path = with_modules(folder, tmp_path / "6", old, "Normalize")
    (path / "1_Pooling" / "config.json").write_text(json.dumps({"embedding_dimension": 24, "pooling_mode": mode}))
    (path / "sentence_bert_config.json").write_text(json.dumps({"transformer_task": "feature-extraction"}))
    rewritten(path / "tokenizer_config.json", model_max_length=20)
    texts = [*TEXTS, "dog " * 19 + "cat"]
    np.testing.assert_array_equal(SentenceEncoder(str(path)).encode_texts(texts), before.encode_texts(texts))


@pytest.mark.parametrize("file", ["tokenizer.json", "config.json"])
def test_all_that_a_vector_depends_on_is_part_of_the_fingerprint(folder: Path, tmp_path: Path, file: str) -> None:
    path = tmp_path / "other"
    shutil.copytree(folder, path)
    text = (path / file).read_text()
    (path / file).write_text(
        text.replace('"dog": 5', '"dog": 6').replace('"cat": 6', '"cat": 5') if "token" in file else text
    )
    if file == "config.json":
        rewritten(path / file, layer_norm_eps=0.5)
    one, other = SentenceEncoder(str(folder)), SentenceEncoder(str(path))
    assert np.abs(one.encode_texts(["a dog"]) - other.encode_texts(["a dog"])).max() > 0.01
    assert one.fingerprint != other.fingerprint


def broken(folder: Path, path: Path, how: str) -> Path:
    if how == "pickle":
        shutil.copytree(folder, path)
        (path / "model.safetensors").rename(path / "pytorch_model.bin")
    elif how == "dense":
        return with_modules(folder, path, "mean_tokens", "Dense")
    elif how in ("map", "width", "curved"):
        with_modules(folder, path, "mean_tokens", "Dense")
        write_map(path, np.ones((5, 23 if how == "width" else 24)), "Tanh" if how == "curved" else "Identity")
        if how == "map":
            (path / "2_Dense" / "model.safetensors").write_bytes(b"nothing")
    elif how == "convolution":
        return with_modules(folder, path, "mean_tokens", "CNN")
    elif how == "pooling":
        return with_modules(folder, path, "mean_sqrt_len_tokens")
    elif how == "outside":
        with_modules(folder, path, "mean_tokens")
        (path / "modules.json").write_text('[{"type": "x.Transformer", "path": "../elsewhere"}]')
    elif how == "tokenizer":
        shutil.copytree(folder, path)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(path)
        tokenizer.add_tokens([f"new{i}" for i in range(9)])
        tokenizer.save_pretrained(path)
    elif how == "no tokenizer":
        shutil.copytree(folder, path)
        (path / "tokenizer.json").unlink()
    elif how == "layers":
        shutil.copytree(folder, path)
        rewritten(path / "config.json", num_hidden_layers=10**6)
    elif how == "heads":
        shutil.copytree(folder, path)
        rewritten(path / "config.json", num_attention_heads=-1)
    elif how == "empty":
        shutil.copytree(folder, path)
        model = BertModel.from_pretrained(path)
        with torch.no_grad():
            for weight in model.parameters():
                weight.zero_()
        model.save_pretrained(path)
    elif how == "limit":
        with_modules(folder, path, "mean_tokens", limit=-5)
    elif how == "damaged":
        shutil.copytree(folder, path)
        (path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    return path


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("nothing", "Folder .* not found. Use sentences:FOLDER"),
        ("pickle", r"in pytorch_model.bin, which could run any program when opened. Save model.safetensors"),
        ("convolution", "has Transformer, Pooling, CNN. Save the model without"),
        ("dense", "map 2_Dense must be linear, with its weights in model.safetensors: got no config.json"),
        ("curved", "map 2_Dense must be linear, .*: got Tanh"),
        ("map", "map in 2_Dense cannot be read"),
        ("width", r"has shape \(5, 23\), but the model's vectors have 24 numbers"),
        ("pooling", "got pooling_mode_mean_sqrt_len_tokens. Add its vectors"),
        ("outside", "modules.json: every path must lie in the folder"),
        ("tokenizer", "word pieces up to number 22, the model only 14 "),
        ("no tokenizer", "holds no tokenizer"),
        ("layers", "num_hidden_layers must be at most 200: got '1000000'"),
        ("heads", "The text encoder in st does not run"),
        ("limit", "sentence_bert_config.json in st: max_seq_length must be at least 8: got '-5'"),
        ("empty", "gives two different texts the same vector: its weights are empty or damaged"),
        ("damaged", "lacks weights of a AutoModel"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_with_one_message(
    folder: Path, tmp_path: Path, how: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        SentenceEncoder(str(broken(folder, tmp_path / "st", how)))
