"""A model on disk, in the released layout: the keys of a T5 and `encoder.visual_embedding.`; read without pickle.

A folder holds config.json (a T5's, with feat_dim, n_images and box_order where they were written here),
model.safetensors and the tokenizer. Of a released checkpoint the sizes are taken from its weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.encoders.transformer_folder import (
    CONFIG,
    WEIGHTS,
    check_shapes,
    open_model,
    read_config,
    read_tokenizer,
    weight_shapes,
)
from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.files import ASSETS, write_text
from core.systems.common.checkpoints import write_tensors
from core.systems.common.own_random import OwnRandom
from core.systems.vl_t5.config_checks import check_config
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.model import VisionT5
from core.systems.vl_t5.tasks import part_word
from core.systems.vl_t5.vision import VisionSizes
from core.systems.vl_t5.vocabulary import N_PARTS, with_parts

NEEDED = (
    "a folder with a T5's config.json, a VL-T5's checkpoint as model.safetensors and the T5's tokenizer "
    "(tokenizer.json or spiece.model)"
)
SHIPPED = ASSETS / "answers"
"""The model that comes along: it knows drawn scenes, and no others (docs/answers.md)."""
VISUAL = "encoder.visual_embedding."
_FEATURES, _IMAGES = f"{VISUAL}feat_embedding.0.weight", f"{VISUAL}img_order_embedding.weight"
_COPIES = (
    "encoder.embed_tokens.weight",
    "decoder.embed_tokens.weight",
    f"{VISUAL}obj_order_embedding.weight",
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
)
"""The shared words again, and a bias that older T5s carry without using it."""
_HEAD = "lm_head.weight"
_SIZES = ("d_model", "d_kv", "d_ff", "num_layers", "num_heads")
_TOKENIZERS = ("tokenizer.json", "spiece.model")


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
    said = read_config(folder, NEEDED, _SIZES)
    _check_kind(folder, said)
    found = weight_shapes(folder, NEEDED)
    _check_names(folder, found)
    shapes = {released_name(name): shape for name, shape in found.items()}
    sizes = _sizes(folder, said, shapes)
    vocabulary = shapes["shared.weight"][0]
    check_config(folder, said, vocabulary)
    check_shapes(folder, shapes, _largest(said, shapes, vocabulary))
    tokenizer = with_parts(read_tokenizer(folder, vocabulary, NEEDED, _TOKENIZERS))
    _check_vocabulary(folder, tokenizer, vocabulary)
    transformers: Any = import_module("transformers")
    config = transformers.T5Config(**{**_plain(said), "vocab_size": vocabulary})
    tensors = {released_name(name): tensor for name, tensor in read_tensors(folder / WEIGHTS).items()}
    describer = Describer(VisionT5(config, sizes).eval(), tokenizer)
    load_weights(describer.model, tensors, str(folder))
    return describer


def start_from_t5(folder: Path, sizes: VisionSizes, *, seed: int = 0) -> Describer:
    """A model whose text side is the T5 of a folder and whose visual side is new: words for parts of pictures are added
    behind its words.

    Raises:
        InvalidInput: the folder holds no T5 that can be read.
    """
    said = read_config(folder, NEEDED, ("vocab_size", *_SIZES))
    _check_kind(folder, said)
    check_config(folder, said, said["vocab_size"])
    check_shapes(folder, weight_shapes(folder, NEEDED), {"shared.weight": [said["vocab_size"], said["d_model"]]})
    tokenizer = with_parts(read_tokenizer(folder, said["vocab_size"], NEEDED, _TOKENIZERS))
    known: Any = open_model("T5ForConditionalGeneration", folder)
    with OwnRandom(seed):
        known.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        model = VisionT5(known.config, sizes)
    model.t5.load_state_dict(known.state_dict())
    return Describer(model.eval(), tokenizer)


def load_weights(model: VisionT5, tensors: Mapping[str, Tensor], source: str) -> None:
    """Fill the model with arrays of the released names.

    Raises:
        InvalidInput: one is missing, is of another shape, is of no part of the model, or holds no finite numbers.
    """
    there = {name: tensor.float() for name, tensor in tensors.items() if name not in _COPIES}
    for name, tensor in there.items():
        if not tensors[name].is_floating_point() or not bool(torch.isfinite(tensor).all()):
            kind = str(tensors[name].dtype).removeprefix("torch.")
            raise InvalidInput(
                f"{source}: the numbers of {name[:80]} must be finite and of a floating kind: they are {kind}, or not "
                "all finite. Copy the checkpoint again, or train it at a lower rate."
            )
    words = there.get("shared.weight")
    if model.t5.config.tie_word_embeddings:
        head = there.pop(_HEAD, words)
        if words is not None and head is not None and not torch.equal(head, words):
            raise InvalidInput(
                f"{source}: {_HEAD} differs from shared.weight, and the config ties them. Untie them there."
            )
    own = named_weights(model)
    if missing := sorted(set(own) - set(there)):
        raise InvalidInput(f"{source} lacks weights of the model: {', '.join(missing[:4])}. Copy the checkpoint again.")
    if foreign := sorted(set(there) - set(own)):
        raise InvalidInput(
            f"{source} has weights that are no part of the model: {', '.join(foreign[:4])}. Is it a VL-T5 with layer "
            "norms of its own for features and boxes?"
        )
    for name, tensor in own.items():
        if tensor.shape != there[name].shape:
            raise InvalidInput(f"{source}: {name} is {list(there[name].shape)}; the model's is {list(tensor.shape)}.")
        tensor.data.copy_(there[name])


def named_weights(model: VisionT5) -> dict[str, Tensor]:
    """The model's arrays by their released names, each once."""
    tied = (*_COPIES, *((_HEAD,) if model.t5.config.tie_word_embeddings else ()))
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
    sizes, config = describer.model.visual.sizes, describer.model.t5.config
    said = json.loads(config.to_json_string(use_diff=False))
    said |= {"architectures": ["VLT5"], "pos_dim": 4, "use_vis_order_embedding": True}
    said |= {"individual_vis_layer_norm": True, "use_vis_layer_norm": True}
    said |= {"feat_dim": sizes.feat_dim, "n_images": sizes.n_images, "box_order": sizes.box_order}
    write_text(folder / CONFIG, json.dumps(said, indent=1, sort_keys=True))
    describer.tokenizer.save_pretrained(folder)


