"""Benchmarks that come along, so that anyone can try, train and test without bringing an image.

The pairs of rendered scenes are drawn when they are opened, as trainings are: 2,000 items to learn from would be 28 MB
as files. The others are files, drawn by `python -m research.scenes`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.data.images.archives import open_images
from core.documents import read_json
from core.errors import InvalidInput
from core.files import ASSETS
from core.systems.composition.records import Benchmark, Item, LoadedBenchmark, Picture
from core.systems.composition.scenes.benchmarks import pictured
from core.systems.composition.scenes.items import RenderedPlan, draw_items

SHIPPED: Mapping[str, str] = {
    "rendered": (
        "240 pairs of rendered scenes; half of them name pairs of attribute and shape that training scenes never show"
    ),
    "rendered-single": "40 queries such as 'large striped red cube' over 160 rendered scenes, "
    "ranked among those that share a word",
    "cutouts": "160 pairs of objects cut out of images and set on photographs: sizes, places, counts and nouns",
}
FOLDER = ASSETS / "composition"
"""Of each benchmark that is files, NAME/items.json and NAME/images.zip."""
_SIZES = {"rendered": 240, "rendered-single": 40, "cutouts": 160}
MAX_DRAWN_ITEMS = 20_000
"""Items of "rendered" that are drawn at most."""
SEED = 2026
"""Of the pairs that are tested. Training draws from other random numbers, whatever its seed."""


def open_shipped(name: str = "rendered", *, n: int | None = None) -> LoadedBenchmark:
    """A benchmark that comes along. Its tag "split" tells "seen" from "unseen" pairs; the cut-outs have none, since
    nothing trains on them.

    Args:
        n: items (queries of "rendered-single"); None takes as many as `SHIPPED` says. Of "rendered" half are unseen; of
            the others the first n.

    Raises:
        InvalidInput: the name is unknown, or n is odd, too small, or more than there are.
    """
    if name not in SHIPPED:
        raise InvalidInput(f"Errata ships no benchmark {name!r}. Use one of {', '.join(SHIPPED)}.")
    if n is None:
        n = _SIZES[name]
    most = MAX_DRAWN_ITEMS if name == "rendered" else _SIZES[name]
    if not 2 <= n <= most or n % 2:
        raise InvalidInput(
            f"n must be an even number of items, 2 to {most:,}: got {n:,}. Leave it out for {_SIZES[name]:,}."
        )
    if name != "rendered":
        return _read(name, n)
    plan = RenderedPlan()
    items = [*draw_items(plan, n // 2, SEED, "seen"), *draw_items(plan, n // 2, SEED, "unseen")]
    return pictured(items, "rendered", title="Rendered pairs")


def _read(name: str, n: int) -> LoadedBenchmark:
    """The first n items of a benchmark that is files, and all of its images."""
    folder = FOLDER / name
    document = read_json(folder / "items.json")
    store = open_images(folder / "images.zip")
    items: list[Item] = []
    for entry in document["items"][:n]:
        hard = None
        if "hard" in entry:
            hard = np.isin(entry["pictures"], entry["hard"])
        match = tuple((picture, caption) for picture, caption in entry["match"])
        items.append(Item(entry["id"], tuple(entry["pictures"]), tuple(entry["captions"]), match, entry["tags"], hard))
    pictures = tuple(Picture(store.name(i)) for i in range(len(store)))
    benchmark = Benchmark(
        name,
        document["title"],
        document["kind"],
        tuple(items),
        pictures,
        document["headline"],
        source=document["source"],
    )
    return LoadedBenchmark(benchmark, store)


def draw_training(n: int = 2000, seed: int = 0, kinds: tuple[str, ...] = ()) -> LoadedBenchmark:
    """n rendered items to learn from; none of their images or captions holds a held-out pair.

    Args:
        kinds: of `core.systems.composition.scenes.items.KINDS`; empty takes all.
    """
    plan = RenderedPlan(kinds=kinds) if kinds else RenderedPlan()
    return pictured(
        draw_items(plan, n, seed, "train"),
        f"rendered-train-{seed}",
        title=f"Rendered pairs to learn from (seed {seed})",
    )
