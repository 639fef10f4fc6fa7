"""What an open_clip encoder is told by (its fingerprint), and its texts at their own length."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from core.embeddings.texts import encode_texts
from core.encoders.open_clip.encoder import TOKENS_PER_IMAGE, OpenClipEncoder
from tests.support.tiny_clip import (
    TINY,
    open_clip,
    register,
    write_custom,
    write_hugging_face,
    write_model,
    write_native,
)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_native(tmp_path_factory.mktemp("models") / "native")


def test_the_fingerprint_is_one_by_whatever_name_the_weights_were_loaded(tmp_path: Path) -> None:
    """A bare checkpoint takes CLIP's mean and deviation as a tuple, a folder as a list of its config."""
    folder = write_native(tmp_path / "model")
    config = json.loads((folder / "open_clip_config.json").read_text())
    mean, deviation = open_clip().OPENAI_DATASET_MEAN, open_clip().OPENAI_DATASET_STD
    config["preprocess_cfg"] = {"mean": mean, "std": deviation}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    bare = tmp_path / "alone" / "weights.safetensors"
    bare.parent.mkdir()
    bare.write_bytes((folder / "open_clip_model.safetensors").read_bytes())
    by_file = OpenClipEncoder(f"{register(tmp_path, 'errata-named')}@{bare}")
    assert by_file.fingerprint == OpenClipEncoder(f"local-dir:{folder}").fingerprint


def test_the_fingerprint_tells_heads_that_no_weight_tells(native: Path, tmp_path: Path) -> None:
    text = {**TINY["text_cfg"], "heads": 4}
    assert (
        OpenClipEncoder(f"local-dir:{write_model(tmp_path / 'heads', {**TINY, 'text_cfg': text})}").fingerprint
        != OpenClipEncoder(f"local-dir:{native}").fingerprint
    )


@pytest.mark.parametrize(
    "change",
    [
        {"text_cfg": {"pool_type": "eos", "eos_id": 320}},
        {"text_cfg": {"tokenizer_kwargs": {"clean": "canonicalize"}}},
        {"vision_cfg": {"pool_type": "avg"}},
        {"vision_cfg": {"pool_type": "avg", "final_ln_after_pool": True}},
    ],
    ids=str,
)
def test_the_fingerprint_tells_what_no_weight_tells(change: dict[str, dict[str, object]], tmp_path: Path) -> None:
    base = write_custom(tmp_path / "base", pool_type="eos", eos_id=49407)
    other = Path(shutil.copytree(base, tmp_path / "other"))
    config = json.loads((other / "open_clip_config.json").read_text())
    for part, values in change.items():
        config["model_cfg"][part].update(values)
    (other / "open_clip_config.json").write_text(json.dumps(config))
    first, second = (OpenClipEncoder(f"local-dir:{folder}") for folder in (base, other))
    assert first.fingerprint != second.fingerprint


def write_with_end_as_padding(folder: Path) -> Path:
    """A native tower whose Hugging Face tokenizer fills up with its end mark, as CLIP's own does."""
    tokenizers, transformers = import_module("tokenizers"), import_module("transformers")
    words = {word: i for i, word in enumerate(["[UNK]", "a", "photo", "of", "dog", "red", "<s>", "</s>"])}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    marks = [("<s>", words["<s>"]), ("</s>", words["</s>"])]
    made.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A </s>", special_tokens=marks)
    folder.mkdir()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="</s>", unk_token="[UNK]"
    ).save_pretrained(folder)
    return write_custom(folder, hf_tokenizer_name=str(folder))


@pytest.mark.parametrize("kind", ["native", "custom", "hugging face", "end as padding", "no mask", "last"])
def test_texts_filled_up_less_have_the_vectors_of_the_whole_context(kind: str, tmp_path: Path) -> None:
    write: dict[str, Callable[[Path], Path]] = {
        "native": lambda at: write_model(at, {**TINY, "text_cfg": {**TINY["text_cfg"], "context_length": 77}}),
        "custom": lambda at: write_custom(at, context_length=40),
        "hugging face": write_hugging_face,
        "end as padding": write_with_end_as_padding,
        "no mask": lambda at: write_custom(at, no_causal_mask=True),
        "last": lambda at: write_custom(at, pool_type="last"),
    }
    encoder = OpenClipEncoder(f"local-dir:{write[kind](tmp_path / 'model')}")
    model, tokenizer = encoder._model, encoder._tokenizer
    texts = ["a dog", "", "!!", "dog" * 3, "a photo of a red dog " * 2, "a dog " * 40, *["a green frog."] * 9]
    texts += [" ".join(["dog"] * n) for n in range(4, 14)]
    with torch.inference_mode():
        whole = torch.nn.functional.normalize(model.encode_text(tokenizer(texts)), dim=-1).numpy()
    found = encoder.encode_texts(texts)
    np.testing.assert_allclose(found, whole, atol=2e-6)
    alone = np.concatenate([encoder.encode_texts([text]) for text in texts])
    assert float((found.astype(np.float64) * alone).sum(1).min()) > 1 - 1e-6
    together = encode_texts(encoder, texts)
    np.testing.assert_array_equal(together, found)


def test_short_texts_go_through_the_tower_at_their_own_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**TINY, "text_cfg": {**TINY["text_cfg"], "context_length": 77}}
    encoder = OpenClipEncoder(f"local-dir:{write_model(tmp_path / 'model', config)}")
    tower, given = encoder._short_tower, list[tuple[int, ...]]()
    assert tower is not None
    encode = tower.encode
    monkeypatch.setattr(tower, "encode", lambda v, ids: given.append(tuple(ids.shape)) or encode(v, ids))
    texts = ["a dog", "dog " * 90, "a photo of a small brown dog in the snow"]
    heard = list[int]()

    def told(step: str, done: int, total: int) -> None:
        heard.append(done)

    encode_texts(encoder, [f"{i} {text}" for i in range(10) for text in texts], progress=told)
    lengths = {length for _, length in given}
    assert all(n * length <= TOKENS_PER_IMAGE * encoder.batch_size for n, length in given)
    assert max(lengths) == 77
    assert min(lengths) < 16
    assert sum(n for n, length in given if length < 30) >= 20 > sum(n for n, length in given if length == 77)
    assert heard == np.cumsum([n for n, _ in given]).tolist()  # after every pass of the tower
