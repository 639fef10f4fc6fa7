"""Cola's multi-object file: two pictures and two captions whose attributes are swapped."""

from __future__ import annotations

from pathlib import Path

from core.composition.readers.building import FIRST_OF_EACH, Builder
from core.composition.readers.files import as_list, as_text, load_json
from core.composition.readers.shapes import one_file_of
from core.composition.records import Benchmark

_FORM = "four texts, image, caption, image, caption"


def read_multi_object(path: Path) -> Benchmark:
    """The pairs of `COLA_multiobjects_matching_benchmark.json`, read unchanged; caption i belongs to picture i.

    Raises:
        InvalidInput: the file is no list of [image, caption, image, caption].

    Source: Ray et al. 2023 (Cola). Its figure is the image score of Winoground: each caption picks its picture.
    """
    file, notes = one_file_of(path, "cola")
    book = Builder(
        "cola",
        "Cola, multi-object",
        "pairs",
        "image",
        "Ray et al. 2023 (Cola), arXiv 2305.03689",
        "Its pictures are those of Visual Genome (and GQA), in files such as 2390970.jpg.",
        notes=list(notes),
    )
    for i, row in enumerate(as_list(load_json(file), file.name, "rows")):
        where = f"{file.name}, row {i}"
        first, caption, second, other = (as_text(part, where) for part in as_list(row, where, _FORM, 4))
        book.add(str(i), where, (book.picture(first, where), book.picture(second, where)), (caption, other), match=FIRST_OF_EACH)
    return book.build()
