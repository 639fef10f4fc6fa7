"""Rendered scenes as a benchmark, without files: a store that draws each image when it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Protocol

from core.records import ItemStore
from core.systems.composition.records import Benchmark, Item, LoadedBenchmark, Picture
from core.systems.composition.scenes.items import RenderedItem
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.shapes import Scene

SOURCE = "Rendered here, in the form of Cola (Ray et al. 2023, arXiv 2305.03689)"


class DrawnPair(Protocol):
    """Two images and their captions, drawn of shapes or of cut-outs."""

    @property
    def id(self) -> str: ...
    @property
    def captions(self) -> tuple[str, str]: ...
    @property
    def tags(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True, eq=False)
class SceneStore(ItemStore):
    """Scenes that are drawn when they are read, always to the same bytes."""

    scenes: tuple[Scene, ...]
    size: int = 224
    """Side in pixels."""

    def __len__(self) -> int:
        return len(self.scenes)

    def name(self, index: int) -> str:
        """Such as "rendered_000012.png"."""
        return scene_name(index)

    def read(self, index: int) -> bytes:
        """The image as PNG."""
        return _drawn(self.scenes[index], self.size)


@lru_cache(512)  # some 30 MB: images are read once to be hashed, once by each tower, once for the report
def _drawn(scene: Scene, size: int) -> bytes:
    buffer = BytesIO()
    render_scene(scene, size).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def scene_name(index: int) -> str:
    """File name of the image of scene `index`."""
    return f"rendered_{index:06d}.png"


def scenes_of(items: Sequence[RenderedItem]) -> tuple[Scene, ...]:
    """The items' scenes in the order of `benchmark_of`'s images: two an item."""
    return tuple(scene for item in items for scene in item.scenes)


def benchmark_of(items: Sequence[DrawnPair], name: str, *, title: str = "Rendered pairs") -> Benchmark:
    """A benchmark of kind "pairs": image 2 i + j of item i belongs to its caption j. Chance is 25%, as for Cola's
    pairs."""
    return Benchmark(
        name,
        title,
        "pairs",
        tuple(
            Item(item.id, (2 * i, 2 * i + 1), item.captions, ((0, 0), (1, 1)), dict(item.tags))
            for i, item in enumerate(items)
        ),
        tuple(Picture(scene_name(i)) for i in range(2 * len(items))),
        headline="image",
        source=SOURCE,
    )


def pictured(
    items: Sequence[RenderedItem], name: str, *, size: int = 224, title: str = "Rendered pairs"
) -> LoadedBenchmark:
    """The benchmark of the items with images that are drawn on demand."""
    return LoadedBenchmark(benchmark_of(items, name, title=title), SceneStore(scenes_of(items), size))
