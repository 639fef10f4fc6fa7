"""Winoground and ColorSwap: two pictures and two captions made of the same words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import Record, as_object, label_of, load_lines, load_records, text_of
from core.systems.composition.readers.recognise import files_of, one_file_of
from core.systems.composition.records import Benchmark

_WINOGROUND = ("image_0", "image_1", "caption_0", "caption_1")
_TAGS = {
    "collapsed_tag": "collapsed tag",
    "tag": "tag",
    "secondary_tag": "secondary tag",
    "num_main_preds": "main predicates",
}
_COLORSWAP = ("image_1", "image_2", "caption_1", "caption_2")


def read_winoground(path: Path) -> Benchmark:
    """The pairs of `examples.jsonl`, whose pictures are named without an ending.

    Raises:
        InvalidInput: a line is no object with image_0, image_1, caption_0 and caption_1.

    Source: Thrush et al. 2022 (Winoground).
    """
    file, notes = one_file_of(path, "winoground")
    book = Builder(
        "winoground",
        "Winoground",
        "pairs",
        "group",
        "Thrush et al. 2022 (Winoground), arXiv 2204.03162",
        "Its pictures may not be passed on: ask for them at facebook/winoground; "
        "they are files such as ex_0_img_0.png.",
        notes=list(notes),
    )
    for i, (where, line) in enumerate(load_lines(file)):
        record = as_object(line, where, ", ".join(_WINOGROUND))
        tags = {name: label_of(record, key) for key, name in _TAGS.items()}
        _add(book, label_of(record, "id") or str(i), where, record, _WINOGROUND, tags)
    return book.build()


def read_colorswap(path: Path) -> Benchmark:
    """The pairs of `train.json` and `test.json`; the file's name is the tag "split".

    Raises:
        InvalidInput: a file is no list of {id, image_1, caption_1, image_2, caption_2}.

    Source: Burapacheep et al. 2024 (ColorSwap). Its figures are those of the test part.
    """
    files, notes = files_of(path, "colorswap")
    book = Builder(
        "colorswap",
        "ColorSwap",
        "pairs",
        "group",
        "Burapacheep et al. 2024 (ColorSwap), arXiv 2402.04492",
        "Its pictures are in the folder images of the data set stanfordnlp/colorswap, in files such as img_0_1.png.",
        notes=list(notes),
    )
    for file in files:
        for i, (where, record) in enumerate(load_records(file, ", ".join(_COLORSWAP))):
            _add(book, f"{file.stem}/{label_of(record, 'id') or i}", where, record, _COLORSWAP, {"split": file.stem})
    if {"train", "test"} <= {file.stem for file in files}:
        book.note("Both parts are read; published figures are of the test part: see the figures by split.")
    return book.build()


def _add(book: Builder, id: str, where: str, record: Record, keys: Sequence[str], tags: dict[str, str]) -> None:
    first, second, caption, other = (text_of(record, key, where) for key in keys)
    book.add_pair(id, where, (first, second), (caption, other), tags)
