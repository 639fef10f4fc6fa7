"""Benchmarks that come along: rendered scenes, drawn when they are opened, so that anyone can try, train and test
without bringing a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.errors import InvalidInput
from core.files import ASSETS
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scenes.benchmarks import pictured
from core.systems.composition.scenes.cutouts import draw_cutout_items, pictured_cutouts, read_stock
from core.systems.composition.scenes.items import RenderedPlan, draw_items
from core.systems.composition.scenes.retrieval import draw_retrieval, pictured_retrieval

SHIPPED: Mapping[str, str] = {
    "rendered": "240 pairs of rendered scenes; half of them name pairs of attribute and shape that the "
    "training scenes never show",
    "rendered-single": "40 queries such as 'large striped red cube' over 160 rendered scenes, "
    "ranked among those that share a word",
    "cutouts": "160 pairs of objects cut out of pictures and set on photographs: sizes, places, counts and nouns",
}
CUTOUTS = ASSETS / "composition" / "cutouts"
_SIZES = {"rendered": 240, "rendered-single": 40, "cutouts": 160}
MAX_DRAWN_ITEMS = 20_000
"""Items of one benchmark that are drawn at most."""
SEED = 2026
"""Of the pairs that are tested. Training draws from other random numbers, whatever its seed."""


def open_shipped(name: str = "rendered", *, n: int | None = None, seed: int = SEED) -> LoadedBenchmark:
    """A benchmark that comes along. Its tag "split" tells "seen" from "unseen" pairs; the cut-outs have none, since
    nothing trains on them.

    Args:
        n: items (queries of "rendered-single"); None takes as many as `SHIPPED` says. Of "rendered" half are unseen.

    Raises:
        InvalidInput: there is none of that name, or n is odd or too small.
    """
    if name not in SHIPPED:
        raise InvalidInput(f"No benchmark called {name!r} comes along. There are: {', '.join(SHIPPED)}.")
    n = _SIZES[name] if n is None else n
    if not 2 <= n <= MAX_DRAWN_ITEMS or n % 2:
        raise InvalidInput(
            f"n must be an even number of items, 2 to {MAX_DRAWN_ITEMS:,}: got {n:,}. "
            f"Leave it out for {_SIZES[name]:,}."
        )
    if name == "cutouts":
        stock = read_stock(CUTOUTS)
        found = pictured_cutouts(draw_cutout_items(stock, n, seed), stock, "cutouts")
        return replace(found, benchmark=replace(found.benchmark, title="Cut-outs on photographs"))
    plan = RenderedPlan()
    if name == "rendered-single":
        return pictured_retrieval(draw_retrieval(plan, 4 * n, n, seed, "unseen"), "rendered-single")
    items = [*draw_items(plan, n // 2, seed, "seen"), *draw_items(plan, n // 2, seed, "unseen")]
    return pictured(items, "rendered", title="Rendered pairs")


def draw_training(n: int = 2000, seed: int = 0, kinds: tuple[str, ...] = ()) -> LoadedBenchmark:
    """n rendered items to learn from; none of their pictures or captions holds a held-out pair.

    Args:
        kinds: of `core.systems.composition.scenes.items.KINDS`; empty takes all.
    """
    plan = RenderedPlan(kinds=kinds) if kinds else RenderedPlan()
    return pictured(
        draw_items(plan, n, seed, "train"),
        f"rendered-train-{seed}",
        title=f"Rendered pairs to learn from (seed {seed})",
    )
