"""Single-object queries over rendered scenes, as in Cola: "large striped red cube" must find the images that hold
such a thing.

An image fits a query if one of its things has every word, and is hard for it if any of its things has any of them. So
the hard images that do not fit hold the words on different things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.records import Bool
from core.systems.composition.records import Benchmark, Item, LoadedBenchmark, Picture
from core.systems.composition.scenes.benchmarks import SOURCE, SceneStore, scene_name
from core.systems.composition.scenes.items import SPLITS, RenderedPlan
from core.systems.composition.scenes.placement import bare, laid_out
from core.systems.composition.scenes.shapes import COLOURS, MATERIALS, SHAPES, Scene, Shape, ShapePhrase

ATTRIBUTES = ("size", "material", "colour")


@dataclass(frozen=True, slots=True, eq=False)
class RenderedRetrieval:
    """K queries over N scenes."""

    scenes: tuple[Scene, ...]
    queries: tuple[ShapePhrase, ...]
    labels: Bool
    """(K, N) whether a scene holds a thing that the whole query describes."""
    hard: Bool
    """(K, N) whether it holds a thing with at least one of the query's words."""
    splits: tuple[str, ...]
    """(K,) "seen" or "unseen": whether the query names a held-out pair."""

    @property
    def captions(self) -> tuple[str, ...]:
        """The queries as Cola writes them, without an article."""
        return tuple(query_text(query) for query in self.queries)


def query_text(query: ShapePhrase) -> str:
    """Such as "large striped red cube"."""
    return query.text().partition(" ")[2]


def draw_retrieval(
    plan: RenderedPlan,
    n_scenes: int,
    n_queries: int,
    seed: int,
    split: str,
    *,
    said: Sequence[str] = ATTRIBUTES,
    things: tuple[int, int] = (3, 5),
) -> RenderedRetrieval:
    """Draw scenes of some things each, and queries that at least one scene fits and at least one hard scene does not.

    Args:
        n_queries: at most so many; of a split "unseen" about half name a held-out pair, if there are enough of either.
        split: "train" or "seen" shows and names no held-out pair; "unseen" shows and names both kinds.
        said: the attributes that a query says besides the shape, of `ATTRIBUTES`.
        things: fewest and most things in a scene.

    Raises:
        InvalidInput: an argument is out of range, or no query is left.
    """
    if (
        split not in SPLITS
        or not set(said) <= set(ATTRIBUTES)
        or min(n_scenes, n_queries) < 1
        or not 1 <= things[0] <= things[1] <= 5
    ):
        raise InvalidInput(
            f"Retrieval needs a split of {list(SPLITS)}, attributes of {list(ATTRIBUTES)}, at least one scene and "
            f"query, and 1 to 5 things: got {split!r}, {list(said)}, {n_scenes}, {n_queries} and {things}."
        )
    rng = np.random.default_rng([seed, 10 + SPLITS.index(split)])
    scenes = tuple(_scene(plan, split == "unseen", things, rng) for _ in range(n_scenes))
    found = list(dict.fromkeys(_query(thing, said) for scene in scenes for thing in scene.things))
    labels = np.array([[any(query.matches(thing) for thing in scene.things) for scene in scenes] for query in found])
    hard = np.array([[any(_shares(query, thing) for thing in scene.things) for scene in scenes] for query in found])
    usable = np.flatnonzero((hard & ~labels).any(1))
    unseen = np.array([plan.held_out.in_phrase(query) for query in found])
    rows = _balanced([int(k) for k in rng.permutation(usable)], unseen, n_queries)
    if not len(rows):
        raise InvalidInput(
            f"None of the {len(found)} queries has a hard scene that it does not fit. Draw more scenes than {n_scenes}."
        )
    splits = tuple("unseen" if unseen[k] else "seen" for k in rows)
    return RenderedRetrieval(scenes, tuple(found[k] for k in rows), labels[rows], hard[rows], splits)


def retrieval_benchmark(
    drawn: RenderedRetrieval, name: str, *, title: str = "Rendered single-object queries"
) -> Benchmark:
    """A benchmark of kind "retrieval" whose headline is mean average precision over the hard images."""
    pictures = tuple(range(len(drawn.scenes)))
    items = tuple(
        Item(
            f"query-{k:04d}",
            pictures,
            (caption,),
            tuple((int(i), 0) for i in np.flatnonzero(labels)),
            {"split": split},
            hard,
        )
        for k, (caption, labels, hard, split) in enumerate(
            zip(drawn.captions, drawn.labels, drawn.hard, drawn.splits, strict=True)
        )
    )
    return Benchmark(
        name, title, "retrieval", items, tuple(Picture(scene_name(i)) for i in pictures), headline="map", source=SOURCE
    )


def pictured_retrieval(drawn: RenderedRetrieval, name: str, *, size: int = 224) -> LoadedBenchmark:
    """The benchmark with images that are drawn on demand."""
    return LoadedBenchmark(retrieval_benchmark(drawn, name), SceneStore(drawn.scenes, size))


def _scene(plan: RenderedPlan, anything: bool, things: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Things with every attribute drawn evenly and on its own, among the allowed pairs; at most one is large."""
    n = int(rng.integers(things[0], things[1] + 1))
    found: list[Shape] = []
    while len(found) < n:
        shape, colour, material = (str(rng.choice(values)) for values in (SHAPES, tuple(COLOURS), MATERIALS))
        size = "large" if not found and rng.random() < 0.75 else "small"
        thing = bare(shape, colour, material, size)
        if anything or not plan.held_out.shown(thing):
            found.append(thing)
    return laid_out(found, rng)


def _query(thing: Shape, said: Sequence[str]) -> ShapePhrase:
    words = {name: getattr(thing, name) for name in said}
    return ShapePhrase(thing.shape, words.get("colour"), words.get("material"), words.get("size"))


def _shares(query: ShapePhrase, thing: Shape) -> bool:
    pairs = (
        (query.shape, thing.shape),
        (query.colour, thing.colour),
        (query.material, thing.material),
        (query.size, thing.size),
    )
    return any(word == value for word, value in pairs)


def _balanced(rows: Sequence[int], unseen: Bool, n: int) -> list[int]:
    """The first `n` rows, half of either kind as far as there are enough, in their order."""
    rank = {bool(kind): [k for k in rows if unseen[k] == kind] for kind in (True, False)}
    half = min(len(rank[True]), max(n // 2, n - len(rank[False])))
    kept = {*rank[True][:half], *rank[False][: n - half]}
    return [k for k in rows if k in kept]
