"""Published benchmarks as a table: files, keys, headline, and source of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from core.errors import InvalidInput
from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import (
    Record,
    as_list,
    as_object,
    as_text,
    few,
    header,
    kind_of,
    load_json,
    text_of,
)
from core.systems.composition.readers.published import Format, Row, keyed, lines, listed
from core.systems.composition.readers.recognise import is_negatives_column
from core.systems.composition.readers.tables import cell_of, literal_list, read_rows
from core.systems.composition.records import Benchmark

COLA_TAGS = "tags.json"
VALSE_VOTES = 2
"""Of three annotators, those who must have found that the caption alone describes the image."""
KINDS = ("replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att", "add_obj", "add_att")
"""Files of SugarCrepe; SugarCrepe++ has the first five."""
_CREPE_COLUMNS = ("hard_negs", "valid_hard_negs_combined", "valid_hard_negs_comp", "valid_hard_negs_atom")
"""Of hard negatives, the preferred one first."""
_SYSTEMATICITY = re.compile(r"(seen|unseen)_compounds?_in_([a-z0-9]+)")
_PRODUCTIVITY = re.compile(r"(atom|swap|negate)_complexity_(\d+)")


def _cola_rows(form: Format, book: Builder, file: Path) -> Iterator[Row]:
    """Rows of a list of [image, caption, image, caption]; caption i belongs to image i.

    A `tags.json` beside it, as `python -m research.scenes` writes one, gives each item its tags by its number.
    """
    tags: dict[str, dict[str, str]] = {}
    beside = file.with_name(COLA_TAGS)
    if beside.is_file():
        for number, row in as_object(load_json(beside), COLA_TAGS, "an object of items by their number").items():
            where = f"{COLA_TAGS}, item {number}"
            item_tags = as_object(row, where, "an object of tags")
            tags[number] = {name: as_text(value, where) for name, value in item_tags.items()}
    if tags:
        book.title = "Pairs in Cola's form"
    for i, row in enumerate(as_list(load_json(file), file.name, "rows")):
        where = f"{file.name}, row {i}"
        parts = [as_text(part, where) for part in as_list(row, where, "four texts, image, caption, image, caption", 4)]
        record: Record = dict(zip(("image_0", "caption_0", "image_1", "caption_1"), parts, strict=True))
        yield Row(where, str(i), record, file, tags=tags.get(str(i), {}))


COLA = Format(
    name="cola",
    title="Cola, multi-object",
    source="Ray et al. 2023 (Cola), arXiv 2305.03689",
    headline="image",
    one_file=True,
    images=("image_0", "image_1"),
    captions=("caption_0", "caption_1"),
    rows=_cola_rows,
)
"""`COLA_multiobjects_matching_benchmark.json`, unchanged. Its figure is the image score of Winoground: each caption
picks its image."""

WINOGROUND = Format(
    name="winoground",
    title="Winoground",
    source="Thrush et al. 2022 (Winoground), arXiv 2204.03162",
    headline="group",
    one_file=True,
    images=("image_0", "image_1"),
    captions=("caption_0", "caption_1"),
    tags={
        "collapsed_tag": "collapsed tag",
        "tag": "tag",
        "secondary_tag": "secondary tag",
        "num_main_preds": "main predicates",
    },
    rows=lines,
)
"""`examples.jsonl`, whose images are named without an ending."""


def _note_parts(book: Builder, rows: list[Row]) -> None:
    if {"train", "test"} <= {row.file.stem for row in rows}:
        book.note("Errata read both parts. Published figures are for the test part: see the figures by split.")


COLORSWAP = Format(
    name="colorswap",
    title="ColorSwap",
    source="Burapacheep et al. 2024 (ColorSwap), arXiv 2402.04492",
    headline="group",
    images=("image_1", "image_2"),
    captions=("caption_1", "caption_2"),
    file_tag="split",
    rows=listed,
    prepare=_note_parts,
)
"""`train.json` and `test.json`. Published figures are those of the test part."""

SUGARCREPE = Format(
    name="sugarcrepe",
    title="SugarCrepe",
    source="Hsieh et al. 2023 (SugarCrepe), arXiv 2306.14610",
    average="kind",
    files=KINDS,
    images=("filename",),
    captions=("caption", "negative_caption"),
    file_tag="kind",
    rows=keyed,
)
"""Seven files. The headline is their mean with equal weights."""

TWO_TRUE = Format(
    name="sugarcrepe++",
    title="SugarCrepe++",
    source="Dumpala et al. 2024 (SugarCrepe++), arXiv 2406.11171",
    headline="both",
    average="kind",
    files=KINDS[:5],
    images=("filename",),
    captions=("caption", "caption2", "negative_caption"),
    n_true=2,
    file_tag="kind",
    rows=listed,
)
"""Five files of its released code (CC BY 4.0), lists with `id`, without added foils. Two true captions stand before the
foil, and the headline asks that both score above it; what the text side says alone is beside it."""


def _check_votes(book: Builder, rows: list[Row]) -> None:
    """Leave out what annotators did not confirm (7,702 of 8,782 items stay), and take the statement where the caption
    is another text, such as a question."""
    replaced = 0
    for row in rows:
        votes = 0
        if row.record.get("mturk") is not None:  # null where nobody was asked
            votes = as_object(row.record["mturk"], f"{row.where}: 'mturk'", "foil, caption and other").get("caption", 0)
        if isinstance(votes, bool) or not isinstance(votes, int | float):
            raise InvalidInput(
                f"{row.where}: 'mturk.caption', the number of votes, must be a number: it is {kind_of(votes)}. Fix it."
            )
        statement = row.record.get("declarative_statement")
        if votes < VALSE_VOTES:
            row.fault = f"fewer than {VALSE_VOTES} annotators confirmed its caption: {votes:g}"
        elif isinstance(statement, str):
            caption = text_of(row.record, "caption", row.where).strip()
            if statement.strip() not in ("", caption):
                row.record["caption"] = statement
                replaced += 1
    if replaced:
        book.note(
            f"{replaced:,} captions differ from the statement beside them in the file. Errata used the statement."
        )


VALSE = Format(
    name="valse",
    title="VALSE",
    source="Parcalabescu et al. 2022 (VALSE), arXiv 2112.07566",
    average="piece",
    images=("image_file",),
    captions=("caption", "foil"),
    file_tag="piece",
    tags={"linguistic_phenomena": "phenomenon"},
    rows=keyed,
    prepare=_check_votes,
)
"""One file a piece; the headline is the mean over pieces with equal weights."""


def _crepe_rows(form: Format, book: Builder, file: Path, asked: str) -> Iterator[Row]:
    """Rows of a table of systematicity or productivity; tags come from the file's name."""
    names = [name for name in header(file) if is_negatives_column(name)]
    if asked and asked not in names:
        raise InvalidInput(f"{file.name} has no column of hard negatives {asked[:60]!r}. It has {few(names)}.")
    if not names:
        raise InvalidInput(
            f"{file.name} has no column of hard negatives, such as hard_negs. It has {few(header(file))}."
        )
    known = [name for name in _CREPE_COLUMNS if name in names]
    column = asked or (known or names)[0]
    tags: dict[str, str] = {}
    if match := _SYSTEMATICITY.search(file.stem):
        tags = {"compounds": match[1], "corpus": match[2]}
    elif match := _PRODUCTIVITY.search(file.stem):
        tags = {"foils": match[1], "complexity": match[2]}
    rows, notes = read_rows(file, (*form.images, *form.captions, *form.box, column))
    for note in (*notes, f"Hard negatives of {file.name}: its column {column}."):
        book.note(note)
    for i, (where, row) in enumerate(rows):
        foils = literal_list(cell_of(row, column), f"{where}: {column!r}")
        id = cell_of(row, "image_id").strip().removesuffix(".0")
        record: Record = {**row, "image_id": f"{id}.jpg" if id.isdigit() else id, "caption": cell_of(row, "caption")}
        yield Row(where, str(i), record, file, foils, tags)


