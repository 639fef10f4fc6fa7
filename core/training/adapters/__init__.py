"""Adapters by name: small modules trained on a frozen encoder's tokens, so that it composes. The table names each leaf
as "module:Class"."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from core.errors import InvalidInput

ADAPTERS = {
    "linear": "core.training.adapters.linear:Linear",
    "prompt-tuning": "core.training.adapters.prompt_tuning:PromptTuning",
    "late": "core.training.adapters.late:Late",
    "unimodal": "core.training.adapters.unimodal:Unimodal",
    "mm-pred": "core.training.adapters.mm:MMPred",
    "mm-adapter": "core.training.adapters.mm:MMAdapter",
    "local": "core.training.adapters.local:Local",
}


def adapter_class(name: str) -> Any:
    """The class of that name.

    Raises:
        InvalidInput: there is none.
    """
    if name not in ADAPTERS:
        raise InvalidInput(f"There is no adapter {name!r}. Use one of {', '.join(ADAPTERS)}.")
    module, _, attribute = ADAPTERS[name].partition(":")
    return getattr(import_module(module), attribute)


def make_adapter(name: str, settings: Mapping[str, Any] | None = None) -> Any:
    """The adapter of that name with these settings, the others at their defaults.

    Raises:
        InvalidInput: there is no such adapter or setting, or a value is out of range.
    """
    from core.options import read_settings

    kind = adapter_class(name)
    return kind(**read_settings(kind, settings or {}))
