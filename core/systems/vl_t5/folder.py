"""A model on disk, in the released layout: the keys of a T5 and `encoder.visual_embedding.`; read without pickle.

A folder holds config.json (a T5's, with feat_dim, n_images and box_order where they were written here),
model.safetensors and the tokenizer. Of a released checkpoint the sizes are taken from its weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from core.encoders.model_folder import CONFIG, WEIGHTS, ModelFolder
from core.encoders.weights import load_network, read_tensors
from core.errors import InvalidInput
from core.files import ASSETS, write_text
from core.forms import Count
from core.systems.common.checkpoints import write_tensors
from core.systems.common.t5_config import TOKENIZERS, T5Config
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.model import VisionT5
from core.systems.vl_t5.tasks import N_PARTS, part_word, with_parts
from core.systems.vl_t5.vision import VisionSizes

NEEDED = (
    "a folder with a T5's config.json, a VL-T5's checkpoint as model.safetensors and the T5's tokenizer "
    "(tokenizer.json or spiece.model)"
)
SHIPPED = ASSETS / "answers"
"""The model that comes along: it knows drawn scenes, and no others (docs/answers.md)."""
VISUAL = "encoder.visual_embedding."
_WORDS = "shared.weight"
_HEAD = "lm_head.weight"
_FEATURES = f"{VISUAL}feat_embedding.0.weight"
_IMAGES = f"{VISUAL}img_order_embedding.weight"
_COPIES = {f"{part}.embed_tokens.weight": _WORDS for part in ("encoder", "decoder")}
"""The shared words again."""
_UNUSED = (
    f"{VISUAL}obj_order_embedding.weight",
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
)
"""The shared words once more, and a bias that older T5s carry without using it."""


class _Config(T5Config):
    """A VL-T5's config.json; sizes that it lacks are those of the weights."""

    feat_dim: Count | None = None
    n_images: Count | None = None
    box_order: Literal["paper", "released"] = "released"


def released_name(name: str) -> str:
    """The key as the last released code has it: early checkpoints say `vis_encoder.`, parallel training `module.`."""
    name = name.removeprefix("module.").removeprefix("model.")
    return f"encoder.{name.removeprefix('vis_encoder.')}" if name.startswith("vis_encoder.") else name


def folder_of(model: Path | None) -> Path:
    """The folder that was named, else that of the model that comes along.

    Raises:
        InvalidInput: none was named and none comes along.
    """
    if model is None and not (SHIPPED / WEIGHTS).is_file():
        raise InvalidInput(
            "A model that answers is needed, --model DIR: none comes along (docs/answers.md says where one comes "
            "from). --captions FILE needs none."
        )
    return model or SHIPPED


def read_describer(folder: Path) -> Describer:
    """The model in the folder.

    Raises:
        InvalidInput: there is none, it is a pickle, its parts do not fit together, or weights are missing.
    """
    parts = ModelFolder(folder, NEEDED)
    config = parts.config(_Config)
    tensors = _released(folder, read_tensors(parts.weights))
    sizes = VisionSizes(
        config.feat_dim or tensors[_FEATURES].shape[1], config.n_images or len(tensors[_IMAGES]), config.box_order
    )
    vocabulary = len(tensors[_WORDS])
    tokenizer = with_parts(parts.tokenizer(vocabulary, TOKENIZERS))
    _check_vocabulary(folder, tokenizer, vocabulary)
    transformers: Any = import_module("transformers")
    t5 = transformers.T5Config(**{**config.settings(), "vocab_size": vocabulary})
    model = load_network(
        lambda: VisionT5(t5, sizes),
        tensors,
        str(folder),
        "a VL-T5",
        copies=_COPIES | ({_HEAD: _WORDS} if config.tie_word_embeddings else {}),
        named=named_weights,
    )
    return Describer(model, tokenizer)


def _released(folder: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The arrays by the names of the last released code, without those that nothing uses.

    Raises:
        InvalidInput: two have one name, or they are not those of a model that sees.
    """
    found = dict[str, Tensor]()
    for name, tensor in tensors.items():
        if (released := released_name(name)) in found:
            raise InvalidInput(f"{folder}: {WEIGHTS} holds {released[:80]} twice, once as {name[:80]}. Leave one out.")
        if released not in _UNUSED:
            found[released] = tensor
    for name in (_WORDS, _FEATURES, _IMAGES):
        if name not in found:
            plain = "a plain T5, which does not see: " if _WORDS in found else ""
            raise InvalidInput(
                f"{folder} holds {plain}{WEIGHTS} without {name}. What is needed is {NEEDED}; docs/answers.md says "
                "where one comes from, and `answers --captions FILE` needs no model."
            )
        if found[name].ndim != 2:
            shape = tuple(found[name].shape)
            raise InvalidInput(f"{folder}: {name} in {WEIGHTS} must be a table: got {shape}. Copy the model again.")
    return found


def named_weights(model: VisionT5) -> dict[str, Tensor]:
    """The model's arrays by their released names, each once."""
    tied = {*_COPIES, *_UNUSED, *([_HEAD] if model.t5.config.tie_word_embeddings else [])}
    text = {name: tensor for name, tensor in model.t5.state_dict().items() if name not in tied}
    return text | {f"{VISUAL}{name}": tensor for name, tensor in model.visual.state_dict().items()}


def write_describer(describer: Describer, folder: Path, *, half: bool = False) -> None:
    """Write the model as `read_describer` reads it; the released code loads the weights too.

    Args:
        half: in float16, for what ships.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {n: t.half() if half else t.float() for n, t in named_weights(describer.model).items()}
    write_tensors(folder / WEIGHTS, tensors, {"format": "pt"})
    sizes = describer.model.visual.sizes
    config = describer.model.t5.config
    said = json.loads(config.to_json_string(use_diff=False))
    said |= {"architectures": ["VLT5"], "pos_dim": 4, "use_vis_order_embedding": True}
    said |= {"individual_vis_layer_norm": True, "use_vis_layer_norm": True}
    said |= {"feat_dim": sizes.feat_dim, "n_images": sizes.n_images, "box_order": sizes.box_order}
    write_text(folder / CONFIG, json.dumps(said, indent=1, sort_keys=True))
    describer.tokenizer.save_pretrained(folder)


def _check_vocabulary(folder: Path, tokenizer: Any, rows: int) -> None:
    """Part k is the k-th word from the end, so the tokenizer must reach just there, with a number for each word."""
    numbers = tokenizer.get_vocab()
    wrong = [part for part in range(N_PARTS) if numbers.get(part_word(part), rows - 1 - part) != rows - 1 - part]
    if len(tokenizer) != rows or set(numbers.values()) != set(range(rows)) or wrong:
        raise InvalidInput(
            f"{folder}: the tokenizer's words must have the model's numbers, 0 to {rows - 1:,}, each its own, and the "
            f"last of them those for parts of pictures: it has {len(tokenizer):,} words, {len(wrong)} of parts "
            "elsewhere. Bring the tokenizer that the checkpoint was trained with."
        )
