"""Everyday tasks that an adapter must not unlearn: pictures with labels, and pictures with captions, of the scenes that
come along or one's own."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.data.images.archives import open_images
from core.data.images.matching import index_files
from core.errors import InvalidInput
from core.files import ASSETS
from core.records import I64, Bool, ItemStore, LoadedBenchmark, Progress, SampleSet, no_progress

SCENES = ASSETS / "examples" / "scenes"
NAME = "the shipped scenes"


@dataclass(frozen=True, slots=True, eq=False)
class Captioned:
    """n pictures and m distinct captions, and which belongs to which."""

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


def scene_captions(n: int, seed: int, progress: Progress = no_progress) -> Captioned:
    """n of the shipped scenes with their captions, drawn by `seed`; scenes of one caption share it."""
    captions: dict[str, str] = json.loads((SCENES / "truth.json").read_text("utf-8"))["captions"]
    files = sorted(captions)
    picked = [files[i] for i in _drawn(len(files), n, seed).tolist()]
    return _captioned(NAME, _scenes(picked, progress), [[captions[file]] for file in picked])


def captioned_items(pictured: LoadedBenchmark, n: int, seed: int) -> Captioned:
    """Up to n pictures of a benchmark, drawn by `seed`, with their true captions; foils play no part.

    Raises:
        InvalidInput: fewer than two pictures have a caption.
    """
    said: dict[int, list[str]] = {}
    for item in pictured.benchmark.items:
        for picture, caption in item.match:
            said.setdefault(item.pictures[picture], []).append(item.captions[caption])
    if len(said) < 2:
        raise InvalidInput(
            f"Retrieval needs at least two pictures with captions: {pictured.benchmark.title} has "
            f"{len(said)}. Bring more."
        )
    places = sorted(said)
    rows = np.array([places[i] for i in _drawn(len(places), n, seed).tolist()], np.int64)
    return _captioned(pictured.benchmark.title, pictured.store.keep(rows), [said[row] for row in rows.tolist()])


def _captioned(name: str, images: ItemStore, said: Sequence[Sequence[str]]) -> Captioned:
    captions = tuple(dict.fromkeys(caption for own in said for caption in own))
    place = {caption: at for at, caption in enumerate(captions)}
    true = np.zeros((len(said), len(captions)), bool)
    for row, own in enumerate(said):
        true[row, [place[caption] for caption in own]] = True
    shared = int((true.sum(axis=0) > 1).sum())
    which = "1 caption belongs" if shared == 1 else f"{shared:,} captions belong"
    return Captioned(
        name,
        images,
        captions,
        true,
        (f"{which} to several pictures of {name}; each of them counts as right.",) if shared else (),
    )


def _scenes(files: Sequence[str], progress: Progress) -> ItemStore:
    store = open_images(SCENES / "images.zip", progress=progress)
    index = index_files(store)
    return store.keep(np.array([index.find(file)[0] for file in files], np.int64))


def _drawn(n: int, most: int, seed: int) -> I64:
    """At most `most` of n rows, in order."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:most]).astype(np.int64)
