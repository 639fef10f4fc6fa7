"""What a person says of a run on the page, in a file of its own: a note is saved in a few kilobytes, without the arrays
of the run.

The file takes the place of what the run holds under the same key, for as long as it lies there. It is replaced whole:
whoever is killed meanwhile leaves the old or the new.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from core.documents import MAX_STORED_BYTES, read_stored
from core.errors import InvalidInput
from core.files import write_text
from core.records import Diagnosis
from core.yours import KEY, with_yours, yours_of

UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError, InvalidInput)
_LOST = "What you had said of this run could not be read, and is kept in"
"""Begins the note of a file that is damaged, or was edited."""
_ASIDE = ".unreadable"


def with_own(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """The run with what the file says in place of what it holds, without what does not fit the run (`core.yours`);
    itself where there is none. Of a file that cannot be read, or was set aside, a note tells."""
    aside = path.with_name(path.name + _ASIDE)
    lost = [aside.name] if os.path.lexists(aside) else []
    try:
        diagnosis = _read(diagnosis, path)
    except FileNotFoundError:
        pass
    except UNREADABLE:
        lost.append(path.name)
    others = [note for note in diagnosis.notes if not note.startswith(_LOST)]
    told = [f"{_LOST} {' and '.join(lost)}."] if lost else []
    notes = (*others, *told)
    return diagnosis if notes == diagnosis.notes else replace(diagnosis, notes=notes)


def _read(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """The run with what the file says; raises one of UNREADABLE where it cannot be read."""
    said = cast("dict[str, Any]", read_stored(path, below=path.parent))[KEY]
    if said is not None and not _is_shaped(said):
        raise ValueError(f"{path.name} is not of the shape that is written")
    return with_yours(diagnosis, yours_of(replace(diagnosis, extras={KEY: said})))


def _is_shaped(said: Any) -> bool:
    """Whether it has lists of sets and marks, each with fields: what else it says is passed over."""
    if not isinstance(said, dict):
        return False
    lists = [cast("dict[str, Any]", said).get(name, []) for name in ("sets", "marks")]
    return all(
        isinstance(one, list) and all(isinstance(part, dict) for part in cast("list[Any]", one)) for one in lists
    )


def write_own(diagnosis: Diagnosis, path: Path) -> None:
    """Write what a person says of the run, and nothing else; a file there that cannot be read is set aside.

    Raises:
        InvalidInput: it cannot be written, or is more than is read back; the file is as it was.
    """
    text = json.dumps({KEY: diagnosis.extras.get(KEY)}, ensure_ascii=False)
    if len(text.encode()) > MAX_STORED_BYTES:
        raise InvalidInput("The sets of this run are too large to be kept together. Delete one of them first.")
    try:
        _read(diagnosis, path)
    except FileNotFoundError:
        pass
    except UNREADABLE:
        path.replace(path.with_name(path.name + _ASIDE))
    write_text(path, text)


def stamp(path: Path) -> tuple[int, int] | None:
    """Changes whenever another version of the file takes its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
