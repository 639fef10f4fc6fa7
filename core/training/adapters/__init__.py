"""Adapters by name: small modules trained on a frozen encoder's tokens, so that it composes. The table names each leaf
as "module:Class"."""

from __future__ import annotations

from core.registry import Registry

ADAPTERS = Registry(
    "adapter",
    {
        "linear": "core.training.adapters.linear:Linear",
        "prompt-tuning": "core.training.adapters.prompt_tuning:PromptTuning",
        "late": "core.training.adapters.late:Late",
        "unimodal": "core.training.adapters.unimodal:Unimodal",
        "mm-pred": "core.training.adapters.mm:MMPred",
        "mm-adapter": "core.training.adapters.mm:MMAdapter",
        "local": "core.training.adapters.local:Local",
    },
)
adapter_class, make_adapter = ADAPTERS.load, ADAPTERS.make
