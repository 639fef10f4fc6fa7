"""A model in a folder, as `save_pretrained` writes it: read without a network, without pickle and without code of its
own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from core.documents import read_json
from core.encoders.quiet import quiet_transformers
from core.encoders.weights import check_size, check_weights
from core.errors import InvalidInput
from core.forms import Form, read_form
from core.received import check_model_folder

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
MAX_CONFIG_BYTES = 2**20
MAX_LAYERS = 200
"""Of a model: some configs list their layers, which of a billion takes all memory."""
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.ckpt", "tf_model.h5")
_LAYER = re.compile(r"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\.")
_HERE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
NO_OPTIONS: Mapping[str, Any] = {}
Layers = Annotated[int, Field(ge=1, le=MAX_LAYERS)]


class ModelConfig(Form):
    """What is checked of any config.json, by each name that transformers has for it."""

    num_hidden_layers: Layers | None = None
    num_layers: Layers | None = None
    num_decoder_layers: Layers | None = None
    encoder_layers: Layers | None = None
    n_layers: Layers | None = None
    n_layer: Layers | None = None


ConfigT = TypeVar("ConfigT", bound=ModelConfig)


def layer_of(parameter: str) -> int | None:
    """The layer that a parameter of that name belongs to, from 0; None for embeddings and head."""
    found = _LAYER.search(parameter)
    return int(found[1]) if found else None


class ModelFolder:
    """A folder with config.json, model.safetensors and a tokenizer; all of it is checked before a library opens it.

    Args:
        needed: what kind of folder is needed, for the messages.

    Raises:
        InvalidInput: config or weights are not there, are no plain files or damaged, or the weights are a pickle.
    """

    def __init__(self, path: Path, needed: str) -> None:
        self.path = path
        self.needed = needed
        self.weights = path / WEIGHTS
        if not (path / CONFIG).is_file():
            raise InvalidInput(f"{path} holds no {CONFIG}. What is needed is {needed}.")
        if not self.weights.is_file():
            if found := [name for name in _PICKLES if (path / name).is_file()]:
                raise InvalidInput(
                    f"{path} holds its weights in {found[0]}, which may run any program when it is opened, so only "
                    f"{WEIGHTS} is read. Write it with `model.save_pretrained(FOLDER)` of a recent transformers."
                )
            raise InvalidInput(f"{path} holds no {WEIGHTS}. What is needed is {needed}.")
        check_model_folder(path)
        check_weights(self.weights)

    def config(self, form: type[ConfigT]) -> ConfigT:
        """What config.json says.

        Raises:
            InvalidInput: it is no JSON, or a value is out of range.
        """
        said = read_json(self.path / CONFIG, most=MAX_CONFIG_BYTES)
        return read_form(form, said, f"{CONFIG} in {self.path}", f"What is needed is {self.needed}.")

    def tokenizer(self, vocabulary: int, files: Sequence[str]) -> Any:
        """The folder's tokenizer.

        Args:
            vocabulary: word pieces that the model knows.
            files: one of them must be there.

        Raises:
            InvalidInput: there is none, it cannot be read, or it knows more words than the model.
        """
        if not any((self.path / name).is_file() for name in files):
            raise InvalidInput(
                f"{self.path} holds no tokenizer ({' or '.join(files)}). What is needed is {self.needed}."
            )
        with quiet_transformers() as transformers:
            try:
                tokenizer = transformers.AutoTokenizer.from_pretrained(str(self.path), **_HERE)
                highest = max(tokenizer.get_vocab().values())
            except Exception as error:  # tokenizers raises its own kind, from Rust
                raise InvalidInput(
                    f"{self.path}: the tokenizer cannot be read ({str(error)[:120]}). Write it again."
                ) from error
        if highest >= vocabulary:
            raise InvalidInput(
                f"{self.path}: the tokenizer knows words up to number {highest:,}, the model only {vocabulary:,} of "
                "them (from 0). They are of two models: bring the model's own tokenizer."
            )
        return tokenizer

    def model(self, architecture: str, unused: str = "", options: Mapping[str, Any] = NO_OPTIONS) -> Any:
        """The model in evaluation mode, float32; no room is made for more numbers than the file holds.

        Args:
            architecture: a class of transformers.
            unused: part of the names of weights that may be missing, since they are not used.
            options: of the class.

        Raises:
            InvalidInput: the folder is no such model, lacks weights of it, or has more layers than the config says.
        """
        with quiet_transformers() as transformers:  # missing weights are refused below
            kind = getattr(transformers, architecture)
            try:
                config = transformers.AutoConfig.from_pretrained(str(self.path), **_HERE)
                make = getattr(kind, "from_config", kind)
                check_size(lambda: make(config), self.weights, f"{CONFIG} in {self.path}")
                model, found = kind.from_pretrained(
                    str(self.path), **_HERE, use_safetensors=True, output_loading_info=True, **options
                )
            except InvalidInput:
                raise
            except Exception as error:  # transformers raises whatever it meets
                raise InvalidInput(
                    f"{self.path} does not open as a {architecture} ({str(error)[:200]}). What is needed is "
                    f"{self.needed}."
                ) from error
        absent = [name for name in sorted(found["missing_keys"]) if not unused or unused not in name]
        absent += map(str, found["mismatched_keys"])
        if absent:
            raise InvalidInput(
                f"{self.path}: {WEIGHTS} lacks weights of a {architecture}, or has others of that name: "
                f"{', '.join(absent[:4])}. Copy {CONFIG} and {WEIGHTS} of one model."
            )
        if more := sorted(name for name in found["unexpected_keys"] if layer_of(name) is not None):
            raise InvalidInput(
                f"{self.path}: {WEIGHTS} has layers that {CONFIG} does not ask for: {', '.join(more[:4])}. "
                f"Copy {CONFIG} and {WEIGHTS} of one model."
            )
        return model.float().eval()
