"""SugarCrepe's seven files: a picture, its caption, and a fluent caption that is wrong."""

from __future__ import annotations

from pathlib import Path

from core.composition.readers.builder import Builder
from core.composition.readers.fields import as_object, few, load_json, text_of
from core.composition.readers.recognise import files_of
from core.records import Benchmark

KINDS = ("replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att", "add_obj", "add_att")


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
    if absent := [kind for kind in KINDS if kind not in {file.stem for file in files}]:
        book.note(f"Of its seven files these are not here, so the mean leaves them out: {few(absent)}.")
    return book.build()
