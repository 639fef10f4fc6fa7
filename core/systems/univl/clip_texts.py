"""Texts about clips: a table with each text's clip, or lines of text alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from core.data.caption_cells import captions_in
from core.data.captioned import FILE_COLUMNS
from core.data.images.archives import FileImages
from core.data.images.matching import index_files
from core.data.modality import SUFFIXES
from core.data.tables.read import read_table
from core.documents import read_text
from core.errors import InvalidInput, quoted
from core.records import I64, Progress, no_progress

MAX_TEXTS = 50_000
CLIP_COLUMNS = (*FILE_COLUMNS, "video_id", "clip", "id")
"""Names of the column of clips, in order of preference."""
TEXT_PREFIXES = ("caption", "text", "sentence", "description")
"""Columns whose names begin with one of these hold texts."""


def read_clip_texts(
    file: Path, clips: FileImages | Sequence[str], *, progress: Progress = no_progress
) -> tuple[list[str], list[int] | None]:
    """Read the texts and the row of each text's clip; the rows are None where the file does not name clips.

    Args:
        file: .txt, one text per line; or a table with a column of files and one or more columns of captions. A cell
            may list several captions.
        clips: a store whose file names the table uses, or the clips' names.
        progress: called while a table is read.

    Raises:
        InvalidInput: the file is missing, empty or too large, lacks a column of texts, or names only unknown clips.
    """
    if file.suffix.lower() == ".txt":
        return _lines(file), None
    frame = read_table(file, as_text=CLIP_COLUMNS, progress=progress).frame
    columns = [str(column) for column in frame.columns]
    by_name = {name.casefold(): name for name in reversed(columns)}  # of equal names the first column counts
    clip_column = next((by_name[name] for name in CLIP_COLUMNS if name in by_name), None)
    text_columns = [name for name in columns if name.casefold().startswith(TEXT_PREFIXES)]
    if not text_columns:
        raise InvalidInput(
            f"{file.name}: no column begins with {quoted(*TEXT_PREFIXES)}. Rename one of {quoted(*columns)}."
        )
    texts = list[str]()
    if clip_column is None:
        for name in text_columns:
            for cell in frame[name]:
                texts += captions_in(cell)
        return _checked(texts, file), None
    find = _finder(clips)
    clip_of_text = list[int]()
    absent = list[str]()
    for row in frame[[clip_column, *text_columns]].itertuples(index=False):
        clip = find(_text(row[0]))
        if clip is None:
            absent.append(_text(row[0]))
            continue
        for cell in row[1:]:
            captions = captions_in(cell)
            texts += captions
            clip_of_text += [clip] * len(captions)
    if not texts:
        raise InvalidInput(
            f"{file.name}: none of the {len(absent):,} names in {clip_column!r} matches a clip with a text, for "
            f"example {quoted(*absent[:1])}. Fix the paths."
        )
    return _checked(texts, file), clip_of_text


def clip_rows(names: Sequence[str]) -> I64:
    """Rows of the files with a video's suffix; all rows where no file has one (clips may be animated images)."""
    videos = [row for row, name in enumerate(names) if PurePosixPath(name).suffix.lower() in SUFFIXES["clip"]]
    return np.array(videos or range(len(names)), np.int64)


def _finder(clips: FileImages | Sequence[str]) -> Callable[[str], int | None]:
    """A function from a written name to a row; None where no file or several match."""
    if isinstance(clips, FileImages):
        index = index_files(clips)

        def among_files(written: str) -> int | None:
            if not written:
                return None
            matches = index.find(written)
            return matches[0] if len(matches) == 1 else None

        return among_files
    rows = {name: row for row, name in enumerate(clips)}

    def among_names(written: str) -> int | None:
        return rows.get(written, rows.get(Path(written).stem))

    return among_names


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        raise InvalidInput(f"{file.name!r} was not found. Use a file with one text per line, or a table.")
    text = read_text(file, instead="Save it as UTF-8.")
    return _checked([line.strip() for line in text.splitlines() if line.strip()], file)


def _checked(texts: list[str], file: Path) -> list[str]:
    if not 0 < len(texts) <= MAX_TEXTS:
        raise InvalidInput(f"{file.name} has {len(texts):,} texts. Use 1 to {MAX_TEXTS:,}.")
    return texts


def _text(cell: object) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""
