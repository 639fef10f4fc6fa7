"""Load an open_clip model with its tokenizer and preprocessing from one source, or say in one sentence why not.

open_clip itself warns and goes on with random weights, another tokenizer or another normalization; here each of these
is an error.
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

open_clip: Any = import_module("open_clip")  # its type hints are wrong in places; taken as untyped

_CHECKS: dict[str, Any] = {".safetensors": check_weights, ".npz": open_arrays, ".npy": open_arrays}
"""How weights are looked at before open_clip reads them, by their ending; others, pickles, are read within bounds."""
_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A model in evaluation mode with what belongs to it."""

    model: Any
    preprocess: Any
    tokenizer: Any


def load(source: Source, quick_gelu: bool | None) -> Loaded:
    """The model of `source`.

    Args:
        quick_gelu: force QuickGELU (True) or plain GELU (False); None takes what the source says.

    Raises:
        InvalidInput: unknown name or tag, weights that do not fit, a tokenizer that does not fit.
        MissingDependency: the hub is needed and cannot be reached.
    """
    try:
        read = {"folder": _from_folder, "file": _from_file, "tag": _from_hub, "hub": _from_hub}[source.kind]
        loaded = read(source, quick_gelu)
    except DiagnosisError:
        raise
    except Exception as error:  # open_clip, torch, timm and transformers each have their own
        where = source.path if source.kind in ("folder", "file") else f"{source.architecture} {source.tag}".strip()
        raise InvalidInput(f"The open_clip model {where} cannot be loaded: {_first_line(error)}") from error
    loaded.model.eval()  # open_clip leaves it in training mode
    _check_tokenizer(loaded)
    return loaded


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "weights only" in lines[0].lower() if lines else True:
        return weights_fault(error)
    return " ".join(lines[:2])[:300]


def _from_folder(source: Source, quick_gelu: bool | None) -> Loaded:
    check_model_folder(source.path)
    config = read_config(source.path)
    text = local_text_config(config, source.path)
    options: dict[str, Any] = {} if text is None else {"text_cfg": text}
    if quick_gelu is not None:
        options["quick_gelu"] = quick_gelu
    return _built(f"local-dir:{source.path}", find_weights(source.path), options)


def _built(name: str, weights: Path, options: dict[str, Any]) -> Loaded:
    """The model of that name with weights that lie on this machine."""
    options = {"load_weights": False, "pretrained_text": False, **options}
    _CHECKS.get(weights.suffix, read_tensors)(weights)
    with hub_offline(True), _without_word_of_random_weights():
        make = open_clip.create_model_and_transforms
        check_size(lambda: make(name, device="meta", **options)[0], weights, f"The config of {name}")
        model, _, preprocess = open_clip.create_model_and_transforms(name, **options)
        try:
            _fill(model, weights)
        except RuntimeError as error:  # torch's, of names that do not fit
            if FIRST not in str(error) and SECOND not in str(error):
                raise
            with merged(weights) as whole:
                _fill(model, whole)
        return Loaded(model, preprocess, open_clip.get_tokenizer(name))


def _fill(model: Any, weights: Path) -> None:
    open_clip.factory.load_checkpoint(model, str(weights), strict=True, weights_only=True)


@contextmanager
def _without_word_of_random_weights() -> Generator[None]:
    """Hold back what open_clip logs of a network that is made before its weights are read: that it "is initialized
    randomly"."""
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
            f"{source.path.name} looks like weights trained with QuickGELU, but {source.architecture} has plain GELU "
            "and the file does not say. "
            f"Name the model {source.architecture}-quickgelu, or pass quick_gelu=True or quick_gelu=False."
        )
    options: dict[str, Any] = {} if quick_gelu is None else {"quick_gelu": quick_gelu}
    options.update({f"image_{key}": value for key, value in _preprocessing_beside(source).items()})
    return _built(source.architecture, source.path, options)


def _preprocessing_beside(source: Source) -> dict[str, Any]:
    """Normalization and resizing for a bare file: the config beside it, else what all published weights of the
    architecture agree on."""
    if (source.path.parent / CONFIG).is_file():
        given: dict[str, Any] = read_config(source.path.parent).get("preprocess_cfg") or {}
        return {key: given[key] for key in _PREPROCESSING if key in given}
    tags = open_clip.list_pretrained_tags_by_model(source.architecture)
    published = [open_clip.get_pretrained_cfg(source.architecture, tag) for tag in tags]
    agreed: dict[str, Any] = {}
    for key in _PREPROCESSING:
        values = {str(cfg.get(key)): cfg.get(key) for cfg in published}
        if len(values) > 1:
            raise InvalidInput(
                f"Published weights of {source.architecture} differ in their preprocessing ({key}: "
                f"{', '.join(values)}), and {source.path.name} "
                f'does not say which it needs. Put a {CONFIG} with "model_cfg" and "preprocess_cfg" beside it.'
            )
        if values and (value := next(iter(values.values()))):
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
            f"The weights of {source.architecture} {source.tag} are not on this machine and the model hub cannot be "
            "reached. Go online once, or copy the model's folder here and name it as 'open_clip:local-dir:/folder'; "
            "the encoder 'embedded' needs no download."
        ) from error
    return Loaded(model, preprocess, tokenizer)


def _tag_options(source: Source, quick_gelu: bool | None) -> dict[str, Any]:
    """QuickGELU as the tag's weights were trained, unless the caller says otherwise."""
    tags = open_clip.list_pretrained_tags_by_model(source.architecture)
    cfg = open_clip.get_pretrained_cfg(source.architecture, source.tag)
    if not cfg:
        raise InvalidInput(f"{source.architecture} has no weights called {source.tag!r}. There are: {', '.join(tags)}.")
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
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise InvalidInput(f"open_clip has no model called {name!r}.{hint}")
    return config


def _check_tokenizer(loaded: Loaded) -> None:
    """A tokenizer of another vocabulary gives vectors without meaning, or an index error later."""
    text = getattr(loaded.model, "text", loaded.model)
    tower_size = getattr(text, "vocab_size", None)
    inner: Any = getattr(loaded.tokenizer, "tokenizer", None)
    tokens = len(inner) if hasattr(inner, "__len__") else getattr(loaded.tokenizer, "vocab_size", None)
    if tower_size is not None and tokens is not None and tokens > tower_size:
        raise InvalidInput(
            f"The tokenizer has {tokens:,} tokens and the text tower {tower_size:,}: they do not belong together. "
            f"Put the model's own tokenizer files beside its weights and name them in {CONFIG}."
        )
