"""Models that a visitor may choose: listed ones, the operator's folders, the visitor's adapters, and on a local page
any model of open_clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from webapp.state.choices import ENCODERS, data_sets

if TYPE_CHECKING:
    from webapp.systems.composition.visit import TrainedAdapter

ADAPTER = "adapter:"
RERANKED = "reranked:"
ON_SERVER = "server model:"
CONFIG = "open_clip_config.json"
"""File that marks a model's folder."""
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """The operator's settings for models."""

    folder: Path | None = None
    """The operator's folder of data sets and models; visitors choose among its subfolders by name."""
    is_local: bool = False
    """Whether only this machine can open the page; its user may download any open_clip model by name."""


def encoder_choices(access: ModelAccess) -> list[tuple[str, str]]:
    """(title, key) of the encoders to choose from."""
    folders = [(f"On this server: {name}", f"{ON_SERVER}{name}") for name in _folders(access)]
    return [*ENCODERS, *folders]


def adapter_choices(access: ModelAccess, adapters: Sequence[TrainedAdapter]) -> list[tuple[str, str]]:
    """(title, key) of the visitor's adapters and of the encoders."""
    trained = [(f"Trained: {adapter.name}", f"{ADAPTER}{adapter.name}") for adapter in adapters]
    return [*trained, *encoder_choices(access)]


def second_choices(access: ModelAccess, adapters: Sequence[TrainedAdapter]) -> list[tuple[str, str]]:
    """(title, key) of the choices for the second model: nothing, the visitor's adapters, the same as re-rankers, and
    the encoders."""
    choices = adapter_choices(access, adapters)
    reranked = [(f"Re-ranked by: {adapter.name}", f"{RERANKED}{adapter.name}") for adapter in adapters]
    return [("Nothing", NOTHING), *choices[: len(adapters)], *reranked, *choices[len(adapters) :]]


def checked_encoder(key: object, access: ModelAccess) -> str:
    """The encoder's name for `core.encoders.load_encoder`; a path or address from a visitor never passes.

    Raises:
        InvalidInput: the encoder is not available here.
    """
    name = str(key or "").strip()
    if name in {listed for _, listed in ENCODERS}:
        return name
    folder = None
    if name.startswith(ON_SERVER):
        folder = _folders(access).get(name.removeprefix(ON_SERVER))
    if folder is not None:
        return f"open_clip:local-dir:{folder}"
    if access.is_local and name.removeprefix("open_clip:").replace(":", "/") in _registered():
        return name.removeprefix("open_clip:").replace(":", "/")
    more = ""
    if access.is_local:
        more = " or one of open_clip's own, such as ViT-B-16/openai (for a folder, use one below --root)"
    listed = ", ".join(title for title, _ in encoder_choices(access))
    raise InvalidInput(f"The encoder {name[:60]!r} is not available here. Choose one of the list ({listed}){more}.")


def _folders(access: ModelAccess) -> dict[str, Path]:
    folders = dict[str, Path]()
    for name, path in data_sets(access.folder).items():
        if path.is_dir() and (path / CONFIG).is_file():
            folders[name] = path
    return folders


def _registered() -> set[str]:
    """ "ARCHITECTURE/TAG" of every model in open_clip's list; empty without open_clip."""
    try:
        from open_clip import list_pretrained
    except ImportError:
        return set()
    return {f"{model}/{tag}" for model, tag in list_pretrained()}
