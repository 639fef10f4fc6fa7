"""Load an open_clip model with its tokenizer and preprocessing from one source.

open_clip only warns of random weights, another tokenizer or another normalization; here each of these is an error.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from core.arrays import open_arrays
from core.encoders.open_clip.low_rank import FIRST, SECOND, merged
from core.encoders.open_clip.source import (
    CONFIG,
    Source,
    find_weights,
    hub_offline,
    hub_reachable,
    local_text_config,
    needs_quick_gelu_answer,
    read_config,
)
from core.encoders.weights import check_size, check_weights, read_tensors, weights_fault
from core.errors import DiagnosisError, InvalidInput, MissingDependency
from core.received import check_model_folder

open_clip: Any = import_module("open_clip")  # untyped: some of its type hints are wrong

_CHECKS: dict[str, Any] = {".safetensors": check_weights, ".npz": open_arrays, ".npy": open_arrays}
"""Checks of weights before open_clip reads them, by ending; others, pickles, are read within bounds."""
_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A model in evaluation mode, its preprocessing and its tokenizer."""

    model: Any
    preprocess: Any
    tokenizer: Any


def load(source: Source, quick_gelu: bool | None) -> Loaded:
    """Load the model of `source`.

    Args:
        quick_gelu: force QuickGELU (True) or plain GELU (False); None follows the source.

    Raises:
        InvalidInput: the name or tag is unknown, or weights or tokenizer do not fit.
        MissingDependency: the model must be downloaded and the hub cannot be reached.
    """
    try:
        read = {"folder": _from_folder, "file": _from_file, "tag": _from_hub, "hub": _from_hub}[source.kind]
        loaded = read(source, quick_gelu)
    except DiagnosisError:
        raise
    except Exception as error:  # open_clip, torch, timm and transformers each have their own
        where = f"{source.architecture} {source.tag}".strip()
        if source.kind in ("folder", "file"):
            where = source.path
        raise InvalidInput(f"The open_clip model {where} cannot be loaded: {_first_line(error)}") from error
    loaded.model.eval()  # open_clip leaves it in training mode
    # with a tokenizer of another vocabulary vectors would mean nothing, or an index error would follow
    text = getattr(loaded.model, "text", loaded.model)
    tower_size = getattr(text, "vocab_size", None)
    inner: Any = getattr(loaded.tokenizer, "tokenizer", None)
    tokens = len(inner) if hasattr(inner, "__len__") else getattr(loaded.tokenizer, "vocab_size", None)
    if tower_size is not None and tokens is not None and tokens > tower_size:
        raise InvalidInput(
            f"The tokenizer has {tokens:,} tokens, the text tower only {tower_size:,}. "
            f"Put the model's own tokenizer files beside its weights and name them in {CONFIG}."
        )
    return loaded


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines or "weights only" in lines[0].lower():
        return weights_fault(error)
    return " ".join(lines[:2])[:300]


def _from_folder(source: Source, quick_gelu: bool | None) -> Loaded:
    check_model_folder(source.path)
    config = read_config(source.path)
    text = local_text_config(config, source.path)
    options: dict[str, Any] = {}
    if text is not None:
        options["text_cfg"] = text
    if quick_gelu is not None:
        options["quick_gelu"] = quick_gelu
    return _build(f"local-dir:{source.path}", find_weights(source.path), options)


def _build(name: str, weights: Path, options: dict[str, Any]) -> Loaded:
    """Build the model of that name with weights from this machine."""
    options = {"load_weights": False, "pretrained_text": False, **options}
    _CHECKS.get(weights.suffix, read_tensors)(weights)
    with hub_offline(True), _no_random_weights_warning():
        make = open_clip.create_model_and_transforms
        check_size(lambda: make(name, device="meta", **options)[0], weights, f"The config of {name}")
        model, _, preprocess = open_clip.create_model_and_transforms(name, **options)
        try:
            _fill(model, weights)
        except RuntimeError as error:  # torch's, where names differ
            if FIRST not in str(error) and SECOND not in str(error):
                raise
            with merged(weights) as whole:
                _fill(model, whole)
        return Loaded(model, preprocess, open_clip.get_tokenizer(name))


def _fill(model: Any, weights: Path) -> None:
    open_clip.factory.load_checkpoint(model, str(weights), strict=True, weights_only=True)


