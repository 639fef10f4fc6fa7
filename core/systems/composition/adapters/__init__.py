"""Adapters by name: small modules trained on a frozen encoder's tokens, so that it composes. The table names each leaf
as "module:Class"."""

from __future__ import annotations

from core.registry import Registry

ADAPTERS = Registry(
    "adapter",
    {
        "linear": "core.systems.composition.adapters.linear:Linear",
        "prompt-tuning": "core.systems.composition.adapters.prompt_tuning:PromptTuning",
        "late": "core.systems.composition.adapters.late:Late",
        "unimodal": "core.systems.composition.adapters.unimodal:Unimodal",
        "mm-pred": "core.systems.composition.adapters.mm:MMPred",
        "mm-adapter": "core.systems.composition.adapters.mm:MMAdapter",
        "local": "core.systems.composition.adapters.local:Local",
    },
)
adapter_class, make_adapter = ADAPTERS.load, ADAPTERS.make
