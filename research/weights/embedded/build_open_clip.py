#!/usr/bin/env python
"""Write the embedded encoder as an ordinary open_clip folder, to be loaded as `open_clip:local-dir:OUT`.

    python -m research.weights.embedded.build_open_clip OUT

Stock open_clip can say nearly the same as `core.encoders.embedded.encoder`: the image head is its two-layer "mlp",
filled by hand; the text head is its linear projection without a bias, so the centering of sentence vectors goes into
the last layer norm's bias. There the sentence's own length is unknown, and the median length stands in for it.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from core.encoders.embedded.alignment import THRESHOLD, Alignment, load_alignment
from core.encoders.embedded.checkpoint import read_state_dict
from core.encoders.embedded.weights import efficientnet_weights, minilm_folder

open_clip: Any = import_module("open_clip")

DIMENSIONS = 768
SENTENCE_LENGTH = 5.99
"""Median length of MiniLM's mean-pooled vectors over "a photo of a NAME." for the ImageNet names."""
LOGIT_SCALE = 30.0
"""Chosen by hand: probabilities from it are not calibrated."""
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "config.json")


def config(folder: Path) -> dict[str, Any]:
    """The folder's open_clip_config.json."""
    vision = {
        "timm_model_name": "tf_efficientnet_lite0",
        "timm_pool": "avg",
        "timm_proj": "mlp",
        "timm_proj_bias": True,
        "image_size": 224,
    }
    text = {
        "hf_model_name": str(folder.resolve()),  # our loader points it to wherever the folder lies
        "hf_tokenizer_name": "all-MiniLM-L6-v2",
        "hf_pooler_type": "mean_pooler",
        "hf_proj_type": "linear",
        "context_length": 77,
    }
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
    return {
        "model_cfg": {"embed_dim": DIMENSIONS, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": preprocess,
    }


def image_head(alignment: Alignment) -> dict[str, np.ndarray[Any, Any]]:
    """Hidden units: the classifier under its soft threshold, then the ridge map twice, since gelu(x) - gelu(-x) = x."""
    k, d = alignment.class_texts.shape
    r = len(alignment.image_map)
    first = np.zeros((2 * DIMENSIONS, 1280), np.float32)
    first_bias = np.zeros(2 * DIMENSIONS, np.float32)
    second = np.zeros((DIMENSIONS, 2 * DIMENSIONS), np.float32)
    second_bias = np.zeros(DIMENSIONS, np.float32)
    first[:k], first_bias[:k] = alignment.classifier, alignment.classifier_bias - THRESHOLD
    second[:d, :k] = alignment.class_texts.T
    shift = alignment.image_map @ alignment.feature_mean
    for sign, start in ((1, k), (-1, k + r)):
        first[start : start + r], first_bias[start : start + r] = sign * alignment.image_map, -sign * shift
        second[d : d + r, start : start + r] = sign * np.eye(r)
    return {"fc1.weight": first, "fc1.bias": first_bias, "fc2.weight": second, "fc2.bias": second_bias}


def build(folder: Path) -> None:
    """Write the folder: config, tokenizer, weights (float32)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        shutil.copy(minilm_folder() / name, folder)
    (folder / "open_clip_config.json").write_text(json.dumps(config(folder), indent=1))
    weights = read_state_dict(efficientnet_weights())
    alignment = load_alignment(weights["_fc.weight"], weights["_fc.bias"])
    state = open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False).state_dict()
    trunk = [name for name in state if name.startswith("visual.trunk.")]
    own = [array for name, array in weights.items() if not name.startswith("_fc.")]
    for name, array in zip(trunk, own, strict=True):  # timm lists the same parts in the same order under other names
        state[name] = torch.from_numpy(array.copy()).reshape(state[name].shape)
    for name, array in image_head(alignment).items():
        state[f"visual.head.mlp.{name}"] = torch.from_numpy(array)
    sentence = load_file(minilm_folder() / "model.safetensors")
    for name in [name for name in state if name.startswith("text.transformer.")]:
        part = name.removeprefix("text.transformer.")
        if part in sentence:
            state[name] = sentence[part]
        elif not part.endswith(("position_ids", "token_type_ids")):
            raise RuntimeError(f"MiniLM has no {part}")
    state["text.transformer.encoder.layer.5.output.LayerNorm.bias"] -= torch.from_numpy(
        alignment.text_mean * np.float32(SENTENCE_LENGTH)
    )
    d = len(alignment.text_mean)
    r = len(alignment.text_map)
    projection = np.zeros((DIMENSIONS, d), np.float32)
    projection[:d], projection[d : d + r] = alignment.text_scale * np.eye(d, dtype=np.float32), alignment.text_map
    state["text.proj.weight"] = torch.from_numpy(projection)
    state["logit_scale"] = torch.tensor(math.log(LOGIT_SCALE))
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / "open_clip_model.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    build(parser.parse_args().out)
