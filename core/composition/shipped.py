"""Benchmarks that come along: rendered scenes, drawn when they are opened, so that anyone can try, train and test without bringing a picture."""

from __future__ import annotations

from collections.abc import Mapping

from core.composition.records import Pictured
from core.composition.rendered import RenderedPlan, draw_items
from core.composition.rendered_benchmarks import pictured
from core.errors import InvalidInput

SHIPPED: Mapping[str, str] = {
    "rendered": "240 pairs of rendered scenes, half of them with pairs of attribute and shape that `draw_training` never shows",
}
SEED = 2026
"""Of the pairs that are tested. Training draws from other random numbers, whatever its seed."""


def open_shipped(name: str = "rendered", *, n: int = 240, seed: int = SEED) -> Pictured:
    """A benchmark that comes along, its tag "split" telling "seen" from "unseen" pairs.

    Args:
        n: items, half of them unseen.

    Raises:
        InvalidInput: there is none of that name, or n is odd or too small.
    """
    if name not in SHIPPED:
        raise InvalidInput(f"No benchmark called {name!r} comes along. There is: {', '.join(SHIPPED)}.")
    if n < 2 or n % 2:
        raise InvalidInput(f"n must be an even number of items, at least 2, half of them unseen: got {n}.")
    plan = RenderedPlan()
    items = [*draw_items(plan, n // 2, seed, "seen"), *draw_items(plan, n // 2, seed, "unseen")]
    return pictured(items, "rendered", title="Rendered pairs")


def draw_training(n: int = 2000, seed: int = 0, kinds: tuple[str, ...] = ()) -> Pictured:
    """n rendered items to learn from; none of their pictures or captions holds a held-out pair.

    Args:
        kinds: of `core.composition.rendered.KINDS`; empty takes all.
    """
    plan = RenderedPlan(kinds=kinds) if kinds else RenderedPlan()
    return pictured(draw_items(plan, n, seed, "train"), f"rendered-train-{seed}", title=f"Rendered pairs to learn from (seed {seed})")
