"""Cola's multi-object file: two pictures and two captions whose attributes are swapped."""

from __future__ import annotations

from pathlib import Path

from core.composition.readers.builder import FIRST_OF_EACH, Builder
from core.composition.readers.fields import as_list, as_object, as_text, load_json
from core.composition.readers.recognise import one_file_of
from core.records import Benchmark

TAGS = "tags.json"
_FORM = "four texts, image, caption, image, caption"


def read_multi_object(path: Path) -> Benchmark:
    """The pairs of `COLA_multiobjects_matching_benchmark.json`, read unchanged; caption i belongs to picture i.

    A `tags.json` beside it, as `compose draw` writes one, gives each item its tags by its number.

    Raises:
        InvalidInput: the file is no list of [image, caption, image, caption], or tags.json is no object of objects of texts.

    Source: Ray et al. 2023 (Cola). Its figure is the image score of Winoground: each caption picks its picture.
    """
    file, notes = one_file_of(path, "cola")
    tags = _tags_beside(file)
    book = Builder(
        "cola",
        "Pairs in Cola's form" if tags else "Cola, multi-object",
        "pairs",
        "image",
        "Ray et al. 2023 (Cola), arXiv 2305.03689",
        "Its pictures are those of Visual Genome (and GQA), in files such as 2390970.jpg.",
        notes=list(notes),
    )
    for i, row in enumerate(as_list(load_json(file), file.name, "rows")):
        where = f"{file.name}, row {i}"
        first, caption, second, other = (as_text(part, where) for part in as_list(row, where, _FORM, 4))
        book.add(
            str(i), where, (book.picture(first, where), book.picture(second, where)), (caption, other), match=FIRST_OF_EACH, tags=tags.get(str(i))
        )
    return book.build()


def _tags_beside(file: Path) -> dict[str, dict[str, str]]:
    """The tags of each item by its number, where a tags.json lies beside the file; else none."""
    beside = file.with_name(TAGS)
    if not beside.is_file():
        return {}
    rows = as_object(load_json(beside), TAGS, "an object of items by their number")
    found: dict[str, dict[str, str]] = {}
    for number, row in rows.items():
        where = f"{TAGS}, item {number}"
        found[number] = {name: as_text(value, where) for name, value in as_object(row, where, "an object of tags").items()}
    return found
