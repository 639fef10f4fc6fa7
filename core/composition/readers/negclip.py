"""The table that NegCLIP is trained on: captions with swapped words, and pictures much like each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.composition.readers.builder import Builder, tidy_caption
from core.composition.readers.recognise import one_file_of
from core.composition.readers.tables import cell_of, literal_list, read_rows
from core.errors import InvalidInput
from core.records import Benchmark

_COLUMNS = ("title", "filepath", "neg_caption")


@dataclass(frozen=True, slots=True)
class NegclipRow:
    """A caption to train on."""

    picture: str
    caption: str
    foils: tuple[str, ...]
    """The caption with words swapped."""
    alike: tuple[int, ...]
    """Rows whose pictures are much like this one."""


def read_negclip(path: Path) -> Benchmark:
    """The table as choices: the caption against its swapped ones. For training see `read_rows_to_train`.

    Raises:
        InvalidInput: a column is missing, or a cell is no list.

    Source: Yuksekgonul et al. 2023 (ARO, NegCLIP).
    """
    rows, notes, name = _read(path)
    book = Builder(
        "negclip",
        f"NegCLIP's captions ({name})",
        "choice",
        "r@1",
        "Yuksekgonul et al. 2023 (NegCLIP), arXiv 2210.01936",
        "Its pictures are those of COCO 2014, in files such as COCO_val2014_000000184613.jpg.",
        notes=list(notes),
    )
    for i, row in enumerate(rows):
        where = f"{name}, row {i}"
        book.add(str(i), where, (book.picture(row.picture, where),), (row.caption, *row.foils))
    book.note("This table was made to train on: a model that was trained on it, or on COCO, has seen these captions.")
    return book.build()


def read_rows_to_train(path: Path) -> tuple[NegclipRow, ...]:
    """The table's rows, in its order, so that `NegclipRow.alike` are places in it.

    Raises:
        InvalidInput: a column is missing, a cell is no list, or a row is named that is not there.
    """
    rows, _, name = _read(path)
    for i, row in enumerate(rows):
        if strange := [at for at in row.alike if not 0 <= at < len(rows)]:
            raise InvalidInput(
                f"{name}, row {i}: 'neg_image' names row {strange[0]}, and there are {len(rows):,}. "
                "Bring the whole table."
            )
    return rows


def _read(path: Path) -> tuple[tuple[NegclipRow, ...], tuple[str, ...], str]:
    file, notes = one_file_of(path, "negclip")
    table, more = read_rows(file, _COLUMNS)
    rows = tuple(
        NegclipRow(
            cell_of(row, "filepath"),
            tidy_caption(cell_of(row, "title"), where),
            tuple(
                tidy_caption(foil, where)
                for foil in literal_list(cell_of(row, "neg_caption"), f"{where}: 'neg_caption'", str)
            ),
            tuple(literal_list(cell_of(row, "neg_image"), f"{where}: 'neg_image'", int)),
        )
        for where, row in table
    )
    return rows, (*notes, *more), file.name
