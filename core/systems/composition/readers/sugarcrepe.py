"""SugarCrepe's seven files: a picture, its caption, and a fluent caption that is wrong; and SugarCrepe++'s five, which
have a second true caption in other words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import as_object, few, label_of, load_json, load_records, text_of
from core.systems.composition.readers.recognise import files_of
from core.systems.composition.records import Benchmark

KINDS = ("replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att", "add_obj", "add_att")
"""SugarCrepe++ has the first five."""
TWO_TRUE = ((0, 0), (0, 1))
"""Of three captions the first two are the picture's."""


def read_sugarcrepe(path: Path) -> Benchmark:
    """One file, or those of a folder. A file's name is the items' tag "kind", over which the headline is averaged with
    equal weights.

    Raises:
        InvalidInput: a file is no object of {filename, caption, negative_caption}.

    Source: Hsieh et al. 2023 (SugarCrepe). Its indices may have gaps; they are the items' ids.
    """
    files, notes = files_of(path, "sugarcrepe")
    book = Builder(
        "sugarcrepe",
        "SugarCrepe",
        "choice",
        "pairwise",
        "Hsieh et al. 2023 (SugarCrepe), arXiv 2306.14610",
        "Its pictures are those of COCO val2017, in files such as 000000085329.jpg.",
        average="kind",
        notes=list(notes),
    )
    for file in files:
        form = "filename, caption and negative_caption"
        for index, entry in as_object(load_json(file), file.name, "one record for each index").items():
            where = f"{file.name}, entry {index[:40]!r}"
            record = as_object(entry, where, form)
            picture, *captions = (text_of(record, key, where) for key in ("filename", "caption", "negative_caption"))
            book.add_choice(f"{file.stem}/{index}", where, picture, captions, {"kind": file.stem})
    _note_absent(book, files, KINDS)
    return book.build()


def read_two_true(path: Path) -> Benchmark:
    """SugarCrepe++: one file, or those of a folder. Two true captions stand before the foil, and the headline asks that
    both score above it; what the text side says alone is beside it.

    Raises:
        InvalidInput: a file is no list of {filename, caption, caption2, negative_caption}.

    Source: Dumpala et al. 2024 (SugarCrepe++), arXiv 2406.11171, and the files of its released code (CC BY 4.0), which
    are lists, have `id` in place of SugarCrepe's keys, and no added foils.
    """
    files, notes = files_of(path, "sugarcrepe++")
    book = Builder(
        "sugarcrepe++",
        "SugarCrepe++",
        "choice",
        "both",
        "Dumpala et al. 2024 (SugarCrepe++), arXiv 2406.11171",
        "Its pictures are those of COCO val2017, in files such as 000000085329.jpg.",
        average="kind",
        notes=list(notes),
    )
    keys = ("filename", "caption", "caption2", "negative_caption")
    for file in files:
        for i, (where, record) in enumerate(load_records(file, ", ".join(keys))):
            picture, *captions = (text_of(record, key, where) for key in keys)
            place = book.picture(picture, where)
            named = label_of(record, "id") or str(i)
            tags = {"kind": file.stem}
            book.add(f"{file.stem}/{named}", where, (place,), captions, match=TWO_TRUE, tags=tags)
    _note_absent(book, files, KINDS[:5])
    return book.build()


def _note_absent(book: Builder, files: Sequence[Path], kinds: Sequence[str]) -> None:
    """Say which of a benchmark's files are not there."""
    if absent := [kind for kind in kinds if kind not in {file.stem for file in files}]:
        number = {7: "seven", 5: "five"}[len(kinds)]
        book.note(f"Of its {number} files these are not here, so the mean leaves them out: {few(absent)}.")
