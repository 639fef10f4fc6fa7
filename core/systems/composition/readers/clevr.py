"""Rendered scenes in CLEVR's form: every combination that occurs becomes a query, and the scenes say which images it
fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import InvalidInput
from core.records import Bool
from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import Record, as_object, as_text, load_scenes, text_of
from core.systems.composition.readers.recognise import one_file_of
from core.systems.composition.records import Benchmark

WORDS = ("size", "color", "material", "shape")
"""In the order in which a query says them."""
TAGS: tuple[str, ...] = ("size", "colour", "material", "shape")
MAX_PAIRS = 20_000_000
"""Queries times images, and queries times words; CLEVR's validation part has 1.4 million."""
Combination = tuple[str, ...]


def read_scenes(path: Path) -> Benchmark:
    """One query "size colour material shape" for each combination that an object of a scene has, over all scenes.

    An image fits if one of its objects has all four; it is hard if any of its objects has any of them. Scenes that
    leave out a property other than the shape are taken, with shorter queries.

    Raises:
        InvalidInput: the file is not {"scenes": [{"image_filename", "objects": [...]}]}, or there are too many queries
        times images.

    Source: Johnson et al. 2017 (CLEVR) for the form; Ray et al. 2023 (Cola) for the queries, as its paper tells them.
    Not its published file: for that read COLA_singleobjects_benchmark_CLEVR.json as "cola-single".
    """
    file, notes = one_file_of(path, "clevr")
    book = Builder(
        "clevr",
        f"Rendered scenes ({file.stem})",
        "retrieval",
        "map",
        "queries as in Ray et al. 2023 (Cola), arXiv 2305.03689; form of Johnson et al. 2017 (CLEVR)",
        notes=list(notes),
    )
    pictures: dict[int, list[Combination]] = {}
    for where, name, objects in load_scenes(file):
        position = book.picture(name, where)
        if position in pictures:
            raise InvalidInput(f"{where}: the image {name[:60]!r} already has a scene. Remove one of them.")
        pictures[position] = [_combination(thing, f"{where}, object {k}") for k, thing in enumerate(objects)]
    queries = sorted({combination for own in pictures.values() for combination in own})
    words = {(at, word) for query in queries for at, word in enumerate(query) if word}
    for n, what in ((len(pictures), "images"), (len(words), "words")):
        if len(queries) * n > MAX_PAIRS:
            raise InvalidInput(
                f"{file.name}: {len(queries):,} queries times {n:,} {what} exceed {MAX_PAIRS:,}, the limit. "
                "Split the file."
            )
    fits, hard = _truth(list(pictures.values()), queries)
    places = tuple(pictures)
    for k, query in enumerate(queries):
        text = " ".join(word for word in query if word)
        tags = dict(zip(TAGS, query, strict=True))
        book.add_query(text, file.name, places, fits[:, k], hard[:, k], tags)
    return book.build()


def _combination(value: object, where: str) -> Combination:
    """Size, colour, material and shape of an object, "" for one that it does not say."""
    record: Record = as_object(value, where, "size, color, material and shape")
    text_of(record, "shape", where)
    properties = {**record, "color": record.get("color", record.get("colour"))}
    return tuple(
        "" if properties.get(key) is None else " ".join(as_text(properties[key], f"{where}: {key!r}").split())[:60]
        for key in WORDS
    )


def _truth(scenes: list[list[Combination]], queries: list[Combination]) -> tuple[Bool, Bool]:
    """(n scenes, n queries) whether an object has all of the query's words, and whether any object has any."""
    column_of = {query: k for k, query in enumerate(queries)}
    vocabulary = {
        word: w
        for w, word in enumerate(sorted({(at, word) for query in queries for at, word in enumerate(query) if word}))
    }
    words = np.zeros((len(queries), len(vocabulary)), np.float32)
    for query, k in column_of.items():
        words[k, [vocabulary[at, word] for at, word in enumerate(query) if word]] = 1
    fits = np.zeros((len(scenes), len(queries)), np.bool_)
    for i, combinations in enumerate(scenes):
        fits[i, [column_of[combination] for combination in combinations]] = True
    shown = (fits.astype(np.float32) @ words) > 0  # (n scenes, n words)
    return fits, (shown.astype(np.float32) @ words.T) > 0