def _largest(said: Mapping[str, Any], shapes: Mapping[str, list[int]], vocabulary: int) -> dict[str, list[int]]:
    """The arrays by which the sizes of a config are told, in the last layer that it says."""
    last, width = f"encoder.block.{said['num_layers'] - 1}.layer.", said["d_model"]
    plain = f"{last}1.DenseReluDense.wi.weight"
    hidden = plain if plain in shapes else f"{last}1.DenseReluDense.wi_0.weight"
    return {
        "shared.weight": [vocabulary, width],
        f"{last}0.SelfAttention.q.weight": [said["num_heads"] * said["d_kv"], width],
        hidden: [said["d_ff"], width],
    }


def _check_kind(folder: Path, said: Mapping[str, Any]) -> None:
    if said.get("model_type", "t5") != "t5":
        raise InvalidInput(f"{folder} holds a {str(said.get('model_type'))[:40]!r}. What is needed is {NEEDED}.")


def _check_names(folder: Path, names: Iterable[str]) -> None:
    """An array may stand there once, whatever the prefix of its name."""
    seen = dict[str, str]()
    for name in names:
        first = seen.setdefault(released_name(name), name)
        if first != name:
            raise InvalidInput(
                f"{folder}: {WEIGHTS} holds one array twice, as {first[:80]} and as {name[:80]}. Leave one out."
            )


def _check_vocabulary(folder: Path, tokenizer: Any, rows: int) -> None:
    """Part k is the k-th word from the end, so the tokenizer must reach just there, with a number for each word."""
    numbers, known = tokenizer.get_vocab(), len(tokenizer)
    if known != rows:
        raise InvalidInput(
            f"{folder}: the tokenizer knows {known:,} words with those for parts of pictures, the model {rows:,}. "
            "Bring the tokenizer that the checkpoint was trained with."
        )
    if set(numbers.values()) != set(range(rows)):
        raise InvalidInput(
            f"{folder}: the tokenizer's {known:,} words must have the numbers from 0 to {rows - 1:,}, each its own. "
            "Bring the tokenizer that the checkpoint was trained with."
        )
    for part in range(N_PARTS):
        if numbers.get(part_word(part), rows - 1 - part) != rows - 1 - part:
            raise InvalidInput(
                f"{folder}: the tokenizer has {part_word(part)} as number {numbers[part_word(part)]:,}; it must be "
                f"{rows - 1 - part:,}, counted from the last. Bring the tokenizer that the checkpoint was trained with."
            )


def _sizes(folder: Path, said: Mapping[str, Any], shapes: Mapping[str, list[int]]) -> VisionSizes:
    for name in ("shared.weight", _FEATURES, _IMAGES):
        if name in shapes and len(shapes[name]) != 2:
            raise InvalidInput(f"{folder}: {name} in {WEIGHTS} must be a table: got {shapes[name]}. Copy it again.")
    if "shared.weight" not in shapes:
        raise InvalidInput(f"{folder}: {WEIGHTS} holds no shared.weight. What is needed is {NEEDED}.")
    if _FEATURES not in shapes or _IMAGES not in shapes:
        absent = _FEATURES if _FEATURES not in shapes else _IMAGES
        raise InvalidInput(
            f"{folder} holds a plain T5, which does not see: {WEIGHTS} has no {absent}, by which a VL-T5 reads "
            f"pictures. Bring {NEEDED}; docs/answers.md says where one comes from, and "
            "`answers --captions FILE` needs no model."
        )
    found = VisionSizes(shapes[_FEATURES][1], shapes[_IMAGES][0], said.get("box_order", "released"))
    for name in ("feat_dim", "n_images"):
        if said.get(name, getattr(found, name)) != getattr(found, name):
            raise InvalidInput(
                f"{folder}: {CONFIG} says {name} {str(said[name])[:20]}; {WEIGHTS} has {getattr(found, name)}."
            )
    return found


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes and settings of the T5 itself."""
    known = (
        *_SIZES,
        *("num_decoder_layers", "relative_attention_num_buckets", "relative_attention_max_distance", "dropout_rate"),
        *("layer_norm_epsilon", "feed_forward_proj", "tie_word_embeddings", "scale_decoder_outputs"),
        *("pad_token_id", "eos_token_id", "decoder_start_token_id"),
    )
    found = {name: said[name] for name in known if said.get(name) is not None}
    return {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0} | found
