"""A model on disk in the released layout: the keys of a T5 and `encoder.visual_embedding.`; read without pickle.

A folder holds config.json (a T5's, with feat_dim, n_images and box_order where Errata wrote it), model.safetensors and
the tokenizer. A released checkpoint lacks the sizes, so they come from its weights.
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
"""The shipped model, which knows drawn scenes only (docs/answers.md)."""
VISUAL = "encoder.visual_embedding."
_WORDS = "shared.weight"
_HEAD = "lm_head.weight"
_FEATURES = f"{VISUAL}feat_embedding.0.weight"
_IMAGES = f"{VISUAL}img_order_embedding.weight"
_COPIES = {f"{part}.embed_tokens.weight": _WORDS for part in ("encoder", "decoder")}
"""Second copies of the shared words."""
_UNUSED = (
    f"{VISUAL}obj_order_embedding.weight",
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
)
"""A third copy of the shared words, and a bias that older T5s store without using."""


class _Config(T5Config):
    """A VL-T5's config.json; missing sizes come from the weights."""

    feat_dim: Count | None = None
    n_images: Count | None = None
    box_order: Literal["paper", "released"] = "released"


def released_name(name: str) -> str:
    """The key in the last released code: early checkpoints have `vis_encoder.`, parallel training adds `module.`."""
    name = name.removeprefix("module.").removeprefix("model.")
    if name.startswith("vis_encoder."):
        return f"encoder.{name.removeprefix('vis_encoder.')}"
    return name


def folder_of(model: Path | None) -> Path:
    """The user's folder, or by default the shipped model's.

    Raises:
        InvalidInput: the user named no folder and this installation has no shipped model.
    """
    if model is None and not (SHIPPED / WEIGHTS).is_file():
        raise InvalidInput(
            "This installation has no model that answers. Add --model DIR (docs/answers.md), or use --captions FILE, "
            "which needs no model."
        )
    return model or SHIPPED


def read_describer(folder: Path) -> Describer:
    """The model in the folder.

    Raises:
        InvalidInput: the folder has no model, it is a pickle, its parts do not match, or weights are missing.
    """
    parts = ModelFolder(folder, NEEDED)
    config = parts.config(_Config)
    tensors = _released(folder, read_tensors(parts.weights))
    sizes = VisionSizes(
        config.feat_dim or tensors[_FEATURES].shape[1], config.n_images or len(tensors[_IMAGES]), config.box_order
    )
    vocabulary = len(tensors[_WORDS])
    tokenizer = with_parts(parts.tokenizer(vocabulary, TOKENIZERS))
    numbers = tokenizer.get_vocab()
    last = vocabulary - 1  # the number of part 0; part k is the k-th word from the end
    wrong = [part for part in range(N_PARTS) if numbers.get(part_word(part), last - part) != last - part]
    if len(tokenizer) != vocabulary or set(numbers.values()) != set(range(vocabulary)) or wrong:
        raise InvalidInput(
            f"{folder}: the tokenizer must number its words 0 to {last:,}, parts of images last. It has "
            f"{len(tokenizer):,} words, {len(wrong)} of them misplaced parts. Use the checkpoint's own tokenizer."
        )
    transformers: Any = import_module("transformers")
    t5 = transformers.T5Config(**{**config.settings(), "vocab_size": vocabulary})
    copies = dict(_COPIES)
    if config.tie_word_embeddings:
        copies[_HEAD] = _WORDS
    model = load_network(
        lambda: VisionT5(t5, sizes), tensors, str(folder), "a VL-T5", copies=copies, named=named_weights
    )
    return Describer(model, tokenizer)


def _released(folder: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The arrays under the names of the last released code, without unused ones.

    Raises:
        InvalidInput: two arrays get one name, or they are not those of a model that sees.
    """
    renamed = dict[str, Tensor]()
    for name, tensor in tensors.items():
        released = released_name(name)
        if released in renamed:
            raise InvalidInput(f"{folder}: {WEIGHTS} holds {released[:80]} twice, once as {name[:80]}. Remove one.")
        if released not in _UNUSED:
            renamed[released] = tensor
    for name in (_WORDS, _FEATURES, _IMAGES):
        if name not in renamed:
            plain = "a plain T5, which does not see: " if _WORDS in renamed else ""
            raise InvalidInput(
                f"{folder} holds {plain}{WEIGHTS} without {name}. Use {NEEDED}; see docs/answers.md. "
                "`answers --captions FILE` needs no model."
            )
        if renamed[name].ndim != 2:
            shape = tuple(renamed[name].shape)
            raise InvalidInput(f"{folder}: {name} in {WEIGHTS} must be a table: got {shape}. Copy the model again.")
    return renamed


def named_weights(model: VisionT5) -> dict[str, Tensor]:
    """The model's arrays by their released names, each once."""
    tied = {*_COPIES, *_UNUSED}
    if model.t5.config.tie_word_embeddings:
        tied.add(_HEAD)
    text = {name: tensor for name, tensor in model.t5.state_dict().items() if name not in tied}
    return text | {f"{VISUAL}{name}": tensor for name, tensor in model.visual.state_dict().items()}


def write_describer(describer: Describer, folder: Path, *, half: bool = False) -> None:
    """Write the model as `read_describer` reads it; the released code loads the weights too.

    Args:
        half: write float16, as for the shipped model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {n: t.half() if half else t.float() for n, t in named_weights(describer.model).items()}
    write_tensors(folder / WEIGHTS, tensors, {"format": "pt"})
    sizes = describer.model.visual.sizes
    config = describer.model.t5.config
    settings = json.loads(config.to_json_string(use_diff=False))
    settings |= {"architectures": ["VLT5"], "pos_dim": 4, "use_vis_order_embedding": True}
    settings |= {"individual_vis_layer_norm": True, "use_vis_layer_norm": True}
    settings |= {"feat_dim": sizes.feat_dim, "n_images": sizes.n_images, "box_order": sizes.box_order}
    write_text(folder / CONFIG, json.dumps(settings, indent=1, sort_keys=True))
    describer.tokenizer.save_pretrained(folder)
