"""Cola's single-object files: queries that rank every image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.records import Bool
from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import as_list, as_text, few, kind_of, load_json
from core.systems.composition.readers.recognise import one_file_of
from core.systems.composition.records import Benchmark


def read_single_object(path: Path, *, seen: Sequence[str] | str = ()) -> Benchmark:
    """One query an item, over all images of the file; `hard` marks those on which the headline is computed.

    Args:
        seen: queries whose combination was in the training data, as a list or as lines; the others are tagged "unseen".
            Without it, a list under the key "seen" of the file says so, and without that the tag is missing.

    Raises:
        InvalidInput: the file has neither published shape, or `seen` names no query.

    Source: Ray et al. 2023 (Cola): an object with `labels` and `data` (its README) or a list of the two (its script); a
    row is [image, annotation, label, hard], without the annotation for PACO.
    """
    file, notes = one_file_of(path, "cola-single")
    document = load_json(file)
    labels, rows, listed = _parts(document, file.name)
    queries = [as_text(one, f"{file.name}: labels, entry {i}") for i, one in enumerate(labels)]
    book = Builder(
        "cola-single",
        f"Cola, single-object ({file.stem.rpartition('_')[2]})",
        "retrieval",
        "map",
        "Ray et al. 2023 (Cola), arXiv 2305.03689",
        notes=list(notes),
    )
    pictures, fits, hard = _matrices(book, rows, len(queries), file.name)
    splits = _splits(queries, seen.splitlines() if isinstance(seen, str) else seen, listed, book, file.name)
    if stray := int((fits & ~hard).sum()):
        book.note(
            f"{stray:,} times an image fits a query, but the file does not mark it as hard. The headline leaves "
            "it out, as Cola's does."
        )
    for k, query in enumerate(queries):
        book.add_query(query, f"{file.name}: query {query[:60]!r}", pictures, fits[:, k], hard[:, k], splits[k])
    return book.build()


def _parts(document: Any, name: str) -> tuple[list[Any], list[Any], Any]:
    """(labels, data, what the file says of "seen") of either shape."""
    if isinstance(document, dict):
        labels = document.get("labels")
        data = document.get("data")
        seen = document.get("seen")
    else:
        labels, data = as_list(document, name, "two lists, labels and data (or an object with these keys)", 2)
        seen = None
    return as_list(labels, f"{name}: labels", "queries"), as_list(data, f"{name}: data", "rows"), seen


def _matrices(book: Builder, rows: list[Any], n_queries: int, name: str) -> tuple[tuple[int, ...], Bool, Bool]:
    """Places of the images and, (n, K) each, whether an image fits a query and whether it is hard for it."""
    pictures: dict[int, None] = {}
    fits = list[Bool]()
    hard = list[Bool]()
    for i, row in enumerate(rows):
        where = f"{name}: data, row {i}"
        cells = as_list(row, where, "image, annotation (or none), label and hard list")
        if len(cells) not in (3, 4):
            raise InvalidInput(
                f"{where} must have 3 or 4 entries (image, annotation, label, hard list): it has {len(cells)}. Fix it."
            )
        position = book.picture(as_text(cells[0], f"{where}, image"), where)
        if position in pictures:
            book.note(f"An image has more than one row ({cells[0][:60]!r} and perhaps others). Errata used its first.")
            continue
        pictures[position] = None
        fits.append(_flags(cells[-2], n_queries, f"{where}, label"))
        hard.append(_flags(cells[-1], n_queries, f"{where}, hard list"))
    shape = (len(pictures), n_queries)
    return tuple(pictures), np.array(fits, np.bool_).reshape(shape), np.array(hard, np.bool_).reshape(shape)


def _flags(value: Any, n: int, where: str) -> Bool:
    cells = as_list(value, where, f"{n:,} zeros and ones, one for each query", n)
    for k, cell in enumerate(cells):
        if isinstance(cell, str | list | dict) or cell is None or cell not in (0, 1):
            raise InvalidInput(
                f"{where}, entry {k} must be 0 or 1: it is "
                f"{cell if isinstance(cell, int | float) else kind_of(cell)}. Fix it."
            )
    return np.array(cells, np.bool_)


def _splits(queries: list[str], seen: Sequence[str], file_seen: Any, book: Builder, name: str) -> list[dict[str, str]]:
    """The tag "split" of each query, if anything says which were seen."""
    listed = [] if file_seen is None else as_list(file_seen, f"{name}: seen", "queries")
    names = list(seen) or [as_text(one, f"{name}: seen, entry {i}") for i, one in enumerate(listed)]
    wanted = {" ".join(query.split()) for query in names if query.strip()}
    if not wanted:
        book.note("The file does not list the queries seen in training, so figures by seen and unseen are missing.")
        return [{} for _ in queries]
    tidied = [" ".join(query.split()) for query in queries]
    if strange := sorted(wanted - set(tidied)):
        if len(strange) == len(wanted):
            raise InvalidInput(
                f"seen: none of its {len(wanted):,} queries is in {name}. It has {few(strange)}; the file has "
                f"{few(tidied)}. Fix them."
            )
        book.note(f"{len(strange):,} queries named as seen are not in the file: {few(strange)}.")
    return [{"split": "seen" if query in wanted else "unseen"} for query in tidied]