CREPE = Format(
    name="crepe",
    title="CREPE",
    source="Ma et al. 2023 (CREPE), arXiv 2212.07796",
    headline="r@1",
    images=("image_id",),
    captions=("caption",),
    box=("x", "y", "width", "height"),
    rows=partial(_crepe_rows, asked=""),
)
"""Tables of boxes and hard negatives. `image_id` 12 is Visual Genome's 12.jpg."""


def read_crepe(path: Path, *, negatives: str = "") -> Benchmark:
    """Read CREPE.

    Args:
        negatives: the column of hard negatives; "" takes hard_negs, or else valid_hard_negs_combined, _comp or _atom,
            the first that is there.

    Raises:
        InvalidInput: a file lacks a column, or a cell is not a list of texts.
    """
    return replace(CREPE, rows=partial(_crepe_rows, asked=negatives))(path)


def _negclip_rows(form: Format, book: Builder, file: Path) -> Iterator[Row]:
    rows, notes = read_rows(file, (*form.captions, *form.images, "neg_caption"))
    book.title = f"NegCLIP's captions ({file.name})"
    for note in notes:
        book.note(note)
    for i, (where, row) in enumerate(rows):
        record: Record = {key: cell_of(row, key) for key in (*form.images, *form.captions)}
        yield Row(where, str(i), record, file, literal_list(cell_of(row, "neg_caption"), f"{where}: 'neg_caption'"))
    book.note("This table was made for training. A model trained on it, or on COCO, has seen these captions.")


NEGCLIP = Format(
    name="negclip",
    title="NegCLIP's captions",
    source="Yuksekgonul et al. 2023 (NegCLIP), arXiv 2210.01936",
    headline="r@1",
    one_file=True,
    images=("filepath",),
    captions=("title",),
    rows=_negclip_rows,
)
"""The table that NegCLIP is trained on, as choices: the caption against its swapped ones."""
