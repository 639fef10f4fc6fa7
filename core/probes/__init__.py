"""Probes by name: classifiers that never saw the user's training set. The table names each leaf as "module:Class",
loaded on request."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from core.errors import InvalidInput

PROBES = {
    "zero-shot": "core.probes.zero_shot.probe:ZeroShot",
    "sus-x": "core.probes.few_shot.sus_x:SusX",
    "transclip": "core.probes.few_shot.transclip:TransClip",
    "lp++": "core.probes.few_shot.lp_plus_plus:LinearProbePlusPlus",
    "tip-adapter": "core.probes.few_shot.tip_adapter:TipAdapter",
    "linear-probe": "core.probes.few_shot.linear_probe:LinearProbe",
    "coop": "core.probes.prompt_learning.coop:CoOp",
    "cocoop": "core.probes.prompt_learning.cocoop:CoCoOp",
}


def probe_class(name: str) -> Any:
    """The class of that name.

    Raises:
        InvalidInput: there is none.
    """
    if name not in PROBES:
        raise InvalidInput(f"There is no probe {name!r}. Use one of {', '.join(PROBES)}.")
    module, _, attribute = PROBES[name].partition(":")
    return getattr(import_module(module), attribute)


def make_probe(name: str, settings: Mapping[str, Any] | None = None) -> Any:
    """The probe of that name with these settings, the others at their defaults.

    Raises:
        InvalidInput: there is no such probe or setting, or a value is out of range.
    """
    from core.options import read_settings

    kind = probe_class(name)
    return kind(**read_settings(kind, settings or {}))
