"""Everyday tasks that an adapter must not unlearn: images with labels, and images with captions, of the scenes that
come along or one's own."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.data.images.archives import open_images
from core.data.images.matching import index_files
from core.documents import read_json
from core.errors import InvalidInput
from core.files import ASSETS
from core.records import I64, Bool, ItemStore, Progress, SampleSet, no_progress
from core.systems.composition.records import Item, LoadedBenchmark, Picture

SCENES = ASSETS / "examples" / "scenes"
NAME = "the shipped scenes"
CAPTIONED = 100
"""Images with captions that a check of retrieval takes."""
EVERYDAY = "everyday"
"""Tag of an item that is there to be kept, not to be learned; it names the benchmark that the item is of."""


@dataclass(frozen=True, slots=True, eq=False)
class Captioned:
    """n images and m distinct captions, and which belongs to which."""

    name: str
    images: ItemStore
    captions: tuple[str, ...]
    true: Bool
    """(n, m)."""
    notes: tuple[str, ...] = ()


def scene_classes(n: int, seed: int, progress: Progress = no_progress) -> SampleSet:
    """n of the shipped scenes with their class, drawn by `seed`, in the table's order."""
    with (SCENES / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["file"], row["label"]) for row in csv.DictReader(file)]
    picked = [rows[i] for i in _drawn(len(rows), n, seed).tolist()]
    names = tuple(sorted({label for _, label in rows}))
    files = tuple(file for file, _ in picked)
    labels = np.array([names.index(label) for _, label in picked], np.int64)
    return SampleSet(files, items=_scenes(files, progress), labels=labels, class_names=names, name=NAME)


def scene_captions(n: int, seed: int, progress: Progress = no_progress, *, skip: int = 0) -> Captioned:
    """n of the shipped scenes with their captions, drawn by `seed`; scenes of one caption share it.

    Args:
        skip: number of first draws to leave out: a draw without `skip` shares none with one that has it.
    """
    captions: dict[str, str] = read_json(SCENES / "truth.json")["captions"]
    files = sorted(captions)
    picked = [files[i] for i in _drawn(len(files), n, seed, skip).tolist()]
    return _captioned(NAME, _scenes(picked, progress), [[captions[file]] for file in picked])


def captioned_items(pictured: LoadedBenchmark, n: int, seed: int) -> Captioned:
    """Up to n images of a benchmark, drawn by `seed`, with their true captions; foils play no part.

    Raises:
        InvalidInput: fewer than two images have a caption.
    """
    captions_of: dict[int, list[str]] = {}
    for item in pictured.benchmark.items:
        for picture, caption in item.match:
            captions_of.setdefault(item.pictures[picture], []).append(item.captions[caption])
    if len(captions_of) < 2:
        raise InvalidInput(
            f"Retrieval needs at least two images with captions: {pictured.benchmark.title} has {len(captions_of)}. "
            "Add images."
        )
    places = sorted(captions_of)
    rows = np.array([places[i] for i in _drawn(len(places), n, seed).tolist()], np.int64)
    return _captioned(pictured.benchmark.title, pictured.store.keep(rows), [captions_of[row] for row in rows.tolist()])


def everyday_pairs(pictured: LoadedBenchmark, n: int, seed: int) -> LoadedBenchmark:
    """Up to n images of a benchmark, drawn by `seed`, two by two with one true caption each, as items to learn from
    beside others: what a module must not unlearn. Each bears the tag `EVERYDAY`. Where some items say split = train and
    others do not, only those are taken.

    Raises:
        InvalidInput: fewer than eight images have a caption.
    """
    whole = pictured.benchmark
    train = tuple(item for item in whole.items if item.tags.get("split") == "train") or whole.items
    pictured = replace(pictured, benchmark=replace(whole, items=train))
    rng = np.random.default_rng(seed)
    captioned = captioned_items(pictured, n, seed)
    order = rng.permutation(len(captioned.images))
    if len(order) < 8:
        raise InvalidInput(
            f"Everyday images need at least 8 with a caption: {captioned.name} has {len(order)}. Add images."
        )
    drawn = [captioned.captions[int(rng.choice(np.flatnonzero(row)))] for row in captioned.true]
    items = tuple(
        Item(f"everyday/{i}", (int(a), int(b)), (drawn[a], drawn[b]), ((0, 0), (1, 1)), {EVERYDAY: whole.name})
        for i, (a, b) in enumerate(zip(order[::2].tolist(), order[1::2].tolist(), strict=False))
        if drawn[a] != drawn[b]
    )
    pictures = tuple(Picture(captioned.images.name(i)) for i in range(len(captioned.images)))
    named = replace(whole, kind="pairs", items=items, pictures=pictures, headline="group", average="")
    return LoadedBenchmark(named, captioned.images)


def joined_benchmarks(first: LoadedBenchmark, second: LoadedBenchmark) -> LoadedBenchmark:
    """The items of both, to learn from; title and headline are those of the first."""
    first_benchmark = first.benchmark
    second_benchmark = second.benchmark
    shift = len(first_benchmark.pictures)
    moved = tuple(replace(item, pictures=tuple(at + shift for at in item.pictures)) for item in second_benchmark.items)
    title = f"{first_benchmark.title}, and {len(moved):,} everyday pairs of {second_benchmark.title}"
    whole = replace(
        first_benchmark,
        items=(*first_benchmark.items, *moved),
        pictures=(*first_benchmark.pictures, *second_benchmark.pictures),
        title=title,
    )
    return LoadedBenchmark(whole, JoinedItems(first.store, second.store), first.missing)


@dataclass(frozen=True, slots=True, eq=False)
class JoinedItems(ItemStore):
    """The items of one store, then those of another."""

    first: ItemStore
    second: ItemStore

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def name(self, index: int) -> str:
        store, at = self._place(index)
        return store.name(at)

    def read(self, index: int) -> bytes:
        store, at = self._place(index)
        return store.read(at)

    def _place(self, index: int) -> tuple[ItemStore, int]:
        n = len(self.first)
        if index < n:
            return (self.first, index)
        return (self.second, index - n)


def _captioned(name: str, images: ItemStore, texts: Sequence[Sequence[str]]) -> Captioned:
    captions = tuple(dict.fromkeys(caption for captions_of in texts for caption in captions_of))
    column_of = {caption: at for at, caption in enumerate(captions)}
    true = np.zeros((len(texts), len(captions)), bool)
    for row, captions_of in enumerate(texts):
        true[row, [column_of[caption] for caption in captions_of]] = True
    shared = int((true.sum(axis=0) > 1).sum())
    which = "1 caption belongs"
    if shared != 1:
        which = f"{shared:,} captions belong"
    return Captioned(
        name,
        images,
        captions,
        true,
        (f"{which} to several images of {name}; each of them counts as right.",) if shared else (),
    )


def _scenes(files: Sequence[str], progress: Progress) -> ItemStore:
    store = open_images(SCENES / "images.zip", progress=progress)
    index = index_files(store)
    return store.keep(np.array([index.find(file)[0] for file in files], np.int64))


def _drawn(n: int, most: int, seed: int, skip: int = 0) -> I64:
    """At most `most` of n rows, in order."""
    return np.sort(np.random.default_rng(seed).permutation(n)[skip : skip + most]).astype(np.int64)
