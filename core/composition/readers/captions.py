"""Pictures with captions and no foils: the foils are made from the captions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.composition.foils.of_captions import caption_foils, things_named
from core.composition.readers.builder import Builder, tidy_caption
from core.composition.readers.fields import few
from core.composition.readers.recognise import caption_columns, one_file_of, picture_column
from core.composition.readers.tables import cell_of, read_rows
from core.errors import InvalidInput
from core.records import Benchmark

SPLIT = "split"


def read_captions(path: Path, *, split: str = "", most: int | None = None, seed: int = 0) -> Benchmark:
    """A CSV or TSV with a picture a row and one or more captions of it, as Flickr8k's: each row gives an item for each
    kind of foil that its captions allow (`core.composition.foils.of_captions`).

    Args:
        split: only rows whose column "split" says so; "" takes all.
        most: only so many of these rows, drawn by `seed`; None takes all.
        seed: draws what is added.

    Raises:
        InvalidInput: there is no column of pictures or captions, or no row of that split.
    """
    file, notes = one_file_of(path, "captions")
    rows, more = read_rows(file, ())
    columns = list(rows[0][1]) if rows else []
    picture, captions = picture_column(columns), caption_columns(columns)
    if not picture or not captions:
        raise InvalidInput(
            f"{file.name} must have a column image (or file, filename) and a column caption (or caption_0, caption_1, "
            f"...). It has {few(columns)}."
        )
    has_split = {name.strip().lower(): name for name in columns}.get(SPLIT, "")
    kept = [(where, row) for where, row in rows if not split or cell_of(row, has_split).strip() == split]
    if not kept:
        there = sorted({cell_of(row, has_split).strip() for _, row in rows}) if has_split else []
        raise InvalidInput(f"{file.name} has no row of the split {split[:60]!r}. It has {few(there) or 'no splits'}.")
    if most is not None and most < len(kept):
        drawn = np.sort(np.random.default_rng(seed).permutation(len(kept))[: max(most, 0)])
        kept = [kept[at] for at in drawn.tolist()]
        more = (*more, f"{most:,} rows were drawn of those that could be taken.")
    said = [[tidy_caption(cell_of(row, name), where) for name in captions] for where, row in kept]
    things = things_named(caption for own in said for caption in own)
    book = Builder(
        "captions",
        file.stem,
        "choice",
        "pairwise",
        f"your file {file.name}; foils by rules, after Hsieh et al. 2023 (SugarCrepe), arXiv 2306.14610",
        "Its pictures are those that its rows name.",
        average="change",
        notes=[*notes, *more],
    )
    for (where, row), own in zip(kept, said, strict=True):
        name = cell_of(row, picture)
        if not name.strip():
            book.exclude(where, "it names no picture")
            continue
        rng = np.random.default_rng([seed, *name.encode()])
        foils = caption_foils([caption for caption in own if caption], things, rng)
        tags = {SPLIT: cell_of(row, has_split).strip()} if has_split else {}
        for foil in foils:
            kinds = {"change": foil.change, "kind": foil.kind}
            book.add_choice(f"{name}/{foil.kind}", where, name, (foil.caption, foil.foil), kinds | tags)
        if not foils:
            book.exclude(name, "no foil can be made of its captions")
    book.note(
        "The foils are made by rules from the captions. None brings in a word that any caption of its picture says; "
        "some sound odd all the same, and a few are true of their picture, so that no model reaches 100 %."
    )
    return book.build()