@contextmanager
def _no_random_weights_warning() -> Generator[None]:
    """Hide open_clip's warning that a network "is initialized randomly": its weights are read afterwards."""
    root = logging.getLogger()

    def is_other(record: logging.LogRecord) -> bool:
        return "initialized randomly" not in str(record.msg)

    root.addFilter(is_other)
    try:
        yield
    finally:
        root.removeFilter(is_other)


def _from_file(source: Source, quick_gelu: bool | None) -> Loaded:
    known = _known_architecture(source.architecture)
    if quick_gelu is None and not known.get("quick_gelu") and needs_quick_gelu_answer(source.path):
        raise InvalidInput(
            f"{source.path.name} looks like weights trained with QuickGELU, but {source.architecture} has plain GELU. "
            f"Name the model {source.architecture}-quickgelu, or pass quick_gelu=True or quick_gelu=False."
        )
    options: dict[str, Any] = {}
    if quick_gelu is not None:
        options["quick_gelu"] = quick_gelu
    options.update({f"image_{key}": value for key, value in _preprocessing_beside(source).items()})
    return _build(source.architecture, source.path, options)


def _preprocessing_beside(source: Source) -> dict[str, Any]:
    """Normalization and resizing for a bare file: from the config beside it, else the settings that all published
    weights of the architecture share."""
    if (source.path.parent / CONFIG).is_file():
        settings: dict[str, Any] = read_config(source.path.parent).get("preprocess_cfg") or {}
        return {key: settings[key] for key in _PREPROCESSING if key in settings}
    tags = open_clip.list_pretrained_tags_by_model(source.architecture)
    published = [open_clip.get_pretrained_cfg(source.architecture, tag) for tag in tags]
    agreed: dict[str, Any] = {}
    for key in _PREPROCESSING:
        values = {str(cfg.get(key)): cfg.get(key) for cfg in published}
        if len(values) > 1:
            raise InvalidInput(
                f"Published weights of {source.architecture} differ in their preprocessing ({key}: "
                f"{', '.join(values)}), and {source.path.name} names none. "
                f'Put a {CONFIG} with "model_cfg" and "preprocess_cfg" beside it.'
            )
        value = next(iter(values.values()), None)
        if value:
            agreed[key] = value
    return agreed


def _from_hub(source: Source, quick_gelu: bool | None) -> Loaded:
    options: dict[str, Any] = {}
    if source.kind == "tag":
        _known_architecture(source.architecture)
        options = _tag_options(source, quick_gelu)
    elif quick_gelu is not None:
        options["force_quick_gelu"] = quick_gelu
    reachable = hub_reachable()
    try:
        with hub_offline(not reachable):
            name = source.architecture
            model, preprocess = open_clip.create_model_from_pretrained(name, source.tag or None, **options)
            tokenizer = open_clip.get_tokenizer(name)
    except Exception as error:
        if reachable and not isinstance(error, OSError):
            raise
        raise MissingDependency(
            f"The weights of {source.architecture} {source.tag} are not on this machine, and the model hub cannot be "
            "reached. Go online once, or copy the model's folder here and use 'open_clip:local-dir:/folder'. "
            "The encoder 'embedded' needs no download."
        ) from error
    return Loaded(model, preprocess, tokenizer)


def _tag_options(source: Source, quick_gelu: bool | None) -> dict[str, Any]:
    """QuickGELU as the tag's weights were trained, unless the caller sets it."""
    tags = open_clip.list_pretrained_tags_by_model(source.architecture)
    cfg = open_clip.get_pretrained_cfg(source.architecture, source.tag)
    if not cfg:
        raise InvalidInput(f"{source.architecture} has no weights called {source.tag!r}. Use one of {', '.join(tags)}.")
    built_quick = bool(_known_architecture(source.architecture).get("quick_gelu"))
    wanted = bool(cfg.get("quick_gelu")) if quick_gelu is None else quick_gelu
    if built_quick and not wanted:
        plain = source.architecture.removesuffix("-quickgelu")
        raise InvalidInput(
            f"{source.tag} was trained with plain GELU, but {source.architecture} has QuickGELU. "
            f"Use '{plain}/{source.tag}'."
        )
    return {"force_quick_gelu": True} if wanted and not built_quick else {}


def _known_architecture(name: str) -> dict[str, Any]:
    config = open_clip.get_model_config(name)
    if config is None:
        names: list[str] = open_clip.list_models()
        close = difflib.get_close_matches(name, names, 3, 0.4)
        hint = " Check the name."
        if close:
            hint = f" Did you mean {' or '.join(close)}?"
        raise InvalidInput(f"open_clip has no model called {name!r}.{hint}")
    return config
