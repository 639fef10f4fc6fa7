"""The nouns of composition: images and captions that belong together or do not, how a model scores them, and what
follows.

An item has I images and T captions; its scores are an (I, T) matrix, larger is a better match. Frozen dataclasses
over numpy arrays, as in `core.records.diagnosis`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from core.errors import InvalidInput
from core.records import F64, I64, Bool, Estimate, ItemStore, Progress, no_progress

Kind = Literal["pairs", "choice", "retrieval"]
""""pairs": two images and two captions, each caption of one image. "choice": one image, its caption first (or
two, where the headline is "both"), then foils. "retrieval": one caption and many images, some of which it
describes."""
ALL_ITEMS = "all items"
"""`ComparedMetric.scope` over the whole benchmark."""
LOWER_IS_BETTER = frozenset({"mean rank"})
"""Keys of the metrics that are not shares."""
Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels of the file."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as a benchmark's file names it."""

    name: str
    """As the file says it, such as "https://…/2390970.jpg" or "images/img_0_1.png"; found in the user's folder by its
    base name."""
    box: Box | None = None
    """The part to crop before anything else; None takes the whole image."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One question of a benchmark."""

    id: str
    pictures: tuple[int, ...]
    """(I,) places in `Benchmark.pictures`."""
    captions: tuple[str, ...]
    """(T,)."""
    match: tuple[tuple[int, int], ...]
    """(image, caption) that belong together, as places within this item."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Such as {"kind": "swap_att"} or {"split": "unseen"}."""
    hard: Bool | None = None
    """(I,) of a retrieval item: the images that hold at least one of the query's words, on which alone Cola's
    headline is computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Benchmark:
    """Items of one kind and the images that they speak of."""

    name: str
    """Such as "cola", a key of `core.systems.composition.readers.READERS`."""
    title: str
    kind: Kind
    items: tuple[Item, ...]
    pictures: tuple[Picture, ...]
    headline: str
    """Key of the metric that the benchmark is known by: see `Metric.key`."""
    blind: bool = False
    """Whether its foils can be told by text alone, so that a blind baseline must stand beside it."""
    average: str = ""
    """Tag whose values are weighted equally in the headline (SugarCrepe: "kind"; ARO: "relation"); "" weighs items
    equally."""
    excluded: tuple[tuple[str, str], ...] = ()
    """(item's id, reason) of every item that is left out."""
    notes: tuple[str, ...] = ()
    source: str = ""
    """Paper and year."""

    def __post_init__(self) -> None:
        n = len(self.pictures)
        for item in self.items:
            if not all(0 <= at < n for at in item.pictures):
                raise InvalidInput(f"Item {item.id!r} of {self.title} names an image that does not exist.")

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedBenchmark:
    """A benchmark with its images found: `store` holds `benchmark.pictures`, in that order, cropped where the
    benchmark says so."""

    benchmark: Benchmark
    store: ItemStore
    missing: tuple[str, ...] = ()
    """Base names that the folder does not have."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What one model says of every item."""

    model: str
    """Name of the encoder, of an adapted encoder, or of a blind baseline."""
    fingerprint: str
    matrices: tuple[F64, ...]
    """(I, T) for each item; a blind baseline has equal rows. nan in the rows of images that could not be read, and
    nowhere else."""
    notes: tuple[str, ...] = ()
    unreadable: Mapping[int, str] = field(default_factory=dict[int, str])
    """Place in `Benchmark.pictures` of an image that could not be read -> why, a sentence that begins with the
    image's name."""
    taught: frozenset[int] = frozenset()
    """Places of the items that the model learned from, or was stopped by."""


class Scorer(Protocol):
    """Anything that says how well images and captions match: an encoder's cosine, an adapter, a blind baseline."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores: ...


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure with its interval."""

    key: str
    """"image", "text", "group", "pairwise", "both", "first", "second", "text only", "r@1", "r@3", "r@5",
    "r@10", "mean rank", "map" or "map all"."""
    title: str
    value: Estimate
    n: int
    """Items, also of an average over tags, whose title says over how many."""
    chance: float | None
    """What a model without knowledge reaches; None where it depends on the items in a way that has no closed form."""
    ties: int = 0
    """Items that this metric counts as wrong although no wrong answer scored higher: two scores were equal."""


@dataclass(frozen=True, slots=True, eq=False)
class TagMetrics:
    """The metrics of the items with one value of a tag."""

    tag: str
    value: str
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompositionResult:
    """A model on a benchmark. n items."""

    name: str
    """Unique among results that are shown together, such as "cola, embedded"."""
    benchmark: str
    """`Benchmark.name`."""
    title: str
    kind: Kind
    model: str
    fingerprint: str
    headline: str
    metrics: tuple[Metric, ...]
    by_tag: tuple[TagMetrics, ...]
    blind: tuple[tuple[str, tuple[Metric, ...]], ...]
    """(name of the blind baseline, its metrics)."""
    ids: tuple[str, ...]
    correct: Mapping[str, Bool]
    """(n,) by the metric's key, for metrics that are right or wrong on an item."""
    margin: F64
    """(n,) true score minus the highest foil's, the smallest over the item's questions; negative or 0 is wrong. Of
    retrieval items: average precision."""
    tied: Bool
    """(n,) whether a tie decided the item."""
    matrices: tuple[F64, ...]
    """(I, T) scores of each item."""
    foil_similarity: F64 | None = None
    """(n,) cosine of the caption with its nearest foil in the text tower; None without one."""
    missing: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""
    published: tuple[str, ...] = ()
    """Figures from the literature that this one can be held against, each with its model and source."""
    seconds: float = 0.0
    values: Mapping[str, F64] = field(default_factory=dict[str, F64])
    """(n,) by the metric's key, for metrics that are a mean: the rank of the true caption, or average precision."""
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """(n,) each item's value of a tag, "" where it has none."""
    groups: I64 | None = None
    """(n,) group number: items that share images, directly or through others. None where intervals take items as
    independent."""
    average: str = ""
    """`Benchmark.average`: the tag whose values `metrics` weigh equally."""


@dataclass(frozen=True, slots=True, eq=False)
class CompositionComparison:
    """Two models on the same items of one benchmark."""

    a: str
    b: str
    benchmark: str
    rows: tuple[ComparedMetric, ...]
    notes: tuple[str, ...] = ()
    """How many items only one of the two has, and what else a reader must know."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedMetric:
    """One metric of two models on the same items."""

    key: str
    scope: str
    """"all items" or "tag: value"."""
    n: int
    a: Estimate
    b: Estimate
    difference: Estimate
    """B minus A, paired by item."""
    p: float
    """Two-sided McNemar mid-p (of average precision: by flipping signs), adjusted (Holm) over the scopes of one
    metric."""
    only_a: int
    """Items that only A has right."""
    only_b: int


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Captions that are scored together, once each, and where each item's captions stand among them."""

    captions: tuple[str, ...]
    at: tuple[I64, ...]
    """(T,) for each item: places in `captions`."""


def distinct_captions(items: tuple[Item, ...]) -> Texts:
    """Every caption once, in order of first appearance."""
    places: dict[str, int] = {}
    at = tuple(
        np.array([places.setdefault(caption, len(places)) for caption in item.captions], np.int64) for item in items
    )
    return Texts(tuple(places), at)
