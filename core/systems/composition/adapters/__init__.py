"""Adapters by name: small modules trained on a frozen encoder's tokens, so that it composes. The table names each leaf
as "module:Class".

Linear is the control that sees no token, the MM-Adapter is Cola's own, and local matching learns the most for its cost
(docs/evidence/composition.md).
"""

from __future__ import annotations

from core.registry import Registry

ADAPTERS = Registry(
    "adapter",
    {
        "linear": "core.systems.composition.adapters.linear:Linear",
        "mm-adapter": "core.systems.composition.adapters.mm:MMAdapter",
        "local": "core.systems.composition.adapters.local:Local",
    },
)
adapter_class = ADAPTERS.load
make_adapter = ADAPTERS.make
