"""A BERT in a folder, as transformers writes it: read without a network, without pickle and without code of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.encoders.embedded.weights import minilm_folder
from core.encoders.sentences.folder import pooling_of
from core.encoders.transformer_folder import (
    CONFIG,
    WEIGHTS,
    check_shapes,
    open_model,
    read_config,
    read_tokenizer,
    weight_shapes,
)
from core.errors import InvalidInput
from core.received import digest
from core.systems.common.student_card import licence_of

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json", "added_tokens.json")
POOLING = "1_Pooling/config.json"
"""Of sentence-transformers: how the tokens' states become a vector."""
KINDS = {
    "BertModel": "vectors",
    "BertForSequenceClassification": "classes",
    "BertForMaskedLM": "words",
    "BertForPreTraining": "words",
}
"""What a model with this head gives."""
EMBEDDED = "embedded"
"""Names the sentence encoder that comes along, in place of a folder."""
NEEDED = (
    "a folder of a BertModel or BertForSequenceClassification with config.json, model.safetensors and its tokenizer, "
    f"as save_pretrained of transformers writes it; or {EMBEDDED!r}, the sentence encoder that comes along"
)
_SIZES = (
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
    *("intermediate_size", "max_position_embeddings", "type_vocab_size"),
)


@dataclass(frozen=True, slots=True, eq=False)
class BertFolder:
    """A model in evaluation mode with its tokenizer."""

    folder: Path
    kind: str
    """One of KINDS' values."""
    model: Any
    tokenizer: Any
    licence: str

    @property
    def bert(self) -> Any:
        """The transformer without its head."""
        return self.model if self.kind == "vectors" else self.model.bert

    @property
    def config(self) -> Any:
        return self.model.config

    @property
    def digest(self) -> str:
        """Of the weights' file."""
        return digest(self.folder / WEIGHTS)[:32]


def read_bert(folder: Path | None, kinds: Sequence[str] = ("vectors", "classes", "words")) -> BertFolder:
    """The model in the folder; of one with a language model's head only `kinds` with "words" take it.

    Raises:
        InvalidInput: there is none, it is no BERT, it is a pickle, its parts do not fit together, or its kind is none
            of `kinds`.
    """
    if folder is None:
        raise InvalidInput(f"A model is needed, such as a teacher: {NEEDED}.")
    folder = minilm_folder() if str(folder) == EMBEDDED and not folder.exists() else folder
    config = _config(folder)
    kind = KINDS[config["architectures"][0]]
    if kind not in kinds:
        wanted = " or ".join(name for name, given in KINDS.items() if given in kinds)
        raise InvalidInput(f"{folder} holds a {config['architectures'][0]}; what is needed here is a {wanted}.")
    _check_heads(folder, config, kind)
    _check_weights(folder, config)
    if kind == "vectors":
        _check_pooling(folder)
    plain: dict[str, Any] = {"add_pooling_layer": False} if config["architectures"][0] == "BertModel" else {}
    model = open_model(config["architectures"][0], folder, **plain)
    return BertFolder(folder, kind, model, _tokenizer(folder, config["vocab_size"]), licence_of(folder))


def _config(folder: Path) -> dict[str, Any]:
    said = read_config(folder, NEEDED)
    if said.get("model_type") != "bert":
        raise InvalidInput(f"{folder}: model_type is {str(said.get('model_type'))[:60]!r}. Only 'bert' is distilled.")
    named: Any = said.get("architectures") or ["BertModel"]
    if not isinstance(named, list) or str(named[0]) not in KINDS:
        raise InvalidInput(f"{folder}: architectures is {str(named)[:80]}. Those that are read: {', '.join(KINDS)}.")
    read_config(folder, NEEDED, _SIZES)
    if said["hidden_size"] % said["num_attention_heads"]:
        raise InvalidInput(
            f"{folder}: hidden_size (= {said['hidden_size']}) must be divisible by num_attention_heads "
            f"(= {said['num_attention_heads']})."
        )
    if said.get("position_embedding_type", "absolute") != "absolute" or said.get("is_decoder"):
        raise InvalidInput(f"{folder}: relative positions and decoders are not distilled, only BERT as published.")
    return {**said, "architectures": named}


def _check_heads(folder: Path, config: Mapping[str, Any], kind: str) -> None:
    labels = config.get("id2label")
    n = len(labels) if isinstance(labels, dict) else config.get("num_labels", 2)
    if kind == "classes" and (config.get("problem_type") not in (None, "single_label_classification") or n == 1):
        raise InvalidInput(
            f"{folder}: its head gives a number or several labels at once. A teacher's head must choose one class of "
            "two or more."
        )


def _check_weights(folder: Path, config: Mapping[str, Any]) -> None:
    """See that the sizes are those of the file, before anything of such a size is made."""
    shapes = {name.removeprefix("bert."): shape for name, shape in weight_shapes(folder, NEEDED).items()}
    width = config["hidden_size"]
    wanted = {
        "embeddings.word_embeddings.weight": [config["vocab_size"], width],
        "embeddings.position_embeddings.weight": [config["max_position_embeddings"], width],
        "embeddings.token_type_embeddings.weight": [config["type_vocab_size"], width],
        "encoder.layer.0.intermediate.dense.weight": [config["intermediate_size"], width],
    }
    check_shapes(folder, shapes, wanted)
    layers = {name.split(".")[2] for name in shapes if name.startswith("encoder.layer.")}
    if len(layers) != config["num_hidden_layers"]:
        raise InvalidInput(
            f"{folder}: {CONFIG} asks for {config['num_hidden_layers']} layers; {WEIGHTS} has {len(layers)}."
        )


def _check_pooling(folder: Path) -> None:
    """Where the folder says how it pools, that must be the mean."""
    if (folder / POOLING).is_file() and (found := pooling_of((folder / POOLING).parent)) != "mean":
        raise InvalidInput(f"{folder}: its vectors are pooled by {found!r}; only the mean is distilled.")


def _tokenizer(folder: Path, vocabulary: int) -> Any:
    tokenizer = read_tokenizer(folder, vocabulary, NEEDED, ("tokenizer.json", "vocab.txt"))
    if tokenizer.pad_token_id is None or tokenizer.mask_token_id is None:
        raise InvalidInput(f"{folder}: the tokenizer has no [PAD] or no [MASK], so it is no BERT's.")
    return tokenizer


def check_apart(out: Path, teacher: BertFolder, start: Path | None) -> None:
    """See that what is read is not written over.

    Raises:
        InvalidInput: `out` is a folder that is read.
    """
    for folder in (teacher.folder, start):
        if folder is not None and out.resolve() == folder.resolve():
            raise InvalidInput(f"--out is the folder {out}, which is read. Choose another folder for the student.")
