"""The form of a training in Composition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from webapp.state.events import as_int

RENDERED = "rendered"
PART = "part"
MIN_ITEMS = 100
MAX_ITEMS = 2000
MAX_EPOCHS = 30
STARTS = {"local": "Local: each word looks for its patch", "mm-adapter": "MM-Adapter: Cola’s joint module"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The values of the form."""

    adapter: str
    source: str
    n: int
    epochs: int
    seed: int
    encoder: str
    kind: str = ""
    """Kind of rendered items; "" takes every kind."""


def adapters() -> list[tuple[str, str]]:
    """(title, name) of the adapters, first those that learn most for their cost."""
    from core.systems.composition.adapters import ADAPTERS

    starts = [(title, name) for name, title in STARTS.items() if name in ADAPTERS]
    rest = [(name.capitalize(), name) for name in ADAPTERS if name not in STARTS]
    return [*starts, *rest]


def kinds() -> list[tuple[str, str]]:
    """(title, name) of the kinds of rendered items, and of all kinds together."""
    from core.systems.composition.scenes.items import KINDS

    single = [(f"{name.capitalize()}: {what}", name) for name, what in KINDS.items()]
    return [*single, ("Every kind: needs more items and epochs", "")]


def read_plan(adapter: Any, source: Any, kind: Any, n: Any, epochs: Any, seed: Any = 0, encoder: str = "") -> Plan:
    """The plan of a form.

    Raises:
        InvalidInput: a number is out of range, or the adapter is unknown.
    """
    known = {name for _, name in kinds()}
    if adapter not in {name for _, name in adapters()} or source not in (RENDERED, PART) or (kind or "") not in known:
        raise InvalidInput("Choose an adapter and its training items.")
    plan = Plan(str(adapter), str(source), as_int(n), as_int(epochs), as_int(seed), encoder, str(kind or ""))
    for name, value, low, high in (
        ("Items", plan.n, MIN_ITEMS, MAX_ITEMS),
        ("Epochs", plan.epochs, 1, MAX_EPOCHS),
        ("Seed", plan.seed, 0, 2**31 - 1),
    ):
        if not low <= value <= high:
            raise InvalidInput(f"{name} must be {low:,} to {high:,}: got {value:,}. Change it.")
    return plan


def form() -> list[Any]:
    """Fields for the adapter, the source, kind and number of its training items, the epochs and the seed."""
    sources = [("New rendered scenes", RENDERED), ("Part of the open benchmark", PART)]
    return [
        gr.Dropdown(adapters(), value="local", label="Adapter", elem_id="teach-adapter"),
        gr.Radio(sources, value=RENDERED, label="Training items", elem_id="teach-source"),
        gr.Dropdown(kinds(), value="colour", label="Kind of rendered items", elem_id="teach-kind"),
        gr.Slider(MIN_ITEMS, MAX_ITEMS, 1000, step=100, label="Number of rendered items", elem_id="teach-n"),
        gr.Slider(1, MAX_EPOCHS, 12, step=1, label="Maximum epochs", elem_id="teach-epochs"),
        gr.Number(0, precision=0, minimum=0, label="Seed", elem_id="teach-seed"),
    ]
