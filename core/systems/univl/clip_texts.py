"""What is said of clips: a table that names each text's clip, or lines of text alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from core.data.caption_cells import captions_in
from core.data.captioned import FILES
from core.data.images.archives import FileImages
from core.data.images.matching import index_files
from core.data.modality import SUFFIXES
from core.data.tables.read import read_table
from core.documents import read_text
from core.errors import InvalidInput, quoted
from core.records import I64, Progress, no_progress

MAX_TEXTS = 50_000
IDS = (*FILES, "video_id", "clip", "id")
TEXTS = ("caption", "text", "sentence", "description")
"""Columns whose names begin so hold texts."""


def read_clip_texts(
    file: Path, clips: FileImages | Sequence[str], *, progress: Progress = no_progress
) -> tuple[list[str], list[int] | None]:
    """The texts, and the row of each one's clip, or None where the file does not say it.

    Args:
        file: .txt, a text a line; or a table with a column of files and one or more of captions, some in a cell.
        clips: a store whose files are named, or the clips' names.
        progress: called while a table is read.

    Raises:
        InvalidInput: the file is missing, empty or too large, has no such column, or names no clip that is there.
    """
    if file.suffix.lower() == ".txt":
        return _lines(file), None
    frame = read_table(file, as_text=IDS, progress=progress).frame
    columns = [str(column) for column in frame.columns]
    named = next((name for wanted in IDS for name in columns if name.casefold() == wanted), None)
    said = [name for name in columns if name.casefold().startswith(TEXTS)]
    if not said:
        raise InvalidInput(f"{file.name} has no column that begins with {quoted(*TEXTS)}. It has {quoted(*columns)}.")
    if named is None:
        return _checked([text for name in said for cell in frame[name] for text in captions_in(cell)], file), None
    find = _finder(clips)
    texts = list[str]()
    of = list[int]()
    absent = list[str]()
    for row in frame[[named, *said]].itertuples(index=False):
        at = find(_text(row[0]))
        own = [text for cell in row[1:] for text in captions_in(cell)]
        if at is None:
            absent.append(_text(row[0]))
            continue
        texts += own
        of += [at] * len(own)
    if not texts:
        raise InvalidInput(
            f"None of the {len(absent):,} clips that {named!r} of {file.name} names (such as {quoted(*absent[:1])}) is "
            "there with a text. Check the paths."
        )
    return _checked(texts, file), of


def clip_rows(names: Sequence[str]) -> I64:
    """The files whose names end like those of videos; all, where none does, since animated images end like others."""
    videos = [row for row, name in enumerate(names) if PurePosixPath(name).suffix.lower() in SUFFIXES["clip"]]
    return np.array(videos or range(len(names)), np.int64)


def _finder(clips: FileImages | Sequence[str]) -> Callable[[str], int | None]:
    """From a written name to a row, None where none or several fit."""
    if isinstance(clips, FileImages):
        index = index_files(clips)

        def among_files(written: str) -> int | None:
            places = index.find(written) if written else []
            return places[0] if len(places) == 1 else None

        return among_files
    rows = {name: row for row, name in enumerate(clips)}

    def among_names(written: str) -> int | None:
        return rows.get(written, rows.get(Path(written).stem))

    return among_names


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        raise InvalidInput(f"There is no file {file.name!r}. Name one with a text a line, or a table.")
    text = read_text(file, instead="Save it as UTF-8.")
    return _checked([line.strip() for line in text.splitlines() if line.strip()], file)


def _checked(texts: list[str], file: Path) -> list[str]:
    if not 0 < len(texts) <= MAX_TEXTS:
        raise InvalidInput(f"{file.name} must hold 1 to {MAX_TEXTS:,} texts: got {len(texts):,}.")
    return texts


def _text(cell: object) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""
