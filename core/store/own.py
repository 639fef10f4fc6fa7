"""Store a person's sets and notes on a run in a separate file, so that saving a note writes a few kilobytes, not the
arrays of the run.

While the file exists, it replaces what the run holds under the same key. It is replaced atomically: a killed process
leaves the old file or the new one.
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
from core.limits import byte_size
from core.records import Diagnosis
from core.yours import KEY, with_yours, yours_of

UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError, InvalidInput)
_LOST = "Your sets and notes on this run could not be read. They are saved in"
"""Beginning of the note on a damaged or edited file."""
_ASIDE = ".unreadable"


def with_own(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """Return the run with the file's sets and notes, without those that do not fit the run (`core.yours`). Without a
    file, return the run itself. A note reports a file that cannot be read or was set aside."""
    aside = path.with_name(path.name + _ASIDE)
    lost = [aside.name] if os.path.lexists(aside) else []
    try:
        diagnosis = _read(diagnosis, path)
    except FileNotFoundError:
        pass
    except UNREADABLE:
        lost.append(path.name)
    others = [note for note in diagnosis.notes if not note.startswith(_LOST)]
    if lost:
        others.append(f"{_LOST} {' and '.join(lost)}.")
    notes = tuple(others)
    if notes == diagnosis.notes:
        return diagnosis
    return replace(diagnosis, notes=notes)


def _read(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """Return the run with the file's sets and notes; raise one of UNREADABLE if it cannot be read."""
    document = cast("dict[str, Any]", read_stored(path, below=path.parent))[KEY]
    if document is not None and not _is_shaped(document):
        raise ValueError(f"{path.name} does not have the expected fields")
    return with_yours(diagnosis, yours_of(replace(diagnosis, extras={KEY: document})))


def _is_shaped(document: Any) -> bool:
    """Whether the document has lists of sets and marks, each with fields; anything else in it is ignored."""
    if not isinstance(document, dict):
        return False
    for name in ("sets", "marks"):
        entries = cast("dict[str, Any]", document).get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in cast("list[Any]", entries)):
            return False
    return True


def write_own(diagnosis: Diagnosis, path: Path) -> None:
    """Write a person's sets and notes on the run. An existing file that cannot be read is set aside.

    Raises:
        InvalidInput: the file cannot be written, or would be too large to read back; it stays as it was.
    """
    text = json.dumps({KEY: diagnosis.extras.get(KEY)}, ensure_ascii=False)
    if len(text.encode()) > MAX_STORED_BYTES:
        raise InvalidInput(f"The sets and notes on this run exceed {byte_size(MAX_STORED_BYTES)}. Delete a set first.")
    try:
        _read(diagnosis, path)
    except FileNotFoundError:
        pass
    except UNREADABLE:
        path.replace(path.with_name(path.name + _ASIDE))
    write_text(path, text)


def stamp(path: Path) -> tuple[int, int] | None:
    """Return a value that changes with each version of the file; None without a file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
