"""The table that NegCLIP is trained on: captions with swapped words, and pictures much like each other."""

from __future__ import annotations

from pathlib import Path

from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.recognise import one_file_of
from core.systems.composition.readers.tables import cell_of, literal_list, read_rows
from core.systems.composition.records import Benchmark

_COLUMNS = ("title", "filepath", "neg_caption")


def read_negclip(path: Path) -> Benchmark:
    """The table as choices: the caption against its swapped ones.

    Raises:
        InvalidInput: a column is missing, or a cell is no list.

    Source: Yuksekgonul et al. 2023 (ARO, NegCLIP).
    """
    file, notes = one_file_of(path, "negclip")
    rows, more = read_rows(file, _COLUMNS)
    book = Builder(
        "negclip",
        f"NegCLIP's captions ({file.name})",
        "choice",
        "r@1",
        "Yuksekgonul et al. 2023 (NegCLIP), arXiv 2210.01936",
        "Its pictures are those of COCO 2014, in files such as COCO_val2014_000000184613.jpg.",
        notes=[*notes, *more],
    )
    for i, (where, row) in enumerate(rows):
        foils = literal_list(cell_of(row, "neg_caption"), f"{where}: 'neg_caption'")
        book.add_choice(str(i), where, cell_of(row, "filepath"), (cell_of(row, "title"), *foils))
    book.note("This table was made to train on: a model that was trained on it, or on COCO, has seen these captions.")
    return book.build()
