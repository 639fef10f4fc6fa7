"""A model in a folder, as `save_pretrained` writes it: read offline, without pickles and without code from the
folder."""

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
"""Layers of a model: some configs list them, and a list of a billion would take all memory."""
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.ckpt", "tf_model.h5")
_LAYER = re.compile(r"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\.")
_HERE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
NO_OPTIONS: Mapping[str, Any] = {}
Layers = Annotated[int, Field(ge=1, le=MAX_LAYERS)]


class ModelConfig(Form):
    """Fields checked in every config.json: transformers has six names for the number of layers."""

    num_hidden_layers: Layers | None = None
    num_layers: Layers | None = None
    num_decoder_layers: Layers | None = None
    encoder_layers: Layers | None = None
    n_layers: Layers | None = None
    n_layer: Layers | None = None


ConfigT = TypeVar("ConfigT", bound=ModelConfig)


def layer_of(parameter: str) -> int | None:
    """Layer of a parameter, from 0, by its name; None for embeddings and head."""
    match = _LAYER.search(parameter)
    return int(match[1]) if match else None


class ModelFolder:
    """A folder with config.json, model.safetensors and a tokenizer, checked before a library opens them.

    Args:
        needed: the kind of folder needed, for the messages.

    Raises:
        InvalidInput: config or weights are missing, damaged or not plain files, or the weights are a pickle.
    """

    def __init__(self, path: Path, needed: str) -> None:
        self.path = path
        self.needed = needed
        self.weights = path / WEIGHTS
        if not (path / CONFIG).is_file():
            raise InvalidInput(f"{path} holds no {CONFIG}. Use {needed}.")
        if not self.weights.is_file():
            unsafe = [name for name in _PICKLES if (path / name).is_file()]
            if unsafe:
                raise InvalidInput(
                    f"{path} holds its weights in {unsafe[0]}, which could run any program when opened. "
                    f"Save {WEIGHTS} with `model.save_pretrained(FOLDER)` of a recent transformers."
                )
            raise InvalidInput(f"{path} holds no {WEIGHTS}. Use {needed}.")
        check_model_folder(path)
        check_weights(self.weights)

    def config(self, form: type[ConfigT]) -> ConfigT:
        """Read config.json.

        Raises:
            InvalidInput: it is not JSON, or a value is out of range.
        """
        document = read_json(self.path / CONFIG, most=MAX_CONFIG_BYTES)
        return read_form(form, document, f"{CONFIG} in {self.path}", f"Use {self.needed}.")

    def tokenizer(self, vocabulary: int, files: Sequence[str]) -> Any:
        """Load the folder's tokenizer.

        Args:
            vocabulary: word pieces that the model knows.
            files: names of tokenizer files, of which the folder must have one.

        Raises:
            InvalidInput: it is missing or unreadable, or has more word pieces than the model.
        """
        if not any((self.path / name).is_file() for name in files):
            raise InvalidInput(f"{self.path} holds no tokenizer ({' or '.join(files)}). Use {self.needed}.")
        with quiet_transformers() as transformers:
            try:
                tokenizer = transformers.AutoTokenizer.from_pretrained(str(self.path), **_HERE)
                highest = max(tokenizer.get_vocab().values())
            except Exception as error:  # tokenizers raises its own kind, from Rust
                raise InvalidInput(
                    f"{self.path}: the tokenizer cannot be read ({str(error)[:120]}). Save it again."
                ) from error
        if highest >= vocabulary:
            raise InvalidInput(
                f"{self.path}: the tokenizer has word pieces up to number {highest:,}, the model only {vocabulary:,} "
                "(from 0). Use the model's own tokenizer."
            )
        return tokenizer

    def model(self, architecture: str, unused: str = "", options: Mapping[str, Any] = NO_OPTIONS) -> Any:
        """Load the model in evaluation mode, float32; memory is reserved only for numbers that the file holds.

        Args:
            architecture: a class of transformers.
            unused: part of the names of unused weights, which may be missing.
            options: keyword arguments of the class.

        Raises:
            InvalidInput: the folder holds another model, lacks weights, or has more layers than its config.
        """
        with quiet_transformers() as transformers:  # missing weights are refused below
            kind = getattr(transformers, architecture)
            try:
                config = transformers.AutoConfig.from_pretrained(str(self.path), **_HERE)
                make = getattr(kind, "from_config", kind)
                check_size(lambda: make(config), self.weights, f"{CONFIG} in {self.path}")
                model, loading = kind.from_pretrained(
                    str(self.path), **_HERE, use_safetensors=True, output_loading_info=True, **options
                )
            except InvalidInput:
                raise
            except Exception as error:  # transformers raises whatever it meets
                raise InvalidInput(
                    f"{self.path} does not open as a {architecture} ({str(error)[:200]}). Use {self.needed}."
                ) from error
        absent = [name for name in sorted(loading["missing_keys"]) if not unused or unused not in name]
        absent += map(str, loading["mismatched_keys"])
        if absent:
            raise InvalidInput(
                f"{self.path}: {WEIGHTS} lacks weights of a {architecture}, or their shapes differ: "
                f"{', '.join(absent[:4])}. Copy {CONFIG} and {WEIGHTS} of one model."
            )
        surplus = sorted(name for name in loading["unexpected_keys"] if layer_of(name) is not None)
        if surplus:
            raise InvalidInput(
                f"{self.path}: {WEIGHTS} has layers that {CONFIG} does not ask for: {', '.join(surplus[:4])}. "
                f"Copy {CONFIG} and {WEIGHTS} of one model."
            )
        return model.float().eval()
