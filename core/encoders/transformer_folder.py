"""The parts of a transformer in a folder, as `save_pretrained` writes it: read without a network, without pickle and
without code of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.documents import read_json
from core.encoders.quiet import quiet_transformers
from core.encoders.weights import check_size, tensor_shapes
from core.errors import InvalidInput
from core.received import check_model_folder

CONFIG, WEIGHTS = "config.json", "model.safetensors"
MAX_LAYERS = 200
"""Of a model: one that says more is not made, which alone would take minutes."""
_LAYERS = ("num_hidden_layers", "num_layers", "num_decoder_layers", "encoder_layers", "n_layers", "n_layer")
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.ckpt", "tf_model.h5")


def read_config(folder: Path, needed: str, sizes: Sequence[str] = ()) -> dict[str, Any]:
    """What config.json says.

    Args:
        needed: what kind of folder is needed, for the message.
        sizes: names that must hold whole numbers from 1.

    Raises:
        InvalidInput: there is none, or a size is none, or there would be too many layers.
    """
    if not (folder / CONFIG).is_file():
        raise InvalidInput(f"{folder} holds no {CONFIG}. What is needed is {needed}.")
    check_model_folder(folder)
    found = read_json(folder / CONFIG, most=2**20)
    said: dict[str, Any] = found if isinstance(found, dict) else {}
    for name in sizes:
        value = said.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InvalidInput(f"{folder}: {name} must be a whole number from 1: got {str(value)[:60]!r}.")
    for name in _LAYERS:
        if isinstance(said.get(name), int) and said[name] > MAX_LAYERS:
            raise InvalidInput(
                f"{folder}: {name} must be at most {MAX_LAYERS}: got {str(said[name])[:20]}. Copy the model again."
            )
    return said


def weight_shapes(folder: Path, needed: str) -> dict[str, list[int]]:
    """The shape of each array in model.safetensors, by name; none is read.

    Raises:
        InvalidInput: it is not there, is a pickle, or is damaged.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        if found := [name for name in PICKLES if (folder / name).is_file()]:
            raise InvalidInput(
                f"{folder} holds its weights in {found[0]}, which may run any program when it is opened, so only "
                f"{WEIGHTS} is read. Write it with `model.save_pretrained(FOLDER)` of a recent transformers."
            )
        raise InvalidInput(f"{folder} holds no {WEIGHTS}. What is needed is {needed}.")
    check_model_folder(folder)
    return tensor_shapes(path)


def check_shapes(folder: Path, shapes: Mapping[str, Sequence[int]], wanted: Mapping[str, Sequence[int]]) -> None:
    """See that the sizes of the config are those of the file, before anything of such a size is made.

    Raises:
        InvalidInput: one is not.
    """
    for name, shape in wanted.items():
        if shapes.get(name) != shape:
            raise InvalidInput(f"{folder}: {CONFIG} asks for {name} of {shape}; {WEIGHTS} has {shapes.get(name)}.")


def read_tokenizer(folder: Path, vocabulary: int, needed: str, files: Sequence[str] = ("tokenizer.json",)) -> Any:
    """The folder's tokenizer.

    Args:
        vocabulary: word pieces that the model knows.
        files: one of them must be there.

    Raises:
        InvalidInput: there is none, it cannot be read, or it knows more words than the model.
    """
    if not any((folder / name).is_file() for name in files):
        raise InvalidInput(f"{folder} holds no tokenizer ({' or '.join(files)}). What is needed is {needed}.")
    with quiet_transformers() as transformers:
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
            highest = max(tokenizer.get_vocab().values())
        except Exception as error:  # tokenizers raises its own kind, from Rust
            raise InvalidInput(
                f"{folder}: the tokenizer cannot be read ({str(error)[:120]}). Write it again."
            ) from error
    if highest >= vocabulary:
        raise InvalidInput(
            f"{folder}: the tokenizer knows words up to number {highest:,}, the model only {vocabulary:,} of them "
            "(from 0). They are of two models: bring the model's own tokenizer."
        )
    return tokenizer


def open_model(architecture: str, folder: Path, unused: str = "", **how: Any) -> Any:
    """The model in evaluation mode, float32.

    Args:
        architecture: a class of transformers.
        unused: part of the names of weights that may be missing, since they are not used.

    Raises:
        InvalidInput: the folder is no such model, or not all of its weights are there.
    """
    with quiet_transformers() as transformers:  # missing weights are refused below
        kind = getattr(transformers, architecture)
        here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            config = transformers.AutoConfig.from_pretrained(str(folder), **here)
            make = getattr(kind, "from_config", kind)
            check_size(lambda: make(config), folder / WEIGHTS, f"{CONFIG} in {folder}")
            model, found = kind.from_pretrained(
                str(folder), **here, use_safetensors=True, output_loading_info=True, **how
            )
        except InvalidInput:
            raise
        except Exception as error:  # transformers raises whatever it meets
            raise InvalidInput(f"{folder} does not open as a {architecture} ({str(error)[:200]}).") from error
    absent = [name for name in sorted(found["missing_keys"]) if not unused or unused not in name]
    absent += map(str, found["mismatched_keys"])
    if absent:
        raise InvalidInput(
            f"{folder}: {WEIGHTS} lacks weights of a {architecture}, or has others of that name: "
            f"{', '.join(absent[:4])}."
        )
    return model.float().eval()
