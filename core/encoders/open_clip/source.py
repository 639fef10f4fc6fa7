"""Sources of open_clip models: names parsed, folders and files checked before heavy imports."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.documents import read_json
from core.errors import InvalidInput

CONFIG = "open_clip_config.json"
_PREFERRED = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "model.safetensors",
    "pytorch_model.bin",
)
HINTS = r"openai|quickgelu|quick_gelu|dfn|metaclip|(?<!dcxl_)fsc-clip"
"""Hints of QuickGELU in a checkpoint's name. FSC-CLIP fine-tunes OpenAI's weights, except in its dcxl files."""
_ENDINGS = (".safetensors", ".bin", ".pth", ".pt")


@dataclass(frozen=True, slots=True)
class Source:
    """One of four ways to name a model; fields of the others are empty."""

    kind: str
    """"tag", "hub", "folder" or "file"."""
    architecture: str = ""
    tag: str = ""
    path: Path = Path()
    """The folder, or the checkpoint file."""


def parse_source(name: str) -> Source:
    """Parse "ViT-B-32/TAG", "hf-hub:ORG/NAME", "local-dir:/folder" or "ViT-B-32@/file".

    Raises:
        InvalidInput: the form is unknown, or the folder or file is missing.
    """
    if name.startswith("hf-hub:"):
        return Source("hub", architecture=name)
    if name.startswith("local-dir:"):
        folder = Path(os.path.realpath(Path(name.removeprefix("local-dir:")).expanduser()))
        if not folder.is_dir():
            raise InvalidInput(f"Folder {folder} not found. Use the folder with {CONFIG} and the weights.")
        return Source("folder", path=folder)
    if "@" in name:
        architecture, _, file = name.partition("@")
        path = Path(os.path.realpath(Path(file).expanduser()))
        if not path.is_file():
            raise InvalidInput(f"Checkpoint file {path} not found. For a folder use 'open_clip:local-dir:{path}'.")
        return Source("file", architecture, path=path)
    architecture, _, tag = name.partition("/")
    if not architecture or Path(name).expanduser().exists():
        raise InvalidInput(
            f"{name!r} is a path without a trained adapter. Name a model's folder as 'open_clip:local-dir:{name}', "
            f"a text model's as 'sentences:{name}', and a file of weights as 'open_clip:ViT-B-32@{name}'."
        )
    if not tag:
        raise InvalidInput(f"{name!r} names no weights. Add a tag, as in 'ViT-B-32/laion2b_s34b_b79k'.")
    return Source("tag", architecture, tag)


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's open_clip_config.json.

    Raises:
        InvalidInput: it is missing, is not JSON, or has no "model_cfg".
    """
    path = folder / CONFIG
    if not path.is_file():
        raise InvalidInput(f"{folder} has no {CONFIG}, which describes the model. Copy the model's whole folder.")
    config = read_json(path, instead="Copy it again.")
    if not isinstance(config, dict) or not isinstance(config.get("model_cfg"), dict):  # pyright: ignore[reportUnknownMemberType]
        raise InvalidInput(
            f'{path} has no "model_cfg". Use the form {{"model_cfg": {{...}}, "preprocess_cfg": {{...}}}}.'
        )
    return config  # pyright: ignore[reportUnknownVariableType]


def find_weights(folder: Path) -> Path:
    """The checkpoint in a model's folder; unlike open_clip it also looks for `.pt`.

    Raises:
        InvalidInput: a checkpoint is missing, or several have unusual names.
    """
    for name in _PREFERRED:
        if (folder / name).is_file():
            return folder / name
    checkpoints = sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS)
    if len(checkpoints) == 1:
        return checkpoints[0]
    if not checkpoints:
        raise InvalidInput(
            f"{folder} has a config but no weights. Add {', '.join(_PREFERRED)}, or one .pt, .pth, .bin or "
            ".safetensors file."
        )
    names = ", ".join(path.name for path in checkpoints)
    raise InvalidInput(
        f"{folder} has several checkpoints ({names}). Rename the one to use to {_PREFERRED[0]} or {_PREFERRED[2]}."
    )


def local_text_config(config: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """Config of a Hugging Face text tower with its name replaced by the folder, to load it offline; None for another
    kind of tower.

    Raises:
        InvalidInput: the tower's own config or the tokenizer's name is missing.
    """
    text: dict[str, Any] = dict(config["model_cfg"].get("text_cfg") or {})
    if not text.get("hf_model_name"):
        return None
    homes = (folder / "hf_text", folder, Path(text["hf_model_name"]).expanduser())
    home = next((home for home in homes if home.is_absolute() and (home / "config.json").is_file()), None)
    if home is None:
        raise InvalidInput(
            f"The text tower {text['hf_model_name']!r} lies on the model hub. "
            f"Put its config.json into {folder} to load it offline."
        )
    if not text.get("hf_tokenizer_name"):
        raise InvalidInput(
            f'The text tower in {folder} names no tokenizer. Set "hf_tokenizer_name" in {CONFIG} and put '
            "tokenizer.json there."
        )
    return {**text, "hf_model_name": str(home), "hf_model_pretrained": False}


def needs_quick_gelu_answer(path: Path) -> bool:
    """Whether a checkpoint's name suggests weights trained with QuickGELU; the file itself does not record it."""
    return re.search(HINTS, path.stem, re.IGNORECASE) is not None


def hub_reachable(timeout: float = 4.0) -> bool:
    """Whether the model hub answers: False if HF_HUB_OFFLINE is set, True behind a proxy, else after a trial
    connection."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True
    address = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    default_port = 80 if address.scheme == "http" else 443
    try:
        with socket.create_connection((address.hostname, address.port or default_port), timeout):
            return True
    except OSError:
        return False


@contextmanager
def hub_offline(offline: bool) -> Generator[None]:
    """Restrict the hub's client to cached files inside the block, to avoid its time-outs."""
    import huggingface_hub.constants as constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = offline or before  # pyright: ignore[reportConstantRedefinition]
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before  # pyright: ignore[reportConstantRedefinition]
