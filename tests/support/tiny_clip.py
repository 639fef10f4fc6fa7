"""Tiny open_clip models with random weights, written to a folder: no download. open_clip and torch, which take seconds
to import, come with the first model."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

TINY: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
TWO: dict[str, Any] = {
    **TINY,
    "vision_cfg": {**TINY["vision_cfg"], "layers": 2},
    "text_cfg": {**TINY["text_cfg"], "layers": 2},
}
"""With two layers, so that the last can be left out."""
PREPROCESS = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "resize_mode": "squash"}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "photo", "of", "dog", "cat", "red", "green", "frog", "."]


def open_clip() -> Any:
    """The package; its type hints are wrong in places."""
    return import_module("open_clip")


def write_config(folder: Path, model_cfg: dict[str, Any] = TINY) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg, "preprocess_cfg": PREPROCESS}))


def random_model(folder: Path) -> torch.nn.Module:
    """The model that the folder's config describes, with seeded random weights."""
    import torch

    torch.manual_seed(0)
    return open_clip().create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False)


def write_native(folder: Path, weights: str = "open_clip_model.safetensors") -> Path:
    """A model of open_clip's own towers; `weights` ends in .safetensors or .pt."""
    write_config(folder)
    save(random_model(folder), folder / weights)
    return folder


def write_model(folder: Path, model_cfg: dict[str, Any]) -> Path:
    """A model of any configuration."""
    write_config(folder, model_cfg)
    save(random_model(folder), folder / "open_clip_model.safetensors")
    return folder


def write_custom(folder: Path, **text: Any) -> Path:
    """A model whose text tower is a part of its own, with `text` over the tiny tower's settings."""
    return write_model(folder, {**TINY, "custom_text": True, "text_cfg": {**TINY["text_cfg"], **text}})


def save(model: torch.nn.Module, path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)


def write_hugging_face(folder: Path, **more: Any) -> Path:
    """A model whose text tower is a two-layer BERT named by a hub id that does not exist, with its tokenizer beside
    it."""
    transformers: Any = import_module("transformers")
    folder.mkdir(parents=True)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    transformers.BertConfig(vocab_size=len(WORDS), **sizes).save_pretrained(folder)
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    transformers.BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)
    text = {
        "hf_model_name": str(folder),
        "hf_tokenizer_name": "no-such-organisation/no-such-model",
        "hf_pooler_type": "mean_pooler",
        "hf_proj_type": "linear",
        "context_length": 8,
        **more,
    }
    write_config(folder, {**TINY, "text_cfg": text})
    save(random_model(folder), folder / "open_clip_model.safetensors")
    write_config(folder, {**TINY, "text_cfg": {**text, "hf_model_name": "no-such-organisation/no-such-model"}})
    return folder


def register(tmp_path: Path, name: str, **changes: object) -> str:
    """Make the tiny architecture, with changes, known to open_clip by that name."""
    (tmp_path / f"{name}.json").write_text(json.dumps({**TINY, **changes}))
    open_clip().add_model_config(tmp_path / f"{name}.json")
    return name
