"""VALSE: a picture, its caption, and a foil that differs in one linguistic phenomenon."""

from __future__ import annotations

from pathlib import Path

from core.errors import InvalidInput
from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import Record, as_object, kind_of, label_of, load_json, text_of
from core.systems.composition.readers.recognise import files_of
from core.systems.composition.records import Benchmark

VOTES = 2
"""Of three annotators, those who must have found that the caption alone describes the picture."""
_FORM = "image_file, caption, foil and mturk"


def read_valse(path: Path) -> Benchmark:
    """One file, or those of a folder, without the items that annotators did not confirm. A file's name is the tag
    "piece".

    The headline is the mean over pieces with equal weights. Where a record has a `declarative_statement` that is not
    its caption, such as a question's, the statement is used.

    Raises:
        InvalidInput: a file is no object of such records.

    Source: Parcalabescu et al. 2022 (VALSE). Its valid items are 7,702 of 8,782.
    """
    files, notes = files_of(path, "valse")
    book = Builder(
        "valse",
        "VALSE",
        "choice",
        "pairwise",
        "Parcalabescu et al. 2022 (VALSE), arXiv 2112.07566",
        "Its pictures are those of COCO, Visual7W, SWiG, VisDial and FOIL-it, under the names that its files say.",
        average="piece",
        notes=list(notes),
    )
    declared = 0
    for file in files:
        for id, entry in as_object(load_json(file), file.name, "one record for each id").items():
            where = f"{file.name}, entry {id[:60]!r}"
            record = as_object(entry, where, _FORM)
            own = f"{file.stem}/{id}"
            if (votes := _votes(record, where)) < VOTES:
                book.exclude(own, f"fewer than {VOTES} annotators confirmed its caption: {votes:g}")
                continue
            declarative = record.get("declarative_statement")
            caption = text_of(record, "caption", where)
            if isinstance(declarative, str) and declarative.strip() not in ("", caption.strip()):
                caption = declarative
                declared = declared + 1
            picture = text_of(record, "image_file", where)
            foil = text_of(record, "foil", where)
            tags = {"piece": file.stem, "phenomenon": label_of(record, "linguistic_phenomena")}
            book.add_choice(own, where, picture, (caption, foil), tags)
    if declared:
        book.note(f"{declared:,} captions differ from the statement that the file gives beside them, which was used.")
    return book.build()


def _votes(record: Record, where: str) -> float:
    """Annotators who chose the caption; 0 where nobody was asked."""
    asked = record.get("mturk")
    if asked is None:
        return 0
    votes = as_object(asked, f"{where}: 'mturk'", "foil, caption and other").get("caption", 0)
    if isinstance(votes, bool) or not isinstance(votes, int | float):
        raise InvalidInput(
            f"{where}: the number of votes 'mturk.caption' must be a number: it is {kind_of(votes)}. Mend it."
        )
    return votes
